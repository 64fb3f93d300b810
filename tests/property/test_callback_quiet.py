"""Quiet hours by edges give what asking every single minute gives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.domain.callback.quiet import after_loud, is_quiet, quiet_over
from telephony.domain.callback.rules import PRESETS, QuietHours

MINUTE = timedelta(minutes=1)
PATIENCE = 8 * 24 * 60
# Half hours, quarters, half an hour and two hours of summer time, changes at midnight.
ZONES = (
    "Europe/Moscow",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "Asia/Kamchatka",
    "Australia/Lord_Howe",
    "Pacific/Honolulu",
    "Pacific/Kiritimati",
)
# Days around which clocks change.
CHANGES = tuple(
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in (
        (3, 8),
        (3, 29),
        (4, 5),
        (4, 24),
        (9, 6),
        (10, 4),
        (10, 25),
        (10, 30),
        (11, 1),
    )
)
SOME_DAY = datetime(2020, 1, 1, tzinfo=UTC)
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 0, 15, 30, 59]))
NEAR = st.builds(time, st.integers(0, 3), st.sampled_from([0, 15, 30, 45]))
TIMES = CLOCKS | NEAR
QUIET = st.sampled_from([rules.quiet for rules in PRESETS.values()]) | st.builds(
    QuietHours, TIMES, TIMES, st.frozensets(st.integers(1, 7)), TIMES, TIMES
)
MOMENTS = st.builds(
    lambda day, minutes: day + minutes * MINUTE,
    st.sampled_from(CHANGES) | st.integers(0, 3652).map(lambda days: SOME_DAY + timedelta(days)),
    st.integers(-36 * 60, 36 * 60),
)
SECONDS = st.timedeltas(timedelta(), timedelta(seconds=59, microseconds=999_999))
WHERE = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True)


def silent(quiet: QuietHours, zone: ZoneInfo, at: datetime) -> bool:
    """Tell it the slow way: a day's hours are looked up by the minute of the day."""
    local = at.astimezone(zone)
    weekend = local.isoweekday() in quiet.days
    start = quiet.weekend_start if weekend else quiet.start
    end = quiet.weekend_end if weekend else quiet.end
    first, last, now = (one.hour * 60 + one.minute for one in (start, end, local))
    return (now - first) % 1440 < (last - first) % 1440


def minutes(quiet: QuietHours, zones: list[str], at: datetime) -> Iterator[tuple[datetime, bool]]:
    """Yield the minutes from `at` on, and whether each is quiet."""
    clocks = [ZoneInfo(zone) for zone in zones]
    while True:
        yield at, any(silent(quiet, clock, at) for clock in clocks)
        at += MINUTE


@settings(max_examples=300, deadline=None)
@given(QUIET, WHERE, MOMENTS, SECONDS)
def test_a_moment_is_quiet_as_its_minute_is(
    quiet: QuietHours, zones: list[str], at: datetime, seconds: timedelta
) -> None:
    _, expected = next(minutes(quiet, zones, at))
    assert is_quiet(quiet, zones, at + seconds) is expected
    aware = (at + seconds).astimezone(ZoneInfo(zones[0]))
    assert is_quiet(quiet, zones, aware) is expected


@settings(max_examples=300, deadline=None)
@given(QUIET, WHERE, MOMENTS, SECONDS)
def test_the_end_of_quiet_hours_is_the_first_minute_that_is_not_quiet(
    quiet: QuietHours, zones: list[str], at: datetime, seconds: timedelta
) -> None:
    expected = None
    for (minute, is_silent), _ in zip(minutes(quiet, zones, at), range(PATIENCE), strict=False):
        if not is_silent:
            expected = max(minute, at + seconds)
            break
    found = quiet_over(quiet, zones, at + seconds)
    assert found == expected
    assert found is None or not is_quiet(quiet, zones, found)


@settings(max_examples=300, deadline=None)
@given(QUIET, WHERE, MOMENTS, st.integers(0, 3000))
def test_minutes_are_counted_that_are_not_quiet(
    quiet: QuietHours, zones: list[str], since: datetime, wanted: int
) -> None:
    left, row, expected = wanted, 0, since
    for minute, is_silent in minutes(quiet, zones, since):
        if not left or row >= PATIENCE:
            break
        if is_silent:
            row += 1
        else:
            left, row, expected = left - 1, 0, minute + MINUTE
        if minute - since > timedelta(days=20):
            # Few minutes a day: that it is not yet over is all that is asked.
            found = after_loud(quiet, zones, since, wanted)
            assert found is None or found > minute
            return
    assert after_loud(quiet, zones, since, wanted) == (None if left else expected)


@settings(max_examples=100, deadline=None)
@given(QUIET, WHERE, MOMENTS, SECONDS, st.integers(1, 600), st.integers(1, 600))
def test_counting_on_from_where_one_stopped_is_counting_at_once(
    quiet: QuietHours, zones: list[str], at: datetime, seconds: timedelta, first: int, then: int
) -> None:
    half = after_loud(quiet, zones, at + seconds, first)
    whole = after_loud(quiet, zones, at + seconds, first + then)
    if half is None:
        assert whole is None
    elif whole is None or whole < at + timedelta(days=390):
        assert after_loud(quiet, zones, half, then) == whole
