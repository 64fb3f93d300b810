"""What an admin changed about a step: phones in turn, an announcement of its own, on Asterisk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from telephony.domain.did import StepName, StepRule, Strategy
from telephony.domain.setup import Setup
from tests.asterisk.office import DID, KNOWN, STRANGER, office, small_setup, until
from tests.lab.behaviours import busy, no_answer

SAID = "vm-goodbye"


def with_steps(steps: Mapping[StepName, StepRule], *duty: str) -> Setup:
    setup = small_setup(*duty)
    return replace(setup, dids={DID: replace(setup.dids[DID], steps=steps)})


async def test_in_turn_one_phone_rings_after_the_other_in_the_rosters_order(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        in_turn = StepRule(seconds=2, strategy=Strategy.IN_TURN)
        # Neither by extension nor by who answers: 103 stands first in the roster.
        place.listener.apply((), with_steps({StepName.DUTY: in_turn}, "103", "102"))
        place.phones["103"].behaviour = no_answer()
        call = await place.trunk.call(DID, STRANGER)
        first = await place.phones["103"].next_call(5)
        assert place.phones["102"].calls == []
        second = await place.phones["102"].next_call(8)
        assert second.invited_at - first.invited_at > 1.8, "103 rings alone for all of its time"
        await call.wait_answered(5)
        await place.talking()
        await until(lambda: first.ended_by == "cancel", 5, "103 rings no more")
        await call.hangup()
        (made,) = await place.records.wait()
        assert [leg.operator for leg in made.legs] == ["103", "102"]
        assert made.answered_by == "102"


async def test_a_steps_own_announcement_is_heard_before_that_step_alone(tmp_path: Path) -> None:
    async with office(tmp_path, full_log=True) as place:
        announced = StepRule(announcement=SAID)
        place.listener.apply((), with_steps({StepName.DEPUTY_DESK: announced}, "103"))
        place.phones["101"].behaviour = busy(0.5)
        place.phones["102"].behaviour = no_answer()
        call = await place.trunk.call(DID, KNOWN)
        manager = await place.phones["101"].next_call(5)
        deputy = await place.phones["102"].next_call(10)
        assert place.played() == [SAID]
        assert manager.ended_at is not None
        assert call.answered_at is not None, "the PBX answers to be heard"
        assert manager.ended_at < call.answered_at
        assert deputy.invited_at - call.answered_at > 0.5, "it is heard out"
        assert call.rtp.received > 20
        await place.phones["103"].next_call(8)
        await place.talking()
        assert place.played() == [SAID], "the steps that follow have none"
        await call.hangup()
        (made,) = await place.records.wait()
        assert [leg.operator for leg in made.legs if leg.kind == "desk"] == ["101", "102", "103"]
        assert made.answered_by == "103"
