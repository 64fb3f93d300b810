"""Duplicate, reordered and missing events give the same record."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.domain.call import TRANSITIONS, Call, Kind, Phase, fold
from telephony.domain.events import CallEvent
from tests.golden.streams import events_by_call, folded

NAMES = ("answered", "voicemail", "abandoned", "busy", "no_answer", "transferred", "hostile")
CALLS = [
    (name, call_id, events)
    for name in NAMES
    for call_id, events in list(events_by_call(f"{name}.filtered").items())[:3]
]
_some_call = st.sampled_from(CALLS)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_order_and_duplicates_do_not_matter(data: st.DataObject) -> None:
    _, call_id, events = data.draw(_some_call)
    doubled = events + data.draw(st.lists(st.sampled_from(events), max_size=10))
    shuffled = data.draw(st.permutations(doubled))
    assert folded(call_id, shuffled) == folded(call_id, events)


@pytest.mark.parametrize(("name", "call_id", "events"), CALLS)
def test_any_one_event_may_be_missing(name: str, call_id: str, events: list[CallEvent]) -> None:
    whole = folded(call_id, events)
    for missing in range(len(events)):
        made = folded(call_id, events[:missing] + events[missing + 1 :])
        lost = f"{name} without {events[missing]}"
        assert made.disposition == whole.disposition, lost
        assert made.hung_up_by == whole.hung_up_by, lost
        assert (made.number, made.did) == (whole.number, whole.did), lost
        assert abs(made.talk_ms - whole.talk_ms) <= 1500, lost
        assert abs(made.ended_at - whole.ended_at) <= 1_000_000, lost
        talked = {leg.operator for leg in whole.legs if leg.talk_ms}
        if not {leg.operator for leg in made.legs if leg.outcome == "talked"} >= talked:
            # Only a transfer has a talk that the summary at the end does not name.
            assert name == "transferred", lost


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_events_at_all_fold_without_an_exception(data: st.DataObject) -> None:
    pool = [event for _, _, events in CALLS for event in events]
    chosen = data.draw(st.lists(st.sampled_from(pool), max_size=30))
    made = folded("x", chosen)
    assert made.talk_ms >= 0
    assert made.wait_ms >= 0
    assert made.ended_at >= made.started_at


def test_an_ended_call_never_reopens() -> None:
    assert set(TRANSITIONS[Phase.ENDED].values()) == {Phase.ENDED}


def test_every_phase_ends_when_the_caller_is_gone() -> None:
    for phase in Phase:
        assert TRANSITIONS[phase][Kind.CALLER_GONE] is Phase.ENDED
        assert TRANSITIONS[phase][Kind.VANISHED] is Phase.ENDED


def test_folding_an_event_twice_returns_the_very_same_call() -> None:
    _, call_id, events = CALLS[0]
    call = fold(Call(call_id), events[0])
    assert fold(call, events[0]) is call
