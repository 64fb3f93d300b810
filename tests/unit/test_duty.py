"""Weekly shifts in local wall-clock time: half-open, across midnight, over DST."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from telephony.domain.duty import Presence, Roster, Shift, presence

MON_FRI = frozenset({1, 2, 3, 4, 5})
DAY = Shift("101", MON_FRI, time(9), time(18), (time(13), time(14)))
NIGHT = Shift("101", frozenset({5}), time(22), time(6), (time(1), time(2)))
ROUND = Shift("101", frozenset({3}), time(0), time(0))


@pytest.mark.parametrize(
    ("shift", "local", "expected"),
    [
        (DAY, "2026-11-23 08:59:59", Presence.OFF),
        (DAY, "2026-11-23 09:00:00", Presence.ON_SHIFT),
        (DAY, "2026-11-23 12:59:59", Presence.ON_SHIFT),
        (DAY, "2026-11-23 13:00:00", Presence.LUNCH),
        (DAY, "2026-11-23 14:00:00", Presence.ON_SHIFT),
        (DAY, "2026-11-23 17:59:59", Presence.ON_SHIFT),
        (DAY, "2026-11-23 18:00:00", Presence.OFF),
        (DAY, "2026-11-22 12:00:00", Presence.OFF),
        (NIGHT, "2026-11-27 21:59:59", Presence.OFF),
        (NIGHT, "2026-11-27 22:00:00", Presence.ON_SHIFT),
        (NIGHT, "2026-11-28 00:30:00", Presence.ON_SHIFT),
        (NIGHT, "2026-11-28 01:30:00", Presence.LUNCH),
        (NIGHT, "2026-11-28 05:59:59", Presence.ON_SHIFT),
        (NIGHT, "2026-11-28 06:00:00", Presence.OFF),
        (NIGHT, "2026-11-27 03:00:00", Presence.OFF),
        (ROUND, "2026-11-25 00:00:00", Presence.ON_SHIFT),
        (ROUND, "2026-11-25 23:59:59", Presence.ON_SHIFT),
        (ROUND, "2026-11-26 00:00:00", Presence.OFF),
    ],
)
def test_a_shift(shift: Shift, local: str, expected: Presence) -> None:
    assert shift.presence(datetime.fromisoformat(local)) is expected


def test_the_strongest_presence_of_all_groups_counts() -> None:
    noon = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
    lunch = Roster("UTC", (DAY,))
    other = Roster("UTC", (Shift("101", MON_FRI, time(13), time(15)),))
    assert presence((lunch,), "101", noon) is Presence.LUNCH
    assert presence((lunch, other), "101", noon) is Presence.ON_SHIFT
    assert presence((lunch,), "102", noon) is Presence.UNSCHEDULED
    assert presence((Roster("UTC", (NIGHT,)), lunch), "101", noon) is Presence.LUNCH


def test_everyone_of_a_roster_is_listed_once_in_its_order() -> None:
    roster = Roster("UTC", (Shift("102", MON_FRI, time(9), time(10)), DAY, NIGHT))
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert list(roster.at(noon).items()) == [("102", Presence.OFF), ("101", Presence.ON_SHIFT)]


def test_a_roster_asked_again_answers_for_the_new_minute() -> None:
    roster = Roster("UTC", (DAY,))
    moments = [(8, 59), (9, 0), (13, 30), (9, 0), (18, 0)]
    seen = [roster.at(datetime(2026, 11, 23, *at, 59, tzinfo=UTC))["101"] for at in moments]
    on, off, lunch = Presence.ON_SHIFT, Presence.OFF, Presence.LUNCH
    assert seen == [off, on, lunch, on, off]


def test_a_shift_of_seconds_is_refused() -> None:
    with pytest.raises(ValueError, match="whole minutes"):
        Shift("101", MON_FRI, time(9, 0, 30), time(18))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_a_shift_keeps_its_wall_clock_over_every_change_of_2026(zone: str) -> None:
    roster = (Roster(zone, (Shift("101", frozenset(range(1, 8)), time(9), time(18)),)),)
    tz = ZoneInfo(zone)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment.year == 2026:
        local = moment.astimezone(tz)
        wanted = Presence.ON_SHIFT if 9 <= local.hour < 18 else Presence.OFF
        assert presence(roster, "101", moment) is wanted, local
        moment += timedelta(minutes=30)
