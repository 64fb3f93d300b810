"""Who is blocked: whole numbers, beginnings, hidden numbers, each for a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from telephony.domain.blocklist import HIDDEN, Blocked, Blocklist, read_pattern
from telephony.domain.setup import Setup

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def line(pattern: str, until: datetime | None = None) -> Blocked:
    return Blocked(pattern, "spam", "anna", NOW - HOUR, until)


def test_the_line_that_says_most_counts() -> None:
    blocked = Blocklist(tuple(map(line, ("+7900*", "+7*", "+79001112233", "+79001112233*"))))
    for number, pattern in [
        ("+79001112233", "+79001112233"),
        ("+790011122334", "+79001112233*"),
        ("+79001112234", "+7900*"),
        ("+7900", "+7900*"),
        ("+74951112233", "+7*"),
    ]:
        found = blocked.find(number, NOW)
        assert found is not None
        assert found.pattern == pattern
    for number in ("+4930123456", "79001112233", "+", "", "7", "anonymous"):
        assert blocked.find(number, NOW) is None


def test_hidden_numbers_and_short_ones() -> None:
    blocked = Blocklist((line(HIDDEN), line("900")))
    assert blocked.find("", NOW) == line(HIDDEN)
    assert blocked.find("900", NOW) == line("900")
    assert blocked.find("9001", NOW) is None
    assert Blocklist().find("", NOW) is None


def test_a_line_ends_and_a_shorter_one_still_counts() -> None:
    blocked = Blocklist((line("+79001112233", NOW + HOUR), line("+7900*", NOW + 2 * HOUR)))
    for hours, pattern in [(0, "+79001112233"), (0.99, "+79001112233"), (1, "+7900*"), (2, None)]:
        found = blocked.find("+79001112233", NOW + hours * HOUR)
        assert (found and found.pattern) == pattern


def test_preparing_a_set_up_makes_the_index_that_callers_would_wait_for() -> None:
    blocked = Blocklist((line("+7900*"),))
    Setup(blocked=blocked).prepare(NOW)
    assert {"_by_pattern", "_lengths"} <= set(vars(blocked))
    assert blocked.find("+79001112233", NOW) == line("+7900*")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("8 (900) 111-22-33", "+79001112233"),
        ("+49 30 123456", "+4930123456"),
        ("+7 900 *", "+7900*"),
        ("+7*", "+7*"),
        ("900", "900"),
        ("Hidden", HIDDEN),
        ("+*", None),
        ("*", None),
        ("8900*", None),
        ("+7*900", None),
        ("+0123*", None),
        ("+790011122331234*", None),
        ("12", None),
        ("", None),
        ("Romashka", None),
    ],
)
def test_what_is_typed_becomes_a_pattern(text: str, pattern: str | None) -> None:
    assert read_pattern(text, "RU") == pattern
