"""Calendars that groups and operators have duty and absences from, and what was read of them.

A feed keeps its last good copy: the text, and the entries that were made of it. The set-up is
loaded with the entries; a new copy is a new version of the set-up, so listeners follow.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    Row,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from telephony.domain.duty import Absence, AbsenceKind, OneOff
from telephony.domain.duty.calendars import IMPORTED_ZONE, Complaint, Flaw, Takes
from telephony.store.directory import bump
from telephony.store.outbox import Claim
from telephony.store.tables import Json, UtcDateTime, metadata

LEASE = timedelta(seconds=60)  # so long a job has a calendar


class Owner(StrEnum):
    """Whose calendar it is."""

    GROUP = "group"
    OPERATOR = "operator"


# `owner` is a group's name or an extension. `url` is sealed, `place` what of it may be shown; both
# are null for a file. `entries` are [who or kind of absence, start, end] in UTC, `complaints`
# [flaw, title, text, at]. `next_at`: when it is due, or until when a job has it.
calendar_feed = Table(
    "calendar_feed",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner_kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("place", Text),
    Column("url", Text),
    Column("zone", Text),
    Column("layer", Integer, nullable=False, server_default="0"),
    Column("takes", Text, nullable=False),
    Column("enabled", Integer, nullable=False, server_default="0"),
    Column("body", Text, nullable=False),
    Column("etag", Text),
    Column("modified", Text),
    Column("entries", Json, nullable=False),
    Column("complaints", Json, nullable=False),
    Column("fetched_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failing_since", UtcDateTime),
    Column("fault", Text),
    Column("detail", Text),
    Column("alerted_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "owner_kind", "owner"),
    Index(None, "enabled", "next_at"),
    sqlite_autoincrement=True,
)

_LIGHT = tuple(column for column in calendar_feed.columns if column.name not in ("body", "entries"))


@dataclass(frozen=True, slots=True)
class Feed:
    """One calendar, without its copy. `url` is sealed and None for a file that was uploaded.

    `zone` is None for the group's own. `fetched_at` is when the copy was last known to be the
    calendar as it is; `failing_since` and `fault` are None while all is well.
    """

    id: int
    owner_kind: Owner
    owner: str
    title: str
    place: str | None
    url: str | None
    zone: str | None
    layer: int
    takes: Takes
    enabled: bool
    etag: str | None
    modified: str | None
    complaints: tuple[Complaint, ...]
    fetched_at: datetime
    changed_at: datetime
    next_at: datetime
    attempt: int
    failures: int
    failing_since: datetime | None
    fault: str | None
    detail: str
    alerted_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Copy:
    """A calendar's text and what it says: shifts of a group, or absences of an operator."""

    body: str
    shifts: tuple[OneOff, ...] = ()
    absences: tuple[Absence, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    etag: str | None = None
    modified: str | None = None


def add_feed(
    session: Session,
    *,
    owner_kind: Owner,
    owner: str,
    title: str,
    place: str | None,
    url: str | None,
    zone: str | None,
    layer: int,
    takes: Takes,
    copy: Copy,
    now: datetime,
) -> int:
    """Insert a calendar that is not in use yet; return its id."""
    made = session.execute(
        insert(calendar_feed)
        .values(
            owner_kind=owner_kind.value,
            owner=owner,
            title=title,
            place=place,
            url=url,
            zone=zone,
            layer=layer,
            takes=takes.value,
            enabled=0,
            fetched_at=now,
            changed_at=now,
            next_at=now,
            created_at=now,
            **_copied(copy),
        )
        .returning(calendar_feed.c.id)
    )
    return int(made.scalar_one())


def get_feed(session: Session, key: int) -> Feed | None:
    """Return a calendar by its id."""
    row = session.execute(select(*_LIGHT).where(calendar_feed.c.id == key)).one_or_none()
    return None if row is None else _feed(row)


def list_feeds(session: Session) -> list[Feed]:
    """Return all calendars, by their owners."""
    columns = calendar_feed.c
    query = select(*_LIGHT).order_by(columns.owner_kind, columns.owner, columns.id)
    return [_feed(row) for row in session.execute(query)]


def copy_of(session: Session, feed: Feed) -> Copy:
    """Return a calendar's last good copy."""
    row = session.execute(
        select(calendar_feed.c.body, calendar_feed.c.entries).where(calendar_feed.c.id == feed.id)
    ).one()
    shifts, absences = _entries(feed.owner_kind, feed.owner, feed.layer, row.entries)
    return Copy(row.body, shifts, absences, feed.complaints, feed.etag, feed.modified)


def load_imported(
    session: Session, operators: Collection[str]
) -> tuple[dict[str, tuple[OneOff, ...]], tuple[Absence, ...]]:
    """Return group → shifts, and absences, of the calendars in use; `operators` are those known."""
    columns = calendar_feed.c
    rows = session.execute(
        select(columns.owner_kind, columns.owner, columns.layer, columns.entries)
        .where(columns.enabled == 1)
        .order_by(columns.id)
    )
    shifts: dict[str, tuple[OneOff, ...]] = {}
    absences: tuple[Absence, ...] = ()
    for row in rows:
        here, away = _entries(Owner(row.owner_kind), row.owner, row.layer, row.entries)
        known = tuple(one for one in here if one.operator in operators)
        if known:
            shifts[row.owner] = (*shifts.get(row.owner, ()), *known)
        absences += tuple(one for one in away if one.operator in operators)
    return shifts, absences


def due_feeds(session: Session, now: datetime, limit: int) -> Sequence[int]:
    """Return at most `limit` ids of calendars to be looked at, the longest due first."""
    query = select(calendar_feed.c.id).where(_due(now)).order_by(calendar_feed.c.next_at)
    return session.execute(query.limit(limit)).scalars().all()


def claim_feeds(
    session: Session, ids: Sequence[int], now: datetime, lease: timedelta, *, force: bool = False
) -> list[Claim]:
    """Take those that are still due (with `force` all of them) until `lease` from now."""
    where = calendar_feed.c.id.in_(ids)
    taken = session.execute(
        update(calendar_feed)
        .where(where if force else where & _due(now))
        .values(attempt=calendar_feed.c.attempt + 1, next_at=now + lease)
        .returning(calendar_feed.c.id, calendar_feed.c.attempt)
    )
    return sorted(
        (Claim(row.id, "calendar", row.attempt) for row in taken), key=lambda claim: claim.id
    )


def release_feeds(session: Session, claims: Sequence[Claim], now: datetime) -> None:
    """Give back calendars whose jobs could not be enqueued: they are due at once."""
    for claim in claims:
        session.execute(
            update(calendar_feed).where(_held(claim.id, claim.attempt)).values(next_at=now)
        )


def save_copy(
    session: Session,
    feed: Feed,
    copy: Copy,
    *,
    title: str,
    now: datetime,
    next_at: datetime,
    fetched: bool = True,
) -> bool | None:
    """Keep a good copy, and that all is well; tell whether duty changes by it.

    Without `fetched` it is the old text, of which later days were read. None, and nothing is
    written, when another attempt has the calendar. A change begins a version of the set-up.
    """
    known = session.execute(
        select(calendar_feed.c.entries, calendar_feed.c.enabled)
        .where(_held(feed.id, feed.attempt))
        .with_for_update()
    ).one_or_none()
    if known is None:
        return None
    values = _copied(copy)
    changed = bool(known.entries != values["entries"])
    if changed:
        values["changed_at"] = now
    if fetched:
        values |= {
            "title": title,
            "fetched_at": now,
            "failures": 0,
            "failing_since": None,
            "fault": None,
            "detail": None,
            "alerted_at": None,
            "next_at": next_at,
        }
    session.execute(update(calendar_feed).where(calendar_feed.c.id == feed.id).values(values))
    if changed and known.enabled:
        bump(session, setup=True)
    return changed


def note_failure(
    session: Session, feed: Feed, *, fault: str, detail: str, now: datetime, next_at: datetime
) -> bool:
    """Keep why a calendar could not be read, its last good copy staying; false if not ours."""
    done = session.execute(
        update(calendar_feed)
        .where(_held(feed.id, feed.attempt))
        .values(
            failures=calendar_feed.c.failures + 1,
            failing_since=feed.failing_since or now,
            fault=fault,
            detail=detail,
            next_at=next_at,
        )
        .returning(calendar_feed.c.id)
    )
    return done.one_or_none() is not None


def note_alert(session: Session, key: int, now: datetime) -> None:
    """Keep that people were told that a calendar fails."""
    session.execute(update(calendar_feed).where(calendar_feed.c.id == key).values(alerted_at=now))


def use_feed(session: Session, key: int, enabled: bool, now: datetime) -> bool:
    """Put a calendar to use, or not any more; tell whether that is a change."""
    done = session.execute(
        update(calendar_feed)
        .where(calendar_feed.c.id == key, calendar_feed.c.enabled == int(not enabled))
        .values(enabled=int(enabled), next_at=now)
        .returning(calendar_feed.c.id)
    )
    if done.one_or_none() is None:
        return False
    bump(session, setup=True)
    return True


def remove_feed(session: Session, key: int) -> bool:
    """Delete a calendar with its copy; tell whether there was one."""
    gone = session.execute(
        delete(calendar_feed).where(calendar_feed.c.id == key).returning(calendar_feed.c.enabled)
    ).scalar_one_or_none()
    if gone:
        bump(session, setup=True)
    return gone is not None


def _due(now: datetime) -> ColumnElement[bool]:
    return (calendar_feed.c.enabled == 1) & (calendar_feed.c.next_at <= now)


def _held(key: int, attempt: int) -> ColumnElement[bool]:
    return (calendar_feed.c.id == key) & (calendar_feed.c.attempt == attempt)


def _copied(copy: Copy) -> dict[str, Any]:
    shifts = [[one.operator, *_span(one)] for one in copy.shifts]
    absences = [[one.kind.value, *_span(one)] for one in copy.absences]
    return {
        "body": copy.body,
        "etag": copy.etag,
        "modified": copy.modified,
        "entries": shifts or absences,
        "complaints": [
            [one.flaw.value, one.title, one.text, one.at.isoformat() if one.at else None]
            for one in copy.complaints
        ],
    }


def _span(one: OneOff | Absence) -> tuple[str, str]:
    return one.start.isoformat(timespec="minutes"), one.end.isoformat(timespec="minutes")


def _entries(
    kind: Owner, owner: str, layer: int, entries: list[list[str]]
) -> tuple[tuple[OneOff, ...], tuple[Absence, ...]]:
    spans = [
        (what, datetime.fromisoformat(start), datetime.fromisoformat(end))
        for what, start, end in entries
    ]
    if kind is Owner.GROUP:
        return tuple(OneOff(who, start, end, layer) for who, start, end in spans), ()
    return (), tuple(
        Absence(owner, start, end, IMPORTED_ZONE, AbsenceKind(why)) for why, start, end in spans
    )


def _feed(row: Row[Any]) -> Feed:
    values = dict(row._mapping)
    values |= {
        "owner_kind": Owner(row.owner_kind),
        "takes": Takes(row.takes),
        "enabled": bool(row.enabled),
        "detail": row.detail or "",
        "complaints": tuple(
            Complaint(Flaw(flaw), title, text, datetime.fromisoformat(at) if at else None)
            for flaw, title, text, at in row.complaints
        ),
    }
    return Feed(**values)
