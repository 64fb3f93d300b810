"""What a roster resolves into: half-open slots in UTC, and how time is cut and joined."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple


class Interval(NamedTuple):
    """`start` ≤ moment < `end`, aware."""

    start: datetime
    end: datetime


class Layer(StrEnum):
    """Which kind of entry put somebody on duty."""

    SHIFT = "shift"
    ROTATION = "rotation"
    ONE_OFF = "one_off"
    IMPORTED = "imported"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Source:
    """An entry of a roster: its kind, its place among those, and the local day it began on."""

    layer: Layer
    place: int
    day: date


@dataclass(frozen=True, slots=True)
class Slot:
    """One operator's duty in `start` ≤ moment < `end`, aware and in UTC.

    `lunch` is a break within a shift: nobody to ring. `instead_of` is whose place it was, when it
    came by a swap or by covering. A shift that was cut is several slots of one source.
    """

    operator: str
    start: datetime
    end: datetime
    source: Source
    lunch: bool = False
    instead_of: str | None = None
    cover: str | None = None

    @property
    def interval(self) -> Interval:
        """Return when it is."""
        return Interval(self.start, self.end)


def order(slot: Slot) -> tuple[datetime, datetime, str, str, int, bool]:
    """Return the key by which slots are sorted: by time, then by operator."""
    source = slot.source
    return slot.start, slot.end, slot.operator, source.layer.value, source.place, slot.lunch


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same time as few intervals in order, none of which touch."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1].end:
            found[-1] = Interval(found[-1].start, max(found[-1].end, end))
        else:
            found.append(Interval(start, end))
    return found


def without(one: Interval, taken: list[Interval]) -> list[Interval]:
    """Return what is left of an interval; `taken` is a union."""
    left: list[Interval] = []
    start = one.start
    for gone in taken[max(0, bisect_right(taken, (start, start)) - 1) :]:
        if gone.start >= one.end:
            break
        if gone.end <= start:
            continue
        if start < gone.start:
            left.append(Interval(start, gone.start))
        start = gone.end
    if start < one.end:
        left.append(Interval(start, one.end))
    return left


def common(one: Interval, others: list[Interval]) -> list[Interval]:
    """Return the parts of an interval that lie in a union."""
    return [
        Interval(max(one.start, start), min(one.end, end))
        for start, end in others[max(0, bisect_right(others, (one.start, one.start)) - 1) :]
        if start < one.end and one.start < end
    ]


def cut(slot: Slot, pieces: Iterable[Interval]) -> list[Slot]:
    """Return a slot's pieces."""
    return [
        slot if piece == slot.interval else replace(slot, start=piece.start, end=piece.end)
        for piece in pieces
    ]


def clip(slots: Iterable[Slot], span: Interval) -> list[Slot]:
    """Return what lies within a span."""
    return [piece for slot in slots for piece in cut(slot, common(slot.interval, [span]))]


def joined(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    """Return slots in order, pieces of the same that touch made one."""
    found: list[Slot] = []
    last: dict[tuple[object, ...], int] = {}
    for slot in sorted(slots, key=order):
        key = (slot.operator, slot.source, slot.lunch, slot.instead_of, slot.cover)
        place = last.get(key)
        if place is not None and found[place].end == slot.start:
            found[place] = replace(found[place], end=slot.end)
        else:
            last[key] = len(found)
            found.append(slot)
    return tuple(sorted(found, key=order))
