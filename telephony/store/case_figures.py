"""The cases of a span as figures count them, read by when they were opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from telephony.domain.callback.cases import REACHED, Ending, Source
from telephony.domain.callback.figures import Told
from telephony.domain.callback.results import Ended, Why
from telephony.store.case_tables import callback_attempt, case_call, missed_case
from telephony.store.indexed import IndexedBy


@dataclass(frozen=True, slots=True)
class Span:
    """Which cases: opened at `since` or later and before `until`, and with every field given.

    `operator` is the one that `Told.operator` names.
    """

    since: datetime
    until: datetime
    did: str | None = None
    group: str | None = None
    operator: str | None = None


_CASES = IndexedBy(missed_case, "ix_missed_case_opened_at")
_c = _CASES.c
# Whoever closed a case without a talk may be anybody in the panel.
_OPERATOR = case(
    (
        and_(_c.ending.in_([one.value for one in sorted(REACHED)]), _c.ended_by.is_not(None)),
        _c.ended_by,
    ),
    else_=func.coalesce(_c.claimed_by, _c.owner),
)


def cases_told(session: Session, span: Span) -> Iterator[Told]:
    """Yield the cases of a span in no order; what they were tried is read at once, before them.

    The session must see one snapshot (`reading`).
    """
    wanted = _wanted(span)
    tries = _tries(session, wanted)
    calls = (
        select(func.count())
        .select_from(case_call)
        .where(case_call.c.case_id == _c.id)
        .scalar_subquery()
    )
    query = select(
        _c.id, _c.opened_at, _c.origin_at, calls.label("calls"),
        _c.did, _c.group_name, _OPERATOR.label("operator"), _c.why, _c.source,
        _c.ending, _c.ended_at, _c.sla_at, _c.promised_at, _c.agreed_at, _c.broken_at,
    ).where(*wanted)  # fmt: skip
    for row in session.execute(query):
        yield Told(
            opened_at=row.opened_at,
            missed_at=row.origin_at,
            calls=row.calls,
            did=row.did,
            group=row.group_name,
            operator=row.operator,
            why=Why(row.why),
            source=Source(row.source),
            ending=None if row.ending is None else Ending(row.ending),
            ended_at=row.ended_at,
            sla_at=row.sla_at,
            promised_at=row.promised_at,
            agreed_at=row.agreed_at,
            broken=row.broken_at is not None,
            tries=tuple(tries.get(row.id, ())),
        )


def _tries(
    session: Session, wanted: list[ColumnElement[bool]]
) -> dict[int, list[tuple[datetime, Ended | None]]]:
    a = callback_attempt.c
    query = (
        select(a.case_id, a.sent_at, a.ended)
        .select_from(_CASES.join(callback_attempt, a.case_id == _c.id))
        .where(*wanted, a.sent_at.is_not(None))
        .order_by(a.id)
    )
    found: dict[int, list[tuple[datetime, Ended | None]]] = {}
    for row in session.execute(query):
        ended = None if row.ended is None else Ended(row.ended)
        found.setdefault(row.case_id, []).append((row.sent_at, ended))
    return found


def _wanted(span: Span) -> list[ColumnElement[bool]]:
    wanted: list[Any] = [_c.opened_at >= span.since, _c.opened_at < span.until]
    for column, value in (
        (_c.did, span.did),
        (_c.group_name, span.group),
        (_OPERATOR, span.operator),
    ):
        if value is not None:
            wanted.append(column == value)
    return wanted
