"""Quiet hours by the clients' clocks: nights, weekends, changes of the clocks, several zones."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from telephony.domain.callback.quiet import (
    after_loud,
    client_zone,
    is_quiet,
    loud_until,
    quiet_over,
)
from telephony.domain.callback.rules import RU, US, QuietHours

MOSCOW, BERLIN, NEW_YORK = "Europe/Moscow", "Europe/Berlin", "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
NIGHT = QuietHours(time(21), time(8))
# An end within the hours that change, and a span within them.
SHORT = QuietHours(time(22), time(2, 30))
WITHIN = QuietHours(time(2, 15), time(2, 45))
NOON = QuietHours(time(12), time(13))
NONE = QuietHours(time(9), time(9))
WEEKEND = QuietHours(time(22), time(8), frozenset({6, 7}), time(20), time(9))
# The whole weekend: all but a minute of it.
WORKDAYS_ONLY = QuietHours(time(21), time(8), frozenset({6, 7}), time(0), time(23, 59))


def at(text: str, zone: str = MOSCOW, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "moment", "expected"),
    [
        # Tuesday, 1 December 2026, in Moscow.
        (NIGHT, "2026-12-01T07:59:59.999999", True),
        (NIGHT, "2026-12-01T08:00", False),
        (NIGHT, "2026-12-01T20:59:59", False),
        (NIGHT, "2026-12-01T21:00", True),
        (NIGHT, "2026-12-02T00:00", True),
        (NOON, "2026-12-01T11:59", False),
        (NOON, "2026-12-01T12:00", True),
        (NOON, "2026-12-01T13:00", False),
        (NONE, "2026-12-01T09:00", False),
        (NONE, "2026-12-01T03:00", False),
        # Friday's start holds until midnight, Saturday's end from there on.
        (WEEKEND, "2026-12-04T20:30", False),
        (WEEKEND, "2026-12-04T22:00", True),
        (WEEKEND, "2026-12-05T08:30", True),
        (WEEKEND, "2026-12-05T09:00", False),
        (WEEKEND, "2026-12-05T20:00", True),
        (WEEKEND, "2026-12-06T20:30", True),
        (WEEKEND, "2026-12-07T07:59", True),
        (WEEKEND, "2026-12-07T08:00", False),
        (WORKDAYS_ONLY, "2026-12-05T12:00", True),
        (WORKDAYS_ONLY, "2026-12-05T23:59", False),
    ],
)
def test_a_moment(quiet: QuietHours, moment: str, expected: bool) -> None:
    assert is_quiet(quiet, (MOSCOW,), at(moment)) is expected
    assert is_quiet(quiet, (MOSCOW,), at(moment).astimezone(UTC)) is expected


@pytest.mark.parametrize(
    ("quiet", "zone", "moment", "expected"),
    [
        (NIGHT, MOSCOW, "2026-12-01T12:34:56", "2026-12-01T09:34:56"),  # as it is
        (NIGHT, MOSCOW, "2026-12-01T21:00", "2026-12-02T05:00"),
        (NIGHT, MOSCOW, "2026-12-02T03:00", "2026-12-02T05:00"),
        (NONE, MOSCOW, "2026-12-02T03:00", "2026-12-02T00:00"),
        (WEEKEND, MOSCOW, "2026-12-04T22:00", "2026-12-05T06:00"),
        (WEEKEND, MOSCOW, "2026-12-06T20:00", "2026-12-07T05:00"),
        (WORKDAYS_ONLY, MOSCOW, "2026-12-04T21:30", "2026-12-05T20:59"),
        # No change in Moscow on the days on which Berlin's clocks change.
        (NIGHT, MOSCOW, "2026-03-28T22:00", "2026-03-29T05:00"),
        (NIGHT, MOSCOW, "2026-10-24T22:00", "2026-10-25T05:00"),
        # Berlin: 2:00 becomes 3:00 on 29 March, 3:00 becomes 2:00 on 25 October.
        (NIGHT, BERLIN, "2026-03-28T22:00", "2026-03-29T06:00"),
        (NIGHT, BERLIN, "2026-10-24T22:00", "2026-10-25T07:00"),
        (SHORT, BERLIN, "2026-03-28T23:00", "2026-03-29T01:00"),
        (SHORT, BERLIN, "2026-10-24T23:00", "2026-10-25T00:30"),
        (WITHIN, BERLIN, "2026-03-29T01:59", "2026-03-29T00:59"),
        (WITHIN, BERLIN, "2026-10-25T02:15", "2026-10-25T00:45"),
        # New York: 2:00 becomes 3:00 on 8 March, 2:00 becomes 1:00 on 1 November.
        (NIGHT, NEW_YORK, "2026-03-07T22:00", "2026-03-08T12:00"),
        (NIGHT, NEW_YORK, "2026-10-31T22:00", "2026-11-01T13:00"),
        (SHORT, NEW_YORK, "2026-03-07T22:00", "2026-03-08T07:00"),
        (SHORT, NEW_YORK, "2026-03-08T00:30:00.700000", "2026-03-08T07:00"),
        # Lord Howe: 2:00 becomes 1:30 on 5 April, 2:00 becomes 2:30 on 4 October.
        (NIGHT, LORD_HOWE, "2026-04-04T22:00", "2026-04-04T21:30"),
        (NIGHT, LORD_HOWE, "2026-10-03T22:00", "2026-10-03T21:00"),
        (WITHIN, LORD_HOWE, "2026-10-04T01:59", "2026-10-03T15:29"),
        (WITHIN, LORD_HOWE, "2026-10-04T02:30", "2026-10-03T15:45"),
    ],
)
def test_when_quiet_hours_are_over(
    quiet: QuietHours, zone: str, moment: str, expected: str
) -> None:
    assert quiet_over(quiet, (zone,), at(moment, zone)) == utc(expected)


def test_hours_shown_twice_are_quiet_twice() -> None:
    # 2:15 to 2:45 in Berlin on 25 October is 0:15 to 0:45 and 1:15 to 1:45 in UTC.
    first, second = (at("2026-10-25T02:30", BERLIN, fold) for fold in (0, 1))
    assert is_quiet(WITHIN, (BERLIN,), first)
    assert quiet_over(WITHIN, (BERLIN,), first) == utc("2026-10-25T00:45")
    assert not is_quiet(WITHIN, (BERLIN,), utc("2026-10-25T01:00"))
    assert is_quiet(WITHIN, (BERLIN,), second)
    assert quiet_over(WITHIN, (BERLIN,), second) == utc("2026-10-25T01:45")
    # A night until 2:30 ends, and holds once more when the clocks are put back to 2:00.
    assert not is_quiet(SHORT, (BERLIN,), utc("2026-10-25T00:59"))
    assert quiet_over(SHORT, (BERLIN,), utc("2026-10-25T01:00")) == utc("2026-10-25T01:30")


def test_hours_that_are_skipped_are_not_quiet() -> None:
    assert after_loud(WITHIN, (BERLIN,), utc("2026-03-29T00:00"), 180) == utc("2026-03-29T03:00")
    assert after_loud(WITHIN, (BERLIN,), utc("2026-03-30T00:00"), 180) == utc("2026-03-30T03:30")


def test_a_change_over_midnight_moves_the_weekend_with_it() -> None:
    # Santiago's clocks go from Saturday 24:00 back to 23:00: that hour is Saturday's both times.
    santiago = "America/Santiago"
    saturday = QuietHours(time(0), time(0), frozenset({6}), time(23), time(23, 30))
    assert is_quiet(saturday, (santiago,), utc("2026-04-05T02:15"))
    assert quiet_over(saturday, (santiago,), utc("2026-04-05T02:15")) == utc("2026-04-05T02:30")
    assert is_quiet(saturday, (santiago,), utc("2026-04-05T03:15"))
    assert quiet_over(saturday, (santiago,), utc("2026-04-05T03:15")) == utc("2026-04-05T03:30")


def test_all_the_zones_must_be_awake() -> None:
    both = (MOSCOW, "Asia/Vladivostok")  # seven hours apart: 5:00 to 11:00 UTC
    assert is_quiet(NIGHT, both, utc("2026-12-01T04:59"))
    assert not is_quiet(NIGHT, both, utc("2026-12-01T05:00"))
    assert is_quiet(NIGHT, both, utc("2026-12-01T11:00"))
    assert quiet_over(NIGHT, both, utc("2026-12-01T11:00")) == utc("2026-12-02T05:00")
    assert after_loud(NIGHT, both, utc("2026-12-01T10:00"), 60) == utc("2026-12-01T11:00")
    assert after_loud(NIGHT, both, utc("2026-12-01T10:00"), 61) == utc("2026-12-02T05:01")


def test_zones_without_a_common_day_leave_no_moment() -> None:
    apart = ("Asia/Tokyo", "America/New_York")  # fourteen hours in winter
    long = QuietHours(time(19), time(9))
    assert quiet_over(long, apart, utc("2026-12-01T12:00")) is None
    assert after_loud(long, apart, utc("2026-12-01T12:00"), 1) is None
    # Sunday's day is longer: Tokyo's 8:00 comes an hour before New York's 19:00.
    sunday = QuietHours(time(19), time(9), frozenset({7}), time(23), time(8))
    assert quiet_over(sunday, apart, utc("2026-12-01T12:00")) == utc("2026-12-05T23:00")
    assert after_loud(sunday, apart, utc("2026-12-01T12:00"), 60) == utc("2026-12-06T00:00")


@pytest.mark.parametrize(
    ("quiet", "since", "minutes", "expected"),
    [
        (NIGHT, "2026-12-01T12:00", 30, "2026-12-01T09:30"),
        (NIGHT, "2026-12-01T12:00:30", 30, "2026-12-01T09:30:30"),
        (NIGHT, "2026-12-01T20:45", 15, "2026-12-01T18:00"),  # due just as the night begins
        (NIGHT, "2026-12-01T20:45", 30, "2026-12-02T05:15"),
        (NIGHT, "2026-12-01T20:45:30", 30, "2026-12-02T05:15:30"),
        (NIGHT, "2026-12-01T23:00", 30, "2026-12-02T05:30"),
        (NIGHT, "2026-12-01T23:00", 0, "2026-12-01T20:00"),
        (NIGHT, "2026-12-01T08:00", 3 * 13 * 60, "2026-12-03T18:00"),
        (WEEKEND, "2026-12-04T21:30", 60, "2026-12-05T06:30"),
        (WEEKEND, "2026-12-06T19:50", 30, "2026-12-07T05:20"),
        (NONE, "2026-12-01T23:00", 14 * 24 * 60, "2026-12-15T20:00"),
    ],
)
def test_minutes_that_are_not_quiet(
    quiet: QuietHours, since: str, minutes: int, expected: str
) -> None:
    assert after_loud(quiet, (MOSCOW,), at(since), minutes) == utc(expected)


def test_counting_ends_after_four_hundred_days() -> None:
    a_minute_a_day = QuietHours(time(12, 1), time(12))
    since = utc("2026-12-01T00:00")
    assert after_loud(a_minute_a_day, ("UTC",), since, 400) == since + timedelta(
        399, 12 * 3600 + 60
    )
    assert after_loud(a_minute_a_day, ("UTC",), since, 401) is None


def test_the_presets_with_numbers_that_tell_no_place() -> None:
    russia = client_zone("+78001234567", None, BERLIN)
    # Kaliningrad's 8:00 to Kamchatka's 22:00 on a Friday; 9:00 to 20:00 on a Saturday.
    assert quiet_over(RU.quiet, russia, utc("2026-12-04T00:00")) == utc("2026-12-04T06:00")
    assert after_loud(RU.quiet, russia, utc("2026-12-04T06:00"), 240) == utc("2026-12-04T10:00")
    assert quiet_over(RU.quiet, russia, utc("2026-12-04T10:00")) == utc("2026-12-05T07:00")
    assert quiet_over(RU.quiet, russia, utc("2026-12-05T08:00")) == utc("2026-12-06T07:00")
    # Guam's 8:00 on a Saturday is Newfoundland's 18:30 on Friday.
    america = client_zone("+18002345678", None, BERLIN)
    assert {"Pacific/Guam", "Pacific/Honolulu", "America/St_Johns"} <= set(america)
    assert quiet_over(US.quiet, america, utc("2026-12-04T15:00")) == utc("2026-12-04T22:00")


@pytest.mark.parametrize(
    ("number", "recorded", "expected"),
    [
        ("+74951234567", None, (MOSCOW,)),
        ("+74232123456", None, ("Asia/Vladivostok",)),
        ("+74232123456", "", ("Asia/Vladivostok",)),
        ("+74232123456", "Asia/Tokyo", ("Asia/Tokyo",)),
        ("+74232123456", "Asia/Nowhere", ("Asia/Vladivostok",)),
        ("+74232123456", "../etc/passwd", ("Asia/Vladivostok",)),
        ("+12125550123", None, (NEW_YORK,)),
        ("+18085551234", None, ("Pacific/Honolulu",)),
        ("+4915123456789", None, (BERLIN,)),
        # Nothing is known: a network of no country, nothing that is a number.
        ("+80012345678", None, ("Europe/Samara",)),
        ("101", None, ("Europe/Samara",)),
        ("", None, ("Europe/Samara",)),
        ("anonymous", None, ("Europe/Samara",)),
    ],
)
def test_where_a_client_is(number: str, recorded: str | None, expected: tuple[str, ...]) -> None:
    assert client_zone(number, recorded, "Europe/Samara") == expected


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+74012123456", "Europe/Kaliningrad"),
        ("+211977123456", "Africa/Juba"),
        ("+212650123456", "Africa/Casablanca"),
        ("+213551234567", "Africa/Algiers"),
        ("+218912345678", "Africa/Tripoli"),
        ("+50581234567", "America/Managua"),
    ],
)
def test_a_zone_of_another_country_with_other_clocks_is_not_taken(number: str, zone: str) -> None:
    assert client_zone(number, None, "UTC") == (zone,)


def test_a_mobile_number_of_a_wide_country_may_be_anywhere_in_it() -> None:
    zones = client_zone("+79161234567", None, BERLIN)
    assert {"Europe/Kaliningrad", MOSCOW, "Asia/Kamchatka"} <= set(zones)
    assert "Europe/Bucharest" not in zones
    assert len(zones) == len(set(zones))


@pytest.mark.parametrize("ours", [MOSCOW, "Asia/Vladivostok"])
def test_it_is_taken_to_be_where_we_are_when_we_are_in_that_country(ours: str) -> None:
    assert client_zone("+79161234567", None, ours) == (ours,)
    assert client_zone("+79161234567", "Asia/Omsk", ours) == ("Asia/Omsk",)
    # A landline tells its place, wherever we are.
    assert client_zone("+74232123456", None, ours) == ("Asia/Vladivostok",)


def test_zones_that_the_machine_does_not_know_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, expected in (
        (("Asia/Gone", BERLIN), (BERLIN,)),
        (("Asia/Gone", "Etc/Unknown"), (MOSCOW,)),
        ((), (MOSCOW,)),
    ):
        monkeypatch.setattr(
            "telephony.domain.callback.quiet.time_zones_for_number", lambda _, found=there: found
        )
        assert client_zone("+4930123456", None, MOSCOW) == expected


def test_how_long_it_is_not_quiet_yet() -> None:
    day, hour = at("2026-12-01T20:00"), timedelta(hours=1)
    assert loud_until(NIGHT, (MOSCOW,), day, day + hour / 2) == day + hour / 2
    assert loud_until(NIGHT, (MOSCOW,), day, day + 3 * hour) == day + hour
    # An hour earlier in the east, and not at all while it is quiet.
    east = at("2026-12-01T19:30")
    assert loud_until(NIGHT, (MOSCOW, "Asia/Yekaterinburg"), east, east + hour) == east
    both = (MOSCOW, "Europe/Samara")
    assert loud_until(NIGHT, both, east, east + hour) == east + hour / 2
    # Midnight and the weekend's other hours are no quiet.
    friday = at("2026-12-04T23:59:30")
    assert loud_until(NONE, (MOSCOW,), friday, friday + hour) == friday + hour


def test_a_client_without_a_zone_or_with_an_unknown_one_is_an_error() -> None:
    moment = utc("2026-12-01T12:00")
    with pytest.raises(ValueError, match="zone"):
        is_quiet(NIGHT, (), moment)
    with pytest.raises(ValueError, match="zone"):
        quiet_over(NIGHT, (), moment)
    with pytest.raises(ValueError, match="zone"):
        after_loud(NIGHT, (), moment, 5)
    with pytest.raises(ZoneInfoNotFoundError):
        quiet_over(NIGHT, ("Asia/Nowhere",), moment)
