"""A roster asked about single moments: a local day is resolved once, calls look into it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from telephony.domain.duty.entries import Absence, Roster
from telephony.domain.duty.resolve import absent, resolve
from telephony.domain.duty.slots import Interval
from telephony.domain.duty.walltime import reached, shown


class Presence(StrEnum):
    """Where an operator's roster puts them at a moment."""

    ON_SHIFT = "on_shift"
    LUNCH = "lunch"
    ABSENT = "absent"
    OFF = "off"
    UNSCHEDULED = "unscheduled"


_DAY = timedelta(days=1)
_STRENGTH = (Presence.ON_SHIFT, Presence.LUNCH, Presence.ABSENT, Presence.OFF)
_State = dict[str, Presence]


class Timeline:
    """Who of a roster is where, by the moment; keeps the local day that was asked for last."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._day: tuple[list[datetime], list[_State]] = ([], [])

    def at(self, moment: datetime) -> _State:
        """Return operator → presence at an aware moment: the regulars, and who stands in now."""
        cuts, states = self._around(moment)
        return states[bisect_right(cuts, moment) - 1]

    def next_cut(self, moment: datetime) -> datetime:
        """Return the first moment after an aware one at which somebody may be elsewhere.

        At the latest the end of the local day.
        """
        cuts, _ = self._around(moment)
        return cuts[bisect_right(cuts, moment)]

    def _around(self, moment: datetime) -> tuple[list[datetime], list[_State]]:
        cuts, states = self._day
        if not (cuts and cuts[0] <= moment < cuts[-1]):
            cuts, states = self._day = self._resolved(moment)
        return cuts, states

    def _resolved(self, moment: datetime) -> tuple[list[datetime], list[_State]]:
        roster = self.roster
        start, end, day = self._day_of(moment)
        duty = resolve(roster, start, end)
        away = [
            (each, reached(each.start, each.zone), reached(each.end, each.zone))
            for each in roster.absences
        ]
        cuts = {start}
        cuts.update(edge for slot in duty.slots for edge in slot.interval)
        cuts.update(edge for _, *edges in away for edge in edges if start <= edge < end)
        inside = sorted(cuts - {end})
        regulars = roster.regulars(day)
        states = []
        for cut in inside:
            here = [slot for slot in duty.slots if slot.start <= cut < slot.end]
            gone = {each.operator for each, first, last in away if first <= cut < last}
            state = {who: Presence.ABSENT if who in gone else Presence.OFF for who in regulars}
            for slot in here:
                now = Presence.LUNCH if slot.lunch else Presence.ON_SHIFT
                if state.get(slot.operator) is not Presence.ON_SHIFT:
                    state[slot.operator] = now
            states.append(state)
        return [*inside, end], states

    def _day_of(self, moment: datetime) -> tuple[datetime, datetime, date]:
        """Return the local day of a moment: from one midnight to the next, and its date."""
        zone = self.roster.zone
        day = shown(moment, zone).date()
        if moment >= day_span(day, zone).end:
            day += _DAY  # clocks set back over midnight show the day before once more
        return *day_span(day, zone), day


def day_span(day: date, zone: str) -> Interval:
    """Return a local day: from one midnight to the next."""
    return Interval(
        reached(datetime.combine(day, time()), zone),
        reached(datetime.combine(day + _DAY, time()), zone),
    )


def presence(
    timelines: Iterable[Timeline],
    operator: str,
    at: datetime,
    absences: Iterable[Absence] = (),
) -> Presence:
    """Return the strongest presence of an operator over rosters at an aware moment.

    Only rosters that name the operator matter; the others may be left out. `absences` count for
    operators in no roster: whoever is away is away, with shifts or without.
    """
    if operator in absent(absences, at):
        return Presence.ABSENT
    seen = {timeline.at(at).get(operator) for timeline in timelines}
    return next((each for each in _STRENGTH if each in seen), Presence.UNSCHEDULED)
