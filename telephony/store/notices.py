"""Notices: who gets an e-mail when something happened, each in their own language."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, delete, insert, select, update
from sqlalchemy.orm import Session

from telephony.store.tables import Json, UtcDateTime, metadata

# `did` limits a rule to calls to that number; `zone` (IANA) is that of the times in the text.
# `event` is the first of the events, for processes of a version that knows one alone.
notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event", Text, nullable=False),
    Column("did", Text),
    Column("zone", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("events", Json, nullable=False, server_default="[]"),
    sqlite_autoincrement=True,
)

notice_recipient = Table(
    "notice_recipient",
    metadata,
    Column("notice_id", Integer, ForeignKey("notice.id", ondelete="CASCADE"), primary_key=True),
    Column("address", Text, primary_key=True),
    Column("language", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """An e-mail address, and the language (en or ru) of what is sent to it."""

    address: str
    language: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One rule: of which events of calls to which `did` (None: any) these people are told."""

    id: int
    events: tuple[str, ...]
    did: str | None
    zone: str
    recipients: tuple[Recipient, ...]


def add_notice(
    session: Session,
    *,
    events: tuple[str, ...],
    did: str | None,
    zone: str,
    recipients: tuple[Recipient, ...],
    now: datetime,
) -> int:
    """Insert a rule with its recipients, each address once; return its id."""
    made = session.execute(
        insert(notice)
        .values(event=events[0], events=list(events), did=did, zone=zone, created_at=now)
        .returning(notice.c.id)
    )
    key = int(made.scalar_one())
    _put_recipients(session, key, recipients)
    return key


def save_notice(session: Session, rule: Notice) -> bool:
    """Put a rule in the place of the one with its id; tell whether there is one.

    What is under way to those who are no recipients any more is not sent.
    """
    saved = session.execute(
        update(notice)
        .where(notice.c.id == rule.id)
        .values(event=rule.events[0], events=list(rule.events), did=rule.did, zone=rule.zone)
        .returning(notice.c.id)
    )
    if saved.one_or_none() is None:
        return False
    session.execute(delete(notice_recipient).where(notice_recipient.c.notice_id == rule.id))
    _put_recipients(session, rule.id, rule.recipients)
    return True


def get_notice(session: Session, key: int) -> Notice | None:
    """Return a rule by its id."""
    return next((one for one in list_notices(session) if one.id == key), None)


def list_notices(session: Session) -> list[Notice]:
    """Return all rules with their recipients, in the order in which they were added."""
    recipients: dict[int, list[Recipient]] = defaultdict(list)
    rows = select(notice_recipient).order_by(notice_recipient.c.address)
    for row in session.execute(rows):
        recipients[row.notice_id].append(Recipient(row.address, row.language))
    return [
        Notice(
            row.id, tuple(row.events or [row.event]), row.did, row.zone, tuple(recipients[row.id])
        )
        for row in session.execute(select(notice).order_by(notice.c.id))
    ]


def remove_notice(session: Session, key: int) -> bool:
    """Delete a rule with its recipients; tell whether there was one."""
    gone = session.execute(delete(notice).where(notice.c.id == key).returning(notice.c.id))
    return gone.one_or_none() is not None


def _put_recipients(session: Session, key: int, recipients: tuple[Recipient, ...]) -> None:
    session.execute(
        insert(notice_recipient),
        [
            {"notice_id": key, "address": one.address, "language": one.language}
            for one in {one.address: one for one in recipients}.values()
        ],
    )
