"""Who changed what in the panel: lines that are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Column, Index, Integer, Table, Text, func, insert, select
from sqlalchemy.orm import Session

from telephony.store.tables import BigKey, Json, UtcDateTime, metadata

# `actor` is a login, or the words `command line`; `address` is empty there.
audit = Table(
    "audit",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("user_id", Integer),
    Column("actor", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("details", Json, nullable=False),
    Index(None, "user_id"),
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who (`actor`, from `address`) did what (`action`) to whom or what (`target`)."""

    at: datetime
    user_id: int | None
    actor: str
    address: str
    action: str
    target: str
    details: dict[str, Any]


class Note(Protocol):
    """Writes a line for whoever acts here, in the transaction of what was done."""

    def __call__(self, session: Session, action: str, target: str, **details: Any) -> None:
        """Write that `action` was done to `target`."""


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return name → old and new of what is another: the details of a change."""
    return {
        name: {"old": before.get(name), "new": after.get(name)}
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }


def add_audit(session: Session, entry: AuditEntry) -> None:
    """Write one line of the audit log."""
    session.execute(
        insert(audit).values(**{name: getattr(entry, name) for name in entry.__slots__})
    )


def list_audit(
    session: Session, *, limit: int, offset: int, actor: str = "", action: str = ""
) -> tuple[list[AuditEntry], int]:
    """Return a page of the audit log, newest first, and how many lines there are."""
    where = []
    if actor:
        where.append(audit.c.actor == actor)
    if action:
        where.append(audit.c.action == action)
    total = session.execute(select(func.count()).select_from(audit).where(*where)).scalar_one()
    columns = [column for column in audit.columns if column.name != "id"]
    query = select(*columns).where(*where).order_by(audit.c.id.desc())
    rows = session.execute(query.limit(limit).offset(offset)).mappings()
    return [AuditEntry(**row) for row in rows], int(total)
