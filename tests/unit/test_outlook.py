"""What an admin is warned of: gaps, nobody to ring, twice at once, an unfair share."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from telephony.domain.duty import (
    Interval,
    OneOff,
    Roster,
    Shift,
    Trouble,
    Warned,
    loads,
    outlook,
    resolve,
    unfair,
)

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
EVERY_DAY = frozenset(range(1, 8))


def shift(who: str, start: int, end: int, lunch: int | None = None) -> Shift:
    break_ = None if lunch is None else (time(lunch), time(lunch + 1))
    return Shift(who, EVERY_DAY, time(start), time(end % 24), break_)


def at(hour: int) -> datetime:
    return MONDAY + timedelta(hours=hour)


def test_gaps_those_without_a_phone_and_double_duty() -> None:
    hours = [Interval(at(8), at(18))]
    sales = Roster("UTC", (shift("101", 9, 13), shift("102", 13, 18)))
    support = Roster("UTC", (shift("101", 12, 18),))
    duties = {
        "sales": resolve(sales, MONDAY, at(24), hours),
        "support": resolve(support, MONDAY, at(24), [Interval(at(12), at(18))]),
    }
    assert outlook(duties, {"101": True}) == [
        Warned(Trouble.GAP, ("sales",), at(8), at(9)),
        Warned(Trouble.TWICE, ("sales", "support"), at(12), at(13), "101"),
        Warned(Trouble.UNREACHABLE, ("sales",), at(13), at(18), "102"),
    ]


def test_twice_in_one_group_is_told_too() -> None:
    extra = OneOff("101", at(12).replace(tzinfo=None), at(14).replace(tzinfo=None))
    roster = Roster("UTC", (shift("101", 9, 13),), one_offs=(extra,))
    duties = {"sales": resolve(roster, MONDAY, at(24), [])}
    assert outlook(duties, {"101": True}) == [
        Warned(Trouble.TWICE, ("sales",), at(12), at(13), "101")
    ]


def test_lunch_is_no_duty() -> None:
    sales = resolve(Roster("UTC", (shift("101", 9, 18, 13),)), MONDAY, at(24), [])
    support = resolve(Roster("UTC", (shift("101", 13, 14),)), MONDAY, at(24), [])
    assert outlook({"sales": sales, "support": support}, {"101": True}) == []
    assert loads(sales, ["101", "102"]) == {"101": 8.0, "102": 0.0}


def test_hours_on_duty_twice_count_once() -> None:
    roster = Roster("UTC", (shift("101", 9, 13), shift("101", 12, 14)))
    assert loads(resolve(roster, MONDAY, at(24)), []) == {"101": 5.0}


@pytest.mark.parametrize(
    ("hours", "days", "expected"),
    [
        ({"101": 12, "102": 4, "103": 4}, 28, ["101"]),
        ({"101": 8, "102": 8, "103": 8}, 28, []),
        ({"101": 9, "102": 5, "103": 6}, 28, []),  # within one and a half times the mean
        ({"101": 4, "102": 1}, 1, []),  # a large ratio of few hours
        ({"101": 12}, 28, []),  # alone
    ],
)
def test_an_unfair_share(hours: dict[str, int], days: int, expected: list[str]) -> None:
    roster = Roster("UTC", tuple(shift(who, 8, 8 + each) for who, each in hours.items()))
    duty = resolve(roster, MONDAY, MONDAY + timedelta(days=days))
    found = unfair("sales", duty, tuple(hours))
    assert [one.operator for one in found] == expected
    for one in found:
        assert one.hours == hours[one.operator or ""] * days
        assert one.mean == pytest.approx(sum(hours.values()) * days / len(hours))
