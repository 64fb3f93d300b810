"""Who gets a call: `decide` returns a plan (what to do, in order) and a trace (why).

A pure function of its arguments, so that the same code decides live calls, explains past ones and
answers what-if questions. The rules stand in the order in which it tries them: the number dialled,
the block list, the client, the switch and the opening hours, VIP, the menu, who talked last, the
manager, the deputy, those on duty, the queue, the group that takes over, the end.
"""

from __future__ import annotations

from dataclasses import replace

from telephony.domain.did import Action, ActionKind, Did
from telephony.domain.pauses import closed_now
from telephony.domain.routing.draft import Draft
from telephony.domain.routing.groups import groups
from telephony.domain.routing.people import client_line, people
from telephony.domain.routing.plan import Decision, Kind, Plan, Question, Situation, Step, Target
from telephony.domain.routing.reasons import Reason, Rule
from telephony.domain.routing.times import group_closed, out_of_hours
from telephony.domain.setup import Setup

NO_KEY = "-"

_ACTIONS = {
    ActionKind.END: (Kind.END, Reason.THEN_END),
    ActionKind.PROMISE: (Kind.PROMISE, Reason.THEN_PROMISE),
    ActionKind.VOICEMAIL: (Kind.VOICEMAIL, Reason.THEN_VOICEMAIL),
    ActionKind.NUMBER: (Kind.NUMBER, Reason.THEN_NUMBER),
    ActionKind.FALLBACK: (Kind.FALLBACK, Reason.THEN_FALLBACK),
}


def decide(question: Question, situation: Situation, setup: Setup) -> Decision:
    """Return what becomes of a call, step by step, and every rule looked at.

    A device of unknown state is rung: an unneeded ring costs seconds, a skipped manager costs the
    call.
    """
    draft = Draft(question, situation, setup)
    did = _did(draft)
    if _blocked(draft):
        draft.steps.append(Step(Kind.REJECT, Rule.BLOCKED))
        return _decided(draft, did)
    client = client_line(draft)
    vip = client is not None and client.assignment.vip
    if _closed(draft, did, vip=vip):
        _act(draft, Rule.HOURS, did.closed)
        return _decided(draft, did)
    draft.note(Rule.VIP, vip, Reason.IS_VIP if vip else Reason.NO_VIP)
    if not question.key:
        draft.say(Rule.DID, did.greeting)
    if _asks(draft, did):
        return _decided(draft, did)
    chosen = did.menu.choices.get(question.key) if did.menu else None
    if chosen is None:
        people(draft, client, did)
    else:
        did = replace(did, group=chosen)
        if group_closed(draft, chosen) and not (vip and did.vip_always):
            _act(draft, Rule.HOURS, did.closed)
            return _decided(draft, did)
    taken = groups(draft, did, vip=vip)
    _last(draft, did, taken=taken)
    return _decided(draft, did)


def _decided(draft: Draft, did: Did) -> Decision:
    client = draft.situation.client
    draft.fit()
    plan = Plan(tuple(draft.steps), client.name if client else "", did.title)
    return Decision(plan, tuple(draft.trace))


def _did(draft: Draft) -> Did:
    number = draft.question.did
    known = draft.setup.dids.get(number)
    if known:
        draft.note(Rule.DID, True, Reason.DID_KNOWN, did=known.number, group=known.group)
        return known
    group = draft.setup.default_group
    if group:
        draft.note(Rule.DID, True, Reason.DID_UNKNOWN_DEFAULT_GROUP, did=number, group=group)
        return Did(number, group)
    draft.note(Rule.DID, False, Reason.DID_UNKNOWN, did=number)
    return Did(number, "")


def _blocked(draft: Draft) -> bool:
    question = draft.question
    entry = draft.setup.blocked.find(question.number, question.at)
    if entry is None:
        return draft.note(Rule.BLOCKED, False, Reason.NUMBER_NOT_BLOCKED)
    return draft.note(Rule.BLOCKED, True, Reason.NUMBER_BLOCKED, entry=entry.pattern)


def _closed(draft: Draft, did: Did, *, vip: bool) -> bool:
    """Tell whether the DID is closed for this caller now."""
    closed = closed_now(draft.situation.devices, did.number)
    reason = Reason.SWITCHED_CLOSED if closed else Reason.NOT_SWITCHED
    draft.note(Rule.CLOSED_NOW, closed, reason)
    if not closed:
        closed = out_of_hours(draft, draft.setup.hours_of(did))
    if closed and vip and did.vip_always:
        draft.note(Rule.VIP, True, Reason.VIP_ALWAYS)
        return False
    return closed


def _asks(draft: Draft, did: Did) -> bool:
    """Let the menu ask before anything rings; tell whether it does."""
    menu, key = did.menu, draft.question.key
    if menu is None:
        return draft.note(Rule.MENU, False, Reason.NO_MENU)
    if not key:
        draft.note(Rule.MENU, True, Reason.MENU_PLAYED, keys=", ".join(sorted(menu.choices)))
        draft.steps.append(
            Step(
                Kind.MENU,
                Rule.MENU,
                seconds=menu.seconds,
                sound=menu.announcement,
                keys="".join(sorted(menu.choices)),
                tries=menu.tries,
            )
        )
        return True
    group = menu.choices.get(key)
    if group is None:
        return draft.note(Rule.MENU, False, Reason.NO_KEY)
    draft.note(Rule.MENU, True, Reason.KEY_PRESSED, key=key, group=group)
    return False


def _last(draft: Draft, did: Did, *, taken: bool) -> None:
    """End the plan: what comes when nobody took the call."""
    if did.unanswered.kind is not ActionKind.END:
        _act(draft, Rule.LAST, did.unanswered)
    elif taken:
        draft.note(Rule.LAST, True, Reason.PLAN_EXHAUSTED)
        draft.say(Rule.LAST, did.unanswered.announcement)
        draft.steps.append(Step(Kind.END, Rule.LAST))
    else:
        # Nobody on duty was rung: the fallback is where this caller can still be taken.
        draft.note(Rule.LAST, True, Reason.NO_DUTY_RUNG)
        draft.steps.append(Step(Kind.FALLBACK, Rule.LAST))


def _act(draft: Draft, rule: Rule, action: Action) -> None:
    kind, reason = _ACTIONS[action.kind]
    draft.note(Rule.LAST, True, reason, value=action.value)
    if kind in (Kind.PROMISE, Kind.VOICEMAIL):
        targets = (Target("", action.value),) if action.value else ()
        draft.steps.append(Step(kind, rule, targets, sound=action.announcement))
        return
    draft.say(rule, action.announcement)
    if kind is Kind.NUMBER:
        target = Target("", action.value, draft.setup.line(action.value, action.trunk))
        draft.steps.append(Step(kind, rule, (target,), action.seconds))
        # Nobody there either: a caller is not dropped for that.
        kind = Kind.PROMISE
    draft.steps.append(Step(kind, rule))
