"""Who is on duty when: weekly shifts in local wall-clock time.

The layered roster (rotations, overrides, absences) will resolve into the same answer; nothing
outside this module reads a `Shift`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo


class Presence(StrEnum):
    """Where an operator's roster puts them at a moment."""

    ON_SHIFT = "on_shift"
    LUNCH = "lunch"
    OFF = "off"
    UNSCHEDULED = "unscheduled"


@dataclass(frozen=True, slots=True)
class Shift:
    """A weekly shift of one operator in one group.

    `days` are ISO weekdays (1 = Monday) on which the shift starts. An `end` at or before `start`
    is on the next day. `lunch` is a half-open interval inside the shift.
    """

    operator: str
    days: frozenset[int]
    start: time
    end: time
    lunch: tuple[time, time] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for times that are not whole minutes: a roster answers by the minute."""
        for moment in (self.start, self.end, *(self.lunch or ())):
            if moment.second or moment.microsecond:
                raise ValueError(f"a shift's times are whole minutes, not {moment}")

    def presence(self, local: datetime) -> Presence:
        """Return where the shift puts its operator at a local wall-clock moment (naive)."""
        for day in (local.date(), local.date() - timedelta(days=1)):
            if day.isoweekday() not in self.days:
                continue
            if _within(day, self.start, self.start, self.end, local):
                if self.lunch and _within(day, self.start, self.lunch[0], self.lunch[1], local):
                    return Presence.LUNCH
                return Presence.ON_SHIFT
        return Presence.OFF


@dataclass(frozen=True)
class Roster:
    """The shifts of one group and the zone (IANA name) whose wall clock they follow."""

    zone: str
    shifts: tuple[Shift, ...] = ()

    @cached_property
    def by_operator(self) -> dict[str, tuple[Shift, ...]]:
        """Operator → their shifts, in the roster's order."""
        found: dict[str, tuple[Shift, ...]] = {}
        for shift in self.shifts:
            found[shift.operator] = (*found.get(shift.operator, ()), shift)
        return found

    def at(self, moment: datetime) -> dict[str, Presence]:
        """Return operator → presence of everyone in the roster, in its order.

        `moment` is aware.
        """
        local = moment.astimezone(ZoneInfo(self.zone)).replace(second=0, microsecond=0, tzinfo=None)
        # Nothing changes within a minute, and calls come many to a minute.
        minute, found = self._last
        if minute != local:
            found = {who: _strongest(shifts, local) for who, shifts in self.by_operator.items()}
            self.__dict__["_last"] = (local, found)
        return found

    @cached_property
    def _last(self) -> tuple[datetime, dict[str, Presence]]:
        return (datetime.min, {})  # noqa: DTZ901  # no wall clock shows it


def _within(day: date, anchor: time, start: time, end: time, local: datetime) -> bool:
    """Tell whether `local` lies in [start, end) of the shift that began on `day` at `anchor`."""
    first = datetime.combine(day, start)
    if start < anchor:
        first += timedelta(days=1)
    last = datetime.combine(first.date(), end)
    if end <= start:
        last += timedelta(days=1)
    return first <= local < last


def presence(rosters: Iterable[Roster], operator: str, at: datetime) -> Presence:
    """Return the strongest presence of an operator over rosters at an aware moment.

    Only rosters that name the operator matter; the others may be left out.
    """
    found = Presence.UNSCHEDULED
    for roster in rosters:
        now = roster.at(at).get(operator, Presence.UNSCHEDULED)
        if now is Presence.ON_SHIFT:
            return now
        if now is Presence.LUNCH or found is Presence.UNSCHEDULED:
            found = now
    return found


def _strongest(shifts: tuple[Shift, ...], local: datetime) -> Presence:
    seen = {shift.presence(local) for shift in shifts}
    for presence_ in (Presence.ON_SHIFT, Presence.LUNCH):
        if presence_ in seen:
            return presence_
    return Presence.OFF
