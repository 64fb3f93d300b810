"""Local times of the reader's zone: what the clocks show, skip and show twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from web.cases.asking import Asking, moment_of, read, sought

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("day", "at", "zone", "wanted"),
    [
        (date(2026, 11, 19), time(10), "Europe/Moscow", datetime(2026, 11, 19, 7, tzinfo=UTC)),
        # The clocks go from 02:00 to 03:00.
        (date(2027, 3, 28), time(2, 30), BERLIN, None),
        (date(2027, 3, 28), time(2), BERLIN, None),
        (date(2027, 3, 28), time(1, 59), BERLIN, datetime(2027, 3, 28, 0, 59, tzinfo=UTC)),
        (date(2027, 3, 28), time(3), BERLIN, datetime(2027, 3, 28, 1, tzinfo=UTC)),
        # … and back from 03:00 to 02:00: the first of the two.
        (date(2027, 10, 31), time(2, 30), BERLIN, datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
        (date.max, time(23, 59), "America/New_York", None),
    ],
)
def test_a_time_of_the_readers_clocks(
    day: date, at: time, zone: str, wanted: datetime | None
) -> None:
    assert moment_of(day, at, zone) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", (None, None, None)),
        ("8 (900) 111-22-33", ("+79001112233", None, None)),
        ("2233", (None, "2233", None)),
        ("22-33", (None, "2233", None)),
        ("33", (None, None, "33")),
        ("somebody", (None, None, "somebody")),
        ("Area 2233", (None, None, "Area 2233")),
    ],
)
def test_what_is_looked_for(text: str, wanted: tuple[str | None, str | None, str | None]) -> None:
    assert sought(text, "RU") == wanted


def test_nonsense_in_an_address_is_left_out() -> None:
    assert read({"view": "all", "why": "?", "from": "soon", "group": "\x00"}) == Asking()
    assert Asking().more_set == 0
    assert not read({"view": "closed"}).chosen
    assert read({"group": "sales", "from": "2026-11-01", "to": "2026-11-02"}).more_set == 2
