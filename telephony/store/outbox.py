"""Facts for others to act on: rows written in the same transaction as their cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint
from sqlalchemy.orm import Session

from telephony.store.tables import BigKey, Json, UtcDateTime, insert_or_ignore, metadata

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("payload", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("lease_until", UtcDateTime),
    UniqueConstraint("key"),
    Index(None, "done_at", "id"),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened. `key` names it for good: a second fact of the key is ignored."""

    kind: str
    key: str
    payload: dict[str, Any]


def add_facts(session: Session, facts: Sequence[Fact], now: datetime) -> None:
    """Insert the facts whose keys are new."""
    if not facts:
        return
    session.execute(
        insert_or_ignore(session, outbox, key=("key",)),
        [
            {"kind": fact.kind, "key": fact.key, "payload": fact.payload, "created_at": now}
            for fact in facts
        ],
    )
