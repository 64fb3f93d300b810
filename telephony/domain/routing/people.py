"""The rules for one person: who talked last, the manager, the deputy."""

from __future__ import annotations

from datetime import timedelta

from telephony.domain.did import Did
from telephony.domain.directory import Client, Stage
from telephony.domain.duty import Presence
from telephony.domain.routing.draft import REASON_OF_ABSENCE, Draft
from telephony.domain.routing.reasons import Reason, Rule


def client_line(draft: Draft) -> Client | None:
    """Note who calls."""
    client = draft.situation.client
    if client is None:
        number = draft.question.number
        reason = Reason.CLIENT_UNKNOWN if number else Reason.NUMBER_HIDDEN
        draft.note(Rule.CLIENT, False, reason, number=number)
        return None
    lead = client.assignment.stage is Stage.LEAD
    reason = Reason.CLIENT_IS_LEAD if lead else Reason.CLIENT_KNOWN
    draft.note(Rule.CLIENT, True, reason, client=client.name)
    return client


def people(draft: Draft, client: Client | None, did: Did) -> None:
    """Put those who know the caller into the plan: who talked last, the manager, the deputy."""
    _last_operator(draft, client, did)
    if client is None:
        return
    assigned = client.assignment
    if assigned.manager is None:
        draft.note(Rule.MANAGER, False, Reason.NOT_ASSIGNED)
    else:
        _person(draft, Rule.MANAGER, assigned.manager, did, vip=assigned.vip)
    manager = draft.setup.operators.get(assigned.manager or "")
    deputy = assigned.deputy or (manager.deputy if manager else None)
    if deputy is None:
        draft.note(Rule.DEPUTY, False, Reason.NO_DEPUTY)
    else:
        _person(draft, Rule.DEPUTY, deputy, did, vip=False)


def _last_operator(draft: Draft, client: Client | None, did: Did) -> None:
    if not did.last_operator_days:
        draft.note(Rule.LAST_OPERATOR, False, Reason.RULE_OFF)
        return
    last = draft.situation.last
    if last is None:
        draft.note(Rule.LAST_OPERATOR, False, Reason.NEVER_TALKED)
        return
    extension, talked_at = last
    if draft.question.at - talked_at > timedelta(days=did.last_operator_days):
        days = str(did.last_operator_days)
        draft.note(Rule.LAST_OPERATOR, False, Reason.TALKED_TOO_LONG_AGO, days=days)
        return
    operator = draft.setup.operators.get(extension)
    name = operator.name if operator else extension
    draft.note(Rule.LAST_OPERATOR, True, Reason.TALKED_LATELY, operator=name, extension=extension)
    vip = client is not None and client.assignment.vip
    _person(draft, Rule.LAST_OPERATOR, extension, did, vip=vip)


def _person(draft: Draft, rule: Rule, extension: str, did: Did, *, vip: bool) -> None:
    """Put an operator's desk and mobile into the plan, as far as they can take the call."""
    operator = draft.setup.operators.get(extension)
    if operator is None:
        draft.note(rule, False, Reason.UNKNOWN_EXTENSION, extension=extension)
        return
    who = {"operator": operator.name, "extension": extension}
    if extension in draft.rung:
        draft.note(rule, False, Reason.ALREADY_TRIED, **who)
        return
    where = draft.setup.presence(extension, draft.question.at)
    away = draft.away(extension)
    if where in REASON_OF_ABSENCE and not (where is Presence.LUNCH and vip):
        draft.note(rule, False, REASON_OF_ABSENCE[where], **who)
    elif away is not None:
        reason, values = away
        draft.note(rule, False, reason, **who, **values)
    else:
        reason = {
            Presence.LUNCH: Reason.LUNCH_BUT_VIP,
            Presence.UNSCHEDULED: Reason.UNSCHEDULED,
        }.get(where, Reason.ON_SHIFT)
        draft.note(rule, True, reason, **who)
        draft.person(rule, operator, did)
