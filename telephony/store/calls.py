"""Calls and their legs. History: what was decided is stored with the call and stays."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.orm import Session

from telephony.domain.record import (
    CallRecord,
    Direction,
    Disposition,
    LegRecord,
    Outcome,
    Side,
    Source,
)
from telephony.store.codec import (
    decision_from_json,
    moments_from_json,
    moments_to_json,
    plan_to_json,
    spans_from_json,
    spans_to_json,
    trace_to_json,
)
from telephony.store.outbox import Fact, add_facts
from telephony.store.tables import (
    BigKey,
    Json,
    UtcDateTime,
    metadata,
    microseconds,
    moment,
    optional_microseconds,
    optional_moment,
    upsert,
)

# No foreign key to clients or operators: they come and go, what happened stays.
call = Table(
    "call",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("call_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("did", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("client_id", Integer),
    Column("client_name", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("wait_ms", BigInteger, nullable=False),
    Column("ring_ms", BigInteger, nullable=False),
    Column("talk_ms", BigInteger, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("abandoned_in", Text),
    Column("answered_by", Text),
    Column("answered_on", Text),
    Column("hung_up_by", Text, nullable=False),
    Column("fallback", Text),
    Column("decided_ms", Float),
    Column("plan", Json),
    Column("trace", Json),
    Column("direction", Text, nullable=False, server_default="in"),
    Column("placed_by", Text),
    Column("hold_ms", BigInteger, nullable=False, server_default="0"),
    Column("source", Text, nullable=False, server_default="events"),
    Column("moments", Json),
    UniqueConstraint("call_id"),
    Index(None, "started_at", "id"),
    Index(None, "number", "started_at"),
    Index(None, "did", "started_at"),
)

call_leg = Table(
    "call_leg",
    metadata,
    Column("call_id", Text, ForeignKey("call.call_id", ondelete="CASCADE"), primary_key=True),
    Column("uniqueid", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("operator", Text),
    Column("address", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("rang_at", UtcDateTime),
    Column("ring_ms", BigInteger, nullable=False),
    Column("talk_ms", BigInteger, nullable=False),
    Column("cause", Integer, nullable=False),
    Column("tech_cause", Integer, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("hold_ms", BigInteger, nullable=False, server_default="0"),
    Column("talks", Json),
    Column("holds", Json),
)

_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Revised:
    """A record and its revision: of two versions of a call the greater revision is kept."""

    record: CallRecord
    revision: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which calls: those that fit every field given. `since` ≤ start < `until`, aware."""

    since: datetime | None = None
    until: datetime | None = None
    number: str | None = None
    did: str | None = None
    operator: str | None = None
    disposition: Disposition | None = None


EVERY = Filter()


def now_revision() -> int:
    """Return the revision of a record made now: microseconds since the epoch."""
    return time.time_ns() // 1000


def save_call(session: Session, record: CallRecord, revision: int | None = None) -> None:
    """Insert or overwrite a call with its legs, and add the fact `call.ended` once.

    Without `revision` the record counts as made now; one older than the stored is ignored.
    """
    save_calls(session, [Revised(record, now_revision() if revision is None else revision)])


def save_calls(session: Session, calls: Sequence[Revised]) -> None:
    """Save many calls as `save_call` does, in a handful of statements."""
    latest: dict[str, Revised] = {}
    for item in calls:
        known = latest.get(item.record.call_id)
        if known is None or item.revision >= known.revision:
            latest[item.record.call_id] = item
    if not latest:
        return
    session.execute(
        upsert(session, call, key=("call_id",), newer="revision"),
        [_call_values(item) for item in latest.values()],
    )
    stored = session.execute(
        select(call.c.call_id, call.c.revision).where(call.c.call_id.in_(list(latest)))
    )
    fresh = {
        call_id: latest[call_id].record
        for call_id, revision in stored
        if revision == latest[call_id].revision
    }
    _save_legs(session, fresh)
    ended = [
        Fact("call.ended", f"call.ended:{call_id}", {"call_id": call_id}) for call_id in latest
    ]
    add_facts(session, ended, moment(now_revision()))


def get_call(session: Session, call_id: str) -> CallRecord | None:
    """Return a call with its legs, or None."""
    rows = session.execute(select(call).where(call.c.call_id == call_id)).all()
    return next(iter(_records(session, rows)), None)


def list_calls(
    session: Session, limit: int = 50, offset: int = 0, where: Filter = EVERY
) -> list[CallRecord]:
    """Return a page of calls with their legs, newest first; `limit` is at most 10,000."""
    query = (
        _filtered(select(call), where)
        .order_by(call.c.started_at.desc(), call.c.id.desc())
        .limit(max(0, min(limit, _PAGE)))
        .offset(max(0, offset))
    )
    return _records(session, session.execute(query).all())


def count_calls(session: Session, where: Filter = EVERY) -> int:
    """Count the calls that `list_calls` would page through."""
    query = _filtered(select(func.count()).select_from(call), where)
    number: int = session.execute(query).scalar_one()
    return number


def _filtered(query: Select[Any], where: Filter) -> Select[Any]:
    wanted: list[ColumnElement[bool]] = []
    if where.since is not None:
        wanted.append(call.c.started_at >= where.since)
    if where.until is not None:
        wanted.append(call.c.started_at < where.until)
    if where.number is not None:
        wanted.append(call.c.number == where.number)
    if where.did is not None:
        wanted.append(call.c.did == where.did)
    if where.operator is not None:
        wanted.append(call.c.answered_by == where.operator)
    if where.disposition is not None:
        wanted.append(call.c.disposition == where.disposition.value)
    return query.where(*wanted)


def _save_legs(session: Session, records: Mapping[str, CallRecord]) -> None:
    """Make the stored legs equal to those of the records."""
    if not records:
        return
    wanted = {
        (call_id, leg.uniqueid): _leg_values(call_id, position, leg)
        for call_id, record in records.items()
        for position, leg in enumerate(record.legs)
    }
    known = session.execute(
        select(call_leg.c.call_id, call_leg.c.uniqueid).where(call_leg.c.call_id.in_(list(records)))
    )
    gone = [
        {"old_call": call_id, "old_leg": uniqueid}
        for call_id, uniqueid in known
        if (call_id, uniqueid) not in wanted
    ]
    if gone:
        session.execute(
            delete(call_leg).where(
                call_leg.c.call_id == bindparam("old_call"),
                call_leg.c.uniqueid == bindparam("old_leg"),
            ),
            gone,
        )
    if wanted:
        session.execute(
            upsert(session, call_leg, key=("call_id", "uniqueid")), list(wanted.values())
        )


def _call_values(item: Revised) -> dict[str, Any]:
    record = item.record
    return {
        "call_id": record.call_id,
        "revision": item.revision,
        "did": record.did,
        "number": record.number,
        "client_id": record.client_id,
        "client_name": record.client_name,
        "started_at": moment(record.started_at),
        "answered_at": optional_moment(record.answered_at),
        "ended_at": moment(record.ended_at),
        "wait_ms": record.wait_ms,
        "ring_ms": record.ring_ms,
        "talk_ms": record.talk_ms,
        "disposition": record.disposition.value,
        "abandoned_in": record.abandoned_in,
        "answered_by": record.answered_by,
        "answered_on": record.answered_on,
        "hung_up_by": record.hung_up_by.value,
        "fallback": record.fallback,
        "decided_ms": record.decided_ms,
        "plan": plan_to_json(record.decision),
        "trace": trace_to_json(record.decision),
        "direction": record.direction.value,
        "placed_by": record.placed_by,
        "hold_ms": record.hold_ms,
        "source": record.source.value,
        "moments": moments_to_json(record.moments),
    }


def _leg_values(call_id: str, position: int, leg: LegRecord) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "uniqueid": leg.uniqueid,
        "position": position,
        "channel": leg.channel,
        "kind": str(leg.kind),
        "operator": leg.operator,
        "address": leg.address,
        "outcome": leg.outcome.value,
        "rang_at": optional_moment(leg.rang_at),
        "ring_ms": leg.ring_ms,
        "talk_ms": leg.talk_ms,
        "cause": leg.cause,
        "tech_cause": leg.tech_cause,
        "ended_at": optional_moment(leg.ended_at),
        "hold_ms": leg.hold_ms,
        "talks": spans_to_json(leg.talks),
        "holds": spans_to_json(leg.holds),
    }


def _records(session: Session, rows: Sequence[Row[Any]]) -> list[CallRecord]:
    legs: dict[str, list[LegRecord]] = {row.call_id: [] for row in rows}
    if legs:
        query = select(call_leg).where(call_leg.c.call_id.in_(list(legs)))
        for leg in session.execute(query.order_by(call_leg.c.call_id, call_leg.c.position)):
            legs[leg.call_id].append(_leg(leg))
    return [_record(row, tuple(legs[row.call_id])) for row in rows]


def _record(row: Row[Any], legs: tuple[LegRecord, ...]) -> CallRecord:
    return CallRecord(
        call_id=row.call_id,
        did=row.did,
        number=row.number,
        client_id=row.client_id,
        client_name=row.client_name,
        started_at=microseconds(row.started_at),
        answered_at=optional_microseconds(row.answered_at),
        ended_at=microseconds(row.ended_at),
        wait_ms=row.wait_ms,
        ring_ms=row.ring_ms,
        talk_ms=row.talk_ms,
        disposition=Disposition(row.disposition),
        abandoned_in=row.abandoned_in,
        answered_by=row.answered_by,
        answered_on=row.answered_on,
        hung_up_by=Side(row.hung_up_by),
        fallback=row.fallback,
        decision=decision_from_json(row.plan, row.trace),
        decided_ms=row.decided_ms,
        legs=legs,
        direction=Direction(row.direction),
        placed_by=row.placed_by,
        hold_ms=row.hold_ms,
        source=Source(row.source),
        moments=moments_from_json(row.moments),
    )


def _leg(row: Row[Any]) -> LegRecord:
    return LegRecord(
        uniqueid=row.uniqueid,
        channel=row.channel,
        kind=row.kind,
        operator=row.operator,
        address=row.address,
        outcome=Outcome(row.outcome),
        rang_at=optional_microseconds(row.rang_at),
        ring_ms=row.ring_ms,
        talk_ms=row.talk_ms,
        cause=row.cause,
        tech_cause=row.tech_cause,
        ended_at=optional_microseconds(row.ended_at),
        hold_ms=row.hold_ms,
        talks=spans_from_json(row.talks),
        holds=spans_from_json(row.holds),
    )
