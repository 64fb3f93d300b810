"""Figures of callbacks: each formula of the glossary, by cases small enough to count by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.domain.callback.cases import REACHED, SUPPRESSING, Ending, Source
from telephony.domain.callback.figures import By, CallbackFigures, Told, figures_of
from telephony.domain.callback.results import Ended, Why

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def told(minutes: float = 60, **changes: object) -> Told:
    """A case of so many minutes ago, with an hour's deadline."""
    since = NOW - minutes * MINUTE
    values: dict[str, object] = {
        "opened_at": since,
        "missed_at": since,
        "calls": 1,
        "did": "74951234567",
        "group": "sales",
        "operator": "101",
        "why": Why.RINGING,
        "source": Source.MISSED,
        "sla_at": since + HOUR,
    }
    return Told(**(values | changes))  # type: ignore[arg-type]


def reached(after: float, ending: Ending = Ending.CALLED_BACK, **changes: object) -> Told:
    """A case of ten hours ago whose client was reached after so many minutes."""
    since = NOW - 10 * HOUR
    return told(600, ending=ending, ended_at=since + after * MINUTE, **changes)


def whole(*cases: Told, within: timedelta = HOUR) -> CallbackFigures:
    return figures_of(cases, By.DID, UTC, within, NOW)[0]


def test_of_nothing() -> None:
    figures, parts = figures_of([], By.HOUR, UTC, HOUR, NOW)
    assert figures == CallbackFigures()
    assert (figures.median, figures.p90, figures.to_call, figures.dialled) == (None, None, 0, 0)
    assert parts == {}


def test_short_abandons_stand_apart_and_what_was_answered_counts_nowhere() -> None:
    short = told(ending=Ending.SHORT, ended_at=NOW, why=Why.SHORT)
    answered = told(ending=Ending.NOT_MISSED, ended_at=NOW, did="7495", calls=0)
    figures, parts = figures_of([short, short, answered, told(calls=3)], By.DID, UTC, HOUR, NOW)
    assert (figures.missed, figures.short, figures.cases) == (3, 2, 1)
    assert list(parts) == ["74951234567"]


def test_every_case_is_in_one_part() -> None:
    cases = [
        told(),
        reached(5),
        reached(5, Ending.CLIENT_CALLED),
        told(ending=Ending.BY_HAND, ended_at=NOW),
        told(ending=Ending.EXPIRED, ended_at=NOW),
        told(ending=Ending.BLOCKED, ended_at=NOW),
        told(ending=Ending.DUPLICATE, ended_at=NOW),
    ]
    figures = whole(*cases)
    assert figures.cases == 7
    assert figures.to_call == 5
    assert (figures.waiting, figures.reached, figures.by_hand) == (1, 2, 1)
    assert (figures.expired, figures.suppressed) == (1, 2)


@pytest.mark.parametrize(("after", "within", "recovered"), [(60, 60, 1), (61, 60, 0), (61, 90, 1)])
def test_recovered_is_reached_in_time(after: float, within: float, recovered: int) -> None:
    figures = whole(reached(after), within=within * MINUTE)
    assert (figures.reached, figures.recovered) == (1, recovered)


def test_a_deadline_is_kept_by_a_talk_and_broken_by_the_clock() -> None:
    figures = whole(
        reached(60),
        reached(61),
        told(ending=Ending.EXPIRED, ended_at=NOW),
        told(59),  # may still be kept
        told(61),  # is late, though nobody has given up
        told(61, ending=Ending.BY_HAND, ended_at=NOW),
        told(61, ending=Ending.BY_HAND, ended_at=NOW - 2 * MINUTE),
        told(61, ending=Ending.OPTED_OUT, ended_at=NOW),
        told(61, sla_at=None),
        reached(900, sla_at=None),
    )
    assert (figures.kept, figures.broken) == (2, 4)


def test_the_time_to_the_first_call_back() -> None:
    start = NOW - HOUR
    rang = told(tries=((start + 4 * MINUTE, Ended.NO_ANSWER), (start + 9 * MINUTE, Ended.TALKED)))
    ours = told(
        tries=(
            (start + 2 * MINUTE, Ended.OPERATOR_BUSY),  # the client's phone was not rung
            (start + 6 * MINUTE, None),
        )
    )
    by_desk_phone = reached(8, Ending.OPERATOR_CALLED)
    called_us = reached(1, Ending.CLIENT_CALLED)
    figures = whole(rang, ours, by_desk_phone, called_us, told())
    assert figures.called_back == 3
    assert figures.median == 6 * 60
    assert figures.p90 == 8 * 60


@pytest.mark.parametrize(
    ("called", "wait"),
    [
        (5, 5),  # nothing was agreed yet: they waited since the missed call
        (29, 29),
        (30, None),  # agreed a moment before, and early
        (44, None),
        (45, 0),
        (50, 5),
    ],
)
def test_a_call_before_the_time_agreed_is_no_callback_within_nothing(
    called: int, wait: float | None
) -> None:
    start = NOW - HOUR
    case = told(
        tries=((start + called * MINUTE, Ended.NO_ANSWER),),
        agreed_at=start + 30 * MINUTE,
        promised_at=start + 45 * MINUTE,
    )
    figures = whole(case)
    assert figures.called_back == 1
    assert figures.median == (None if wait is None else wait * 60)
    assert whole(case, reached(7)).median == 60 * (7 if wait is None else (7 + wait) / 2)


def test_who_is_called_early_of_a_persons_own_accord_has_no_time_either() -> None:
    start = NOW - 10 * HOUR
    agreed: dict[str, Any] = {
        "agreed_at": start,
        "promised_at": start + 5 * HOUR,
        "sla_at": start + 6 * HOUR,
    }
    figures = whole(reached(299, Ending.OPERATOR_CALLED, **agreed))
    assert (figures.called_back, figures.median) == (1, None)
    assert (figures.kept, figures.recovered) == (1, 1)


def test_a_time_agreed_too_late_leaves_the_deadline_broken() -> None:
    agreed: dict[str, Any] = {
        "agreed_at": NOW - 2 * HOUR,
        "promised_at": NOW - HOUR,
        "sla_at": NOW + HOUR,
        "broken": True,
    }
    figures = whole(
        reached(599, **agreed),
        told(600, **agreed),
        told(600, ending=Ending.BY_HAND, ended_at=NOW, **agreed),
        told(600, ending=Ending.OPTED_OUT, ended_at=NOW, **agreed),
        reached(599, **(agreed | {"broken": False})),
    )
    assert (figures.kept, figures.broken) == (1, 3)


def test_p90_is_a_wait_that_was() -> None:
    figures = whole(*(reached(minute) for minute in range(1, 11)))
    assert figures.p90 == 9 * 60
    assert figures.median == 5.5 * 60


def test_tries_are_counted_by_how_they_ended() -> None:
    figures = whole(
        told(tries=((NOW, Ended.BUSY), (NOW, Ended.OPERATOR_BUSY), (NOW, Ended.BUSY))),
        told(tries=((NOW, None), (NOW, Ended.TALKED))),
    )
    assert figures.tries == {Ended.BUSY: 2, Ended.OPERATOR_BUSY: 1, Ended.TALKED: 1}
    assert figures.dialled == 3


@pytest.mark.parametrize(
    ("by", "key"),
    [
        (By.DID, "74951234567"),
        (By.GROUP, None),
        (By.OPERATOR, "101"),
        (By.HOUR, "01"),
        (By.DAY, "2026-11-19"),
        (By.WHY, Why.RINGING),
        (By.SOURCE, Source.MISSED),
    ],
)
def test_parts_by_the_clock_of_a_zone(by: By, key: object) -> None:
    evening = NOW.replace(hour=22)
    _, parts = figures_of(
        [told(opened_at=evening, group=None)], by, ZoneInfo("Europe/Moscow"), HOUR, NOW
    )
    assert list(parts) == [key]


_CASES = st.lists(
    st.builds(
        lambda ending, minutes, after, did, tries, agreed: told(
            minutes,
            ending=ending,
            ended_at=None if ending is None else NOW - (minutes - after) * MINUTE,
            did=did,
            tries=tuple((NOW, one) for one in tries),
            broken=agreed > 60,
            agreed_at=NOW - agreed * MINUTE if agreed else None,
            promised_at=NOW - (agreed - 30) * MINUTE if agreed else None,
        ),
        st.sampled_from([None, *Ending]),
        st.integers(60, 600),
        st.integers(0, 60),
        st.sampled_from(["1", "2", ""]),
        st.lists(st.sampled_from([None, *Ended]), max_size=3),
        st.integers(0, 120),
    ),
    max_size=12,
)


@given(_CASES, st.sampled_from(By))
def test_the_parts_are_the_whole(cases: list[Told], by: By) -> None:
    figures, parts = figures_of(cases, by, UTC, HOUR, NOW)
    for name in ("missed", "short", "cases", "to_call", "dialled", "kept", "broken", "called_back"):
        assert getattr(figures, name) == sum(getattr(one, name) for one in parts.values()), name
    assert figures.recovered <= figures.reached
    waits = [one for part in parts.values() for one in (part.median, part.p90) if one is not None]
    if waits:
        assert figures.median is not None
        assert figures.p90 is not None
        assert min(waits) <= figures.median <= figures.p90 <= max(waits)
    else:
        assert (figures.median, figures.p90) == (None, None)
    assert figures.kept + figures.broken <= figures.to_call
    assert figures.cases == sum(
        (figures.suppressed, figures.reached, figures.by_hand, figures.expired, figures.waiting)
    )
    assert figures.suppressed == sum(
        one.ending in SUPPRESSING and one.ending is not Ending.SHORT for one in cases
    )
    assert figures.reached == sum(one.ending in REACHED for one in cases)
