"""Announcements that were uploaded: as Asterisk plays them, and when they changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Float, LargeBinary, Table, Text, delete, select, update
from sqlalchemy.orm import Session

from telephony.domain.announcements import NAME
from telephony.store.tables import UtcDateTime, metadata, upsert

announcement = Table(
    "announcement",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("digest", Text, nullable=False),
    Column("wav", LargeBinary, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Announcement:
    """A sound: `name` is what rules call it (`@name`), `digest` the SHA-256 of its WAV file."""

    name: str
    title: str
    seconds: float
    digest: str
    changed_at: datetime


_COLUMNS = [column for column in announcement.columns if column.name != "wav"]


def list_announcements(session: Session) -> list[Announcement]:
    """Return all announcements by name, without their sounds."""
    rows = session.execute(select(*_COLUMNS).order_by(announcement.c.name)).mappings()
    return [Announcement(**row) for row in rows]


def get_announcement(session: Session, name: str) -> Announcement | None:
    """Return one announcement, None when there is none."""
    if not NAME.fullmatch(name):  # a NUL is more than PostgreSQL can look for
        return None
    row = session.execute(select(*_COLUMNS).where(announcement.c.name == name)).mappings().first()
    return None if row is None else Announcement(**row)


def get_wav(session: Session, name: str) -> bytes | None:
    """Return the WAV file of an announcement, None when there is none."""
    if not NAME.fullmatch(name):
        return None
    return session.execute(
        select(announcement.c.wav).where(announcement.c.name == name)
    ).scalar_one_or_none()


def save_announcement(session: Session, one: Announcement, wav: bytes) -> None:
    """Insert an announcement, or put it in place of the one of its name."""
    values: Mapping[str, object] = {name: getattr(one, name) for name in one.__slots__}
    session.execute(upsert(session, announcement, key=("name",)), [{**values, "wav": wav}])


def retitle(session: Session, name: str, title: str) -> None:
    """Give an announcement another title; its sound stays."""
    session.execute(update(announcement).where(announcement.c.name == name).values(title=title))


def delete_announcement(session: Session, name: str) -> bool:
    """Delete an announcement; tell whether there was one."""
    gone = delete(announcement).where(announcement.c.name == name).returning(announcement.c.name)
    return session.execute(gone).scalar_one_or_none() is not None
