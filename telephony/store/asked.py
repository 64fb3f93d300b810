"""What people type to find a call or a client, turned into a filter.

A number in any notation, how it begins (`+790011`), its last four digits or more, an extension, or
words of a client's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from telephony.domain.directory import Stage, assign
from telephony.domain.numbers import DIALLABLE, EXTENSION, normalise
from telephony.store.clients import ClientData, client, client_data, client_phone
from telephony.store.names import find_named, named
from telephony.store.search import Filter, Order
from telephony.store.setup import operator

CLIENTS = 200  # a name that fits more clients than this is too general to find calls by
SHORTEST_HEAD = 7
SHORTEST_TAIL = 4
_ROWS = 2000

_DECORATION = re.compile(r"[\s().\-‐-―/]+")
_HEAD = re.compile(r"\+[0-9]{6,14}", re.ASCII)
_TAIL = re.compile(r"[0-9]{4,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter, and whether the name fitted more clients than are looked at."""

    where: Filter
    too_many: bool = False


@dataclass(frozen=True, slots=True)
class ClientLine:
    """A client as lists show it; `phones` in E.164, managers and deputy are extensions."""

    id: int
    name: str
    phones: tuple[str, ...]
    manager: str | None
    deputy: str | None
    vip: bool
    stage: Stage
    sales_manager: str | None

    @property
    def responsible(self) -> str | None:
        """Whose client it is at this stage."""
        return assign(self.stage, self.manager, self.sales_manager).manager


@dataclass(frozen=True, slots=True)
class ClientLines:
    """One page of clients by name, and how many there are in all."""

    items: tuple[ClientLine, ...]
    total: int


def asked_number(where: Filter, text: str, country: str) -> Filter | None:
    """Return the filter narrowed to a number in any notation, its beginning or its end.

    None when the text is no number. `country` is as in `domain.numbers.normalise`.
    """
    compact = _DECORATION.sub("", text)
    whole = normalise(text, country)
    if whole is not None:
        return replace(where, number=whole)
    if _HEAD.fullmatch(compact):
        return replace(where, head=compact)
    if _TAIL.fullmatch(compact):
        return replace(where, tail=compact)
    if DIALLABLE.fullmatch(compact) or EXTENSION.fullmatch(compact):
        return replace(where, number=compact)
    return None


def asked(session: Session, where: Filter, text: str, country: str) -> Asked:
    """Return the filter narrowed by what was typed: a number, an extension, or a client's name.

    An extension that exists means its operator. A text of nothing searchable changes nothing.
    """
    compact = _DECORATION.sub("", text)
    if EXTENSION.fullmatch(compact) and where.operator is None:
        query = select(operator.c.extension).where(operator.c.extension == compact)
        if session.execute(query).first() is not None:
            return Asked(replace(where, operator=compact))
    by_number = asked_number(where, text, country)
    if by_number is not None:
        return Asked(by_number)
    if named(text) is None:
        return Asked(where if not text.strip() else replace(where, clients=()))
    ids = find_named(session, text, CLIENTS + 1)
    return Asked(replace(where, clients=tuple(ids[:CLIENTS])), len(ids) > CLIENTS)


def find_clients(
    session: Session,
    text: str = "",
    limit: int = 50,
    offset: int = 0,
    *,
    country: str,
    manager: str | None = None,
    order: Order = Order.ASCENDING,
) -> ClientLines:
    """Return a page of the clients whose name or number fits a text, by name, and their number.

    `manager` is an extension: only the clients that it is one of the two managers of.
    """
    wanted = _wanted(text, country, manager)
    total = session.execute(select(func.count()).select_from(client).where(*wanted)).scalar_one()
    if not limit or offset >= total:
        return ClientLines((), total)
    query = select(client).where(*wanted)
    if order is Order.ASCENDING:
        query = query.order_by(client.c.name, client.c.id)
    else:
        query = query.order_by(client.c.name.desc(), client.c.id.desc())
    rows = session.execute(query.limit(limit).offset(offset)).all()
    phones: dict[int, list[str]] = {row.id: [] for row in rows}
    numbers = select(client_phone.c.client_id, client_phone.c.number)
    for client_id, number in session.execute(
        numbers.where(client_phone.c.client_id.in_(phones)).order_by(client_phone.c.number)
    ):
        phones[client_id].append(number)
    items = tuple(
        ClientLine(
            id=row.id,
            name=row.name,
            phones=tuple(phones[row.id]),
            manager=row.manager,
            deputy=row.deputy,
            vip=row.vip,
            stage=Stage(row.stage),
            sales_manager=row.sales_manager,
        )
        for row in rows
    )
    return ClientLines(items, total)


def every_client(
    session: Session, text: str = "", *, country: str, manager: str | None = None
) -> Iterator[ClientData]:
    """Yield all clients that `find_clients` would find, whole, in the order they were added."""
    query = (
        select(client, client_phone.c.number)
        .outerjoin_from(client, client_phone)
        .where(*_wanted(text, country, manager))
        .order_by(client.c.id, client_phone.c.number)
        .execution_options(yield_per=_ROWS)
    )
    for _, rows in groupby(session.execute(query), key=lambda row: row.id):
        row, *more = rows
        numbers = (row.number, *(one.number for one in more))
        yield client_data(row, [number for number in numbers if number])


def _wanted(text: str, country: str, manager: str | None) -> list[ColumnElement[bool]]:
    ids = _clients(text, country)
    wanted: list[ColumnElement[bool]] = [] if ids is None else [client.c.id.in_(ids)]
    if manager is not None:
        wanted.append(or_(client.c.manager == manager, client.c.sales_manager == manager))
    return wanted


def _clients(text: str, country: str) -> Select[tuple[int]] | None:
    """Return a query for the ids of the clients that a text means; None when it means all."""
    if not text.strip():
        return None
    by_number = asked_number(Filter(), text, country)
    owners = select(client_phone.c.client_id)
    if by_number is None:
        found = named(text)
        return owners.where(client_phone.c.number == "") if found is None else found
    if by_number.number is not None:
        return owners.where(client_phone.c.number == by_number.number)
    if by_number.head is not None:
        return owners.where(client_phone.c.number.startswith(by_number.head))
    return owners.where(client_phone.c.number.endswith(by_number.tail or ""))
