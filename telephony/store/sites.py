"""Web sites with a callback button: their settings, limits, spent proofs, and counts by day.

Requests of the API that may come twice are kept here, too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    case,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from telephony.store.tables import BigKey, Json, UtcDateTime, insert_or_ignore, metadata

callback_site = Table(
    "callback_site",
    metadata,
    Column("key", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("origins", Json, nullable=False),
    Column("did", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("site_hour", Integer, nullable=False),
    Column("address_hour", Integer, nullable=False),
    Column("number_hour", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# `kind` is site, address or number; `key` a hash of what is counted; `count` the requests since.
callback_form_try = Table(
    "callback_form_try",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("count", Integer, nullable=False),
    Index(None, "since"),
)

# Proofs of work that were used, until they could not be used any more anyway.
callback_form_proof = Table(
    "callback_form_proof",
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("until", UtcDateTime, nullable=False),
    Index(None, "until"),
)

callback_site_day = Table(
    "callback_site_day",
    metadata,
    Column("site", Text, ForeignKey("callback_site.key", ondelete="CASCADE"), primary_key=True),
    Column("day", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("count", Integer, nullable=False),
)

# What was answered to requests with an Idempotency-Key; `key` and `body` are hashes.
callback_request = Table(
    "callback_request",
    metadata,
    Column("token_id", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("case_id", BigKey, nullable=False),
    Column("joined", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "at"),
)

WINDOW = timedelta(hours=1)
_KEPT_DAYS = 90
_KEPT_REQUESTS = timedelta(days=1)


class Counted(StrEnum):
    """What became of a request of a site."""

    TAKEN = "taken"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Site:
    """A web site with a button. `key` is public; `did` and `language` are empty for the usual.

    `origins` are those a browser would send: https://www.example.com. The last three limit how many
    requests are taken in an hour: of the site, of one address, for one number.
    """

    key: str
    title: str
    origins: tuple[str, ...]
    did: str
    language: str
    enabled: bool
    site_hour: int
    address_hour: int
    number_hour: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request with a key was answered; `body` is the hash of what it asked."""

    body: str
    case_id: int
    joined: bool


def add_site(session: Session, site: Site) -> None:
    """Insert a site."""
    session.execute(insert(callback_site).values(**_values(site)))


def save_site(session: Session, site: Site) -> bool:
    """Change a site; tell whether there is one."""
    known = callback_site.c.key == site.key
    values = {name: value for name, value in _values(site).items() if name != "key"}
    done = session.execute(
        update(callback_site).where(known).values(**values).returning(callback_site.c.key)
    )
    return done.one_or_none() is not None


def remove_site(session: Session, key: str) -> bool:
    """Delete a site with its counts; tell whether there was one. Its cases stay."""
    gone = session.execute(
        delete(callback_site).where(callback_site.c.key == key).returning(callback_site.c.key)
    )
    return gone.one_or_none() is not None


def get_site(session: Session, key: str) -> Site | None:
    """Return a site by its key."""
    row = session.execute(select(callback_site).where(callback_site.c.key == key)).one_or_none()
    return None if row is None else _site(row)


def list_sites(session: Session) -> list[Site]:
    """Return all sites by their titles."""
    columns = callback_site.c
    query = select(callback_site).order_by(columns.title, columns.key)
    return [_site(row) for row in session.execute(query)]


def count_request(session: Session, kind: str, key: str, now: datetime) -> tuple[int, datetime]:
    """Count a request and return (requests in this hour, when that hour began).

    One statement, so that requests at the same moment are all counted. An hour begins with its
    first request.
    """
    table = callback_form_try
    over = table.c.since <= now - WINDOW
    query = insert_or_ignore(session, table, key=None).values(
        kind=kind, key=key, since=now, count=1
    )
    query = query.on_conflict_do_update(
        index_elements=("kind", "key"),
        set_={
            "count": case((over, 1), else_=table.c.count + 1),
            "since": case((over, query.excluded.since), else_=table.c.since),
        },
    ).returning(table.c.count, table.c.since)
    count, since = session.execute(query).one()
    return int(count), since


def spend_proof(session: Session, nonce: str, until: datetime) -> bool:
    """Use a proof of work; False when it was used before."""
    query = insert_or_ignore(session, callback_form_proof, key=("nonce",)).values(
        nonce=nonce, until=until
    )
    used = session.execute(query.returning(callback_form_proof.c.nonce))
    return used.one_or_none() is not None


def count_day(session: Session, site: str, kind: Counted, now: datetime) -> None:
    """Count what became of a request, by days of UTC."""
    table = callback_site_day
    query = insert_or_ignore(session, table, key=None).values(
        site=site, day=now.date().isoformat(), kind=kind.value, count=1
    )
    session.execute(
        query.on_conflict_do_update(
            index_elements=("site", "day", "kind"), set_={"count": table.c.count + 1}
        )
    )


def count_lately(session: Session, now: datetime, days: int) -> dict[tuple[str, Counted], int]:
    """Return how many requests of each site were taken and refused in so many days."""
    since = (now - timedelta(days=days - 1)).date().isoformat()
    table = callback_site_day
    found: dict[tuple[str, Counted], int] = {}
    query = select(table.c.site, table.c.kind, table.c.count).where(table.c.day >= since)
    for site, kind, count in session.execute(query):
        place = (site, Counted(kind))
        found[place] = found.get(place, 0) + count
    return found


def forget_old_requests(session: Session, now: datetime) -> None:
    """Remove what no limit and no proof needs any more, and old counts."""
    tries, proofs, days = callback_form_try, callback_form_proof, callback_site_day
    session.execute(delete(tries).where(tries.c.since <= now - WINDOW))
    session.execute(delete(proofs).where(proofs.c.until < now))
    oldest = (now - timedelta(days=_KEPT_DAYS)).date().isoformat()
    session.execute(delete(days).where(days.c.day < oldest))


def find_request(session: Session, token_id: int, key: str, now: datetime) -> Answered | None:
    """Return what a token's request with this key was answered within a day."""
    table = callback_request
    session.execute(delete(table).where(table.c.at <= now - _KEPT_REQUESTS))
    row = session.execute(
        select(table).where(table.c.token_id == token_id, table.c.key == key)
    ).one_or_none()
    return None if row is None else Answered(row.body, row.case_id, row.joined)


def keep_request(
    session: Session, token_id: int, key: str, answered: Answered, now: datetime
) -> None:
    """Keep what a request with a key was answered."""
    session.execute(
        insert(callback_request).values(token_id=token_id, key=key, at=now, **asdict(answered))
    )


def _values(site: Site) -> dict[str, object]:
    return {**asdict(site), "origins": list(site.origins)}


def _site(row: Row[tuple[object, ...]]) -> Site:
    values = {name: getattr(row, name) for name in Site.__slots__}
    return Site(**{**values, "origins": tuple(row.origins)})
