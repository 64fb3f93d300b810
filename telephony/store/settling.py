"""What recorded calls do to cases, in the transaction that writes the calls.

A call that nobody answered opens a case or joins the open one of its number; a conversation ends
it; a call that Dutyline ordered settles its try. Calls in any order, and any of them twice, lead to
the same cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from telephony.domain.callback.cases import (
    Case,
    CaseState,
    Ending,
    Source,
    Wish,
    ended,
    joined,
    opened,
    reached,
)
from telephony.domain.callback.quiet import after_loud, client_zone
from telephony.domain.callback.results import (
    Contact,
    Ended,
    Why,
    contact_of,
    ended_of,
    waits_since,
    was_promised,
    why_missed,
)
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.callback.trying import doubt_over, settled
from telephony.domain.directory import Stage, assign
from telephony.domain.numbers import is_e164
from telephony.domain.orders import attempt_of
from telephony.domain.record import CallRecord, Direction
from telephony.domain.record_types import MomentKind
from telephony.domain.routing import Kind
from telephony.store.attempts import attempts_of, finish_attempt, get_attempts
from telephony.store.call_tables import call
from telephony.store.callback_rules import load_callback_rules
from telephony.store.calls import get_call
from telephony.store.cases import (
    add_case,
    calls_of_case,
    cases_of_calls,
    delete_case,
    get_case,
    join_call,
    leave_call,
    move_calls,
    open_cases,
    rename_call,
    save_case,
)
from telephony.store.clients import client
from telephony.store.setup import did, operator_group
from telephony.store.tables import in_turn, moment

_FEW = 20


def settle_calls(session: Session, records: Sequence[CallRecord], now: datetime) -> None:
    """Bring the cases to what these calls say; they have been saved before."""
    outside = [one for one in records if one.direction is not Direction.INTERNAL]
    if not outside:
        return
    in_turn(session)
    rules = load_callback_rules(session)
    _settle_attempts(session, outside, rules)
    known = cases_of_calls(session, [one.call_id for one in outside])
    # Most conversations are with people who wait for nothing.
    waits = set(open_cases(session, {one.number for one in outside}))
    for record in sorted(outside, key=lambda one: one.ended_at):
        why = why_missed(record, rules)
        if record.call_id in known:
            _revised(session, record, why, known[record.call_id], rules, now)
        elif why is not None:
            _missed(session, record, why, rules, now)
            waits.add(record.number)
        contact = contact_of(record, rules)
        if contact is not None and contact.number in waits:
            for case in open_cases(session, [contact.number]).values():
                over = reached(case, contact)
                save_case(session, case, over, now)
                if over.open:
                    _part(session, over, contact, rules, now)


def wish_for(session: Session, wish: Wish, rules: CallbackRules, now: datetime) -> Case:
    """Open a case for a wish, or let it join the open one; return the case as it is then."""
    in_turn(session)
    known = open_cases(session, [wish.number]).get(wish.number) if wish.diallable else None
    if known is not None and wish.why is not Why.SHORT:
        case = joined(known, wish, rules, _sla(session, wish, rules))
        save_case(session, known, case, now)
        return case
    return add_case(session, opened(wish, rules, _sla(session, wish, rules)), now)


def _missed(
    session: Session, record: CallRecord, why: Why, rules: CallbackRules, now: datetime
) -> None:
    wish = _wish(session, record, why)
    # It may have been written after the conversation that followed it.
    contact = _later(session, wish, rules)
    known = open_cases(session, [wish.number]).get(wish.number)
    if contact is not None and (known is None or contact.since < known.origin_at):
        case = opened(wish, rules, _sla(session, wish, rules))
        case = add_case(session, reached(case, contact), now)
    else:
        case = wish_for(session, wish, rules, now)
        if contact is not None:
            save_case(session, case, reached(case, contact), now)
    join_call(session, record.call_id, case.id, moment(record.started_at), why, record.did)


def _revised(
    session: Session,
    record: CallRecord,
    why: Why | None,
    case_id: int,
    rules: CallbackRules,
    now: datetime,
) -> None:
    """A later version of a missed call's record may say something else of it."""
    case = get_case(session, case_id)
    calls = {one.call_id: one for one in calls_of_case(session, case_id)}
    if case is None or why == calls[record.call_id].why:
        return
    del calls[record.call_id]
    if why is None:
        leave_call(session, record.call_id)
        _without(session, case, list(calls.values()), Ending.NOT_MISSED, rules, now)
    elif case.ending is Ending.SHORT:
        delete_case(session, case_id)
        _missed(session, record, why, rules, now)
    elif why is not Why.SHORT:
        rename_call(session, record.call_id, why)
        if moment(record.started_at) == case.last_missed_at and case.open:
            save_case(session, case, replace(case, why=why), now)
    elif calls:
        leave_call(session, record.call_id)
        _without(session, case, list(calls.values()), Ending.SHORT, rules, now)
        _missed(session, record, why, rules, now)
    else:
        rename_call(session, record.call_id, why)
        _without(session, case, [], Ending.SHORT, rules, now)


def _without(
    session: Session,
    case: Case,
    left: Sequence[Row[Any]],
    ending: Ending,
    rules: CallbackRules,
    now: datetime,
) -> None:
    """Take a call out of a case: over, if that was all there was of it."""
    if not case.open:
        return
    after = replace(case, missed=max(case.missed - 1, len(left)))
    if not left and case.source is Source.MISSED:
        after = ended(case, ending, now)
    elif left and case.source in _OF_CALLS:
        after = _of_calls(session, after, left, rules)
    save_case(session, case, after, now)


def _of_calls(
    session: Session, case: Case, calls: Sequence[Row[Any]], rules: CallbackRules
) -> Case:
    """Return a case as it is when only these of its calls, the first one first, belong to it."""
    made: Case | None = None
    for row in calls:
        record = get_call(session, row.call_id)
        if record is None:
            continue
        wish = _wish(session, record, Why(row.why))
        sla_at = _sla(session, wish, rules)
        made = opened(wish, rules, sla_at) if made is None else joined(made, wish, rules, sla_at)
    if made is None:
        return case
    return replace(case, **{name: getattr(made, name) for name in _TOLD})


# What the calls of a case say of it, rather than what was done about it.
_TOLD = (
    "source", "why", "opened_at", "origin_at", "last_missed_at", "missed", "did", "group",
    "client_id", "client_name", "priority", "owner", "sla_at",
)  # fmt: skip


def _part(
    session: Session, case: Case, contact: Contact, rules: CallbackRules, now: datetime
) -> None:
    """Let a conversation end what it came after, if that was written late: the rest is a new case.

    What a client asked for in another way than by a call is no call of the case: it stays whole.
    """
    if case.source not in _OF_CALLS or case.origin_at > contact.since:
        return
    calls = calls_of_case(session, case.id)
    early = [one for one in calls if one.at <= contact.since]
    late = calls[len(early) :]
    if not early or not late or len(calls) != case.missed:
        return
    over = _of_calls(session, case, early, rules)
    fresh = replace(over, state=CaseState.OPEN, tries=0, misses=0, last=None)
    over = reached(fresh, contact)
    kept = _of_calls(session, case, late, rules)
    if over.open or kept.origin_at <= contact.since:
        return  # not all of its calls are kept any more
    save_case(session, case, kept, now)
    over = add_case(session, over, now)
    move_calls(session, [one.call_id for one in early], over.id)


# Cases of calls alone; an operator, a form or a CRM asked for the others.
_OF_CALLS = (Source.MISSED, Source.KEY)


def _settle_attempts(session: Session, records: Sequence[CallRecord], rules: CallbackRules) -> None:
    """Write how tries ended, and let their cases go on."""
    by_attempt = {
        key: record for record in records if (key := attempt_of(record.call_id)) is not None
    }
    if not by_attempt:
        return
    for found, attempt in get_attempts(session, by_attempt).items():
        record = by_attempt[found]
        if attempt.uniqueid != record.call_id:
            continue
        how, at = ended_of(record, rules), moment(record.ended_at)
        if not finish_attempt(session, attempt, how, at, _cause(record), record.talk_ms):
            continue
        case = None if attempt.case_id is None else get_case(session, attempt.case_id)
        if case is None or attempts_of(session, case.id, 1)[0].id != found:
            continue  # it is another try's turn
        after = doubt_over(case) if attempt.ended is Ended.UNKNOWN else case
        save_case(session, case, settled(after, how, at, rules), at)


def _wish(session: Session, record: CallRecord, why: Why) -> Wish:
    group, _ = _group_of(session, record.did)
    manager, vip = _manager_of(session, record.client_id)
    promised = was_promised(record) or any(one.kind in _PROMISES for one in record.moments)
    return Wish(
        number=record.number,
        why=why,
        since=waits_since(record),
        at=moment(record.ended_at),
        source=Source.KEY if promised else Source.MISSED,
        diallable=is_e164(record.number),
        did=record.did,
        group=group,
        client_id=record.client_id,
        client_name=record.client_name,
        owner=manager or _on_duty(record),
        priority=int(vip),
    )


_PROMISES = (MomentKind.PROMISED, MomentKind.CALLBACK_ASKED)


def _group_of(session: Session, number: str) -> tuple[str | None, str]:
    """Return the group of a DID and its zone; the default group's, then none, for one unknown."""
    found = session.execute(
        select(operator_group.c.name, operator_group.c.zone)
        .join_from(did, operator_group, did.c.group_name == operator_group.c.name)
        .where(did.c.number == number)
    ).first()
    if found is None:
        usual = select(operator_group.c.name, operator_group.c.zone)
        found = session.execute(usual.where(operator_group.c.is_default)).first()
    return (None, "UTC") if found is None else (found.name, found.zone)


def _manager_of(session: Session, client_id: int | None) -> tuple[str | None, bool]:
    """Return who looks after a client, and whether they are a VIP."""
    row = session.execute(select(client).where(client.c.id == client_id)).first()
    if row is None:
        return None, False
    found = assign(Stage(row.stage), row.manager, row.sales_manager, row.deputy, row.vip)
    return found.manager, found.vip


def _on_duty(record: CallRecord) -> str | None:
    """Return the operator whom the plan of a call would have rung first for its group."""
    steps = record.decision.plan.steps if record.decision else ()
    rung = (target for step in steps if step.kind in _PHONES for target in step.targets)
    return next((target.operator for target in rung if target.operator), None)


_PHONES = (Kind.DESK, Kind.MOBILE)


def _sla(session: Session, wish: Wish, rules: CallbackRules) -> datetime | None:
    """Return until when a client is promised a call: the clock stands still in quiet hours."""
    if wish.promised_at is not None:
        return wish.promised_at + timedelta(minutes=rules.sla_minutes)
    if not wish.diallable:
        return None
    _, zone = _group_of(session, wish.did)
    zones = client_zone(wish.number, None, zone)
    return after_loud(rules.quiet, zones, wish.since, rules.sla_minutes)


def _later(session: Session, wish: Wish, rules: CallbackRules) -> Contact | None:
    """Return the first conversation with a client that began after they had called in vain."""
    if not wish.diallable or wish.why is Why.SHORT:
        return None
    c = call.c
    query = (
        select(c.call_id, c.direction, c.answered_at, c.ended_at, c.talk_ms)
        .add_columns(c.answered_by, c.placed_by)
        .where(
            c.number == wish.number,
            c.started_at >= wish.since - _LONGEST_RING,
            c.answered_at >= wish.since,
            c.direction != Direction.INTERNAL.value,
        )
        .order_by(c.answered_at, c.id)
        .limit(_FEW)
    )
    for row in session.execute(query):
        ours = row.direction == Direction.OUT.value
        talked = row.placed_by if ours else row.answered_by
        if row.talk_ms >= rules.least_talk(row.call_id, ours=ours) * 1000:
            return Contact(row.call_id, wish.number, row.answered_at, row.ended_at, ours, talked)
    return None


_LONGEST_RING = timedelta(minutes=30)


def _cause(record: CallRecord) -> str | None:
    """Return the PBX's word for how the client's leg, or the operator's, ended."""
    told = [dict(one.values).get("status") for one in record.moments]
    status = next((text for text in reversed(told) if text), None)
    codes = [str(leg.tech_cause) for leg in record.legs if leg.tech_cause]
    return " ".join(text for text in (status, *codes[-1:]) if text) or None
