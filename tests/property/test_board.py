"""Whatever order events come in, however often, and with any one of them lost: the same calls."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.domain.events import DialBegan, HangupAsked, HungUp, Left
from telephony.domain.record import Direction, Disposition, Side
from tests.asterisk.expected import SCENES
from tests.golden.streams import events, together

NAMES = [one.scene.__name__ for one in SCENES]
STREAMS = {name: events(f"scenes/{name}") for name in NAMES}
WHOLE = {name: together(stream) for name, stream in STREAMS.items()}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_order_and_duplicates_do_not_matter(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    stream = STREAMS[name]
    doubled = stream + data.draw(st.lists(st.sampled_from(stream), max_size=10))
    # A call is found by what opens it: what comes before that is not kept.
    shuffled = data.draw(st.permutations(doubled))
    opening = [event for event in shuffled if not isinstance(event, HangupAsked | Left)]
    assert together([*opening, *shuffled]) == WHOLE[name]


@pytest.mark.parametrize("name", NAMES)
def test_any_one_event_may_be_missing(name: str) -> None:
    stream, (whole,) = STREAMS[name], WHOLE[name]
    for missing, event in enumerate(stream):
        found = together(stream[:missing] + stream[missing + 1 :])
        lost = f"{name} without {event}"
        assert len(found) == 1, lost
        (made,) = found
        assert made.direction == whole.direction, lost
        if isinstance(event, HungUp) and whole.disposition is Disposition.FAILED:
            # Only the Hangup tells why a number could not be reached.
            assert made.disposition in (Disposition.FAILED, Disposition.NO_ANSWER), lost
        else:
            assert made.disposition is whole.disposition, lost
        assert made.placed_by == whole.placed_by, lost
        assert abs(made.ended_at - whole.ended_at) < 1_000_000, lost
        if isinstance(event, HangupAsked):
            assert made.hung_up_by in (whole.hung_up_by, Side.SYSTEM), lost
        else:
            assert made.hung_up_by == whole.hung_up_by, lost
        assert abs(made.talk_ms - whole.talk_ms) < 1500, lost
        # Only the dialling tells an outbound call's number.
        unknown = isinstance(event, DialBegan) and made.direction is Direction.OUT
        assert made.number == ("" if unknown and not made.number else whole.number), lost
