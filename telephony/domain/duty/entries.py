"""What an admin writes into a group's roster. All times are wall-clock times of the group's zone.

A roster is made of layers. Shifts, rotations, one-off shifts and those that a calendar brings are
its base: those of a higher `layer` take the time they cover from all lower ones, those of the same
layer stand beside each other. Overrides come on top of the base, swaps on top of those, absences on
top of everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property

Break = tuple[time, time]


@dataclass(frozen=True, slots=True)
class Shift:
    """A weekly shift of one operator.

    `days` are ISO weekdays (1 = Monday) on which the shift starts. An `end` at or before `start`
    is on the next day. `lunch` is a half-open interval inside the shift, in which `cover` is on
    duty. It holds for shifts that start on a day from `since` to the day before `until`.
    """

    operator: str
    days: frozenset[int]
    start: time
    end: time
    lunch: Break | None = None
    cover: str | None = None
    since: date | None = None
    until: date | None = None
    layer: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for times that are not whole minutes, days or a cover that are none."""
        _whole_minutes(self.start, self.end, *(self.lunch or ()))
        _weekdays(self.days)
        if self.cover is not None and (self.lunch is None or self.cover == self.operator):
            raise ValueError("a cover is somebody else, for the lunch")


@dataclass(frozen=True, slots=True)
class Rotation:
    """Operators who take turns: each of `turns` is on duty for `length` days, then the next.

    The first turn begins on the day `first` at `handover`. Within a turn those on duty work from
    `start` to `end` on ISO weekdays `days`, an `end` at or before `start` being on the next day: so
    `start` = `end` = `handover` is duty around the clock. Who began a shift ends it, also when the
    turn changes meanwhile.
    """

    turns: tuple[tuple[str, ...], ...]
    first: date
    length: int = 7
    handover: time = time(0)
    start: time = time(0)
    end: time = time(0)
    days: frozenset[int] = frozenset(range(1, 8))
    lunch: Break | None = None
    cover: str | None = None
    until: date | None = None
    layer: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError when nobody takes a turn, or turns have no length."""
        _whole_minutes(self.handover, self.start, self.end, *(self.lunch or ()))
        _weekdays(self.days)
        if not self.turns or not all(self.turns) or self.length < 1:
            raise ValueError("a rotation has turns of at least one day")
        if self.cover is not None and self.lunch is None:
            raise ValueError("a cover is for the lunch")


@dataclass(frozen=True, slots=True)
class OneOff:
    """A shift on one day only, from `start` to `end` (naive)."""

    operator: str
    start: datetime
    end: datetime
    layer: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for an interval that is empty, or not of whole minutes."""
        _interval(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Override:
    """From `start` to `end` (naive) `operators` are on duty in place of those in `instead_of`.

    None is in place of everybody; with nobody in it the operators come in addition. Without
    `operators` nobody takes the place. A later override stands above an earlier one.
    """

    operators: tuple[str, ...]
    start: datetime
    end: datetime
    instead_of: frozenset[str] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for an interval that is empty, or not of whole minutes."""
        _interval(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Swap:
    """From `start` to `end` (naive) each of two operators has what was the other's."""

    one: str
    other: str
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Raise ValueError for an interval that is empty, or a swap with oneself."""
        _interval(self.start, self.end)
        if self.one == self.other:
            raise ValueError("two operators swap, not one")


class AbsenceKind(StrEnum):
    """Why an operator is away."""

    VACATION = "vacation"
    SICK = "sick"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Absence:
    """From `start` to `end` (naive, by the clocks of `zone`) an operator is away from all groups.

    `cover` takes over what they had, unless away too.
    """

    operator: str
    start: datetime
    end: datetime
    zone: str
    kind: AbsenceKind = AbsenceKind.OTHER
    cover: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for an interval that is empty, or a cover by oneself."""
        _interval(self.start, self.end)
        if self.cover == self.operator:
            raise ValueError("nobody covers for themselves")


@dataclass(frozen=True)
class Roster:
    """Everything written into one group's roster, and the zone (IANA name) whose clocks it follows.

    `absences` are those of anybody; the ones of operators who are not in the roster change nothing.
    `imported` are shifts that come from calendars, nobody's to edit here: their times are UTC's.
    """

    zone: str
    shifts: tuple[Shift, ...] = ()
    rotations: tuple[Rotation, ...] = ()
    one_offs: tuple[OneOff, ...] = ()
    overrides: tuple[Override, ...] = ()
    swaps: tuple[Swap, ...] = ()
    absences: tuple[Absence, ...] = ()
    imported: tuple[OneOff, ...] = ()

    @cached_property
    def named(self) -> tuple[str, ...]:
        """Everybody whom an entry may put on duty, each once."""
        found: list[str | None] = []
        for shift in self.shifts:
            found += [shift.operator, shift.cover]
        for rotation in self.rotations:
            found += [*(who for turn in rotation.turns for who in turn), rotation.cover]
        found += [one.operator for one in (*self.one_offs, *self.imported)]
        found += [who for override in self.overrides for who in override.operators]
        found += [who for swap in self.swaps for who in (swap.one, swap.other)]
        found += [absence.cover for absence in self.absences if absence.operator in found]
        return tuple(dict.fromkeys(who for who in found if who is not None))

    def regulars(self, day: date) -> tuple[str, ...]:
        """Return who has shifts or turns in this roster in the time around a day, in its order.

        Who only stands in once is none: a manager without shifts, who is always there, stays so
        after a single night of duty. A calendar is a schedule: whom it names is a regular.
        """
        found: dict[str, None] = {}
        for shift in self.shifts:
            if (shift.since is None or shift.since <= day) and _before(day, shift.until):
                found[shift.operator] = None
        for rotation in self.rotations:
            if rotation.first <= day and _before(day, rotation.until):
                found.update(dict.fromkeys(who for turn in rotation.turns for who in turn))
        found.update(dict.fromkeys(one.operator for one in self.imported))
        return tuple(found)


def _before(day: date, until: date | None) -> bool:
    return until is None or day < until


def _whole_minutes(*times: time | datetime) -> None:
    for each in times:
        if each.second or each.microsecond:
            raise ValueError(f"a roster's times are whole minutes, not {each}")


def _interval(start: datetime, end: datetime) -> None:
    _whole_minutes(start, end)
    if start.tzinfo is not None or end.tzinfo is not None:
        raise ValueError("a roster's times are wall-clock times, without a zone")
    if start >= end:
        raise ValueError(f"the end {end} must come after the start {start}")


def _weekdays(days: frozenset[int]) -> None:
    if not days or not days <= frozenset(range(1, 8)):
        raise ValueError(f"ISO weekdays are 1 to 7, not {sorted(days)}")
