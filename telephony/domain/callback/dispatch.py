"""Who calls whom now: cases that are due and operators who are free, brought together. Pure.

Never more calls than free operators; who waits on the line comes before whoever began to wait
later; within that, by priority and then by the moment at which a client began to wait.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from telephony.domain.callback.cases import Case
from telephony.domain.duty import Presence
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.domain.setup import Setup

_THERE = frozenset({Presence.ON_SHIFT, Presence.UNSCHEDULED})


@dataclass(frozen=True, slots=True)
class Free:
    """An operator who can take a call: at the desk, or on the mobile when there is no desk phone.

    `groups` are those for which they are on duty; for none, only their own clients reach them.
    """

    extension: str
    groups: frozenset[str] = frozenset()
    mobile: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A case and the operator who is to call back."""

    case: Case
    operator: Free


def free_operators(
    setup: Setup,
    states: Collection[OperatorState],
    now: datetime,
    taken: Collection[str] = (),
) -> list[Free]:
    """Return who is free and not `taken` by a callback: on shift, no pause, no call.

    Operators without a desk phone that is there count by their mobiles, when they are on duty.
    """
    on_duty: dict[str, set[str]] = {}
    for name, group in setup.groups.items():
        for extension, presence in group.timeline.at(now).items():
            if presence is Presence.ON_SHIFT:
                on_duty.setdefault(extension, set()).add(name)
    found: list[Free] = []
    for state in states:
        extension = state.extension
        operator = setup.operators.get(extension)
        if operator is None or extension in taken or state.pause or state.call_id is not None:
            continue
        groups = frozenset(on_duty.get(extension, ()))
        if not groups and setup.presence(extension, now) not in _THERE:
            continue
        if state.state is OperatorActivity.FREE:
            found.append(Free(extension, groups))
        elif state.state is OperatorActivity.AWAY and operator.mobile and groups:
            found.append(Free(extension, groups, mobile=True))
    return sorted(found, key=lambda one: (one.mobile, one.extension))


def dispatch(
    due: Sequence[Case],
    free: Sequence[Free],
    waiting: Mapping[str, Sequence[datetime]],
    now: datetime,
    room: int,
) -> list[Match]:
    """Return at most `room` cases with operators for them, the most urgent first.

    `waiting` maps a group to when each caller who waits for it began to; each of them is given one
    of its free operators before any case that began later is.
    """
    left = list(free)
    given: list[Match] = []
    for case in sorted(due, key=lambda one: (-one.priority, one.origin_at, one.id)):
        if len(given) >= room or not left:
            break
        fit = _fit(case, left, now)
        if not fit or len(fit) <= _before(case, fit, waiting):
            continue
        mine = case.claimed_by or case.owner
        chosen = next((one for one in fit if one.extension == mine), None)
        chosen = chosen or min(
            fit, key=lambda one: sum(len(waiting.get(g, ())) for g in one.groups)
        )
        left.remove(chosen)
        given.append(Match(case, chosen))
    return given


def unspoken(free: Sequence[Free], waiting: Mapping[str, Sequence[datetime]]) -> list[Free]:
    """Return those of whose groups none has as many callers waiting as operators free."""
    held = {
        group
        for group, callers in waiting.items()
        if len(callers) >= sum(group in one.groups for one in free)
    }
    return [one for one in free if not one.groups & held]


def _fit(case: Case, free: Sequence[Free], now: datetime) -> list[Free]:
    whose = case.for_now(now)
    if whose is not None:
        return [one for one in free if one.extension == whose]
    theirs = {case.owner, case.claimed_by}
    return [
        one
        for one in free
        if one.extension in theirs or (case.group in one.groups if case.group else one.groups)
    ]


def _before(case: Case, fit: Sequence[Free], waiting: Mapping[str, Sequence[datetime]]) -> int:
    """Return how many who wait on the line began before this case, for operators who fit it."""
    groups = {group for one in fit for group in one.groups}
    return sum(at <= case.origin_at for group in groups for at in waiting.get(group, ()))
