"""What belongs to groups and operators beside the set-up: calendars and links to duty.

They follow a group to its new name. When their owner goes they are kept with the change that took
it, and the undo puts them back as they were; else they go with its revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, case, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from telephony.domain.setup import Setup
from telephony.store.calendars import Owner, calendar_feed
from telephony.store.shares import calendar_share
from telephony.store.tables import UtcDateTime

# What one change did: `renamed` maps groups' old names to new ones; below the names of tables stand
# the rows that it took, by their columns, times in ISO 8601. JSON.
Aside = Mapping[str, Any]

_RENAMED = "renamed"
_TABLES = (calendar_feed, calendar_share)


def rename_owners(session: Session, renamed: Mapping[str, str]) -> None:
    """Let what belongs to groups follow them; `renamed` maps old names to new ones."""
    if not renamed:
        return
    for table in _TABLES:
        owner = table.c.owner
        session.execute(
            update(table)
            .where(table.c.owner_kind == Owner.GROUP.value, owner.in_(list(renamed)))
            .values(owner=case(dict(renamed), value=owner))
        )


def set_aside(session: Session, setup: Setup, renamed: Mapping[str, str]) -> Aside:
    """Delete what belongs to nobody of a set-up; return that, and `renamed`, for `take_back`."""
    owners = {Owner.GROUP: setup.groups, Owner.OPERATOR: setup.operators}
    found: dict[str, Any] = {_RENAMED: dict(renamed)}
    for table in _TABLES:
        gone = or_(
            *(
                (table.c.owner_kind == kind.value) & table.c.owner.not_in(list(names))
                for kind, names in owners.items()
            )
        )
        rows = session.execute(delete(table).where(gone).returning(*table.c)).mappings()
        found[table.name] = list(_written(rows))
    return {name: what for name, what in found.items() if what}


def take_back(session: Session, asides: Sequence[Aside]) -> None:
    """Take back what changes did, the newest first; `set_aside` then takes what has no owner."""
    for aside in asides:
        for table in _TABLES:
            there = set(session.execute(select(table.c.id)).scalars())
            for row in aside.get(table.name, ()):
                if row["id"] not in there:
                    session.execute(insert(table).values(_read(table, row)))
        rename_owners(session, {new: old for old, new in aside.get(_RENAMED, {}).items()})


def renamed_back(asides: Sequence[Aside]) -> dict[str, str]:
    """Return today's name → the name before these changes, the newest of which comes first."""
    found: dict[str, str] = {}
    for aside in asides:
        today = {was: name for name, was in found.items()}
        for old, new in aside.get(_RENAMED, {}).items():
            found[today.get(new, new)] = old
    return found


def _written(rows: Any) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {
            str(name): value.isoformat() if isinstance(value, datetime) else value
            for name, value in row.items()
        }


def _read(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: row[name] for name in table.c.keys() if row.get(name) is not None}  # noqa: SIM118
    return {
        name: datetime.fromisoformat(value)
        if isinstance(table.c[name].type, UtcDateTime)
        else value
        for name, value in values.items()
    }
