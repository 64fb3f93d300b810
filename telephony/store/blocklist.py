"""The block list: every change of it is a change of the set-up, which listeners follow."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from telephony.domain.blocklist import Blocked, Blocklist, patterns_of
from telephony.store.directory import bump
from telephony.store.tables import UtcDateTime, metadata

# It is kept in every listener's memory and read as a whole when the set-up changes.
MOST = 10_000

# Ids are never given again: a page that is still open must not delete another line.
blocked = Table(
    "blocked",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pattern", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
    UniqueConstraint("pattern"),
    sqlite_autoincrement=True,
)

_LINE = [column for column in blocked.columns if column.name != "id"]


@dataclass(frozen=True, slots=True)
class BlockedPage:
    """One page of the list, newest first, each line with its id, and how many there are."""

    items: tuple[tuple[int, Blocked], ...]
    total: int


class TooManyError(Exception):
    """The list would get longer than MOST lines."""


def load_blocklist(session: Session) -> Blocklist:
    """Return the whole list in the order in which it grew."""
    rows = session.execute(select(*_LINE).order_by(blocked.c.id))
    return Blocklist(tuple(Blocked(*row) for row in rows))


def blocked_of(session: Session, numbers: Collection[str], at: datetime) -> set[str]:
    """Return those of the numbers (E.164) that the list blocks at an aware moment.

    The list is read for them alone, however long it is.
    """
    patterns = {one: patterns_of(one, range(len(one), 1, -1)) for one in numbers}
    wanted = sorted({each for some in patterns.values() for each in some})
    query = select(blocked.c.pattern).where(
        blocked.c.pattern.in_(wanted), or_(blocked.c.until.is_(None), blocked.c.until > at)
    )
    found = set(session.execute(query).scalars())
    return {one for one, some in patterns.items() if not found.isdisjoint(some)}


def get_blocked(session: Session, line_id: int) -> Blocked | None:
    """Return one line."""
    row = session.execute(select(*_LINE).where(blocked.c.id == line_id)).first()
    return None if row is None else Blocked(*row)


def find_pattern(session: Session, pattern: str) -> tuple[int, Blocked] | None:
    """Return the line of a pattern with its id."""
    query = select(blocked.c.id, *_LINE).where(blocked.c.pattern == pattern)
    row = session.execute(query).first()
    return None if row is None else (row[0], Blocked(*row[1:]))


def list_blocked(
    session: Session, *, limit: int, offset: int, search: str = "", now: datetime | None = None
) -> BlockedPage:
    """Return a page of the lines in which a text stands, in any case of letters.

    With `now` only those that still count then.
    """
    where: list[ColumnElement[bool]] = []
    if search:
        columns = (blocked.c.pattern, blocked.c.reason, blocked.c.added_by)
        where.append(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    if now is not None:
        where.append(or_(blocked.c.until.is_(None), blocked.c.until > now))
    total = session.execute(select(func.count()).select_from(blocked).where(*where)).scalar_one()
    query = select(blocked.c.id, *_LINE).where(*where).order_by(blocked.c.id.desc())
    rows = session.execute(query.limit(limit).offset(offset))
    return BlockedPage(tuple((row[0], Blocked(*row[1:])) for row in rows), int(total))


def block(session: Session, lines: Sequence[Blocked]) -> list[int]:
    """Put lines on the list, in place of those of the same patterns; return their ids.

    Raises TooManyError, before anything is written.
    """
    bump(session, setup=True)
    patterns = [line.pattern for line in lines]
    kept = select(func.count()).select_from(blocked).where(blocked.c.pattern.not_in(patterns))
    if session.execute(kept).scalar_one() + len(lines) > MOST:
        raise TooManyError
    session.execute(delete(blocked).where(blocked.c.pattern.in_(patterns)))
    statement = insert(blocked).returning(blocked.c.id, sort_by_parameter_order=True)
    return list(session.execute(statement, [_values(line) for line in lines]).scalars())


def amend(session: Session, line_id: int, reason: str, until: datetime | None) -> None:
    """Give a line another reason and another end."""
    bump(session, setup=True)
    session.execute(
        update(blocked).where(blocked.c.id == line_id).values(reason=reason, until=until)
    )


def unblock(session: Session, ids: Collection[int]) -> int:
    """Take lines off the list; return how many were there."""
    found = session.execute(
        delete(blocked).where(blocked.c.id.in_(list(ids))).returning(blocked.c.id)
    ).all()
    if found:
        bump(session, setup=True)
    return len(found)


def _values(line: Blocked) -> dict[str, Any]:
    return {name: getattr(line, name) for name in Blocked.__slots__}
