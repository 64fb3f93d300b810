"""What the set-up was before each of its last changes, and who made them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, delete, func, insert, select
from sqlalchemy.orm import Session

from telephony.store.aside import Aside
from telephony.store.tables import Json, UtcDateTime, metadata

KEPT = 500
_GREATEST = 2**63 - 1

# `version` is the set-up's version that the change made; `before` is the set-up's file before it,
# compressed; `undid` is the version that it took back; `differences` are those of configfile;
# `aside` is what store.aside kept of what the change took along.
setup_revision = Table(
    "setup_revision",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("undid", BigInteger),
    Column("differences", Json, nullable=False),
    Column("before", LargeBinary, nullable=False),
    Column("aside", Json),
)


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of the set-up: who made which `version` of it when, and what changed.

    `undid` is the version whose change (with all later ones) it took back.
    """

    version: int
    at: datetime
    actor: str
    undid: int | None
    differences: list[dict[str, Any]]


def add_revision(
    session: Session, revision: Revision, before: str, aside: Aside | None = None
) -> None:
    """Keep a change with the file of the set-up `before` it and what it set aside.

    The oldest beyond 500 are dropped.
    """
    values = {name: getattr(revision, name) for name in revision.__slots__}
    packed = zlib.compress(before.encode())
    session.execute(insert(setup_revision).values(**values, before=packed, aside=aside or None))
    column = setup_revision.c.version
    kept = select(column).order_by(column.desc()).offset(KEPT - 1).limit(1).scalar_subquery()
    session.execute(delete(setup_revision).where(column < kept))


def list_revisions(session: Session, *, limit: int, offset: int) -> tuple[list[Revision], int]:
    """Return a page of the changes, newest first, and how many there are."""
    total = session.execute(select(func.count()).select_from(setup_revision)).scalar_one()
    query = select(*_COLUMNS).order_by(setup_revision.c.version.desc())
    rows = session.execute(query.limit(limit).offset(offset)).mappings()
    return [Revision(**row) for row in rows], int(total)


def get_revision(session: Session, version: int) -> tuple[Revision, str] | None:
    """Return the change that made a version, and the file of the set-up before it."""
    if version > _GREATEST:
        return None
    query = select(*_COLUMNS, setup_revision.c.before).where(setup_revision.c.version == version)
    row = session.execute(query).mappings().one_or_none()
    if row is None:
        return None
    values = dict(row)
    before = zlib.decompress(values.pop("before")).decode()
    return Revision(**values), before


def revisions_since(session: Session, version: int) -> list[Revision]:
    """Return the changes after a version, oldest first, as far as they are kept."""
    column = setup_revision.c.version
    rows = session.execute(select(*_COLUMNS).where(column > version).order_by(column)).mappings()
    return [Revision(**row) for row in rows]


def asides_since(session: Session, version: int) -> Sequence[Aside]:
    """Return what the change that made a version and all later ones set aside, newest first."""
    column = setup_revision.c
    query = select(column.aside).where(column.version >= version, column.aside.is_not(None))
    return session.execute(query.order_by(column.version.desc())).scalars().all()


_COLUMNS = tuple(setup_revision.c[name] for name in Revision.__slots__)
