"""Calls and their legs. History: what was decided is stored with the call and stays."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, delete, select
from sqlalchemy.orm import Session

from telephony.domain.lasttalk import talked_last
from telephony.domain.record import (
    CallRecord,
    Direction,
    Disposition,
    LegRecord,
    Outcome,
    Side,
    Source,
)
from telephony.store.call_index import index_calls, stored_facets
from telephony.store.call_tables import call, call_leg
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
from telephony.store.search import EVERY, Filter, count_calls, find_page
from telephony.store.tables import (
    microseconds,
    moment,
    optional_microseconds,
    optional_moment,
    upsert,
)

__all__ = [
    "EVERY",
    "Filter",
    "Revised",
    "call",
    "call_leg",
    "count_calls",
    "get_call",
    "list_calls",
    "now_revision",
    "save_call",
    "save_calls",
]

_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Revised:
    """A record and its revision: of two versions of a call the greater revision is kept."""

    record: CallRecord
    revision: int


def now_revision() -> int:
    """Return the revision of a record made now: microseconds since the epoch."""
    return time.time_ns() // 1000


def save_call(session: Session, record: CallRecord, revision: int | None = None) -> None:
    """Insert or overwrite a call with its legs, and add the fact `call.ended` once.

    Without `revision` the record counts as made now; one older than the stored is ignored.
    """
    save_calls(session, [Revised(record, now_revision() if revision is None else revision)])


def save_calls(session: Session, calls: Sequence[Revised]) -> list[CallRecord]:
    """Save many calls as `save_call` does, in a handful of statements.

    Returns those records that were not older than what was stored.
    """
    latest: dict[str, Revised] = {}
    for item in calls:
        known = latest.get(item.record.call_id)
        if known is None or item.revision >= known.revision:
            latest[item.record.call_id] = item
    if not latest:
        return []
    before = stored_facets(session, list(latest))
    session.execute(
        upsert(session, call, key=("call_id",), newer="revision"),
        [_call_values(item) for item in latest.values()],
    )
    stored = session.execute(
        select(call.c.id, call.c.call_id, call.c.revision).where(call.c.call_id.in_(list(latest)))
    )
    fresh = {
        call_id: (key, latest[call_id].record)
        for key, call_id, revision in stored
        if revision == latest[call_id].revision
    }
    _save_legs(session, {call_id: record for call_id, (_, record) in fresh.items()})
    index_calls(session, fresh, before)
    ended = [
        Fact("call.ended", f"call.ended:{call_id}", {"call_id": call_id}) for call_id in latest
    ]
    add_facts(session, ended, moment(now_revision()))
    return [record for _, record in fresh.values()]


def get_call(session: Session, call_id: str) -> CallRecord | None:
    """Return a call with its legs, or None."""
    rows = session.execute(select(call).where(call.c.call_id == call_id)).all()
    return next(iter(_records(session, rows)), None)


def list_calls(
    session: Session, limit: int = 50, offset: int = 0, where: Filter = EVERY
) -> list[CallRecord]:
    """Return a page of calls with their legs, newest first; `limit` is at most 10,000."""
    page = find_page(session, where, max(0, min(limit, _PAGE)), max(0, offset))
    rows = session.execute(select(call).where(call.c.id.in_(page.keys))).all()
    places = {key: place for place, key in enumerate(page.keys)}
    return _records(session, sorted(rows, key=lambda row: places[row.id]))


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
        "tail": record.number[::-1],
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
        "talked_last": talked_last(record),
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
