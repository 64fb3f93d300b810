"""Opening hours: weekly, with public holidays and the company's own days.

A day's hours are those of its own day if it is one, else none on a public holiday, else those of
its weekday. Hours belong to the local day on which they begin: what opens on Friday evening and
closes on Saturday morning does so also when Saturday is a holiday.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from telephony.domain.duty.entries import Break
from telephony.domain.duty.slots import Interval, common, union
from telephony.domain.duty.walltime import reached, shown
from telephony.domain.publicdays import public_days

_DAY = timedelta(days=1)
# How far ahead the next opening is looked for.
_AHEAD = 400


@dataclass(frozen=True, slots=True)
class Opening:
    """Open from `start` to `end` on ISO weekdays; an `end` at or before `start` is a day later."""

    days: frozenset[int]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class OwnDay:
    """A day, or all from `day` to `last`, that the company has its own hours for.

    Closed without `openings`. `like` is an ISO weekday whose hours hold instead: 1 makes a working
    Saturday a Monday. `yearly` repeats it every year on the same dates.
    """

    day: date
    last: date
    name: str = ""
    openings: tuple[Break, ...] = ()
    like: int | None = None
    yearly: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for days that end before they begin, or two kinds of hours at once."""
        if self.last < self.day or (self.yearly and self.last - self.day >= 365 * _DAY):
            raise ValueError("the last day must not come before the first, nor a year after it")
        if self.like is not None and (self.openings or self.like not in range(1, 8)):
            raise ValueError("a day is like one weekday (1 to 7), or has hours of its own")

    def holds(self, day: date) -> bool:
        """Tell whether it says something of a local day."""
        if not self.yearly:
            return self.day <= day <= self.last
        first, last, this = ((one.month, one.day) for one in (self.day, self.last, day))
        return first <= this <= last if first <= last else this >= first or this <= last


class DayKind(StrEnum):
    """Why a day has the hours it has."""

    WEEKDAY = "weekday"
    HOLIDAY = "holiday"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Day:
    """A local day's openings in UTC, why it has them, and the name of a holiday or own day."""

    kind: DayKind
    name: str
    openings: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Openness:
    """Whether it is open at a moment; `day` is the local day of that moment."""

    open: bool
    day: Day


@dataclass(frozen=True, slots=True)
class Hours:
    """Named opening hours by the clocks of `zone` (IANA name).

    `country` and `region` (ISO 3166) close it on public holidays. A later own day stands above an
    earlier one. Without `openings` it is open on own days only.
    """

    name: str
    zone: str
    openings: tuple[Opening, ...]
    country: str = ""
    region: str = ""
    days: tuple[OwnDay, ...] = ()

    def day(self, day: date) -> Day:
        """Return the hours of a local day."""
        own = next((one for one in reversed(self.days) if one.holds(day)), None)
        if own is not None:
            weekly = self._weekly(own.like) if own.like is not None else own.openings
            return Day(DayKind.OWN, own.name, self._spans(day, weekly))
        if self.country:
            holiday = public_days(self.country, self.region, day.year).get(day)
            if holiday is not None:
                return Day(DayKind.HOLIDAY, holiday, ())
        return Day(DayKind.WEEKDAY, "", self._spans(day, self._weekly(day.isoweekday())))

    def at(self, moment: datetime) -> Openness:
        """Return whether it is open at an aware moment."""
        today = shown(moment, self.zone).date()
        here = self.day(today)
        for day in (here, self.day(today - _DAY)):
            if any(start <= moment < end for start, end in day.openings):
                return Openness(True, day)
        return Openness(False, here)

    def spans(self, since: datetime, until: datetime) -> list[Interval]:
        """Return the time open in `since` ≤ moment < `until` (aware), as a union in UTC."""
        since, until = since.astimezone(UTC), until.astimezone(UTC)
        first, last = (shown(one, self.zone).date() for one in (since, until))
        found = union(span for day in self._days(first - _DAY, last) for span in day.openings)
        return common(Interval(since, until), found) if since < until else []

    def opens_after(self, moment: datetime) -> datetime | None:
        """Return the first moment after an aware one at which it opens, within 400 days."""
        first = shown(moment, self.zone).date()
        for day in self._days(first, first + _AHEAD * _DAY):
            later = [start for start, _ in day.openings if start > moment]
            if later:
                return min(later)
        return None

    def _days(self, first: date, last: date) -> Iterator[Day]:
        while first <= last:
            yield self.day(first)
            first += _DAY

    def _weekly(self, weekday: int) -> tuple[Break, ...]:
        return tuple((one.start, one.end) for one in self.openings if weekday in one.days)

    def _spans(self, day: date, openings: tuple[Break, ...]) -> tuple[Interval, ...]:
        found = []
        for start, end in openings:
            last = day if end > start else day + _DAY
            opens = reached(datetime.combine(day, start), self.zone)
            closes = reached(datetime.combine(last, end), self.zone)
            if opens < closes:  # the clocks may jump over all of it
                found.append(Interval(opens, closes))
        return tuple(found)
