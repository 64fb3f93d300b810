"""May a client be called now, and how long is a promise?"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from telephony.domain.callback.quiet import after_loud
from telephony.domain.callback.rules import QuietHours

MOSCOW = ("Europe/Moscow",)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("quiet", "minutes", "hours_later"),
    [
        (QuietHours(), 10, timedelta(minutes=10)),
        (QuietHours(), 11, timedelta(hours=11, minutes=11)),
        (QuietHours(), 30, timedelta(hours=11, minutes=30)),
        (QuietHours(time(0), time(0)), 600, timedelta(minutes=600)),
    ],
    ids=["before the night", "a minute beyond it", "beyond it", "no quiet hours, over midnight"],
)
def test_a_promise_goes_on_after_the_night(
    quiet: QuietHours, minutes: int, hours_later: timedelta
) -> None:
    since = datetime(2026, 3, 5, 17, 50, tzinfo=UTC)  # 20:50 in Moscow
    assert after_loud(quiet, MOSCOW, since, minutes) == since + hours_later
