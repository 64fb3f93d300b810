"""The stream of facts for those who poll it: by growing ids, none left out."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from telephony.store.outbox import StoredFact, outbox

COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Facts:
    """The next facts; `total` of them wait, counted up to COUNTED; `next` is the last id here."""

    items: tuple[StoredFact, ...]
    total: int
    next: int


def facts_after(session: Session, after: int, kind: str | None, limit: int) -> Facts:
    """Return the facts with ids above `after`, of one kind if given, oldest first.

    Facts become visible in the order of their ids (`tables.in_turn`), so whoever asks on from
    `next` misses none.
    """
    wanted = [outbox.c.id > after]
    if kind is not None:
        wanted.append(outbox.c.kind == kind)
    query = select(
        outbox.c.id, outbox.c.kind, outbox.c.key, outbox.c.payload, outbox.c.created_at
    ).where(*wanted)
    items = tuple(
        StoredFact(*row) for row in session.execute(query.order_by(outbox.c.id).limit(limit))
    )
    some = select(outbox.c.id).where(*wanted).limit(COUNTED).subquery()
    total: int = session.execute(select(func.count()).select_from(some)).scalar_one()
    return Facts(items, total, items[-1].id if items else after)
