"""The version of the directory and of the set-up, and what changed since a version.

One row is bumped in the same transaction as any change. Its lock makes changes commit in the order
of their versions, so that `version > last` misses none; ids from a sequence would not do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Index, Integer, Table, select, tuple_, update
from sqlalchemy.orm import Session

from telephony.domain.directory import Client, ClientChange, Stage, assign
from telephony.store.clients import client, client_phone
from telephony.store.tables import Json, metadata, upsert

directory_version = Table(
    "directory_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("setup_version", BigInteger, nullable=False),
)

# One row per client that was ever changed, not one per change: it does not grow with time.
directory_change = Table(
    "directory_change",
    metadata,
    Column("client_id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("removed", Json, nullable=False),
    Index(None, "version", "client_id"),
)

CHUNK = 200
_IDS = 5000


class Version(NamedTuple):
    """The directory's version, and the version in which the set-up changed last."""

    version: int
    setup_version: int


def current_version(session: Session) -> Version:
    """Return the version that this session sees."""
    row = session.execute(
        select(directory_version.c.version, directory_version.c.setup_version)
    ).one()
    return Version(*row)


def lock_version(session: Session) -> Version:
    """Return the version; in a write transaction other writers wait from here to the commit."""
    row = session.execute(
        select(directory_version.c.version, directory_version.c.setup_version).with_for_update()
    ).one()
    return Version(*row)


def client_version(session: Session, client_id: int) -> int:
    """Return the version in which a client was changed last; 0 when nothing is known of it."""
    query = select(directory_change.c.version).where(directory_change.c.client_id == client_id)
    return session.execute(query).scalar() or 0


def bump(session: Session, *, setup: bool = False) -> int:
    """Begin a new version and return it; other writers of the directory wait until the commit."""
    values: dict[str, Any] = {"version": directory_version.c.version + 1}
    if setup:
        values["setup_version"] = directory_version.c.version + 1
    version: int = session.execute(
        update(directory_version).values(values).returning(directory_version.c.version)
    ).scalar_one()
    return version


def note_changes(
    session: Session, version: int, changed: Collection[int], removed: Mapping[int, Collection[str]]
) -> None:
    """Note under a version which clients changed, and which numbers they have no more.

    Numbers removed in versions before are kept: a listener may not have seen them yet.
    """
    ids = list(changed)
    for start in range(0, len(ids), _IDS):
        part = ids[start : start + _IDS]
        known = session.execute(
            select(directory_change.c.client_id, directory_change.c.removed).where(
                directory_change.c.client_id.in_(part)
            )
        )
        before: dict[int, list[str]] = {row.client_id: row.removed for row in known}
        session.execute(
            upsert(session, directory_change, key=("client_id",)),
            [
                {
                    "client_id": client_id,
                    "version": version,
                    "removed": sorted({*before.get(client_id, ()), *removed.get(client_id, ())}),
                }
                for client_id in part
            ],
        )


def changes_since(session: Session, version: int) -> tuple[int, list[ClientChange], bool]:
    """Return (version now, every client changed after `version`, whether the set-up changed)."""
    now = current_version(session)
    changes = [change for chunk in iter_changes(session, version) for change in chunk]
    return now.version, changes, now.setup_version > version


def iter_changes(session: Session, version: int) -> Iterator[list[ClientChange]]:
    """Yield the clients changed after `version`, as they are now, at most 200 at a time.

    In the order of their last change. A client that is gone has no numbers and an empty name.
    """
    after = (version, 2**31 - 1)
    change = directory_change.c
    while True:
        rows = session.execute(
            select(
                change.version,
                change.client_id,
                change.removed,
                client.c.name,
                client.c.stage,
                client.c.manager,
                client.c.sales_manager,
                client.c.deputy,
                client.c.vip,
            )
            .outerjoin_from(directory_change, client, client.c.id == change.client_id)
            .where(tuple_(change.version, change.client_id) > after)
            .order_by(change.version, change.client_id)
            .limit(CHUNK)
        ).all()
        if not rows:
            return
        numbers: dict[int, list[str]] = {row.client_id: [] for row in rows}
        phones = select(client_phone.c.client_id, client_phone.c.number)
        for client_id, number in session.execute(
            phones.where(client_phone.c.client_id.in_(list(numbers)))
        ):
            numbers[client_id].append(number)
        yield [
            ClientChange(
                Client(
                    row.client_id,
                    row.name or "",
                    assign(
                        Stage(row.stage or Stage.CUSTOMER),
                        row.manager,
                        row.sales_manager,
                        row.deputy,
                        bool(row.vip),
                    ),
                ),
                numbers=tuple(numbers[row.client_id]),
                removed=tuple(n for n in row.removed if n not in numbers[row.client_id]),
            )
            for row in rows
        ]
        after = (rows[-1].version, rows[-1].client_id)
