"""What comes: who is on duty now and next, and what is wrong with the duty of the next days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from telephony.domain.duty import (
    Duty,
    Interval,
    Warned,
    day_span,
    gathered,
    outlook,
    resolve,
    unfair,
)
from telephony.domain.duty.walltime import shown
from telephony.domain.setup import Group, Setup

# How far it is looked for what is wrong, and over how many days loads are compared.
DAYS = 14
FAIR_OVER = 28
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is on duty (`operators`, nobody when empty) from one moment to another, both aware.

    `end` is None when it lasts beyond what was looked at.
    """

    start: datetime
    end: datetime | None
    operators: tuple[str, ...]


def now_and_next(group: Group, now: datetime) -> tuple[Turn, Turn | None]:
    """Return who is on duty at `now` (aware), and who after the next change within two weeks."""
    duty = resolve(group.roster, now, now + DAYS * _DAY)
    edges = sorted({now, *(edge for slot in duty.slots for edge in slot.interval)})
    turns: list[Turn] = []
    for edge in edges:
        who = _on_duty(duty, edge)
        if edge == duty.end or (turns and turns[-1].operators == who):
            continue
        if turns:
            turns[-1] = Turn(turns[-1].start, edge, turns[-1].operators)
        if len(turns) == 2:
            break
        turns.append(Turn(edge, None, who))
    return turns[0], turns[1] if len(turns) > 1 else None


def days_from(start: datetime, days: int, zone: str) -> Interval:
    """Return the time from an aware moment to the end of the last of so many local days."""
    return Interval(start, day_span(shown(start, zone).date() + (days - 1) * _DAY, zone).end)


def duties(
    setup: Setup, groups: Iterable[Group], span: Callable[[str], Interval]
) -> dict[str, Duty]:
    """Return what rosters resolve into, by group; `span` gives the time to look at in a zone.

    Gaps are no such while the group's numbers are closed.
    """
    found = {}
    for group in groups:
        when = span(group.roster.zone)
        found[group.name] = resolve(group.roster, *when, setup.wanted(group.name, *when))
    return found


def concerned(setup: Setup, about: str | None = None) -> list[Group]:
    """Return the groups whose rosters matter for what is wrong in one, or in any.

    Others do, too: somebody may be on duty in two at once.
    """
    members = set(setup.operators if about is None else setup.groups[about].roster.named)
    return [group for group in setup.groups.values() if members & set(group.roster.named)]


def troubles(
    setup: Setup,
    found: Mapping[str, Duty],
    reachable: Mapping[str, bool],
    about: str | None = None,
) -> list[tuple[Warned, int]]:
    """Return what is wrong with duties, and how often each thing comes again.

    `reachable` says of operators whether there is a phone to ring. Shares are unfair over four
    weeks from where a duty begins. With `about` only what concerns this group.
    """
    unequal: list[Warned] = []
    for name, duty in found.items():
        if about in (None, name):
            roster = setup.groups[name].roster
            load = resolve(roster, *days_from(duty.start, FAIR_OVER, roster.zone))
            today = shown(duty.start, roster.zone).date()
            unequal += unfair(name, load, roster.regulars(today))
    both = [*outlook(found, reachable), *unequal]
    return gathered(one for one in both if about is None or about in one.groups)


def next_troubles(
    setup: Setup, now: datetime, reachable: Mapping[str, bool], about: str | None = None
) -> list[tuple[Warned, int]]:
    """Return the troubles of the next 14 days, today being the first."""
    found = duties(setup, concerned(setup, about), lambda zone: days_from(now, DAYS, zone))
    return troubles(setup, found, reachable, about)


def _on_duty(duty: Duty, moment: datetime) -> tuple[str, ...]:
    here = (slot for slot in duty.slots if slot.start <= moment < slot.end and not slot.lunch)
    return tuple(sorted({slot.operator for slot in here}))
