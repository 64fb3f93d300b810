"""When the entries of a roster's base take place: each as slots of one day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from telephony.domain.duty.entries import Break, OneOff, Roster, Rotation, Shift
from telephony.domain.duty.slots import Interval, Layer, Slot, Source
from telephony.domain.duty.walltime import reached, shown

_DAY = timedelta(days=1)


def base_slots(roster: Roster, span: Interval) -> dict[int, list[Slot]]:
    """Return layer → slots of what is the base of a roster and touches a span, uncut."""
    # A shift that began the day before may still go on, and a zone's date may be a day off.
    first = shown(span.start, roster.zone).date() - _DAY
    last = shown(span.end, roster.zone).date()
    days = [first + number * _DAY for number in range((last - first).days + 1)]
    found: dict[int, list[Slot]] = {}
    for place, shift in enumerate(roster.shifts):
        source = _of_shift(shift, place, days, roster.zone)
        found.setdefault(shift.layer, []).extend(_touching(source, span))
    for place, rotation in enumerate(roster.rotations):
        source = _of_rotation(rotation, place, days, roster.zone)
        found.setdefault(rotation.layer, []).extend(_touching(source, span))
    for place, one in enumerate(roster.one_offs):
        found.setdefault(one.layer, []).extend(_touching(_of_one(one, place, roster.zone), span))
    begin, end = (at.astimezone(UTC).replace(tzinfo=None) for at in span)
    for place, one in enumerate(roster.imported):
        if one.start < end and begin < one.end:  # of the many few are in a span: look first
            found.setdefault(one.layer, []).append(_imported(one, place, roster.zone))
    return found


def turn_of(rotation: Rotation, moment: datetime) -> tuple[str, ...]:
    """Return whose turn it is at a local moment (naive); nobody's before the first turn."""
    begun = datetime.combine(rotation.first, rotation.handover)
    number = (moment - begun) // (rotation.length * _DAY)
    return rotation.turns[number % len(rotation.turns)] if number >= 0 else ()


def _touching(slots: Iterable[Slot], span: Interval) -> Iterator[Slot]:
    return (slot for slot in slots if slot.start < span.end and span.start < slot.end)


def _of_shift(shift: Shift, place: int, days: list[date], zone: str) -> Iterator[Slot]:
    for day in days:
        if day.isoweekday() not in shift.days:
            continue
        if (shift.since is not None and day < shift.since) or (
            shift.until is not None and day >= shift.until
        ):
            continue
        source = Source(Layer.SHIFT, place, day)
        yield from _with_lunch(
            shift.operator, source, (shift.start, shift.end), shift.lunch, shift.cover, zone
        )


def _of_rotation(rotation: Rotation, place: int, days: list[date], zone: str) -> Iterator[Slot]:
    for day in days:
        if day.isoweekday() not in rotation.days:
            continue
        if rotation.until is not None and day >= rotation.until:
            continue
        source = Source(Layer.ROTATION, place, day)
        for operator in turn_of(rotation, datetime.combine(day, rotation.start)):
            yield from _with_lunch(
                operator,
                source,
                (rotation.start, rotation.end),
                rotation.lunch,
                rotation.cover,
                zone,
            )


def _of_one(one: OneOff, place: int, zone: str) -> Iterator[Slot]:
    source = Source(Layer.ONE_OFF, place, one.start.date())
    yield from _slot(one.operator, source, one.start, one.end, zone)


def _imported(one: OneOff, place: int, zone: str) -> Slot:
    start, end = one.start.replace(tzinfo=UTC), one.end.replace(tzinfo=UTC)
    return Slot(one.operator, start, end, Source(Layer.IMPORTED, place, shown(start, zone).date()))


def _with_lunch(
    operator: str,
    source: Source,
    times: Break,
    lunch: Break | None,
    cover: str | None,
    zone: str,
) -> Iterator[Slot]:
    begin = datetime.combine(source.day, times[0])
    end = _next(begin, times[1])
    if lunch is None:
        yield from _slot(operator, source, begin, end, zone)
        return
    lunch_begin = datetime.combine(source.day, lunch[0])
    if lunch[0] < times[0]:
        lunch_begin += _DAY
    lunch_end = min(_next(lunch_begin, lunch[1]), end)
    yield from _slot(operator, source, begin, lunch_begin, zone)
    yield from _slot(operator, source, lunch_begin, lunch_end, zone, lunch=True, cover=cover)
    yield from _slot(operator, source, lunch_end, end, zone)


def _slot(
    operator: str,
    source: Source,
    begin: datetime,
    end: datetime,
    zone: str,
    *,
    lunch: bool = False,
    cover: str | None = None,
) -> Iterator[Slot]:
    """Yield the slot of a local interval, unless the clocks jump over all of it."""
    start, stop = reached(begin, zone), reached(end, zone)
    if start < stop:
        yield Slot(operator, start, stop, source, lunch, None, cover)


def _next(begin: datetime, clock: time) -> datetime:
    """Return when the clock shows a time after a local moment."""
    end = datetime.combine(begin.date(), clock)
    return end if end > begin else end + _DAY
