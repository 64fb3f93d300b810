"""Calls as lists show them: what stands in a line, without legs and decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from telephony.domain.record import Direction, Disposition, Side, Source
from telephony.store.call_tables import call
from telephony.store.search import EVERY, Filter, Order, find_page

_PART = 1000


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call: the fields of domain.record.CallRecord, with times as aware UTC datetimes."""

    call_id: str
    direction: Direction
    did: str
    number: str
    client_id: int | None
    client_name: str
    placed_by: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    wait_ms: int
    ring_ms: int
    talk_ms: int
    hold_ms: int
    disposition: Disposition
    abandoned_in: str | None
    answered_by: str | None
    answered_on: str | None
    hung_up_by: Side
    fallback: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class Lines:
    """One page of calls, and how many there are in all."""

    items: tuple[CallLine, ...]
    total: int


_COLUMNS = [call.c[name] for name in CallLine.__slots__]


def find_calls(
    session: Session,
    where: Filter = EVERY,
    limit: int = 50,
    offset: int = 0,
    order: Order = Order.DESCENDING,
) -> Lines:
    """Return a page of the calls that fit, by their beginning, and the exact total.

    The session must see one snapshot (`reading`), or total and page may differ.
    """
    page = find_page(session, where, limit, offset, order)
    rows = session.execute(select(call.c.id, *_COLUMNS).where(call.c.id.in_(page.keys)))
    by_key = {row[0]: _line(row) for row in rows}
    return Lines(tuple(by_key[key] for key in page.keys), page.total)


def every_call(session: Session, where: Filter, most: int) -> Iterator[CallLine]:
    """Yield the newest `most` calls that fit, newest first, a page in memory at a time."""
    offset = 0
    while offset < most:
        part = find_calls(session, where, min(_PART, most - offset), offset).items
        yield from part
        if len(part) < _PART:
            return
        offset += _PART


def _line(row: Row[Any]) -> CallLine:
    fields: dict[str, Any] = dict(zip(CallLine.__slots__, row[1:], strict=True))
    fields["direction"] = Direction(fields["direction"])
    fields["disposition"] = Disposition(fields["disposition"])
    fields["hung_up_by"] = Side(fields["hung_up_by"])
    fields["source"] = Source(fields["source"])
    return CallLine(**fields)
