"""What comes: who is on duty now and next, and what is wrong with the days to come."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from telephony.domain.ahead import (
    Turn,
    concerned,
    days_from,
    duties,
    next_troubles,
    now_and_next,
    troubles,
)
from telephony.domain.duty import Interval, Roster, Shift, Trouble
from telephony.domain.setup import Group, Operator, Setup

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
EVERY_DAY = frozenset(range(1, 8))
REACHABLE = {"101": True, "102": True, "103": True}


def at(hour: int) -> datetime:
    return MONDAY + timedelta(hours=hour)


def group(name: str, *shifts: Shift) -> Group:
    return Group(name, Roster("UTC", shifts))


def shift(who: str, start: int, end: int) -> Shift:
    return Shift(who, EVERY_DAY, time(start % 24), time(end % 24))


def setup(*groups: Group) -> Setup:
    return Setup(
        operators={who: Operator(who, who, who) for who in REACHABLE},
        groups={one.name: one for one in groups},
    )


SALES = group("sales", shift("101", 0, 12), shift("102", 12, 0))
NIGHT = group("night", shift("101", 8, 10), shift("103", 10, 8))
OTHERS = group("others", shift("103", 0, 0))
EMPTY = group("empty")


def test_now_next_and_nobody() -> None:
    assert now_and_next(SALES, at(3)) == (
        Turn(at(3), at(12), ("101",)),
        Turn(at(12), at(24), ("102",)),
    )
    gone = group("gone", shift("101", 9, 10))
    assert now_and_next(gone, at(10)) == (
        Turn(at(10), at(33), ()),
        Turn(at(33), at(34), ("101",)),
    )
    assert now_and_next(EMPTY, at(3)) == (Turn(at(3), None, ()), None)
    assert now_and_next(OTHERS, at(3)) == (Turn(at(3), None, ("103",)), None)


def test_days_are_those_of_the_zone() -> None:
    assert days_from(at(3), 1, "UTC") == Interval(at(3), at(24))
    # 23:00 there already: the last hour of the first day, and a whole one.
    assert days_from(at(13), 2, "Asia/Vladivostok") == Interval(at(13), at(38))
    night = datetime(2026, 10, 24, 12, tzinfo=UTC)  # clocks go back: 25 hours
    whole = days_from(night, 2, "Europe/Berlin")
    assert whole.end - night == timedelta(hours=10 + 25)


def test_whose_rosters_matter() -> None:
    known = setup(SALES, NIGHT, OTHERS, EMPTY)
    assert concerned(known) == [SALES, NIGHT, OTHERS]
    assert concerned(known, "sales") == [SALES, NIGHT]
    assert concerned(known, "empty") == []


def test_what_is_wrong_in_one_group_counts_those_who_are_in_another_at_once() -> None:
    known = setup(SALES, NIGHT, OTHERS, EMPTY)
    found = next_troubles(known, MONDAY, REACHABLE, "sales")
    (twice,) = [(one, more) for one, more in found if one.trouble is Trouble.TWICE]
    assert (twice[0].groups, twice[0].operator, twice[1]) == (("night", "sales"), "101", 13)
    assert (twice[0].start, twice[0].end) == (at(8), at(10))
    assert all("sales" in one.groups for one, _ in found)
    everything = next_troubles(known, MONDAY, REACHABLE)
    assert {one.operator for one, _ in everything if one.trouble is Trouble.TWICE} == {"101", "103"}
    # 103 has 22 hours of 24 in the night.
    (heavy,) = [one for one, _ in everything if one.trouble is Trouble.UNFAIR]
    assert (heavy.groups, heavy.operator, heavy.hours) == (("night",), "103", 22.0 * 28)
    assert next_troubles(known, MONDAY, REACHABLE, "empty") == []


def test_other_days_and_somebody_without_a_phone() -> None:
    known = setup(SALES, EMPTY)
    found = duties(known, [SALES, EMPTY], lambda zone: days_from(at(48), 1, zone))
    assert found["empty"].gaps == (Interval(at(48), at(72)),)
    told = troubles(known, found, {"101": True})
    assert [(one.trouble, one.start) for one, _ in told] == [
        (Trouble.GAP, at(48)),
        (Trouble.UNREACHABLE, at(60)),
    ]
