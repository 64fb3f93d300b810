"""A week of a group's duty as a picture: operators as rows, seven local days across.

Places along a row are percents of the week. Each day takes a seventh, also one of 23 or 25 hours:
within it a moment stands where the time since midnight puts it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from telephony.domain.duty import Absence, Duty, Interval, Roster, Slot, day_span, resolve
from telephony.domain.duty.slots import common, union
from telephony.domain.duty.walltime import reached, shown

DAYS = 7
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
# A night shift that crosses the week's edge is looked at as a whole.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Duty of one operator by one entry without a break but lunch, `slot` being its first piece.

    `start` and `end` are aware; `lunches` lie within. A gap has no slot.
    """

    start: datetime
    end: datetime
    slot: Slot | None = None
    lunches: tuple[Interval, ...] = ()

    @property
    def operator(self) -> str | None:
        """Return whose it is."""
        return self.slot.operator if self.slot else None

    @property
    def interval(self) -> Interval:
        """Return when it is."""
        return Interval(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a row: from `x` on, `width` wide, both percents; `lunches` are (x, width) of it.

    `start` and `end` are those of the whole stretch by the group's clocks, also beyond the week.
    """

    x: float
    width: float
    start: datetime
    end: datetime
    stretch: Stretch
    lunches: tuple[tuple[float, float], ...] = ()

    @property
    def hours(self) -> float:
        """Return how long the piece would be in a week without changes of the clocks."""
        return self.width * DAYS * 24 / 100


@dataclass(slots=True)
class Row:
    """What one operator has in the week; `away` are (x, width) of absences."""

    operator: str
    bars: list[Bar] = field(default_factory=list)
    away: list[tuple[float, float]] = field(default_factory=list)
    hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a day's list: a stretch, and what of it and of its lunches lies on the day.

    All times are local ones.
    """

    start: time
    end: time
    stretch: Stretch
    lunches: tuple[tuple[time, time], ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the week: its date, where it begins (percent), how many hours it has."""

    day: date
    x: float
    hours: int
    span: Interval
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """The picture. `now` is where the present moment is, None in other weeks."""

    zone: str
    days: tuple[Day, ...]
    rows: tuple[Row, ...]
    gaps: tuple[Bar, ...]
    now: float | None

    @property
    def first(self) -> date:
        """Return its Monday."""
        return self.days[0].day


class _Scale:
    """Turns moments into percents of a week."""

    def __init__(self, first: date, zone: str) -> None:
        self.zone = zone
        self.spans = [day_span(first + number * _DAY, zone) for number in range(DAYS)]
        self.whole = Interval(self.spans[0].start, self.spans[-1].end)
        self._starts = [span.start for span in self.spans]

    def place(self, moment: datetime) -> float:
        """Return where a moment of the week stands."""
        number = max(0, bisect_right(self._starts, moment) - 1)
        start, end = self.spans[number]
        part = min(1.0, (moment - start) / (end - start))
        return round((number + part) / DAYS * 100, 4)

    def parts(self, when: Iterable[Interval]) -> list[tuple[float, float]]:
        """Return (x, width) of the parts that lie within the week."""
        pieces = [piece for each in when for piece in common(each, [self.whole])]
        found = [(self.place(start), self.place(end)) for start, end in pieces]
        return [(x, round(end - x, 4)) for x, end in found if end > x]

    def bar(self, stretch: Stretch) -> Bar | None:
        """Return the bar of a stretch, None when it lies outside."""
        for x, width in self.parts([stretch.interval]):
            lunches = tuple(self.parts(stretch.lunches))
            start, end = shown(stretch.start, self.zone), shown(stretch.end, self.zone)
            return Bar(x, width, start, end, stretch, lunches)
        return None


def _always(_start: datetime, _end: datetime) -> None:
    """Somebody should always be on duty."""


def monday(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week_of(
    roster: Roster,
    first: date,
    now: datetime,
    shown_too: Iterable[str] = (),
    wanted: Callable[[datetime, datetime], Iterable[Interval] | None] = _always,
) -> Week:
    """Return the week that begins on the day `first`, `now` being the present moment (aware).

    Everybody whom the roster names has a row, and so has `shown_too`. `wanted` says when between
    two moments somebody should be on duty, None for always: the rest is no gap.
    """
    scale = _Scale(first, roster.zone)
    week = scale.whole
    span = Interval(week.start - _MARGIN, week.end + _MARGIN)
    duty = resolve(roster, *span, wanted(*span))
    here = stretches(duty)
    rows = {who: Row(who) for who in (*roster.named, *shown_too)}
    for stretch in here:
        bar = scale.bar(stretch)
        if bar is not None and stretch.operator is not None:
            rows.setdefault(stretch.operator, Row(stretch.operator)).bars.append(bar)
    for who, row in rows.items():
        row.away = scale.parts(_away(roster.absences, who))
        worked = [slot.interval for slot in duty.slots if slot.operator == who and not slot.lunch]
        row.hours = sum(
            (end - start) / _HOUR for each in union(worked) for start, end in common(each, [week])
        )
    gaps = [Stretch(*gap) for gap in duty.gaps]
    return Week(
        roster.zone,
        tuple(
            Day(
                first + number * _DAY,
                round(number / DAYS * 100, 4),
                round((span.end - span.start) / _HOUR),
                span,
                tuple(_lines([*here, *gaps], span, roster.zone)),
            )
            for number, span in enumerate(scale.spans)
        ),
        tuple(rows.values()),
        tuple(bar for bar in map(scale.bar, gaps) if bar is not None),
        scale.place(now) if week.start <= now < week.end else None,
    )


def stretches(duty: Duty) -> list[Stretch]:
    """Return the slots of a duty with shifts made whole again: lunch is part of one."""
    found: list[Stretch] = []
    last: dict[object, int] = {}
    for slot in sorted(duty.slots, key=lambda slot: (slot.start, slot.end)):
        key = (slot.operator, slot.source, slot.instead_of)
        lunches = (slot.interval,) if slot.lunch else ()
        place = last.get(key)
        if place is not None and found[place].end == slot.start:
            before = found[place]
            found[place] = replace(before, end=slot.end, lunches=(*before.lunches, *lunches))
            continue
        last[key] = len(found)
        found.append(Stretch(slot.start, slot.end, slot, lunches))
    return found


def _away(absences: Iterable[Absence], operator: str) -> list[Interval]:
    when = (
        Interval(reached(each.start, each.zone), reached(each.end, each.zone))
        for each in absences
        if each.operator == operator
    )
    return union(each for each in when if each.start < each.end)


def _lines(here: list[Stretch], span: Interval, zone: str) -> list[Line]:
    found = []
    for stretch in here:
        for start, end in common(stretch.interval, [span]):
            found.append((start, end, stretch))
    found.sort(key=lambda each: (each[0], each[1], each[2].operator or ""))
    return [
        Line(*_times(Interval(start, end), zone), stretch, _lunches(stretch, span, zone))
        for start, end, stretch in found
    ]


def _lunches(stretch: Stretch, span: Interval, zone: str) -> tuple[tuple[time, time], ...]:
    return tuple(_times(part, zone) for lunch in stretch.lunches for part in common(lunch, [span]))


def _times(when: Interval, zone: str) -> tuple[time, time]:
    return shown(when.start, zone).time(), shown(when.end, zone).time()


def utc_text(moment: datetime) -> str:
    """Return an aware moment as addresses have it: `2026-11-26T06:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def from_text(text: str) -> datetime | None:
    """Return the moment of `utc_text`, None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None
