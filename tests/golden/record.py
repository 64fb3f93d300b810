"""Records what the real Asterisk says, for the golden tests: `python -m tests.golden.record`.

For each scenario two streams are kept: `NAME.all.ami` as a user sees it who reads everything, and
`NAME.filtered.ami` as Dutyline's own user sees it behind its event filters. What people do with
calls that are up (tests/asterisk/scenes.py) is kept under `scenes/`, filtered.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from telephony.ami import actions
from tests.asterisk import scenes
from tests.asterisk.expected import SCENES
from tests.asterisk.office import DID, KNOWN, MOBILE, SECRET, STRANGER, Office, office, until
from tests.asterisk.ordering import place_call, placing
from tests.lab.behaviours import answer, busy, decline, no_answer, voicemail

HERE = Path(__file__).parent

# One caller forges whole events in 79 characters of a From number; see docs/dialplan.md.
FORGED = (
    "\r\n\r\nEvent: Hangup\r\nUniqueid: 1795000000.1\r\nLinkedid: 1795000000.1\r\nCause: 16",
    "\r\n\r\nEvent: UserEvent\r\nUserEvent: DutylineIncoming\r\nCallId: 1795000000.1\r\nX: ",
    "\r\n\r\nResponse: Success\r\nActionID: 1\r\nMessage: Originate queued\r\n\r\n",
    "\r\n\r\nEvent: Newchannel\r\nPrivilege: call,all\r\nTimestamp: 1795000000.000001\r\n",
    "1\r\nUniqueid: 1795000000.1\r\nLinkedid: 1795000000.1\r\nX: y",
)


async def _answered(place: Office) -> None:
    call = await place.trunk.call(DID, KNOWN, name="Evil, CallId: 1")
    await call.wait_answered(8)
    await call.hangup()
    await place.records.wait()


async def _voicemail(place: Office) -> None:
    place.phones["101"].behaviour = no_answer()
    place.trunk.mobiles[MOBILE[1:]] = voicemail(0.2)
    call = await place.trunk.call(DID, KNOWN)
    await call.wait_answered(30)
    await call.hangup()
    await place.records.wait()


async def _abandoned(place: Office) -> None:
    place.phones["103"].behaviour = no_answer()
    call = await place.trunk.call(DID, STRANGER)
    await place.phones["103"].next_call(5)
    await call.hangup()
    await place.records.wait()


async def _busy(place: Office) -> None:
    place.phones["103"].behaviour = busy()
    call = await place.trunk.call(DID, STRANGER)
    await call.wait_ended(10)
    await place.records.wait()


async def _no_answer(place: Office) -> None:
    place.phones["103"].behaviour = no_answer()
    call = await place.trunk.call(DID, STRANGER)
    await call.wait_ended(10)
    await place.records.wait()


async def _transferred(place: Office) -> None:
    call = await place.trunk.call(DID, KNOWN)
    desk = await place.phones["101"].next_call(5)
    await call.wait_answered(5)
    await place.talking()
    await desk.refer("102")
    colleague = await place.phones["102"].next_call(5)
    await colleague.wait_answered(5)
    await call.hangup()
    await place.records.wait()


async def _hostile(place: Office) -> None:
    """Attackers call while a genuine call is up; it must be recorded as if they were not there."""
    place.phones["101"].behaviour = answer(0.2)
    place.phones["103"].behaviour = answer(0.2, talk=0.3)
    genuine = await place.trunk.call(DID, KNOWN)
    await genuine.wait_answered(8)
    for number in FORGED:
        for name in ("", '"x, CallId: 1795000000.1, Token: guess" '):
            attack = await place.trunk.call(
                DID, from_header=f"{name}<sip:{quote(number, safe='')}@127.0.0.2>"
            )
            with contextlib.suppress(TimeoutError):
                await attack.wait_ended(8)
    await genuine.hangup()
    await until(
        lambda: any(made.number == KNOWN for made in place.records.by_call.values()),
        10,
        "the genuine call's record",
    )


async def _ordered(place: Office) -> None:
    place.phones["101"].behaviour = answer(0.2, press="1")
    place.trunk.default = answer(0.2, talk=2.5)
    await asyncio.to_thread(place_call, place, placing(7))
    await place.records.wait(1, 20)


async def _ordered_in_vain(place: Office) -> None:
    place.phones["101"].behaviour = answer(0.2, press="1")
    place.trunk.default = busy(0.3)
    await asyncio.to_thread(place_call, place, placing(8))
    await place.records.wait(1, 20)


async def _ordered_declined(place: Office) -> None:
    place.phones["101"].behaviour = decline(0.3)
    await asyncio.to_thread(place_call, place, placing(9))
    await place.records.wait(1, 20)


async def _recalled(place: Office) -> None:
    """The client first; 103 is on duty."""
    place.phones["103"].behaviour = answer(0.3, talk=2.5)
    place.trunk.default = answer(0.2, press="1")
    await asyncio.to_thread(place_call, place, placing(10, None, client_key=True))
    await place.records.wait(1, 20)


SCENARIOS: dict[str, Callable[[Office], Awaitable[None]]] = {
    "answered": _answered,
    "voicemail": _voicemail,
    "abandoned": _abandoned,
    "busy": _busy,
    "no_answer": _no_answer,
    "transferred": _transferred,
    "hostile": _hostile,
    "ordered": _ordered,
    "ordered_in_vain": _ordered_in_vain,
    "ordered_declined": _ordered_declined,
    "recalled": _recalled,
}
# The unfiltered stream is kept where it says more than the filtered one.
UNFILTERED = ("answered", "hostile")


@asynccontextmanager
async def tap(port: int, user: str, secret: str) -> AsyncIterator[bytearray]:
    """Log in beside the listener and collect all bytes after the greeting."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    collected = bytearray()
    await reader.readline()
    # "on": all that the user may read, and no narrower mask for this session.
    login = (*actions.login(user, secret)[:-1], ("Events", "on"))
    writer.write(actions.render(login))

    async def collect() -> None:
        while data := await reader.read(65536):
            collected.extend(data)

    task = asyncio.create_task(collect())
    try:
        yield collected
    finally:
        task.cancel()
        writer.close()


# Two thirds of the bytes, and nothing an attacker can shape.
_NOISE = tuple(f"Event: {name}\r\n".encode() for name in ("VarSet", "Newexten", "TestEvent"))


def _without_noise(stream: bytes) -> bytes:
    """Return the stream without whole packets of events that nobody reads; the rest verbatim."""
    packets = stream.split(b"\r\n\r\n")
    return b"\r\n\r\n".join(packet for packet in packets if not packet.startswith(_NOISE))


async def _record(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with office(Path(folder)) as place:
            port = place.pbx.ami_port
            async with (
                tap(port, "lab", "labsecret") as everything,
                tap(port, "dutyline", SECRET) as filtered,
            ):
                await SCENARIOS[name](place)
    if name in UNFILTERED:
        (HERE / f"{name}.all.ami").write_bytes(_without_noise(bytes(everything)))
    (HERE / f"{name}.filtered.ami").write_bytes(bytes(filtered))
    print(name, len(everything), len(filtered))


async def _record_scenes(names: list[str]) -> None:
    (HERE / "scenes").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with scenes.open_office(Path(folder)) as place:
            for name in names:
                await scenes.clear(place)
                async with tap(place.pbx.ami_port, "dutyline", SECRET) as filtered:
                    await SCENES_BY_NAME[name](place)
                    await place.records.wait()
                    await scenes.rested(place)
                (HERE / "scenes" / f"{name}.ami").write_bytes(bytes(filtered))
                print(name, len(filtered))


SCENES_BY_NAME = {one.scene.__name__: one.scene for one in SCENES}

if __name__ == "__main__":
    wanted = sys.argv[1:] or [*SCENARIOS, *SCENES_BY_NAME]
    for chosen in wanted:
        if chosen in SCENARIOS:
            asyncio.run(_record(chosen))
    if played := [name for name in wanted if name in SCENES_BY_NAME]:
        asyncio.run(_record_scenes(played))
