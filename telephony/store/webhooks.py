"""Webhooks: where facts about calls are sent by HTTP. Addresses and secrets are kept sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, Row, Table, Text, delete, insert, select, update
from sqlalchemy.orm import Session

from telephony.store.tables import Json, UtcDateTime, metadata

# `place` is what of the address may be shown: scheme, host and port. `url` and `secret` are sealed
# (the path of an address often is a password); `enabled` is 0 or 1; `problem` is why it is not,
# empty when somebody paused it.
webhook = Table(
    "webhook",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("form", Text, nullable=False),
    Column("events", Json, nullable=False),
    Column("place", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text),
    Column("enabled", Integer, nullable=False, server_default="1"),
    Column("problem", Text),
    Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook. `form` is standard or zammad; `url` and `secret` are sealed."""

    id: int
    form: str
    events: tuple[str, ...]
    place: str
    url: str
    secret: str | None
    enabled: bool
    problem: str | None
    created_at: datetime


def add_webhook(
    session: Session,
    *,
    form: str,
    events: tuple[str, ...],
    place: str,
    url: str,
    secret: str | None,
    now: datetime,
) -> int:
    """Insert a webhook; return its id."""
    made = session.execute(
        insert(webhook)
        .values(
            form=form,
            events=list(events),
            place=place,
            url=url,
            secret=secret,
            enabled=1,
            created_at=now,
        )
        .returning(webhook.c.id)
    )
    return int(made.scalar_one())


def get_webhook(session: Session, key: int) -> Webhook | None:
    """Return a webhook by its id."""
    row = session.execute(select(webhook).where(webhook.c.id == key)).one_or_none()
    return None if row is None else _webhook(row)


def list_webhooks(session: Session) -> list[Webhook]:
    """Return all webhooks in the order in which they were added."""
    return [_webhook(row) for row in session.execute(select(webhook).order_by(webhook.c.id))]


def save_webhook(session: Session, key: int, **values: Any) -> bool:
    """Give a webhook other `events`, another `place` and `url`; tell whether there is one."""
    saved = session.execute(
        update(webhook).where(webhook.c.id == key).values(**values).returning(webhook.c.id)
    )
    return saved.one_or_none() is not None


def disable_webhook(session: Session, key: int, problem: str | None) -> bool:
    """Stop sending to a webhook and keep why (None: paused); tell whether it was enabled."""
    stopped = session.execute(
        update(webhook)
        .where(webhook.c.id == key, webhook.c.enabled == 1)
        .values(enabled=0, problem=problem)
        .returning(webhook.c.id)
    )
    return stopped.one_or_none() is not None


def enable_webhook(session: Session, key: int) -> bool:
    """Send to a webhook again; tell whether there is one."""
    started = session.execute(
        update(webhook)
        .where(webhook.c.id == key)
        .values(enabled=1, problem=None)
        .returning(webhook.c.id)
    )
    return started.one_or_none() is not None


def remove_webhook(session: Session, key: int) -> bool:
    """Delete a webhook; tell whether there was one."""
    gone = session.execute(delete(webhook).where(webhook.c.id == key).returning(webhook.c.id))
    return gone.one_or_none() is not None


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        id=row.id,
        form=row.form,
        events=tuple(row.events),
        place=row.place,
        url=row.url,
        secret=row.secret,
        enabled=bool(row.enabled),
        problem=row.problem,
        created_at=row.created_at,
    )
