"""How far what the PBX writes down about its calls is known already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, Table, Text, select
from sqlalchemy.orm import Session

from telephony.store.tables import UtcDateTime, metadata, upsert

# `name` is queue_log, cdr_file or events; `inode` and `offset` are 0 where there is no file;
# `seen_at` is until when, on the PBX's clock, the live events were followed.
log_cursor = Table(
    "log_cursor",
    metadata,
    Column("name", Text, primary_key=True),
    Column("inode", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a file that grows; `seen_at` is aware."""

    name: str
    inode: int
    offset: int
    seen_at: datetime


def load_cursors(session: Session) -> dict[str, Cursor]:
    """Return every cursor by its name."""
    return {
        row.name: Cursor(row.name, row.inode, row.offset, row.seen_at)
        for row in session.execute(select(log_cursor))
    }


def save_cursors(session: Session, cursors: list[Cursor]) -> None:
    """Insert or move cursors."""
    if cursors:
        session.execute(
            upsert(session, log_cursor, key=("name",)),
            [
                {
                    "name": one.name,
                    "inode": one.inode,
                    "offset": one.offset,
                    "seen_at": one.seen_at,
                }
                for one in cursors
            ],
        )
