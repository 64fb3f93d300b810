"""What comes: who is on duty now and next, and what is wrong with the next two weeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from telephony.domain.duty import (
    Duty,
    Trouble,
    Warned,
    day_span,
    gathered,
    outlook,
    resolve,
    unfair,
)
from telephony.domain.duty.walltime import shown
from telephony.domain.live import reachable
from telephony.domain.setup import Group, Setup
from telephony.store.live import list_operator_states
from web.rosters.area import local_span
from web.rosters.week import Stretch, stretches
from web.texts import gettext, ngettext

DAYS = 14
FAIR_OVER = 28
_OWN = 5
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


def own_turns(setup: Setup, operator: str, now: datetime) -> list[tuple[Group, Stretch]]:
    """Return (group, duty) of an operator in the next two weeks, the first ones by time."""
    found = [
        (group, each)
        for group in setup.groups.values()
        if operator in group.roster.named
        for each in stretches(resolve(group.roster, now, now + DAYS * _DAY))
        if each.operator == operator
    ]
    return sorted(found, key=lambda each: each[1].start)[:_OWN]


def warnings(
    session: Session, setup: Setup, now: datetime, about: str | None = None
) -> list[tuple[Warned, int]]:
    """Return what is wrong in the next 14 days, and how often each thing comes again.

    Unfair shares are those of four weeks from today on; gaps are no such while the group's numbers
    are closed. With `about` only what concerns this group.
    """
    duties: dict[str, Duty] = {}
    unequal: list[Warned] = []
    members = set(setup.groups[about].roster.named) if about else set(setup.operators)
    for name, group in setup.groups.items():
        # Others matter for who is on duty in two groups at once.
        if not members & set(group.roster.named):
            continue
        zone = group.roster.zone
        today = shown(now, zone).date()
        until = day_span(today + (DAYS - 1) * _DAY, zone).end
        duties[name] = resolve(group.roster, now, until, setup.wanted(name, now, until))
        if about in (None, name):
            fair = resolve(group.roster, now, day_span(today + (FAIR_OVER - 1) * _DAY, zone).end)
            unequal += unfair(name, fair, group.roster.regulars(today))
    states = {one.extension: one.state for one in list_operator_states(session)}
    found = [*outlook(duties, reachable(setup.operators.values(), states)), *unequal]
    return gathered(one for one in found if about is None or about in one.groups)


def warning_words(one: Warned, more: int, setup: Setup, names: Mapping[str, str]) -> str:
    """Return what is wrong as a sentence; `names` maps extensions to names."""
    zone = setup.groups[one.groups[0]].roster.zone
    who = names.get(one.operator or "", one.operator or "")
    if one.trouble is Trouble.UNFAIR:
        return gettext(
            "%(who)s has %(hours)d h in 4 weeks, everybody %(mean)d h on average.",
            who=who,
            hours=round(one.hours),
            mean=round(one.mean),
        )
    when = local_span(shown(one.start, zone), shown(one.end, zone))
    said = {
        Trouble.GAP: gettext("Nobody is on duty %(when)s.", when=when),
        Trouble.UNREACHABLE: gettext(
            "%(who)s is on duty %(when)s and has no phone to ring.", who=who, when=when
        ),
        Trouble.TWICE: gettext("%(who)s is on duty twice at once %(when)s.", who=who, when=when),
    }[one.trouble]
    if more:
        again = ngettext("And %(num)d more time.", "And %(num)d more times.", more)
        said = f"{said} {again}"
    return said


def _on_duty(duty: Duty, moment: datetime) -> tuple[str, ...]:
    here = (slot for slot in duty.slots if slot.start <= moment < slot.end and not slot.lunch)
    return tuple(sorted({slot.operator for slot in here}))
