"""What may be asked of calls, and the conditions it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, FromClause, exists, select

from telephony.domain.record import Direction, Disposition
from telephony.store.call_tables import call_operator

_AFTER_DIGITS = ":"  # the character after 9


class Order(StrEnum):
    """By when calls began."""

    ASCENDING = "asc"
    DESCENDING = "desc"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which calls: those that fit every field given. `since` ≤ start < `until`, aware.

    `number` is a whole one as it is stored (E.164, or an extension), `head` how it begins, `tail`
    how it ends (digits). `operator` placed or answered the call, or it reached their phone;
    `involving` means the same: it is the right of whoever asks, not their wish. `clients` are ids:
    calls of any of them.
    """

    since: datetime | None = None
    until: datetime | None = None
    number: str | None = None
    head: str | None = None
    tail: str | None = None
    did: str | None = None
    operator: str | None = None
    disposition: Disposition | None = None
    direction: Direction | None = None
    client_id: int | None = None
    clients: tuple[int, ...] | None = None
    involving: str | None = None


EVERY = Filter()


def whose(where: Filter) -> str | None:
    """Return the operator whose calls are read. An empty right is one too: to no call at all."""
    return where.operator if where.involving is None else where.involving


def between(
    table: FromClause, begin: datetime | None, end: datetime | None
) -> list[ColumnElement[bool]]:
    """Return `begin` ≤ start < `end`."""
    wanted = []
    if begin is not None:
        wanted.append(table.c.started_at >= begin)
    if end is not None:
        wanted.append(table.c.started_at < end)
    return wanted


def of_kind(table: FromClause, where: Filter) -> list[ColumnElement[bool]]:
    """Return the direction and the disposition."""
    wanted = []
    if where.direction is not None:
        wanted.append(table.c.direction == where.direction.value)
    if where.disposition is not None:
        wanted.append(table.c.disposition == where.disposition.value)
    return wanted


def takes_part(started_at: Any, key: Any, extension: str) -> ColumnElement[bool]:
    """Return that an operator takes part, looked up for each row: for when there are few."""
    part = call_operator.alias()
    return exists().where(
        part.c.extension == extension, part.c.started_at == started_at, part.c.call_key == key
    )


def one_of_theirs(key: Any, extension: str, where: Filter) -> ColumnElement[bool]:
    """Return that an operator takes part, all their calls being read first: for when many rows."""
    part = call_operator.alias()
    theirs = select(part.c.call_key).where(
        part.c.extension == extension,
        *between(part, where.since, where.until),
        *of_kind(part, where),
    )
    # A sum is no column: no index of it leads anybody astray.
    found: ColumnElement[bool] = (key + 0).in_(theirs)
    return found


def conditions(table: FromClause, where: Filter) -> list[ColumnElement[bool]]:
    """Return everything that is asked of a row of `call`."""
    narrow = any(one is not None for one in (where.number, where.tail, where.client_id))
    wanted = [*between(table, where.since, where.until), *of_kind(table, where)]
    if where.number is not None:
        wanted.append(table.c.number == where.number)
    if where.head is not None:
        wanted += [table.c.number >= where.head, table.c.number < where.head + _AFTER_DIGITS]
    if where.tail is not None:
        back = where.tail[::-1]
        wanted += [table.c.tail >= back, table.c.tail < back + _AFTER_DIGITS]
    if where.did is not None:
        wanted.append(table.c.did == where.did)
    if where.client_id is not None:
        wanted.append(table.c.client_id == where.client_id)
    if where.clients is not None:
        wanted.append(table.c.client_id.in_(where.clients))
    for extension in {where.operator, where.involving} - {None}:
        if narrow:
            wanted.append(takes_part(table.c.started_at, table.c.id, str(extension)))
        else:
            wanted.append(one_of_theirs(table.c.id, str(extension), where))
    return wanted


def ordered(query: Any, started_at: Any, key: Any, order: Order) -> Any:
    """Return a query in this order, which is a whole one."""
    if order is Order.ASCENDING:
        return query.order_by(started_at.asc(), key.asc())
    return query.order_by(started_at.desc(), key.desc())
