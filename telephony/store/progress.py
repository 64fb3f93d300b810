"""How calls go on and end, in one transaction each: live rows, records, and the facts of both.

Every call that is recorded has the facts `call.started`, `call.answered` (when it was) and
`call.ended`, each once and in this order: what its live changes did not bring, its record does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from telephony.domain.changes import Changes
from telephony.domain.live import LiveCall
from telephony.domain.record import CallRecord
from telephony.store.calls import Revised, save_calls
from telephony.store.live import (
    delete_live_calls,
    live_call,
    operator_state,
    save_live_calls,
    save_operator_states,
)
from telephony.store.outbox import Fact, add_facts
from telephony.store.tables import moment

STARTED = "call.started"
ANSWERED = "call.answered"


def facts_of(call: LiveCall | CallRecord) -> list[Fact]:
    """Return what a call, live or ended, has come to: `call.started`, then `call.answered`."""
    facts = [_fact(STARTED, call, None, call.started_at)]
    if call.answered_at is not None:
        facts.append(_fact(ANSWERED, call, call.answered_by, call.answered_at))
    return facts


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
    delete_live_calls(session, sorted(changes.gone))
    save_live_calls(session, list(changes.calls.values()))
    save_operator_states(session, list(changes.operators.values()))
    facts = [
        fact for call in changes.calls.values() for fact in facts_of(call) if fact.key not in said
    ]
    add_facts(session, facts, now)
    return [fact.key for fact in facts]


def save_ended(
    session: Session, calls: Sequence[Revised], now: datetime, said: Collection[str] = ()
) -> None:
    """Save records with their facts; the calls are not live any more."""
    facts = [fact for item in calls for fact in facts_of(item.record) if fact.key not in said]
    add_facts(session, facts, now)
    save_calls(session, calls)
    delete_live_calls(session, [item.record.call_id for item in calls])


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
