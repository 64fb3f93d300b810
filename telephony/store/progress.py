"""How calls go on and end, in one transaction each: live rows, records, and the facts of both.

Every call that is recorded has the facts `call.started`, `call.answered` (when it was) and
`call.ended`, each once and in this order: what its live changes did not bring, its record does.
A call that was told and became part of another ends with a `call.ended` that names that one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from telephony.domain.changes import Changes
from telephony.domain.live import LiveCall
from telephony.domain.record import CallRecord
from telephony.store.calls import Revised, save_calls
from telephony.store.live import (
    delete_live_calls,
    find_live_calls,
    live_call,
    operator_state,
    save_live_calls,
    save_operator_states,
)
from telephony.store.outbox import Fact, add_facts
from telephony.store.settling import settle_calls
from telephony.store.tables import moment

STARTED = "call.started"
ANSWERED = "call.answered"
ENDED = "call.ended"


def facts_of(call: LiveCall | CallRecord) -> list[Fact]:
    """Return what a call, live or ended, has come to: `call.started`, then `call.answered`."""
    facts = [_fact(STARTED, call, None, call.started_at)]
    if call.answered_at is not None:
        facts.append(_fact(ANSWERED, call, call.answered_by, call.answered_at))
    return facts


def keys_of(call_ids: Iterable[str]) -> list[str]:
    """Return the keys of the facts that live calls may have had."""
    return [f"{kind}:{call_id}" for call_id in call_ids for kind in (STARTED, ANSWERED)]


def save_changes(
    session: Session, changes: Changes, now: datetime, said: Collection[str] = ()
) -> list[str]:
    """Write what goes on now and the facts of it; return the keys of the facts.

    `said` are keys of facts that are known to be there; `now` is aware.
    """
    if changes.only is not None:
        session.execute(delete(live_call).where(live_call.c.call_id.not_in(changes.only)))
    if changes.only_operators is not None:
        gone = operator_state.c.extension.not_in(changes.only_operators)
        session.execute(delete(operator_state).where(gone))
    add_facts(session, _absorbed(session, changes.gone, now), now)
    delete_live_calls(session, sorted(changes.gone))
    save_live_calls(session, list(changes.calls.values()))
    save_operator_states(session, list(changes.operators.values()))
    facts = [
        fact for call in changes.calls.values() for fact in facts_of(call) if fact.key not in said
    ]
    add_facts(session, facts, now)
    return [fact.key for fact in facts]


def save_ended(
    session: Session,
    calls: Sequence[Revised],
    now: datetime,
    country: str,
    said: Collection[str] = (),
) -> None:
    """Save records with their facts, and what they do to missed cases; they are live no more.

    `country` is the company's, ISO 3166.
    """
    facts = [fact for item in calls for fact in facts_of(item.record) if fact.key not in said]
    add_facts(session, facts, now)
    settle_calls(session, save_calls(session, calls), now, country)
    delete_live_calls(session, [item.record.call_id for item in calls])


def _absorbed(session: Session, gone: Mapping[str, str], now: datetime) -> list[Fact]:
    """Return the ends of live calls that became part of others, as `gone` maps them."""
    at = now.isoformat().replace("+00:00", "Z")
    facts = [
        _fact(ENDED, call, call.answered_by, 0) for call in find_live_calls(session, sorted(gone))
    ]
    return [
        replace(fact, payload={**fact.payload, "at": at, "part_of": gone[fact.payload["call_id"]]})
        for fact in facts
    ]


def _fact(kind: str, call: LiveCall | CallRecord, operator: str | None, at: int) -> Fact:
    payload = {
        "call_id": call.call_id,
        "direction": call.direction.value,
        "did": call.did,
        "number": call.number,
        "client_id": call.client_id,
        "client_name": call.client_name,
        "placed_by": call.placed_by,
        "operator": operator,
        "at": moment(at).isoformat().replace("+00:00", "Z"),
    }
    return Fact(kind, f"{kind}:{call.call_id}", payload)
