"""The rules for a group: those on duty ring, or the caller waits in its queue."""

from __future__ import annotations

from dataclasses import dataclass

from telephony.domain.did import Did, StepName
from telephony.domain.duty import Presence
from telephony.domain.pauses import queue_missing
from telephony.domain.routing.draft import CAN_RING, REASON_OF_ABSENCE, Draft
from telephony.domain.routing.plan import Kind, Step, Target
from telephony.domain.routing.reasons import Reason, Rule
from telephony.domain.routing.times import group_closed
from telephony.domain.setup import Group, Operator

_VIP_PRIORITY = 10


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of one group's turn, and those of the one that takes over from it."""

    ring: Rule
    mobile: Rule
    queue: Rule


_FIRST = _Rules(Rule.DUTY, Rule.DUTY_MOBILE, Rule.QUEUE)
_OVERFLOW = _Rules(Rule.OVERFLOW, Rule.OVERFLOW_MOBILE, Rule.OVERFLOW_QUEUE)


def groups(draft: Draft, did: Did, *, vip: bool) -> bool:
    """Put the DID's group and the one that takes over into the plan; tell whether either can."""
    first = _group(draft, did, did.group, _FIRST, vip=vip)
    if did.overflow in (None, did.group):
        draft.note(Rule.OVERFLOW, False, Reason.NO_OVERFLOW)
        return first
    if did.overflow is None or group_closed(draft, did.overflow):
        return first
    draft.note(Rule.OVERFLOW, True, Reason.TAKES_OVER, group=did.overflow)
    return _group(draft, did, did.overflow, _OVERFLOW, vip=vip) or first


def _group(draft: Draft, did: Did, name: str, rules: _Rules, *, vip: bool) -> bool:
    group = draft.setup.groups.get(name)
    if group is None:
        draft.note(rules.ring, False, Reason.NOBODY_ON_DUTY, group=name)
        return False
    before = len(draft.steps)
    on_shift, desks, soon = _on_duty(draft, group, rules.ring)
    settings = did.step(StepName(rules.ring.value))
    # With a queue the queue rings them, unless an admin wants them rung directly before it.
    if not settings.enabled:
        draft.note(rules.ring, False, Reason.STEP_OFF)
    elif _has_queue(draft, group) and StepName(rules.ring.value) not in did.steps:
        draft.note(rules.ring, False, Reason.QUEUE_RINGS, group=name)
    else:
        _ring(draft, did, name, rules, on_shift, desks)
    rang = len(draft.steps) > before
    return _queue(draft, did, group, rules, [*on_shift, *soon], vip=vip) or rang


def _has_queue(draft: Draft, group: Group) -> bool:
    """Tell whether callers can wait for a group: in a queue that the PBX has, as far as known."""
    queue = group.queue
    return queue is not None and not queue_missing(draft.situation.devices, queue.pbx_name)


def _on_duty(
    draft: Draft, group: Group, rule: Rule
) -> tuple[list[Operator], list[Target], list[Operator]]:
    """Return those on duty who take calls, the desk phones of them that can ring, and those who
    rest after a call: whoever waits is taken by them soon.
    """
    takers: list[Operator] = []
    soon: list[Operator] = []
    desks: list[Target] = []
    for extension, where in group.timeline.at(draft.question.at).items():
        operator = draft.setup.operators.get(extension)
        if operator is None:
            draft.note(rule, False, Reason.UNKNOWN_EXTENSION, extension=extension)
            continue
        who = {"operator": operator.name, "extension": extension}
        away = draft.away(extension)
        if where is not Presence.ON_SHIFT:
            draft.note(rule, False, REASON_OF_ABSENCE[where], **who)
        elif away is not None:
            reason, values = away
            draft.note(rule, False, reason, **who, **values)
            if reason is Reason.WRAP_UP:
                soon.append(operator)
        else:
            takers.append(operator)
            reason = Reason.ALREADY_TRIED if extension in draft.rung else draft.desk(operator)
            if reason in CAN_RING:
                desks.append(Target(extension, operator.endpoint))
            if reason is not Reason.FREE:  # those who are free are named together
                draft.note(rule, reason in CAN_RING, reason, **who)
    return takers, desks, soon


def _ring(
    draft: Draft,
    did: Did,
    name: str,
    rules: _Rules,
    on_shift: list[Operator],
    desks: list[Target],
) -> None:
    """Ring the desks found; when there is none, the mobiles of those on duty, one by one."""
    if desks:
        who = ", ".join(draft.setup.operators[target.operator].name for target in desks)
        draft.note(rules.ring, True, Reason.RINGS_DUTY, group=name, operators=who)
        settings = did.step(StepName(rules.ring.value))
        draft.ring(Kind.DESK, rules.ring, did.duty_seconds, settings, desks)
        draft.note(rules.mobile, False, Reason.DESK_RINGS)
        return
    reason = Reason.NOBODY_FREE if on_shift else Reason.NOBODY_ON_DUTY
    draft.note(rules.ring, False, reason, group=name)
    for operator in on_shift:
        if operator.extension not in draft.rung:
            draft.mobile(rules.mobile, operator, did)


def _queue(
    draft: Draft, did: Did, group: Group, rules: _Rules, on_duty: list[Operator], *, vip: bool
) -> bool:
    """Let the caller wait in the group's queue, as long as somebody could take the call."""
    settings = did.step(StepName(rules.queue.value))
    queue = group.queue
    if queue is None:
        return draft.note(rules.queue, False, Reason.NO_QUEUE, group=group.name)
    if not settings.enabled:
        return draft.note(rules.queue, False, Reason.STEP_OFF)
    if not _has_queue(draft, group):
        return draft.note(rules.queue, False, Reason.QUEUE_MISSING, group=group.name)
    reachable = any(
        draft.desk(one) is not Reason.UNREGISTERED or one.mobile is not None for one in on_duty
    )
    if not reachable:
        return draft.note(rules.queue, False, Reason.QUEUE_EMPTY, group=group.name)
    seconds = queue.max_wait_seconds if settings.seconds is None else settings.seconds
    draft.note(rules.queue, True, Reason.WAITS_IN_QUEUE, group=group.name, seconds=str(seconds))
    draft.say(rules.queue, settings.announcement)
    draft.steps.append(
        Step(
            Kind.QUEUE,
            rules.queue,
            (Target("", queue.pbx_name),),
            seconds,
            priority=_VIP_PRIORITY if vip else 0,
        )
    )
    return True
