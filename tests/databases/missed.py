"""Missed cases for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.domain.callback.cases import Case, Source
from telephony.domain.callback.results import Ended, Why
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.store.attempts import (
    NewAttempt,
    add_attempt,
    finish_attempt,
    get_attempt,
    send_attempt,
)
from telephony.store.cases import add_case
from telephony.store.engine import writing
from telephony.store.live import Process, save_operator_states, save_process
from telephony.store.tables import microseconds


def a_case(number: str, now: datetime, left: float = 30, **changes: object) -> Case:
    """An open case of a quarter of an hour ago, promised in `left` minutes."""
    since = now - timedelta(minutes=15)
    case = Case(
        number=number,
        source=Source.MISSED,
        why=Why.RINGING,
        opened_at=since,
        origin_at=since,
        last_missed_at=since,
        did="74951234567",
        group="sales",
        due_at=now + timedelta(minutes=5),
        sla_at=now + timedelta(minutes=left),
        anyone_at=since,
        expires_at=now + timedelta(hours=72),
    )
    return replace(case, **changes)  # type: ignore[arg-type]


def add(engine: Engine, *cases: Case) -> list[int]:
    """Store cases; return their ids."""
    with writing(engine) as session:
        return [add_case(session, case, case.opened_at).id for case in cases]


def try_once(
    session: Session,
    case: Case,
    at: datetime,
    how: Ended | None,
    *,
    sent: bool = True,
    cause: str | None = None,
) -> None:
    """Store a try to call back as the workers do; with None for `how` it is under way."""
    lease = timedelta(seconds=15)
    new = NewAttempt(case.number, case.number[:5], case.owner or "101", case.did, case.id)
    claim = add_attempt(session, new, at, lease)
    if sent:
        assert send_attempt(session, claim.id, claim.attempt, f"order-{claim.id}", at, lease)
    one = get_attempt(session, claim.id)
    assert one is not None
    if how is not None:
        assert finish_attempt(session, one, how, at + timedelta(seconds=30), cause)


def listen(engine: Engine, now: datetime) -> None:
    """Let a listener be there, without which no call is placed."""
    with writing(engine) as session:
        save_process(session, Process("listener", 1, "host", "1", now, now, True, None, {}))


def does(
    engine: Engine,
    now: datetime,
    extension: str,
    state: OperatorActivity = OperatorActivity.FREE,
    **more: str,
) -> None:
    """Let an operator be in a state: free unless another one is given."""
    one = OperatorState(extension, "", state, microseconds(now), **more)
    with writing(engine) as session:
        save_operator_states(session, [one])
