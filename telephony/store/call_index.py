"""What calls are found by, kept equal to the calls in the transaction that saves them.

Who took part in each call (`call_operator`), and how many calls there are (`call_count`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from telephony.domain.record import CallRecord, Outcome
from telephony.store.call_tables import call, call_count, call_operator
from telephony.store.tables import in_turn, insert_or_ignore, moment

EVERYTHING = ""

_Cell = tuple[str, date, str, str]


@dataclass(frozen=True, slots=True)
class Facets:
    """What a call is found and counted by; `operators` are extensions."""

    started_at: datetime
    did: str
    direction: str
    disposition: str
    operators: frozenset[str]


def did_scope(did: str) -> str:
    """Return the scope under which a DID's calls are counted."""
    return f"did:{did}"


def operator_scope(extension: str) -> str:
    """Return the scope under which an operator's calls are counted."""
    return f"operator:{extension}"


def month_of(day: date) -> date:
    """Return the first day of a day's month: operators' calls are counted by the month."""
    return day.replace(day=1)


def took_part(record: CallRecord) -> frozenset[str]:
    """Return the extensions of those who placed or answered a call, or whose phone it reached."""
    reached = {leg.operator for leg in record.legs if leg.outcome is not Outcome.UNREACHABLE}
    return frozenset(who for who in {*reached, record.answered_by, record.placed_by} if who)


def facets(record: CallRecord) -> Facets:
    """Return what a record is found by."""
    return Facets(
        started_at=moment(record.started_at),
        did=record.did,
        direction=record.direction.value,
        disposition=record.disposition.value,
        operators=took_part(record),
    )


def stored_facets(session: Session, call_ids: Sequence[str]) -> dict[str, Facets]:
    """Return call id → facets of the calls that are stored already, before they are overwritten.

    On PostgreSQL no other transaction changes calls from here on until this one ends: counts are
    kept by differences, so whoever saves must know what was there.
    """
    in_turn(session)
    rows = session.execute(
        select(
            call.c.id,
            call.c.call_id,
            call.c.started_at,
            call.c.did,
            call.c.direction,
            call.c.disposition,
        ).where(call.c.call_id.in_(call_ids))
    ).all()
    if not rows:
        return {}
    operators: dict[int, set[str]] = {row.id: set() for row in rows}
    query = select(call_operator.c.call_key, call_operator.c.extension)
    for key, extension in session.execute(query.where(call_operator.c.call_key.in_(operators))):
        operators[key].add(extension)
    return {
        row.call_id: Facets(
            started_at=row.started_at,
            did=row.did,
            direction=row.direction,
            disposition=row.disposition,
            operators=frozenset(operators[row.id]),
        )
        for row in rows
    }


def index_calls(
    session: Session,
    saved: Mapping[str, tuple[int, CallRecord]],
    before: Mapping[str, Facets],
) -> None:
    """Make what calls are found by follow the calls just saved.

    `saved` maps call ids to (key of the row, record), `before` is from `stored_facets`.
    """
    gone: list[int] = []
    rows: list[dict[str, object]] = []
    change: Counter[_Cell] = Counter()
    for call_id, (key, record) in saved.items():
        old, new = before.get(call_id), facets(record)
        if old == new:
            continue
        if old is not None:
            gone.append(key)
            change.subtract(_cells(old))
        change.update(_cells(new))
        rows += [
            {
                "extension": extension,
                "started_at": new.started_at,
                "call_key": key,
                "did": new.did,
                "direction": new.direction,
                "disposition": new.disposition,
            }
            for extension in sorted(new.operators)
        ]
    if gone:
        session.execute(
            delete(call_operator).where(call_operator.c.call_key == bindparam("key")),
            [{"key": key} for key in gone],
        )
    if rows:
        session.execute(insert(call_operator), rows)
    _count(session, change)


def _cells(one: Facets) -> Iterable[_Cell]:
    day = one.started_at.date()
    yield EVERYTHING, day, one.direction, one.disposition
    yield did_scope(one.did), day, one.direction, one.disposition
    for extension in one.operators:
        yield operator_scope(extension), month_of(day), one.direction, one.disposition


def _count(session: Session, change: Mapping[_Cell, int]) -> None:
    rows = [
        {
            "scope": scope,
            "day": day,
            "direction": direction,
            "disposition": disposition,
            "calls": calls,
        }
        for (scope, day, direction, disposition), calls in sorted(change.items())
        if calls
    ]
    if not rows:
        return
    adding = insert_or_ignore(session, call_count, key=None)
    key = [column.name for column in call_count.primary_key.columns]
    session.execute(
        adding.on_conflict_do_update(
            index_elements=key, set_={"calls": call_count.c.calls + adding.excluded.calls}
        ),
        rows,
    )
