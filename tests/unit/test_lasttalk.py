"""Who talked to a caller last: whoever had the call in the end, the latest call, not for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from telephony.domain.lasttalk import LastTalks, talked_last
from telephony.domain.record import CallRecord, Direction, LegRecord
from tests.databases.samples import a_record

NUMBER = "+79001112233"
SECOND = 1_000_000


def talked(*legs: tuple[str | None, int, int], **changed: object) -> CallRecord:
    """Return an answered call of (operator, begin, end) legs, in seconds."""
    call = replace(a_record(), number=NUMBER, answered_at=SECOND, answered_by="101")
    leg = call.legs[0]
    made: tuple[LegRecord, ...] = tuple(
        replace(leg, operator=who, talks=((begin * SECOND, end * SECOND),))
        for who, begin, end in legs
    )
    return replace(call, legs=made, **changed)  # type: ignore[arg-type]


def test_whoever_had_the_call_in_the_end() -> None:
    assert talked_last(talked(("101", 0, 7), ("102", 7, 595))) == "102"
    assert talked_last(talked(("101", 0, 7), (None, 7, 595))) == "101"
    assert talked_last(talked()) == "101"
    assert talked_last(talked(answered_at=None)) is None
    assert talked_last(talked(direction=Direction.OUT, placed_by="103")) == "103"
    assert talked_last(talked(("101", 0, 1), direction=Direction.INTERNAL)) is None


def test_the_latest_stays_and_the_old_is_forgotten() -> None:
    talks = LastTalks()
    talks.learn([(NUMBER, "101", 10), (NUMBER, "102", 5), ("+7900", "103", 1)])
    assert talks.find(NUMBER) == ("101", datetime(1970, 1, 1, tzinfo=UTC) + timedelta(0, 0, 10))
    talks.learn([(NUMBER, "104", 20)])
    talks.note(talked(("105", 0, 9)))
    found = talks.find(NUMBER)
    assert found is not None
    assert found[0] == "105"
    talks.note(talked(("105", 0, 9), number="hidden"))
    assert len(talks) == 2
    talks.forget(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    assert talks.find("+7900") is None
    assert len(talks) == 1
