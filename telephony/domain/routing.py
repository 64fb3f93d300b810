"""Who gets a call: `decide` returns a plan (what to ring, in order) and a trace (why).

A pure function of its arguments, so that the same code decides live calls, explains past ones and
answers what-if questions. The rules stand in the order in which `decide` tries them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from telephony.domain.directory import Client
from telephony.domain.duty import Presence
from telephony.domain.setup import Did, Operator, Setup


class Kind(StrEnum):
    """What a step rings, or how the plan ends."""

    DESK = "desk"
    MOBILE = "mobile"
    END = "end"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to ring for an operator: an endpoint's name, or a mobile's E.164 number."""

    operator: str
    address: str


@dataclass(frozen=True, slots=True)
class Step:
    """Targets that ring at the same time for `seconds`; `rule` is the rule that put it there."""

    kind: Kind
    rule: Rule
    targets: tuple[Target, ...] = ()
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order; the last one is END or FALLBACK."""

    steps: tuple[Step, ...]
    name: str = ""


class Rule(StrEnum):
    """A rule that `decide` looks at."""

    DID = "did"
    CLIENT = "client"
    MANAGER = "manager"
    MANAGER_DESK = "manager_desk"
    MANAGER_MOBILE = "manager_mobile"
    DEPUTY = "deputy"
    DEPUTY_DESK = "deputy_desk"
    DEPUTY_MOBILE = "deputy_mobile"
    DUTY = "duty"
    DUTY_MOBILE = "duty_mobile"
    LAST = "last"


class Reason(StrEnum):
    """Why a rule was used or skipped."""

    DID_KNOWN = "did_known"
    DID_UNKNOWN_DEFAULT_GROUP = "did_unknown_default_group"
    DID_UNKNOWN = "did_unknown"
    CLIENT_KNOWN = "client_known"
    CLIENT_UNKNOWN = "client_unknown"
    NUMBER_HIDDEN = "number_hidden"
    ON_SHIFT = "on_shift"
    UNSCHEDULED = "unscheduled"
    LUNCH_BUT_VIP = "lunch_but_vip"
    AT_LUNCH = "at_lunch"
    ABSENT = "absent"
    OFF_SHIFT = "off_shift"
    NOT_ASSIGNED = "not_assigned"
    NO_DEPUTY = "no_deputy"
    UNKNOWN_EXTENSION = "unknown_extension"
    FREE = "free"
    STATE_UNKNOWN = "state_unknown"
    RINGING = "ringing"
    BUSY = "busy"
    UNREGISTERED = "unregistered"
    HAS_MOBILE = "has_mobile"
    NO_MOBILE = "no_mobile"
    BUSY_AT_DESK = "busy_at_desk"
    ALREADY_TRIED = "already_tried"
    RINGS_DUTY = "rings_duty"
    NOBODY_ON_DUTY = "nobody_on_duty"
    NOBODY_FREE = "nobody_free"
    DESK_RINGS = "desk_rings"
    PLAN_EXHAUSTED = "plan_exhausted"
    NO_DUTY_RUNG = "no_duty_rung"


@dataclass(frozen=True, slots=True)
class Checked:
    """One line of a trace: a rule, whether it was used, why, and the values that mattered."""

    rule: Rule
    used: bool
    reason: Reason
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to ring, in order, and why."""

    plan: Plan
    trace: tuple[Checked, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Who gets this number on this DID now? `number` is E.164, or empty when it is hidden."""

    did: str
    number: str
    at: datetime


# A phone that rings for another caller can ring for this one too; the rest is taken as unknown.
_REASON_OF_STATE = {
    "NOT_INUSE": Reason.FREE,
    "RINGING": Reason.RINGING,
    "INUSE": Reason.BUSY,
    "BUSY": Reason.BUSY,
    "RINGINUSE": Reason.BUSY,
    "ONHOLD": Reason.BUSY,
    "UNAVAILABLE": Reason.UNREGISTERED,
    "INVALID": Reason.UNREGISTERED,
}
_REASON_OF_ABSENCE = {
    Presence.LUNCH: Reason.AT_LUNCH,
    Presence.ABSENT: Reason.ABSENT,
    Presence.OFF: Reason.OFF_SHIFT,
}
_CAN_RING = frozenset({Reason.FREE, Reason.RINGING, Reason.STATE_UNKNOWN})
# Asterisk can dial only so many contacts at once (docs/dialplan.md).
MOST_DESKS = 25


class _Draft:
    """A plan and a trace in the making, local to one decision."""

    def __init__(self, setup: Setup, devices: Mapping[str, str]) -> None:
        self.setup = setup
        self.devices = devices
        self.steps: list[Step] = []
        self.trace: list[Checked] = []
        self.rung: set[str] = set()

    def note(self, rule: Rule, used: bool, reason: Reason, **values: str) -> bool:
        self.trace.append(Checked(rule, used, reason, tuple(values.items())))
        return used

    def ring(self, kind: Kind, rule: Rule, seconds: int, *targets: Target) -> None:
        self.steps.append(Step(kind, rule, targets, seconds))
        self.rung.update(target.operator for target in targets)

    def tried(self, extension: str) -> bool:
        return extension in self.rung

    def desk(self, operator: Operator) -> Reason:
        """Return whether an operator's desk phone can be rung now."""
        state = self.devices.get(f"PJSIP/{operator.endpoint}", "")
        return _REASON_OF_STATE.get(state, Reason.STATE_UNKNOWN)


def decide(
    question: Question, client: Client | None, setup: Setup, devices: Mapping[str, str]
) -> Decision:
    """Return who is rung for a call, in which order, and every rule looked at.

    `devices` maps device names (`PJSIP/101`) to Asterisk's device states. A device of unknown
    state is rung: an unneeded ring costs seconds, a skipped manager costs the call.
    """
    draft = _Draft(setup, devices)
    did = _did(draft, question)
    _client_rules(draft, question, client, did)
    before = len(draft.steps)
    _duty_rule(draft, question.at, did)
    if len(draft.steps) > before:
        draft.note(Rule.LAST, True, Reason.PLAN_EXHAUSTED)
        draft.ring(Kind.END, Rule.LAST, 0)
    else:
        # Nobody on duty was rung: the fallback is where this caller can still be taken.
        draft.note(Rule.LAST, True, Reason.NO_DUTY_RUNG)
        draft.ring(Kind.FALLBACK, Rule.LAST, 0)
    return Decision(Plan(tuple(draft.steps), client.name if client else ""), tuple(draft.trace))


def _did(draft: _Draft, question: Question) -> Did | None:
    known = draft.setup.dids.get(question.did)
    if known:
        draft.note(Rule.DID, True, Reason.DID_KNOWN, did=known.number, group=known.group)
        return known
    group = draft.setup.default_group
    if group:
        draft.note(Rule.DID, True, Reason.DID_UNKNOWN_DEFAULT_GROUP, did=question.did, group=group)
        return Did(question.did, group)
    draft.note(Rule.DID, False, Reason.DID_UNKNOWN, did=question.did)
    return None


def _client_rules(
    draft: _Draft, question: Question, client: Client | None, did: Did | None
) -> None:
    if client is None:
        reason = Reason.CLIENT_UNKNOWN if question.number else Reason.NUMBER_HIDDEN
        draft.note(Rule.CLIENT, False, reason, number=question.number)
        return
    draft.note(Rule.CLIENT, True, Reason.CLIENT_KNOWN, client=client.name)
    times = did or Did(question.did, "")
    assigned = client.assignment
    if assigned.manager is None:
        draft.note(Rule.MANAGER, False, Reason.NOT_ASSIGNED)
    else:
        _person(draft, Rule.MANAGER, assigned.manager, question.at, times, vip=assigned.vip)
    manager = draft.setup.operators.get(assigned.manager or "")
    deputy = assigned.deputy or (manager.deputy if manager else None)
    if deputy is None:
        draft.note(Rule.DEPUTY, False, Reason.NO_DEPUTY)
    else:
        _person(draft, Rule.DEPUTY, deputy, question.at, times, vip=False)


def _person(
    draft: _Draft, rule: Rule, extension: str, at: datetime, did: Did, *, vip: bool
) -> None:
    """Put an operator's desk and mobile into the plan, as far as they can take the call."""
    operator = draft.setup.operators.get(extension)
    if operator is None:
        draft.note(rule, False, Reason.UNKNOWN_EXTENSION, extension=extension)
        return
    who = {"operator": operator.name, "extension": extension}
    if draft.tried(extension):
        draft.note(rule, False, Reason.ALREADY_TRIED, **who)
        return
    used, reason = {
        Presence.ON_SHIFT: (True, Reason.ON_SHIFT),
        Presence.UNSCHEDULED: (True, Reason.UNSCHEDULED),
        Presence.LUNCH: (vip, Reason.LUNCH_BUT_VIP if vip else Reason.AT_LUNCH),
        Presence.ABSENT: (False, Reason.ABSENT),
        Presence.OFF: (False, Reason.OFF_SHIFT),
    }[draft.setup.presence(extension, at)]
    if not draft.note(rule, used, reason, **who):
        return
    desk_rule, mobile_rule = {
        Rule.MANAGER: (Rule.MANAGER_DESK, Rule.MANAGER_MOBILE),
        Rule.DEPUTY: (Rule.DEPUTY_DESK, Rule.DEPUTY_MOBILE),
    }[rule]
    desk = draft.desk(operator)
    if draft.note(desk_rule, desk in _CAN_RING, desk, endpoint=operator.endpoint, **who):
        draft.ring(Kind.DESK, desk_rule, did.desk_seconds, Target(extension, operator.endpoint))
    if desk is Reason.BUSY:
        draft.note(mobile_rule, False, Reason.BUSY_AT_DESK, **who)
    elif operator.mobile is None:
        draft.note(mobile_rule, False, Reason.NO_MOBILE, **who)
    else:
        draft.note(mobile_rule, True, Reason.HAS_MOBILE, mobile=operator.mobile, **who)
        draft.ring(Kind.MOBILE, mobile_rule, did.mobile_seconds, Target(extension, operator.mobile))


def _duty_rule(draft: _Draft, at: datetime, did: Did | None) -> None:
    group = draft.setup.groups.get(did.group) if did else None
    if did is None or group is None:
        draft.note(Rule.DUTY, False, Reason.NOBODY_ON_DUTY, group=did.group if did else "")
        return
    on_shift: list[Operator] = []
    desks: list[Target] = []
    for extension, where in group.timeline.at(at).items():
        operator = draft.setup.operators.get(extension)
        if operator is None:
            draft.note(Rule.DUTY, False, Reason.UNKNOWN_EXTENSION, extension=extension)
            continue
        if where is Presence.ON_SHIFT:
            on_shift.append(operator)
            reason = Reason.ALREADY_TRIED if draft.tried(extension) else draft.desk(operator)
        else:
            reason = _REASON_OF_ABSENCE[where]
        if reason in _CAN_RING:
            desks.append(Target(extension, operator.endpoint))
        if reason is not Reason.FREE:
            # Those who are free are named together below.
            draft.note(
                Rule.DUTY,
                reason in _CAN_RING,
                reason,
                operator=operator.name,
                extension=extension,
            )
    _duty_mobiles(draft, did, on_shift, desks)


def _duty_mobiles(draft: _Draft, did: Did, on_shift: list[Operator], desks: list[Target]) -> None:
    """Ring the desks found; when there is none, the mobiles of those on duty, one by one."""
    if desks:
        names = ", ".join(draft.setup.operators[target.operator].name for target in desks)
        draft.note(Rule.DUTY, True, Reason.RINGS_DUTY, group=did.group, operators=names)
        for start in range(0, len(desks), MOST_DESKS):
            draft.ring(Kind.DESK, Rule.DUTY, did.duty_seconds, *desks[start : start + MOST_DESKS])
        draft.note(Rule.DUTY_MOBILE, False, Reason.DESK_RINGS)
        return
    reason = Reason.NOBODY_FREE if on_shift else Reason.NOBODY_ON_DUTY
    draft.note(Rule.DUTY, False, reason, group=did.group)
    for operator in on_shift:
        who = {"operator": operator.name, "extension": operator.extension}
        if draft.tried(operator.extension):
            continue
        if draft.desk(operator) is Reason.BUSY:
            draft.note(Rule.DUTY_MOBILE, False, Reason.BUSY_AT_DESK, **who)
        elif operator.mobile is None:
            draft.note(Rule.DUTY_MOBILE, False, Reason.NO_MOBILE, **who)
        else:
            draft.note(Rule.DUTY_MOBILE, True, Reason.HAS_MOBILE, mobile=operator.mobile, **who)
            draft.ring(
                Kind.MOBILE,
                Rule.DUTY_MOBILE,
                did.mobile_seconds,
                Target(operator.extension, operator.mobile),
            )
