"""Calendars and links of groups and operators that go: kept with the change that took them.

The change's undo puts them back as they were; else they go with its revision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, insert, or_, select
from sqlalchemy.orm import Session

from telephony.domain.setup import Setup
from telephony.store.calendars import Owner, calendar_feed
from telephony.store.shares import calendar_share
from telephony.store.tables import UtcDateTime

# A row by its columns, times in ISO 8601, below the name of its table.
Aside = Mapping[str, Sequence[Mapping[str, Any]]]

_TABLES = (calendar_feed, calendar_share)


def set_aside(session: Session, setup: Setup) -> Aside:
    """Delete what belongs to groups and operators that a set-up has not, and return it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in _TABLES:
        gone = or_(
            *(
                (table.c.owner_kind == kind.value) & table.c.owner.not_in(names)
                for kind, names in _owners(setup).items()
            )
        )
        rows = session.execute(delete(table).where(gone).returning(*table.c)).mappings()
        found[table.name] = [_written(row) for row in rows]
    return {name: rows for name, rows in found.items() if rows}


def put_back(session: Session, setup: Setup, asides: Sequence[Aside]) -> bool:
    """Put back what belongs to groups and operators of a set-up; tell whether there was any.

    Of what was set aside more than once the first of `asides` counts.
    """
    owners = _owners(setup)
    put = False
    for table in _TABLES:
        there = set(session.execute(select(table.c.id)).scalars())
        for aside in asides:
            for row in aside.get(table.name, ()):
                if row["id"] not in there and row["owner"] in owners[Owner(row["owner_kind"])]:
                    session.execute(insert(table).values(_read(table, row)))
                    there.add(row["id"])
                    put = True
    return put


def _owners(setup: Setup) -> dict[Owner, list[str]]:
    return {Owner.GROUP: list(setup.groups), Owner.OPERATOR: list(setup.operators)}


def _written(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(name): value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _read(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        column.name: datetime.fromisoformat(value)
        if isinstance(column.type, UtcDateTime) and value is not None
        else value
        for column in table.c
        if (value := row.get(column.name)) is not None
    }
