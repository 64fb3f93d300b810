"""Opening hours: tables of weekdays, holidays, own days, nights and changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from telephony.domain.did import Did, Menu
from telephony.domain.duty import Interval, Roster
from telephony.domain.hours import DayKind, Hours, Opening, OwnDay
from telephony.domain.publicdays import countries, is_known, public_days
from telephony.domain.setup import Group, Setup

MOSCOW = ZoneInfo("Europe/Moscow")
WORKDAYS = frozenset(range(1, 6))
OFFICE = (Opening(WORKDAYS, time(9), time(18)),)


def hours(*days: OwnDay, country: str = "RU", zone: str = "Europe/Moscow") -> Hours:
    return Hours("office", zone, OFFICE, country, "", days)


def at(text: str, zone: str = "Europe/Moscow") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


ON_SATURDAY = OwnDay(date(2026, 11, 28), date(2026, 11, 28), "moved Monday", like=1)
PARTY = OwnDay(date(2026, 12, 25), date(2026, 12, 25), "party", ((time(9), time(14)),))
INVENTORY = OwnDay(date(2026, 12, 1), date(2026, 12, 3), "inventory")
BIRTHDAY = OwnDay(date(2020, 11, 26), date(2020, 11, 26), "our birthday", yearly=True)
NEW_YEAR = OwnDay(date(2020, 12, 30), date(2021, 1, 2), "closed", yearly=True)


@pytest.mark.parametrize(
    ("moment", "days", "is_open", "kind", "name"),
    [
        ("2026-11-26T09:00", (), True, DayKind.WEEKDAY, ""),
        ("2026-11-26T08:59", (), False, DayKind.WEEKDAY, ""),
        ("2026-11-26T18:00", (), False, DayKind.WEEKDAY, ""),
        ("2026-11-28T12:00", (), False, DayKind.WEEKDAY, ""),
        ("2026-11-28T12:00", (ON_SATURDAY,), True, DayKind.OWN, "moved Monday"),
        ("2026-11-04T12:00", (), False, DayKind.HOLIDAY, "День народного единства"),
        ("2026-12-25T13:59", (PARTY,), True, DayKind.OWN, "party"),
        ("2026-12-25T14:00", (PARTY,), False, DayKind.OWN, "party"),
        ("2026-12-03T12:00", (INVENTORY,), False, DayKind.OWN, "inventory"),
        ("2026-12-04T12:00", (INVENTORY,), True, DayKind.WEEKDAY, ""),
        ("2026-11-26T12:00", (BIRTHDAY,), False, DayKind.OWN, "our birthday"),
        ("2028-01-02T12:00", (NEW_YEAR,), False, DayKind.OWN, "closed"),
        ("2027-12-30T12:00", (NEW_YEAR,), False, DayKind.OWN, "closed"),
        ("2027-12-29T12:00", (NEW_YEAR,), True, DayKind.WEEKDAY, ""),
    ],
)
def test_a_moment(
    moment: str, days: tuple[OwnDay, ...], is_open: bool, kind: DayKind, name: str
) -> None:
    found = hours(*days).at(at(moment))
    assert (found.open, found.day.kind, found.day.name) == (is_open, kind, name)


def test_a_later_own_day_stands_above_an_earlier_one_and_above_a_holiday() -> None:
    holiday = date(2026, 11, 4)
    works = OwnDay(holiday, holiday, "we work", like=3)
    assert hours(works).at(at("2026-11-04T12:00")).open
    assert (
        not hours(works, OwnDay(holiday, holiday, "no, we do not")).at(at("2026-11-04T12:00")).open
    )


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    bar = Hours("bar", "Europe/Moscow", (Opening(frozenset({2}), time(20), time(4)),), "RU")
    # Wednesday, 4 November, is a holiday; what opened on Tuesday closes at its own time.
    assert bar.at(at("2026-11-04T03:59")).open
    assert not bar.at(at("2026-11-04T04:00")).open
    assert not bar.at(at("2026-11-03T03:59")).open
    [(start, end)] = bar.spans(at("2026-11-02T00:00"), at("2026-11-08T00:00"))
    assert (start, end) == (at("2026-11-03T20:00"), at("2026-11-04T04:00"))


@pytest.mark.parametrize(
    ("zone", "day", "lasts"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Europe/Moscow", "2014-10-26", 25),
        ("Asia/Kolkata", "2026-03-29", 24),
    ],
)
def test_around_the_clock_is_open_as_long_as_the_day_is(zone: str, day: str, lasts: float) -> None:
    always = Hours("always", zone, (Opening(frozenset(range(1, 8)), time(0), time(0)),))
    midnight = at(f"{day}T00:00", zone)
    end = at(f"{(date.fromisoformat(day) + timedelta(days=1)).isoformat()}T00:00", zone)
    [span] = always.spans(midnight, end)
    assert span.end - span.start == timedelta(hours=lasts)
    moment = span.start
    while moment < span.end:
        assert always.at(moment).open
        moment += timedelta(minutes=15)


def test_spans_agree_with_every_moment() -> None:
    office = hours(ON_SATURDAY, PARTY, INVENTORY)
    since = at("2026-11-23T00:00").astimezone(UTC)
    until = since + timedelta(days=40)
    spans = office.spans(since, until)
    moment = since
    while moment < until:
        inside = any(start <= moment < end for start, end in spans)
        assert office.at(moment).open is inside, moment
        moment += timedelta(minutes=30)
    middle = since + timedelta(days=11, hours=3)
    parts = [*office.spans(since, middle), *office.spans(middle, until)]
    assert sum((b - a for a, b in parts), timedelta()) == sum(
        (b - a for a, b in spans), timedelta()
    )


def test_the_next_opening() -> None:
    assert hours().opens_after(at("2026-11-27T18:30")) == at("2026-11-30T09:00")
    assert hours().opens_after(at("2026-12-31T18:30")) == at("2027-01-11T09:00")
    assert Hours("never", "UTC", ()).opens_after(at("2026-11-27T18:30")) is None


def test_public_days_are_named_in_the_countrys_language_and_known_by_region() -> None:
    assert public_days("RU", "", 2026)[date(2026, 5, 9)] == "День Победы"
    assert public_days("DE", "BY", 2026)[date(2026, 1, 6)] == "Heilige Drei Könige"
    assert date(2026, 1, 6) not in public_days("DE", "BE", 2026)
    assert public_days("XX", "", 2026) == {}
    assert is_known("DE", "BY")
    assert not is_known("DE", "XX")
    assert not is_known("XX")
    assert {"RU", "US", "DE", "KZ"} <= set(countries())


@pytest.mark.parametrize(
    "values",
    [
        {"last": date(2026, 11, 25)},
        {"last": date(2027, 11, 26), "yearly": True},
        {"like": 8},
        {"like": 1, "openings": ((time(9), time(10)),)},
    ],
)
def test_an_own_day_that_makes_no_sense(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="day"):
        OwnDay(**{"day": date(2026, 11, 26), "last": date(2026, 11, 26), **values})  # type: ignore[arg-type]


def wanted(*dids: Did, group_hours: str | None = None) -> list[Interval] | None:
    day = Hours("day", "UTC", (Opening(WORKDAYS, time(9), time(18)),))
    evening = Hours("evening", "UTC", (Opening(WORKDAYS, time(16), time(20)),))
    groups = {name: Group(name, Roster("UTC"), None, group_hours) for name in ("a", "b", "c")}
    setup = Setup(
        groups=groups,
        dids={did.number: did for did in dids},
        hours={"day": day, "evening": evening},
    )
    since = datetime(2026, 11, 26, tzinfo=UTC)
    return setup.wanted("b", since, since + timedelta(days=1))


def clock(start: int, end: int) -> Interval:
    day = datetime(2026, 11, 26, tzinfo=UTC)
    return Interval(day.replace(hour=start), day.replace(hour=end))


@pytest.mark.parametrize(
    ("dids", "group_hours", "expected"),
    [
        ((), None, None),
        ((), "day", [clock(9, 18)]),
        ((Did("1", "b", hours="day"),), None, [clock(9, 18)]),
        ((Did("1", "b", hours="day"), Did("2", "b", hours="evening")), None, [clock(9, 20)]),
        ((Did("1", "b", hours="day"), Did("2", "b")), None, None),
        ((Did("1", "b"),), "evening", [clock(16, 20)]),
        ((Did("1", "a", hours="day", overflow="b"),), None, [clock(9, 18)]),
        (
            (Did("1", "a", hours="evening", menu=Menu("m", {"1": "b"})),),
            "day",
            [clock(16, 20)],
        ),
        ((Did("1", "a"),), "day", [clock(9, 18)]),
    ],
)
def test_somebody_should_be_on_duty_while_a_number_of_the_group_is_open(
    dids: tuple[Did, ...], group_hours: str | None, expected: list[Interval] | None
) -> None:
    assert wanted(*dids, group_hours=group_hours) == expected
