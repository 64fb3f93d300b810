"""In which queue a caller waits, as the live state tells it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from telephony.domain.call import replay
from telephony.domain.events import (
    CallbackAsked,
    CallEvent,
    DialBegan,
    FellBack,
    Joined,
    Offered,
    Recalled,
    StepEnded,
)
from telephony.domain.live import LiveCall, recalled
from telephony.domain.record_types import Context
from telephony.domain.routing import Decision, Kind, Plan, Rule, Step, Target
from telephony.domain.telling import live_call

ID = "pbx-1.1"
QUEUE = "dutyline-sales"
DESK = Step(Kind.DESK, Rule.DUTY, (Target("101", "101"),), 20)
SAY = Step(Kind.SAY, Rule.QUEUE, sound="wait")
WAITS = Step(Kind.QUEUE, Rule.QUEUE, (Target("", QUEUE),), 300)
LATER = Step(Kind.QUEUE, Rule.OVERFLOW_QUEUE, (Target("", "dutyline-night"),), 300)
MENU = Step(Kind.MENU, Rule.MENU, sound="menu", keys="12", seconds=5, tries=2)
END = Step(Kind.END, Rule.LAST)


def offered(at: int = 0, key: str = "") -> Offered:
    return Offered(at, ID, "PJSIP/trunk-1", "74951234567", "+79001112233", key)


def ended(at: int, step: int, status: str = "NOANSWER") -> StepEnded:
    return StepEnded(at, ID, step, status)


def rings(at: int) -> DialBegan:
    return DialBegan(at, ID, "leg", "PJSIP/101-1", "101", ID, "PJSIP/trunk-1")


def told(context: Context, *events: CallEvent) -> LiveCall:
    """Return how a call is told after the last of these events, told after each of them."""
    before = None
    for count in range(1, len(events) + 1):
        call = replay(ID, events[:count], {"101": "101"})
        before = live_call(call, context, before, count)
    assert before is not None
    return before


def plan(*steps: Step) -> Context:
    return Context(Decision(Plan((*steps, END)), ()))


@pytest.mark.parametrize(
    ("steps", "events", "queue", "since"),
    [
        ((WAITS,), (offered(),), QUEUE, 0),
        ((SAY, WAITS), (offered(),), QUEUE, 0),
        ((DESK, WAITS), (offered(),), "", None),
        ((DESK, WAITS), (offered(), rings(1)), "", None),
        ((DESK, WAITS), (offered(), rings(1), ended(9, 1)), QUEUE, 9),
        ((DESK, SAY, WAITS), (offered(), rings(1), ended(9, 1)), QUEUE, 9),
        # The queue rings a member: the caller waits on, since the same moment.
        ((WAITS,), (offered(), rings(5)), QUEUE, 0),
        ((WAITS, LATER), (offered(), ended(7, 1, "TIMEOUT")), "dutyline-night", 7),
        ((WAITS,), (offered(), ended(7, 1, "NOQUEUE")), "", None),
        ((WAITS,), (offered(), FellBack(3, ID, "late")), "", None),
        ((WAITS,), (offered(), CallbackAsked(3, ID, QUEUE)), "", None),
        ((MENU, WAITS), (offered(),), "", None),
        # The key brought another plan.
        ((WAITS,), (offered(), ended(2, 2), offered(4, "1")), QUEUE, 4),
        ((), (offered(),), "", None),
    ],
)  # fmt: skip
def test_where_a_caller_waits(
    steps: tuple[Step, ...], events: tuple[CallEvent, ...], queue: str, since: int | None
) -> None:
    live = told(plan(*steps), *events)
    assert (live.queue, live.queued_at) == (queue, since)


def test_who_talks_waits_no_more() -> None:
    joins = Joined(8, ID, "leg", "PJSIP/101-1", "bridge", True)
    assert told(plan(WAITS), offered(), rings(5), joins).queue == ""


def test_without_a_plan_nobody_waits_in_a_queue() -> None:
    assert told(Context(), offered()).queue == ""


def test_a_listener_that_starts_in_mid_call_tells_what_the_one_before_told() -> None:
    context = plan(DESK, WAITS)
    known = told(context, offered(), ended(9, 1))
    found = Recalled(50, ID, "PJSIP/trunk-1")
    after = told(recalled(Context(), known), found)
    assert (after.queue, after.queued_at) == (QUEUE, 9)
    gone = told(recalled(Context(), known), found, ended(60, 2, "TIMEOUT"))
    assert gone.queue == ""
    answered = recalled(Context(), replace(known, answered_at=20, answered_by="101"))
    assert told(answered, found).queue == ""
