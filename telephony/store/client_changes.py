"""Changing clients: every change is noted for the listeners in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.orm import Session

from telephony.store.clients import ClientData, client, client_phone, get_clients
from telephony.store.directory import bump, note_changes
from telephony.store.names import index_names


@dataclass(frozen=True, slots=True)
class Saved:
    """What `save_clients` did: the new version and the ids of the new clients, in their order."""

    version: int
    ids: tuple[int, ...] = ()


def save_clients(
    session: Session,
    new: Sequence[ClientData] = (),
    changed: Mapping[int, ClientData] | None = None,
    *,
    version: int | None = None,
) -> Saved:
    """Insert new clients and overwrite changed ones with their numbers, as one version.

    `version` is one that this session began by `bump`; without it a version is begun here.
    Raises sqlalchemy's IntegrityError when a number belongs to somebody else or an extension is
    unknown, KeyError when a changed client does not exist.
    """
    changed = changed or {}
    if version is None:
        version = bump(session)
    before = get_clients(session, changed)
    removed = {key: set(before[key].phones) - set(data.phones) for key, data in changed.items()}
    added = [
        {"number": number, "client_id": key}
        for key, data in changed.items()
        for number in data.phones
        if number not in before[key].phones
    ]
    # First all that goes, then all that comes: a number may go from one client to another.
    gone = [{"old": number} for numbers in removed.values() for number in numbers]
    if gone:
        session.execute(delete(client_phone).where(client_phone.c.number == bindparam("old")), gone)
    if changed:
        session.execute(
            update(client)
            .where(client.c.id == bindparam("key"))
            .values({name: bindparam(name) for name in _FIELDS}),
            [_values(data) | {"key": key} for key, data in changed.items()],
        )
    renamed = {key: data.name for key, data in changed.items() if data.name != before[key].name}
    index_names(session, renamed, new=False)
    ids = _insert(session, new)
    index_names(session, dict(zip(ids, [data.name for data in new], strict=True)), new=True)
    added += [
        {"number": number, "client_id": key}
        for key, data in zip(ids, new, strict=True)
        for number in data.phones
    ]
    if added:
        session.execute(insert(client_phone), added)
    note_changes(session, version, [*changed, *ids], removed)
    return Saved(version, tuple(ids))


def delete_clients(session: Session, ids: Collection[int]) -> int:
    """Delete clients with their numbers; return the new version. Their calls stay."""
    version = bump(session)
    before = get_clients(session, ids)
    if before:
        session.execute(
            delete(client).where(client.c.id == bindparam("key")), [{"key": key} for key in before]
        )
        note_changes(session, version, before, {key: data.phones for key, data in before.items()})
    return version


_FIELDS = ("name", "manager", "deputy", "vip", "notes", "stage", "sales_manager", "zone")


def _values(data: ClientData) -> dict[str, Any]:
    return {name: getattr(data, name) for name in _FIELDS}


def _insert(session: Session, new: Sequence[ClientData]) -> list[int]:
    if not new:
        return []
    statement = insert(client).returning(client.c.id, sort_by_parameter_order=True)
    return list(session.execute(statement, [_values(data) for data in new]).scalars())
