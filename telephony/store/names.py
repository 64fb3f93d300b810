"""Clients by the words of their names: each word is found by its beginning, in any case."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    Select,
    Table,
    bindparam,
    delete,
    insert,
    intersect,
    select,
)
from sqlalchemy.orm import Session

from telephony.store.call_tables import Digits
from telephony.store.tables import metadata

# Words are kept as `words` makes them.
client_word = Table(
    "client_word",
    metadata,
    Column("word", Digits, primary_key=True),
    Column("client_id", Integer, ForeignKey("client.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "client_id"),
    sqlite_with_rowid=False,
)

_WORD = re.compile(r"\w+")
_LAST = "\U0010ffff"


def words(name: str) -> list[str]:
    """Return the words of a name, each once, in lower case as Unicode has it."""
    return sorted(set(_WORD.findall(name.casefold())))


def index_names(session: Session, names: Mapping[int, str], *, new: bool) -> None:
    """Make the words of these clients (id → name) those of their names."""
    if names and not new:
        session.execute(
            delete(client_word).where(client_word.c.client_id == bindparam("key")),
            [{"key": key} for key in names],
        )
    rows = [
        {"word": word, "client_id": client_id}
        for client_id, name in names.items()
        for word in words(name)
    ]
    if rows:
        session.execute(insert(client_word), rows)


def named(text: str) -> Select[tuple[int]] | None:
    """Return a query for the ids of the clients in whose names each word of a text begins a word.

    None when the text has no word.
    """
    wanted = words(text)
    if not wanted:
        return None
    found = intersect(*(_beginning(word) for word in wanted)).subquery()
    return select(found.c.client_id)


def _beginning(word: str) -> Select[tuple[int]]:
    matching = (client_word.c.word >= word) & (client_word.c.word < word + _LAST)
    return select(client_word.c.client_id).where(matching)


def find_named(session: Session, text: str, limit: int) -> list[int]:
    """Return at most `limit` ids of the clients whose names fit a text (see `named`), ascending."""
    query = named(text)
    if query is None:
        return []
    rows = session.execute(query.order_by(query.selected_columns[0]).limit(limit))
    return [row.client_id for row in rows]
