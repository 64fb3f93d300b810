"""The members of our queues equal the roster, whoever restarts, on the real Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from telephony.domain.duty import OneOff
from telephony.domain.setup import Setup, Trunk
from tests.asterisk.office import DID, KNOWN, MOBILE, STRANGER, Office, small_directory, until
from tests.asterisk.queue_lab import (
    QUEUE,
    becomes,
    console,
    dials,
    members,
    queue_office,
    queue_setup,
    switched,
)
from tests.lab.behaviours import answer, no_answer

MOBILE_MEMBER = f"Local/{MOBILE[1:]}@dutyline-mobile/n"
NO_DID = "74950001122"  # of no group: callers wait where the fallback leads to
OTHER = "duty"  # a queue of the PBX's own


def handing_over(first: str, second: str, at: datetime) -> Setup:
    """Return a set-up in which one operator's duty becomes another's at a whole minute in UTC."""
    hour, naive = timedelta(hours=1), at.replace(tzinfo=None)
    setup = queue_setup()
    group = setup.groups["sales"]
    turns = (OneOff(first, naive - hour, naive), OneOff(second, naive, naive + hour))
    group = replace(group, roster=replace(group.roster, one_offs=turns))
    return replace(setup, groups={"sales": group})


async def test_a_hand_over_while_callers_wait(tmp_path: Path) -> None:
    async with queue_office(tmp_path, listening=False) as place:
        for name in ("102", "103"):
            place.phones[name].behaviour = no_answer()
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        setup = handing_over("102", "103", minute)
        place.listener = place.new_listener(setup, small_directory())
        # By the members' clock the hand-over is in four seconds, whatever the time is.
        ahead = minute - datetime.now(UTC) - timedelta(seconds=4)
        told = place.listener._now
        place.listener.members._now = lambda: told() + ahead // timedelta(microseconds=1)
        await place.start_listener()
        await becomes(place, {"PJSIP/102": ""})
        place.phones["103"].behaviour = answer(0.1)
        call = await place.trunk.call(NO_DID, STRANGER)
        await place.phones["102"].next_call(5)
        await becomes(place, {"PJSIP/103": ""}, within=8)
        await place.phones["103"].next_call(8)
        await place.talking()
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.answered_by == "103"


async def test_the_queue_follows_the_set_up_the_switches_and_the_phones(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        await becomes(place, {"PJSIP/101": ""})
        place.listener.apply((), queue_setup("101", "102"))
        await becomes(place, {"PJSIP/101": "", "PJSIP/102": ""})
        await dials(place, "102", "*81")
        await switched(place, "Custom:dutyline-pause-102", "BUSY")
        await becomes(place, {"PJSIP/101": "", "PJSIP/102": "lunch"})
        await dials(place, "102", "*86")
        await becomes(place, {"PJSIP/101": "", "PJSIP/102": ""})
        place.listener.apply((), queue_setup("101"))
        await becomes(place, {"PJSIP/101": ""})
        await place.phones["101"].unregister()
        await becomes(place, {"PJSIP/101": "", MOBILE_MEMBER: ""})
        await place.phones["101"].register()
        await becomes(place, {"PJSIP/101": ""})


async def test_what_somebody_does_by_hand_is_put_right_but_only_in_our_queue(
    tmp_path: Path,
) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        await becomes(place, {"PJSIP/101": ""})
        await console(place, f"queue add member PJSIP/104 to {OTHER}")
        await console(place, f"queue remove member PJSIP/101 from {QUEUE.pbx_name}")
        await becomes(place, {"PJSIP/101": ""})
        await console(place, f"queue add member PJSIP/104 to {QUEUE.pbx_name}")
        await becomes(place, {"PJSIP/101": ""})
        await console(place, f"queue pause member PJSIP/101 queue {QUEUE.pbx_name} reason mine")
        await becomes(place, {"PJSIP/101": ""})
        await console(place, f"queue pause member PJSIP/104 queue {OTHER} reason mine")
        await _everything_looked_at(place)
        assert await members(place, OTHER) == {"PJSIP/104": "mine"}
        assert await members(place) == {"PJSIP/101": ""}


async def test_kill_9_of_the_listener_and_of_asterisk(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        await becomes(place, {"PJSIP/101": ""})
        await _kill_listener(place)
        await dials(place, "101", "*81")
        # Nobody listens, so nobody puts this right yet.
        await console(place, f"queue add member PJSIP/104 to {QUEUE.pbx_name}")
        await console(place, f"queue unpause member PJSIP/101 queue {QUEUE.pbx_name}")
        place.listener = place.new_listener(queue_setup("101", "102"), small_directory())
        await place.start_listener()
        await becomes(place, {"PJSIP/101": "lunch", "PJSIP/102": ""})
        await asyncio.to_thread(place.pbx.kill)
        await asyncio.to_thread(place.pbx.start)
        for name in ("101", "102"):
            await place.phones[name].register()
        await becomes(place, {"PJSIP/101": "lunch", "PJSIP/102": ""}, within=20)


async def test_a_rest_after_a_directly_dialled_call_and_after_a_kill(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        await becomes(place, {"PJSIP/101": ""})
        call = await place.trunk.call(DID, KNOWN)  # her own client: the plan rings her desk
        await place.phones["101"].next_call(5)
        await place.talking()
        await call.hangup()
        await becomes(place, {"PJSIP/101": "wrap_up"})
        assert place.listener._live_state.pause_of("101") == "wrap_up"
        await becomes(place, {"PJSIP/101": ""})
        # A rest that nobody remembers is lifted at the next login.
        await _kill_listener(place)
        await console(place, f"queue pause member PJSIP/101 queue {QUEUE.pbx_name} reason wrap_up")
        await becomes(place, {"PJSIP/101": "wrap_up"})
        place.listener = place.new_listener(queue_setup("101"), small_directory())
        await place.start_listener()
        await becomes(place, {"PJSIP/101": ""})


async def test_a_queue_that_the_pbx_does_not_have_disturbs_nobody(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        place.pbx.write("dutyline_queues.conf", "")
        await asyncio.to_thread(place.pbx.reload)
        place.listener.apply((), queue_setup("101", "102"))
        call = await place.trunk.call(DID, KNOWN)
        await place.phones["101"].next_call(5)
        await place.talking()
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.answered_by == "101"
        stranger = await place.trunk.call(NO_DID, STRANGER)
        await stranger.wait_ended(10)
        assert stranger.final_code is not None


async def test_a_mobile_as_a_member_is_screened(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        await place.phones["101"].unregister()
        await becomes(place, {"PJSIP/101": "", MOBILE_MEMBER: ""})
        place.trunk.mobiles[MOBILE[1:]] = answer(0.1, press="1")
        call = await place.trunk.call(NO_DID, STRANGER)
        await place.trunk.next_call(8)
        await place.talking()
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.answered_by == "101"


async def test_a_mobile_as_a_member_goes_through_its_operators_trunk(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        setup = queue_setup("101")
        anna = replace(setup.operators["101"], trunk="trunk")
        setup = replace(
            setup,
            operators={**setup.operators, "101": anna},
            trunks={"trunk": Trunk("trunk", "8{national}")},
        )
        place.listener.apply((), setup)
        await place.phones["101"].unregister()
        member = f"Local/8{MOBILE[2:]}*trunk@dutyline-mobile/n"
        await becomes(place, {"PJSIP/101": "", member: ""})
        place.trunk.mobiles[f"8{MOBILE[2:]}"] = answer(0.1, press="1")
        call = await place.trunk.call(NO_DID, STRANGER)
        await place.trunk.next_call(8)
        await place.talking()
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.answered_by == "101"


async def _everything_looked_at(place: Office) -> None:
    """Let the look at all members, which comes once a minute, come now; return after its changes.

    What is done by hand is put right by that look or by one after it; done again, by one after it.
    """
    keeper = place.listener.members
    due = keeper._listed = keeper._listed - 60
    keeper._wake.set()
    await until(lambda: keeper._listed > due, 5, "the PBX's members were listed")
    for _ in range(2):
        await console(place, f"queue pause member PJSIP/101 queue {QUEUE.pbx_name} reason mine")
        await becomes(place, {"PJSIP/101": ""})


async def _kill_listener(place: Office) -> None:
    """Stop the listener in mid-air, as a kill does: nothing is said to the PBX."""
    assert place.running is not None
    place.running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await place.running
    place.running = None
    await until(lambda: not place.listener.client.connected, 5, "the listener is gone")
