"""What opening hours mean: open now or when next, and the weeks ahead day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from telephony.domain.duty.walltime import shown
from telephony.domain.hours import DayKind, Hours


@dataclass(frozen=True, slots=True)
class Opens:
    """Whether it is open at a moment, and when it opens next (aware); None for not in a year."""

    now: bool
    name: str
    next: datetime | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """A local day: its openings as texts by the hours' own clocks, why, and the day's name."""

    day: date
    kind: DayKind
    name: str
    openings: tuple[str, ...]


def opens(hours: Hours, now: datetime) -> Opens:
    """Return whether hours are open at an aware moment."""
    found = hours.at(now)
    return Opens(found.open, found.day.name, None if found.open else hours.opens_after(now))


def ahead(hours: Hours, now: datetime, span: timedelta) -> list[Ahead]:
    """Return the days from today on."""
    return list(_days(hours, shown(now, hours.zone).date(), span.days))


def _days(hours: Hours, first: date, count: int) -> Iterator[Ahead]:
    for number in range(count):
        day = first + timedelta(days=number)
        found = hours.day(day)
        openings = tuple(
            f"{shown(start, hours.zone):%H:%M}–{shown(end, hours.zone):%H:%M}"
            for start, end in found.openings
        )
        yield Ahead(day, found.kind, found.name, openings)
