"""Facts for others to act on: rows written in the same transaction as their cause.

The relay claims a fact by raising its `attempt` and giving it a lease; a job that holds an older
attempt changes nothing. A lease that ran out makes the fact due again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from telephony.store.tables import BigKey, Json, UtcDateTime, in_turn, insert_or_ignore, metadata

# `lease_until`: until then a job has it, or it rests after a failure; None: nobody had it yet.
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
    Column("last_error", Text),
    UniqueConstraint("key"),
    Index(None, "done_at", "id"),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened. `key` names it for good: a second fact of the key is ignored.

    `at` is when it happened, if not at the moment at which it is added.
    """

    kind: str
    key: str
    payload: dict[str, Any]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A fact as it lies in the outbox."""

    id: int
    kind: str
    key: str
    payload: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that the relay took for a job; the job may act while `attempt` is the row's."""

    id: int
    kind: str
    attempt: int


def add_facts(session: Session, facts: Sequence[Fact], now: datetime) -> None:
    """Insert the facts whose keys are new."""
    if not facts:
        return
    in_turn(session)
    session.execute(
        insert_or_ignore(session, outbox, key=("key",)),
        [
            {
                "kind": fact.kind,
                "key": fact.key,
                "payload": fact.payload,
                "created_at": fact.at or now,
            }
            for fact in facts
        ],
    )


def due_facts(session: Session, now: datetime, limit: int, *, fresh: bool = False) -> Sequence[int]:
    """Return at most `limit` ids of facts that wait for a job, oldest first.

    With `fresh` only of those that no job was ever made for.
    """
    query = select(outbox.c.id).where(_due(now)).order_by(outbox.c.id).limit(limit)
    if fresh:
        query = query.where(outbox.c.lease_until.is_(None))
    return session.execute(query).scalars().all()


def claim_facts(
    session: Session, ids: Sequence[int], now: datetime, lease: timedelta
) -> list[Claim]:
    """Take those of the facts that are still due, until `lease` from now, in the order of ids."""
    taken = session.execute(
        update(outbox)
        .where(outbox.c.id.in_(ids), _due(now))
        .values(attempt=outbox.c.attempt + 1, lease_until=now + lease)
        .returning(outbox.c.id, outbox.c.kind, outbox.c.attempt)
    )
    return sorted((Claim(*row) for row in taken), key=lambda claim: claim.id)


def release_facts(session: Session, claims: Sequence[Claim]) -> None:
    """Give back facts whose jobs could not be enqueued: they are due at once."""
    for claim in claims:
        session.execute(
            update(outbox).where(_held(claim.id, claim.attempt)).values(lease_until=None)
        )


def finish_fact(session: Session, key: int, attempt: int, now: datetime) -> StoredFact | None:
    """Mark a fact as done and return it; None when it was done, or another attempt has it."""
    row = session.execute(
        update(outbox)
        .where(_held(key, attempt))
        .values(done_at=now, lease_until=None, last_error=None)
        .returning(outbox.c.id, outbox.c.kind, outbox.c.key, outbox.c.payload, outbox.c.created_at)
    ).one_or_none()
    return None if row is None else StoredFact(*row)


def postpone_fact(session: Session, key: int, attempt: int, until: datetime, error: str) -> None:
    """Let a fact rest until then, and keep why its job failed."""
    session.execute(
        update(outbox).where(_held(key, attempt)).values(lease_until=until, last_error=error)
    )


def get_fact(session: Session, key: int) -> StoredFact | None:
    """Return a fact by its id."""
    row = session.execute(
        select(
            outbox.c.id, outbox.c.kind, outbox.c.key, outbox.c.payload, outbox.c.created_at
        ).where(outbox.c.id == key)
    ).one_or_none()
    return None if row is None else StoredFact(*row)


def pending_facts(session: Session) -> tuple[int, datetime | None]:
    """Return how many facts are not done, and when the oldest of them was written."""
    waiting = outbox.c.done_at.is_(None)
    count = session.execute(select(func.count()).where(waiting)).scalar_one()
    oldest = session.execute(
        select(outbox.c.created_at).where(waiting).order_by(outbox.c.id).limit(1)
    ).scalar_one_or_none()
    return count, oldest


def old_facts(session: Session, before: datetime, limit: int) -> Sequence[int]:
    """Return at most `limit` ids of facts that were done before then; never the newest fact's.

    SQLite goes on counting from the greatest id there is: were all gone, ids would begin anew, and
    whoever remembers up to which one it has read would miss the next.
    """
    newest = select(func.max(outbox.c.id)).scalar_subquery()
    query = select(outbox.c.id).where(outbox.c.done_at < before, outbox.c.id < newest).limit(limit)
    return session.execute(query).scalars().all()


def delete_facts(session: Session, ids: Sequence[int]) -> None:
    """Delete facts with their deliveries."""
    session.execute(delete(outbox).where(outbox.c.id.in_(ids)))


def _due(now: datetime) -> ColumnElement[bool]:
    free = or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now)
    return outbox.c.done_at.is_(None) & free


def _held(key: int, attempt: int) -> ColumnElement[bool]:
    mine = (outbox.c.id == key) & (outbox.c.attempt == attempt)
    return mine & outbox.c.done_at.is_(None)
