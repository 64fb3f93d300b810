"""Missed cases as rows: loaded, changed by the functions of `domain.callback.cases`, saved.

Whoever changes cases takes their turn first (`tables.in_turn`), as writers of calls do: so two
never open a case for one number, and no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from telephony.domain.callback.cases import (
    Attention,
    Case,
    CaseState,
    Ending,
    Source,
)
from telephony.domain.callback.results import Ended, Why
from telephony.store.alarms import tell_resumed, tell_stopped
from telephony.store.case_tables import callback_stop, case_call, missed_case, opt_out
from telephony.store.outbox import Fact, add_facts
from telephony.store.tables import in_turn, insert_or_ignore

_OPEN = (CaseState.OPEN.value, CaseState.DIALLING.value)
_PLAIN = (
    "number", "did", "client_id", "client_name", "priority", "owner", "claimed_by", "opened_at",
    "origin_at", "last_missed_at", "missed", "due_at", "promised_at", "hurried", "agreed_at",
    "broken_at", "anyone_at", "sla_at", "expires_at", "tries", "misses", "ended_at", "ended_by",
    "note", "call_id",
)  # fmt: skip
_CODES: Mapping[str, type[StrEnum]] = {
    "state": CaseState,
    "source": Source,
    "why": Why,
    "attention": Attention,
    "last": Ended,
    "ending": Ending,
}

OPENED, CLOSED, ESCALATED = "callback.opened", "callback.closed", "callback.escalated"
NEAR, OVERDUE = "callback.near", "callback.overdue"
CASE_FACTS = (OPENED, CLOSED, ESCALATED, NEAR, OVERDUE)


def add_case(session: Session, case: Case, now: datetime) -> Case:
    """Insert a case and return it with its id; the caller has the turn."""
    key = session.execute(
        insert(missed_case).values(**case_values(case)).returning(missed_case.c.id)
    ).scalar_one()
    kept = replace(case, id=key)
    if (told := told_of_new(kept, now)) is not None:
        _tell(session, told[0], kept, told[1])
    return kept


def told_of_new(case: Case, now: datetime) -> tuple[str, datetime] | None:
    """Return the kind of the fact that a new case is, and when it happened; None for none."""
    if case.open:
        return OPENED, case.opened_at
    return (CLOSED, now) if case.state is CaseState.CLOSED else None


def delete_case(session: Session, key: int) -> None:
    """Delete a case that never was one, with its calls."""
    session.execute(delete(missed_case).where(missed_case.c.id == key))


def save_case(session: Session, before: Case, case: Case, now: datetime) -> None:
    """Write what changed, and the facts of it: its end, or that a person has to see to it."""
    if case == before:
        return
    values = case_values(case)
    if promised_anew(before, case):
        values["told"] = ""
    session.execute(update(missed_case).where(missed_case.c.id == case.id).values(**values))
    for kind in told_of(before, case):
        _tell(session, kind, case, now)


def promised_anew(before: Case, case: Case) -> bool:
    """Tell whether a case got another promise, of whose end nobody was told yet."""
    return case.sla_at is not None and (before.sla_at is None or case.sla_at > before.sla_at)


def told_of(before: Case, case: Case) -> tuple[str, ...]:
    """Return the kinds of the facts that a change of a case is.

    One that was given up is for a person, too: somebody was promised a call.
    """
    if before.open and not case.open:
        return (CLOSED, ESCALATED) if case.ending is Ending.EXPIRED else (CLOSED,)
    return (ESCALATED,) if case.attention in _ESCALATES and before.attention is None else ()


_ESCALATES = (Attention.ATTEMPTS, Attention.UNKNOWN, Attention.RULES)


def get_case(session: Session, key: int, *, lock: bool = False) -> Case | None:
    """Return a case; with `lock` nobody else changes it before the transaction ends."""
    if lock:
        in_turn(session)
    row = session.execute(select(missed_case).where(missed_case.c.id == key)).one_or_none()
    return None if row is None else case_of(row)


def open_cases(session: Session, numbers: Collection[str]) -> dict[str, Case]:
    """Return number → its open case, of those that have one."""
    query = select(missed_case).where(
        missed_case.c.number.in_(list(numbers)), missed_case.c.state.in_(_OPEN)
    )
    return {row.number: case_of(row) for row in session.execute(query)}


def due_cases(
    session: Session,
    now: datetime,
    limit: int,
    *,
    operators: Collection[str] | None = None,
    groups: Collection[str] | None = None,
) -> list[Case]:
    """Return at most `limit` cases that are due, the most urgent first.

    With `operators` only those that are theirs alone, theirs, or anybody's of these `groups`.
    """
    query = select(missed_case).where(
        missed_case.c.state == CaseState.OPEN.value, missed_case.c.due_at <= now
    )
    if operators is not None:
        names = list(operators)
        anyone = or_(missed_case.c.anyone_at.is_(None), missed_case.c.anyone_at <= now)
        owned = func.coalesce(missed_case.c.claimed_by, missed_case.c.owner)
        group = missed_case.c.group_name
        theirs = missed_case.c.owner.in_(names) | group.in_(list(groups or ()))
        if groups:
            theirs |= group.is_(None)
        query = query.where(or_(owned.in_(names), (anyone | owned.is_(None)) & theirs))
    query = query.order_by(
        missed_case.c.priority.desc(), missed_case.c.origin_at, missed_case.c.id
    ).limit(limit)
    return [case_of(row) for row in session.execute(query)]


def any_due(session: Session, now: datetime) -> bool:
    """Tell whether any case is due: one look into an index, however many are closed."""
    query = select(missed_case.c.id).where(
        missed_case.c.state == CaseState.OPEN.value, missed_case.c.due_at <= now
    )
    return session.execute(query.limit(1)).first() is not None


def waiting_cases(session: Session, after: int, limit: int) -> list[Case]:
    """Return at most `limit` cases that wait for their next try or for a person, in order of ids.

    Only those with a greater id than `after`.
    """
    query = select(missed_case).where(
        missed_case.c.state == CaseState.OPEN.value, missed_case.c.id > after
    )
    query = query.order_by(missed_case.c.id).limit(limit)
    return [case_of(row) for row in session.execute(query)]


def expired_cases(session: Session, now: datetime, limit: int) -> list[Case]:
    """Return at most `limit` cases whose time is over, the oldest first."""
    query = (
        select(missed_case)
        .where(missed_case.c.state == CaseState.OPEN.value, missed_case.c.expires_at <= now)
        .order_by(missed_case.c.expires_at)
        .limit(limit)
    )
    return [case_of(row) for row in session.execute(query)]


def unwanted_cases(session: Session, limit: int) -> list[Case]:
    """Return at most `limit` waiting cases of numbers that asked not to be called, since then."""
    query = (
        select(missed_case)
        .join(opt_out, opt_out.c.number == missed_case.c.number)
        .where(missed_case.c.state == CaseState.OPEN.value)
        .order_by(missed_case.c.id)
        .limit(limit)
    )
    return [case_of(row) for row in session.execute(query)]


def late_cases(session: Session, until: datetime, told: str, limit: int) -> list[Case]:
    """Return open cases whose promise ends until then and of which no notice `told` was sent."""
    query = (
        select(missed_case)
        .where(
            missed_case.c.state.in_(_OPEN),
            missed_case.c.sla_at <= until,
            missed_case.c.told.not_in([told, "overdue"]),
        )
        .order_by(missed_case.c.sla_at)
        .limit(limit)
    )
    return [case_of(row) for row in session.execute(query)]


def tell_late(session: Session, case: Case, kind: str, told: str, now: datetime) -> None:
    """Note that a case is near its deadline, or over it: a fact, once."""
    session.execute(update(missed_case).where(missed_case.c.id == case.id).values(told=told))
    _tell(session, kind, case, now)


@dataclass(frozen=True, slots=True)
class JoinedCall:
    """A missed call of a case: when it began, why nobody answered, and the number dialled."""

    call_id: str
    case_id: int
    at: datetime
    why: Why
    did: str


def join_calls(session: Session, calls: Sequence[JoinedCall]) -> None:
    """Put missed calls to their cases; a call belongs to one."""
    if calls:
        rows = [
            {
                "call_id": one.call_id,
                "case_id": one.case_id,
                "at": one.at,
                "why": one.why.value,
                "did": one.did,
            }
            for one in calls
        ]
        session.execute(insert_or_ignore(session, case_call, key=("call_id",)), rows)


def joined_calls(session: Session, call_ids: Sequence[str]) -> dict[str, JoinedCall]:
    """Return those of the calls that belong to a case, by their ids."""
    rows = session.execute(select(case_call).where(case_call.c.call_id.in_(call_ids)))
    return {
        row.call_id: JoinedCall(row.call_id, row.case_id, row.at, Why(row.why), row.did)
        for row in rows
    }


def leave_call(session: Session, call_id: str) -> None:
    """Take a call out of its case."""
    session.execute(delete(case_call).where(case_call.c.call_id == call_id))


def move_calls(session: Session, call_ids: Sequence[str], case_id: int) -> None:
    """Put calls to another case."""
    session.execute(
        update(case_call).where(case_call.c.call_id.in_(call_ids)).values(case_id=case_id)
    )


def rename_call(session: Session, call_id: str, why: Why) -> None:
    """Note that a call was missed for another reason."""
    session.execute(update(case_call).where(case_call.c.call_id == call_id).values(why=why.value))


def calls_of_case(session: Session, case_id: int, limit: int | None = None) -> list[Row[Any]]:
    """Return the missed calls of a case, oldest first, the newest ones: call_id, at, why, did."""
    query = select(case_call).where(case_call.c.case_id == case_id)
    query = query.order_by(case_call.c.at.desc(), case_call.c.call_id.desc()).limit(limit)
    return list(reversed(session.execute(query).all()))


def opted_out(session: Session, numbers: Collection[str]) -> set[str]:
    """Return those of the numbers that asked not to be called."""
    query = select(opt_out.c.number).where(opt_out.c.number.in_(list(numbers)))
    return set(session.execute(query).scalars())


def opt_number_out(session: Session, number: str, by: str, note: str, now: datetime) -> bool:
    """Note that a number is not to be called; tell whether it was to be before."""
    made = session.execute(
        insert_or_ignore(session, opt_out, key=("number",))
        .values(number=number, at=now, added_by=by, note=note)
        .returning(opt_out.c.number)
    )
    return made.first() is not None


def opt_number_in(session: Session, number: str) -> bool:
    """Take that back; tell whether there was something to take back."""
    gone = session.execute(
        delete(opt_out).where(opt_out.c.number == number).returning(opt_out.c.number)
    )
    return gone.first() is not None


def stopped(session: Session) -> tuple[datetime, str, str] | None:
    """Return since when, by whom and why nothing is dialled; None when it is."""
    row = session.execute(
        select(callback_stop.c.at, callback_stop.c.stopped_by, callback_stop.c.reason)
    ).first()
    return None if row is None else (row.at, row.stopped_by, row.reason)


def stop_dialling(session: Session, by: str, reason: str, now: datetime) -> bool:
    """Stop all dialling, and note it as an alarm; tell whether it went on before."""
    in_turn(session)
    made = session.execute(
        insert_or_ignore(session, callback_stop, key=("id",))
        .values(id=1, at=now, stopped_by=by, reason=reason)
        .returning(callback_stop.c.id)
    )
    if made.first() is None:
        return False
    tell_stopped(session, by, reason, now)
    return True


def resume_dialling(session: Session, by: str, now: datetime) -> bool:
    """Let dialling go on, and note that; tell whether it was stopped."""
    in_turn(session)
    gone = session.execute(delete(callback_stop).returning(callback_stop.c.at)).first()
    if gone is None:
        return False
    tell_resumed(session, by, gone.at, now)
    return True


def count_open(session: Session, now: datetime) -> dict[str, int]:
    """Return how many cases are open: all, due, overdue, and how many wait for a person."""
    c = missed_case.c
    one = select(
        func.count(),
        func.count().filter(c.due_at <= now),
        func.count().filter(c.sla_at <= now),
        func.count().filter(c.attention.is_not(None)),
    ).where(c.state.in_(_OPEN))
    every, due, overdue, waiting = session.execute(one).one()
    return {"open": every, "due": due, "overdue": overdue, "attention": waiting}


def _tell(session: Session, kind: str, case: Case, now: datetime) -> None:
    add_facts(session, [case_fact(kind, case, now)], now)


def case_fact(kind: str, case: Case, now: datetime) -> Fact:
    """Return a fact of CASE_FACTS about a case as it is now; one that is told once has one key."""
    key = f"{kind}:{case.id}"
    if kind == ESCALATED:
        # A case may need a person again and again, with as many calls and tries as before.
        key += f":{int(now.timestamp() * 1000)}" if case.open else f":{case.ending}"
    elif kind in (NEAR, OVERDUE) and case.sla_at is not None:
        key += f":{int(case.sla_at.timestamp())}"
    payload = {
        "case_id": case.id,
        "number": case.number,
        "client_id": case.client_id,
        "client_name": case.client_name,
        "did": case.did,
        "group": case.group,
        "owner": case.claimed_by or case.owner,
        "source": case.source.value,
        "why": case.why.value,
        "missed": case.missed,
        "tries": case.tries,
        "origin_at": _iso(case.origin_at),
        "sla_at": _iso(case.sla_at),
        "attention": case.attention.value if case.attention else None,
        "ending": case.ending.value if case.ending else None,
        "ended_by": case.ended_by,
        "at": _iso(now),
    }
    return Fact(kind, key, payload, now)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def case_values(case: Case) -> dict[str, Any]:
    """Return what the row of a case holds, by columns, but for its id and `told`."""
    values: dict[str, Any] = {name: getattr(case, name) for name in _PLAIN}
    for name in _CODES:
        code = getattr(case, name)
        values[name] = None if code is None else code.value
    return values | {"group_name": case.group}


def case_of(row: Row[Any]) -> Case:
    """Return the case that a row of the table is."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    for name, code in _CODES.items():
        value = getattr(row, name)
        values[name] = None if value is None else code(value)
    return Case(id=row.id, group=row.group_name, **values)
