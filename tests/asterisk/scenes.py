"""What people do with calls, played by the lab's phones: for the tests here and the recordings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.asterisk.office import DID, KNOWN, Office, office, until
from tests.lab.behaviours import Behaviour, answer, busy, no_answer, not_found, refuse
from tests.lab.phones import PhoneCall

CLIENT = KNOWN[1:]
QUEUE, OWN, ECHO = "74950000003", "74950000002", "650"
PARKING, SLOT = "700", "701"
TALK = 0.4

# A PBX's own dialplan: numbers and extensions that Dutyline's contexts never see.
OWN_DIALPLAN = f"""
[from-trunk](+)
exten => {OWN},1,Dial(PJSIP/103,15,gt)
 same => n,Hangup()
exten => {QUEUE},1,Answer()
 same => n,Queue(duty,ct,,,20)
 same => n,Hangup()

[internal](+)
exten => {ECHO},1,Answer()
 same => n,Echo()
; Through a prefix, and not for long.
exten => _9XXXXXXXXXXX,1,Dial(PJSIP/${{EXTEN:1}}@trunk,1)
 same => n,Hangup()

[from-queue]
exten => _1XX,1,Dial(PJSIP/${{EXTEN}},15,t)
 same => n,Hangup()
"""

Scene = Callable[[Office], Awaitable[None]]


@asynccontextmanager
async def open_office(run: Path) -> AsyncIterator[Office]:
    """Open an office whose PBX also has a dialplan of its own."""
    async with office(run) as place:
        await give_dialplan(place)
        yield place


async def give_dialplan(place: Office) -> None:
    """Give a PBX a dialplan of its own."""
    path = place.pbx.etc / "extensions.conf"
    place.pbx.write("extensions.conf", path.read_text() + OWN_DIALPLAN)
    await asyncio.to_thread(place.pbx.reload)


async def clear(place: Office) -> None:
    """Let the PBX come to rest, then forget what was: calls, records, behaviours."""
    parties = [place.trunk, *place.phones.values()]
    await asyncio.gather(*(call.hangup() for one in parties for call in one.calls if call.live))
    await rested(place)
    place.records.by_call.clear()
    for phone in place.phones.values():
        phone.behaviour = answer(0.1)
        phone.calls.clear()
    place.trunk.calls.clear()
    place.trunk.mobiles.clear()
    for party in parties:
        while not party._incoming.empty():
            party._incoming.get_nowait()


async def rested(place: Office) -> None:
    """Wait until every call that the listener follows has ended and is on record."""
    await until(
        lambda: (
            place.heartbeat() > 0
            and all(
                live.ended is not None and not live.changed
                for live in place.listener._calls.values()
            )
        ),
        10,
        "all calls are on record",
    )


async def _called(place: Office, did: str = DID, desk: str = "101") -> tuple[PhoneCall, PhoneCall]:
    """Let the client call and an operator answer; return (the client's call, the operator's)."""
    call = await place.trunk.call(did, KNOWN)
    ringing = await place.phones[desk].next_call(5)
    await call.wait_answered(5)
    await place.talking()
    await asyncio.sleep(TALK)
    return call, ringing


async def _placed(place: Office, does: Behaviour, number: str = CLIENT) -> PhoneCall:
    place.trunk.mobiles[CLIENT] = does
    return await place.phones["101"].call(number)


async def _consulting(place: Office, held: PhoneCall) -> tuple[PhoneCall, PhoneCall]:
    """Hold a call and talk to 102; return (101's second call, 102's)."""
    await held.hold()
    asking = await place.phones["101"].call("102")
    asked = await place.phones["102"].next_call(5)
    await asking.wait_answered(5)
    await asyncio.sleep(TALK)
    return asking, asked


async def held(place: Office) -> None:
    """101 holds the client and comes back; the client hangs up."""
    call, desk = await _called(place)
    await desk.hold()
    await asyncio.sleep(TALK)
    await desk.hold(on=False)
    await asyncio.sleep(TALK)
    await call.hangup()


async def blind(place: Office) -> None:
    """101 sends the client to 102, who hangs up."""
    call, desk = await _called(place)
    await desk.refer("102")
    colleague = await place.phones["102"].next_call(5)
    await colleague.wait_answered(5)
    await asyncio.sleep(TALK)
    await colleague.hangup()
    await call.wait_ended(5)


async def blind_outside(place: Office) -> None:
    """101 sends the client to a number outside; the client hangs up."""
    place.trunk.mobiles["79005550000"] = answer(0.1)
    call, desk = await _called(place)
    await desk.refer("79005550000")
    far = await place.trunk.next_call(5)
    await far.wait_answered(5)
    await asyncio.sleep(TALK)
    await call.hangup()


async def attended(place: Office) -> None:
    """101 asks 102, hands the client over; 102 hangs up."""
    call, desk = await _called(place)
    asking, colleague = await _consulting(place, desk)
    await desk.refer("102", asking)
    await asking.wait_ended(5)
    await asyncio.sleep(TALK)
    await colleague.hangup()
    await call.wait_ended(5)


async def attended_ringing(place: Office) -> None:
    """101 hands the client over while 102 still rings; the client hangs up."""
    place.phones["102"].behaviour = answer(1.0)
    call, desk = await _called(place)
    await desk.hold()
    asking = await place.phones["101"].call("102")
    colleague = await place.phones["102"].next_call(5)
    await asking.wait_ringing(5)
    await desk.refer("102", asking)
    await colleague.wait_answered(5)
    await asyncio.sleep(TALK)
    await call.hangup()


async def attended_by_keys(place: Office) -> None:
    """101 asks 102 by *2, then hangs up, which hands the client over; the client hangs up."""
    call, desk = await _called(place)
    await desk.dtmf("*2")
    await asyncio.sleep(1.0)
    await desk.dtmf("102")
    colleague = await place.phones["102"].next_call(10)
    await colleague.wait_answered(5)
    await asyncio.sleep(TALK)
    await desk.hangup()
    await asyncio.sleep(TALK)
    await call.hangup()


async def consulted(place: Office) -> None:
    """101 asks 102, then goes back to the client, who hangs up."""
    call, desk = await _called(place)
    asking, _ = await _consulting(place, desk)
    await asking.hangup()
    await desk.hold(on=False)
    await asyncio.sleep(TALK)
    await call.hangup()


async def consulted_outside(place: Office) -> None:
    """101 asks a number outside, hands the client over; the client hangs up."""
    place.trunk.mobiles["79005550000"] = answer(0.1)
    call, desk = await _called(place)
    await desk.hold()
    asking = await place.phones["101"].call("79005550000")
    await asking.wait_answered(5)
    await asyncio.sleep(TALK)
    await desk.refer("79005550000", asking)
    await asking.wait_ended(5)
    await asyncio.sleep(TALK)
    await call.hangup()


async def left_alone(place: Office) -> None:
    """The client gives up while 101 asks 102, who go on talking."""
    call, desk = await _called(place)
    asking, asked = await _consulting(place, desk)
    await call.hangup()
    await desk.wait_ended(5)
    await asyncio.sleep(TALK)
    await asking.hangup()
    await asked.wait_ended(5)


async def picked_up(place: Office) -> None:
    """104 takes by *8 what rings at 101, and hangs up."""
    await _picked(place, "*8")
    await place.phones["104"].calls[-1].hangup()
    await place.trunk.calls[-1].wait_ended(5)


async def picked_up_at(place: Office) -> None:
    """104 takes by *8101 what rings at 101; the client hangs up."""
    await _picked(place, "*8101")
    await place.trunk.calls[-1].hangup()


async def _picked(place: Office, code: str) -> None:
    place.phones["101"].behaviour = no_answer()
    call = await place.trunk.call(DID, KNOWN)
    ringing = await place.phones["101"].next_call(5)
    await ringing.wait_ringing(5)
    await place.phones["104"].call(code)
    await call.wait_answered(5)
    await asyncio.sleep(TALK)


async def parked(place: Office) -> None:
    """101 parks the client, 103 fetches them and hangs up."""
    call, desk = await _called(place)
    await desk.refer(PARKING)
    await desk.wait_ended(5)
    await asyncio.sleep(TALK)
    fetching = await place.phones["103"].call(SLOT)
    await fetching.wait_answered(5)
    await asyncio.sleep(TALK)
    await fetching.hangup()
    await call.wait_ended(5)


async def parked_too_long(place: Office) -> None:
    """101 parks the client, whom nobody fetches: 101 is rung again; the client hangs up."""
    call, desk = await _called(place)
    await desk.refer(PARKING)
    again = await place.phones["101"].next_call(10)
    await again.wait_answered(5)
    await asyncio.sleep(TALK)
    await call.hangup()


async def parked_and_gone(place: Office) -> None:
    """The client hangs up in the parking space."""
    call, desk = await _called(place)
    await desk.refer(PARKING)
    await desk.wait_ended(5)
    await asyncio.sleep(TALK)
    await call.hangup()


async def out_answered(place: Office) -> None:
    """101 calls the client and hangs up."""
    call = await _placed(place, answer(0.2))
    await call.wait_answered(5)
    await asyncio.sleep(TALK)
    await call.hangup()


async def out_client_left(place: Office) -> None:
    """101 calls the client, who hangs up."""
    call = await _placed(place, answer(0.2, talk=TALK))
    await call.wait_ended(8)


async def out_busy(place: Office) -> None:
    """101 calls the client, who is busy."""
    await (await _placed(place, busy(0.1))).wait_ended(8)


async def out_not_found(place: Office) -> None:
    """101 calls a number that does not exist."""
    await (await _placed(place, not_found())).wait_ended(8)


async def out_forbidden(place: Office) -> None:
    """101 calls a number that the provider forbids."""
    await (await _placed(place, refuse(403))).wait_ended(8)


async def out_no_answer(place: Office) -> None:
    """101 calls the client, who does not answer before the PBX gives up."""
    await (await _placed(place, no_answer(), number="9" + CLIENT)).wait_ended(8)


async def out_abandoned(place: Office) -> None:
    """101 calls the client and gives up."""
    call = await _placed(place, no_answer())
    await call.wait_ringing(5)
    await asyncio.sleep(TALK)
    await call.hangup()


async def out_transferred(place: Office) -> None:
    """101 calls the client and sends them to 102; the client hangs up."""
    call = await _placed(place, answer(0.1))
    client = await place.trunk.next_call(5)
    await call.wait_answered(5)
    await place.talking()
    await asyncio.sleep(TALK)
    await call.refer("102")
    colleague = await place.phones["102"].next_call(5)
    await colleague.wait_answered(5)
    await asyncio.sleep(TALK)
    await client.hangup()


async def out_handed_over(place: Office) -> None:
    """101 calls the client, asks 102, hands the client over; 102 hangs up."""
    call = await _placed(place, answer(0.1))
    await call.wait_answered(5)
    await place.talking()
    await asyncio.sleep(TALK)
    asking, colleague = await _consulting(place, call)
    await call.refer("102", asking)
    await asking.wait_ended(5)
    await asyncio.sleep(TALK)
    await colleague.hangup()


async def inside(place: Office) -> None:
    """101 calls 102, who hangs up."""
    place.phones["102"].behaviour = answer(0.2, talk=TALK)
    call = await place.phones["101"].call("102")
    await call.wait_ended(8)


async def inside_unanswered(place: Office) -> None:
    """101 calls 102 and gives up."""
    place.phones["102"].behaviour = no_answer()
    call = await place.phones["101"].call("102")
    await call.wait_ringing(5)
    await asyncio.sleep(TALK)
    await call.hangup()


async def nobody_called(place: Office) -> None:
    """101 calls an echo test: nobody's phone rings."""
    call = await place.phones["101"].call(ECHO)
    await call.wait_answered(5)
    await asyncio.sleep(TALK)
    await call.hangup()


async def own_dialplan(place: Office) -> None:
    """The client comes in by a number that the PBX rings 103 for; 103 hangs up."""
    call, desk = await _called(place, OWN, "103")
    await desk.hangup()
    await call.wait_ended(5)


async def queued(place: Office) -> None:
    """The client waits in the PBX's queue and talks to its member 103, who hangs up."""
    await _queued(place, "PJSIP/103")


async def queued_local(place: Office) -> None:
    """The same with 103 as a member behind a Local channel, as FreePBX has them."""
    await _queued(place, "Local/103@from-queue/n")


async def queued_local_optimised(place: Office) -> None:
    """The same with a Local channel that takes itself out of the way."""
    await _queued(place, "Local/103@from-queue")


async def _queued(place: Office, member: str) -> None:
    add = f"queue add member {member} to duty penalty 0 as Vera state_interface PJSIP/103"
    await asyncio.to_thread(place.pbx.cli, add)
    try:
        call, desk = await _called(place, QUEUE, "103")
        await desk.hangup()
        await call.wait_ended(5)
    finally:
        remove = f"queue remove member {member} from duty"
        await asyncio.to_thread(place.pbx.cli, remove)
