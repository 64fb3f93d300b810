"""Links by which calendars of duty are subscribed to: secret, kept as hashes, gone when revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    Row,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from telephony.store.calendars import Owner
from telephony.store.tables import UtcDateTime, metadata

calendar_share = Table(
    "calendar_share",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner_kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("lunch", Boolean, nullable=False),
    Column("language", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    UniqueConstraint("token_hash"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Share:
    """A link to the duty of a group or an operator; `made_by` is a login."""

    id: int
    owner_kind: Owner
    owner: str
    lunch: bool
    language: str
    made_by: str
    created_at: datetime
    used_at: datetime | None = None


def add_share(session: Session, token_hash: str, share: Share) -> int:
    """Insert a link; return its id."""
    made = session.execute(
        insert(calendar_share)
        .values(
            owner_kind=share.owner_kind.value,
            owner=share.owner,
            token_hash=token_hash,
            lunch=share.lunch,
            language=share.language,
            made_by=share.made_by,
            created_at=share.created_at,
        )
        .returning(calendar_share.c.id)
    )
    return int(made.scalar_one())


def get_share(session: Session, key: int) -> Share | None:
    """Return a link by its id."""
    row = session.execute(select(calendar_share).where(calendar_share.c.id == key)).one_or_none()
    return None if row is None else _share(row)


def share_by_hash(session: Session, token_hash: str) -> Share | None:
    """Return the link of a token's hash."""
    query = select(calendar_share).where(calendar_share.c.token_hash == token_hash)
    row = session.execute(query).one_or_none()
    return None if row is None else _share(row)


def list_shares(session: Session) -> list[Share]:
    """Return all links, by their owners."""
    columns = calendar_share.c
    query = select(calendar_share).order_by(columns.owner_kind, columns.owner, columns.id)
    return [_share(row) for row in session.execute(query)]


def touch_share(session: Session, key: int, now: datetime) -> None:
    """Keep when a link was used last."""
    session.execute(update(calendar_share).where(calendar_share.c.id == key).values(used_at=now))


def remove_share(session: Session, key: int) -> bool:
    """Revoke a link; tell whether there was one."""
    gone = session.execute(
        delete(calendar_share).where(calendar_share.c.id == key).returning(calendar_share.c.id)
    )
    return gone.one_or_none() is not None


def _share(row: Row[tuple[object, ...]]) -> Share:
    return Share(
        id=row.id,
        owner_kind=Owner(row.owner_kind),
        owner=row.owner,
        lunch=row.lunch,
        language=row.language,
        made_by=row.made_by,
        created_at=row.created_at,
        used_at=row.used_at,
    )
