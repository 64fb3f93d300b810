"""What callers hear while they wait in a queue, and who of them is first, on Asterisk."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from telephony.asterisk.lines import Fallback
from telephony.domain.directory import Assignment, Client, ClientChange
from telephony.domain.queueing import QueueSettings
from tests.asterisk.office import (
    DID,
    STRANGER,
    VIP,
    Office,
    office,
    pbx_files,
    small_directory,
    until,
)
from tests.asterisk.queue_lab import QUEUE, becomes, console, queue_setup
from tests.lab.asterisk_tree import ensure_asterisk
from tests.lab.behaviours import answer, no_answer
from tests.lab.cache import default_cache
from tests.lab.call import PhoneCall

OTHER, THIRD = "+79005556688", "+79005556699"
# app_queue tells whole minutes, rounded, of what callers waited on the average.
TELLS_FROM = 32.0


@asynccontextmanager
async def waiting_office(run: Path, queue: QueueSettings) -> AsyncIterator[Office]:
    """Open an office where callers wait for 102 in this queue; its music is in a class `tune`."""
    tree = await asyncio.to_thread(ensure_asterisk, default_cache())
    files = pbx_files(Fallback("endpoints", "104", 5), own=(queue,))
    folders = {"default": "silence", "tune": "digits"}
    files["musiconhold.conf"] = "".join(
        f"[{name}]\nmode = files\ndirectory = {tree.data / 'sounds' / 'en' / folder}\n"
        for name, folder in folders.items()
    )
    setup = queue_setup("102")
    setup = replace(setup, groups={"sales": replace(setup.groups["sales"], queue=queue)})
    async with office(run, files=files, listening=False, full_log=True) as place:
        place.listener = place.new_listener(setup, small_directory())
        await place.start_listener()
        try:
            await becomes(place, {"PJSIP/102": ""})
            yield place
        finally:
            await place.stop_listener()


async def waits(place: Office, number: str, behind: int = 0) -> PhoneCall:
    """Call the company; return once the caller waits in the queue, behind so many others."""
    call = await place.trunk.call(DID, number)
    await call.wait_answered(5)
    deadline = time.monotonic() + 5
    while (seen := await callers(place)) != behind + 1:
        assert time.monotonic() < deadline, f"{seen} wait, not {behind + 1}"
        await asyncio.sleep(0.05)
    return call


async def taken(place: Office, number: str) -> None:
    """Wait until 102 talks with this caller; one try at a phone and the rest may come before."""
    desk = place.phones["102"]
    await until(
        lambda: any(call.from_number == number and call.answered_at for call in desk.calls),
        12,
        f"102 takes {number}",
    )
    await place.talking()


async def hears(place: Office, sounds: list[str]) -> None:
    """Wait until exactly these sounds were played to callers since the office opened."""
    deadline = time.monotonic() + 20
    while (played := place.played()) != sounds:
        assert time.monotonic() < deadline, f"{played}, not {sounds}"
        await asyncio.sleep(0.05)


async def callers(place: Office) -> int:
    """Return how many wait in the queue."""
    shown = await console(place, f"queue show {QUEUE.pbx_name}")
    return len(re.findall(r"^\s+\d+\. PJSIP/trunk-", shown, re.MULTILINE))


async def test_a_caller_hears_the_queues_music(tmp_path: Path) -> None:
    async with waiting_office(tmp_path, replace(QUEUE, music="tune")) as place:
        place.phones["102"].behaviour = no_answer()
        call = await waits(place, STRANGER)
        await until(
            lambda: "hold, class 'tune', on channel 'PJSIP/trunk" in place.pbx.log(), 5, "music"
        )
        await until(lambda: call.rtp.received > 50, 5, "a second of it")
        assert call.rtp.silent_run == 0
        assert place.played() == []
        place.phones["102"].behaviour = answer(0.1)
        await taken(place, STRANGER)
        await until(lambda: call.rtp.silent_run > 25, 5, "the operator is heard and no music")
        await call.hangup()


async def test_a_caller_hears_the_place_and_the_wait_and_is_answered(tmp_path: Path) -> None:
    queue = replace(QUEUE, announce_position=True, announce_wait=True, max_wait_seconds=100)
    async with waiting_office(tmp_path, queue) as place:
        desk = place.phones["102"]
        desk.behaviour = no_answer()
        first = await waits(place, STRANGER)
        await until(lambda: time.monotonic() - first.invited_at > TELLS_FROM, 60, "a long wait")
        assert place.played() == [], "whoever is rung for is told nothing"
        desk.behaviour = answer(0.1)
        await taken(place, STRANGER)
        second = await waits(place, OTHER)
        heard = ["queue-youarenext", "queue-thankyou"]
        await hears(place, heard)
        third = await waits(place, THIRD, behind=1)
        heard += ["queue-thereare", "digits/2", "queue-callswaiting"]
        heard += ["queue-holdtime", "digits/1", "queue-minute", "queue-thankyou"]
        await hears(place, heard)
        assert min(call.rtp.received for call in (second, third)) > 100, "audio comes"
        await first.hangup()
        await taken(place, OTHER)
        await second.hangup()
        await third.hangup()
        made = await place.records.wait(3)
        assert [(one.number, one.answered_by) for one in made[:2]] == [
            (STRANGER, "102"),
            (OTHER, "102"),
        ]


async def test_a_vip_is_taken_before_whoever_waits_longer(tmp_path: Path) -> None:
    async with waiting_office(tmp_path, QUEUE) as place:
        # Nobody's client: only the queue is left for them.
        vip = Client(2, "Very Important", Assignment(None, None, True))
        place.listener.apply([ClientChange(vip, (VIP,))], None)
        desk = place.phones["102"]
        talking = await place.trunk.call(DID, OTHER)
        await desk.next_call(5)
        await place.talking()
        ordinary = await waits(place, STRANGER)
        important = await waits(place, VIP, behind=1)
        await talking.hangup()
        assert (await desk.next_call(10)).from_number == VIP
        await place.talking()
        assert await callers(place) == 1, "the other one waits on"
        await important.hangup()
        assert (await desk.next_call(10)).from_number == STRANGER
        await place.talking()
        await ordinary.hangup()
        made = await place.records.wait(3)
        assert [one.answered_by for one in made] == ["102"] * 3
        answers = {one.number: one.answered_at or 0 for one in made}
        assert 0 < answers[VIP] < answers[STRANGER]
