"""Who is on duty from one moment to another: a roster's layers laid on top of each other.

Every step works on each moment by itself, so a span may be resolved in parts: what comes out of
[a, b) and [b, c) is what comes out of [a, c). Gaps and double duties are results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from telephony.domain.duty.entries import Absence, Override, Roster, Swap
from telephony.domain.duty.occurrences import base_slots
from telephony.domain.duty.slots import (
    Interval,
    Layer,
    Slot,
    Source,
    clip,
    common,
    cut,
    joined,
    union,
    without,
)
from telephony.domain.duty.walltime import reached


@dataclass(frozen=True, slots=True)
class Double:
    """From `start` to `end` an operator is on duty twice in one roster; once is enough."""

    operator: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Duty:
    """What a roster resolves into between `start` and `end` (aware, UTC).

    `gaps` is the time in which somebody should be on duty and nobody is.
    """

    start: datetime
    end: datetime
    slots: tuple[Slot, ...]
    gaps: tuple[Interval, ...]
    doubles: tuple[Double, ...]


def resolve(
    roster: Roster,
    since: datetime,
    until: datetime,
    wanted: Iterable[Interval] | None = None,
) -> Duty:
    """Return who is on duty in `since` ≤ moment < `until` (aware).

    `wanted` is when somebody should be: the opening hours, say; None for always. Raises ValueError
    for a span that is empty, ZoneInfoNotFoundError.
    """
    if since >= until:
        raise ValueError(f"the span must end after it begins: {since} to {until}")
    span = Interval(since, until)
    away = _away(roster, span)
    slots = clip(_base(base_slots(roster, span)), span)
    for place, override in enumerate(roster.overrides):
        slots = _overridden(slots, override, place, roster.zone, span)
    for swap in roster.swaps:
        slots = _swapped(slots, swap, roster.zone)
    slots = _covered(slots, roster.absences, away)
    slots = _lunch_covered(slots, away)
    found = joined(slots)
    there = union(slot.interval for slot in found if not slot.lunch)
    should = [span] if wanted is None else union(wanted)
    gaps = [
        gap for part in should for piece in common(part, [span]) for gap in without(piece, there)
    ]
    return Duty(since, until, found, tuple(gaps), _doubles(found))


def absent(absences: Iterable[Absence], moment: datetime) -> dict[str, Absence]:
    """Return operator → absence of those who are away at an aware moment."""
    return {
        each.operator: each
        for each in absences
        if reached(each.start, each.zone) <= moment < reached(each.end, each.zone)
    }


def _base(layers: dict[int, list[Slot]]) -> list[Slot]:
    """Return the base: each layer takes its time from all below."""
    found: list[Slot] = []
    taken: list[Interval] = []
    for number in sorted(layers, reverse=True):
        here = layers[number]
        found += [piece for slot in here for piece in cut(slot, without(slot.interval, taken))]
        taken = union([*taken, *(slot.interval for slot in here)])
    return found


def _overridden(
    slots: list[Slot], override: Override, place: int, zone: str, span: Interval
) -> list[Slot]:
    when = _between(override.start, override.end, zone)
    if when is None or not (here := common(when, [span])):
        return slots
    replaced = override.instead_of
    kept = _outside(slots, here, lambda slot: replaced is None or slot.operator in replaced)
    source = Source(Layer.OVERRIDE, place, override.start.date())
    return kept + [
        Slot(operator, *part, source)
        for part in here
        for operator in dict.fromkeys(override.operators)
    ]


def _swapped(slots: list[Slot], swap: Swap, zone: str) -> list[Slot]:
    when = _between(swap.start, swap.end, zone)
    if when is None:
        return slots
    theirs = {swap.one: swap.other, swap.other: swap.one}
    found: list[Slot] = []
    for slot in slots:
        if slot.operator not in theirs or not (inside := common(slot.interval, [when])):
            found.append(slot)
            continue
        found += cut(slot, without(slot.interval, [when]))
        # Whoever has their own place back is instead of nobody.
        now = theirs[slot.operator]
        whose = slot.instead_of or slot.operator
        changed = replace(slot, operator=now, instead_of=None if whose == now else whose)
        found += cut(changed, inside)
    return found


def _covered(
    slots: list[Slot], absences: Iterable[Absence], away: dict[str, list[Interval]]
) -> list[Slot]:
    """Take those who are away off duty, and put their covers there."""
    if not away:
        return slots
    there = [
        piece
        for slot in slots
        for piece in cut(slot, without(slot.interval, away.get(slot.operator, [])))
    ]
    covers: list[Slot] = []
    for absence in absences:
        when = _between(absence.start, absence.end, absence.zone)
        if absence.cover is None or when is None:
            continue
        for slot in slots:
            if slot.operator != absence.operator:
                continue
            whose = slot.instead_of or slot.operator
            covering = replace(slot, operator=absence.cover, instead_of=whose)
            covers += cut(covering, common(slot.interval, [when]))
    return there + _unless_busy(covers, there, away)


def _lunch_covered(slots: list[Slot], away: dict[str, list[Interval]]) -> list[Slot]:
    covers = [
        replace(slot, operator=slot.cover, lunch=False, cover=None, instead_of=slot.operator)
        for slot in slots
        if slot.lunch and slot.cover is not None and slot.cover != slot.operator
    ]
    return slots + _unless_busy(covers, slots, away)


def _unless_busy(
    covers: list[Slot], there: list[Slot], away: dict[str, list[Interval]]
) -> list[Slot]:
    """Return what covers can take over: not when away, on duty anyway, or at lunch themselves."""
    found: list[Slot] = []
    taken: dict[str, list[Interval]] = {}
    for slot in covers:
        who = slot.operator
        if who not in taken:
            own = (each.interval for each in there if each.operator == who)
            taken[who] = union([*own, *away.get(who, [])])
        pieces = without(slot.interval, taken[who])
        taken[who] = union([*taken[who], *pieces])
        found += cut(slot, pieces)
    return found


def _outside(
    slots: list[Slot], here: list[Interval], concerned: Callable[[Slot], bool]
) -> list[Slot]:
    return [
        piece
        for slot in slots
        for piece in (cut(slot, without(slot.interval, here)) if concerned(slot) else [slot])
    ]


def _away(roster: Roster, span: Interval) -> dict[str, list[Interval]]:
    found: dict[str, list[Interval]] = {}
    for absence in roster.absences:
        when = _between(absence.start, absence.end, absence.zone)
        if when is not None and (here := common(when, [span])):
            found[absence.operator] = union([*found.get(absence.operator, []), *here])
    return found


def _between(start: datetime, end: datetime, zone: str) -> Interval | None:
    """Return when a local interval is, None when the clocks jump over all of it."""
    first, last = reached(start, zone), reached(end, zone)
    return Interval(first, last) if first < last else None


def _doubles(slots: tuple[Slot, ...]) -> tuple[Double, ...]:
    by_operator: dict[str, list[Interval]] = {}
    for slot in slots:
        if not slot.lunch:
            by_operator.setdefault(slot.operator, []).append(slot.interval)
    return tuple(
        Double(operator, *when)
        for operator, intervals in sorted(by_operator.items())
        for when in twice(intervals)
    )


def twice(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the time that lies in at least two of the intervals."""
    found: list[Interval] = []
    last: datetime | None = None
    for start, end in sorted(intervals):
        if last is not None and start < last:
            found.append(Interval(start, min(end, last)))
        last = end if last is None else max(last, end)
    return union(found)
