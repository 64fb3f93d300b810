"""Lanes: how each receiver of deliveries fares, so that a sick one is spared and spares others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, Table, Text, or_, select, update
from sqlalchemy.orm import Session

from telephony.store.tables import UtcDateTime, insert_or_ignore, metadata

# `failures` counts those in a row; `slow` is 1 when the last answer took long.
lane = Table(
    "lane",
    metadata,
    Column("name", Text, primary_key=True),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failing_since", UtcDateTime),
    Column("blocked_until", UtcDateTime),
    Column("slow", Integer, nullable=False, server_default="0"),
)


@dataclass(frozen=True, slots=True)
class Lane:
    """One receiver: "webhook:<id>" or "mail"."""

    name: str
    failures: int
    failing_since: datetime | None
    blocked_until: datetime | None
    slow: bool


def open_lanes(session: Session, names: Sequence[str]) -> None:
    """Make the lanes that are not there yet."""
    if names:
        session.execute(
            insert_or_ignore(session, lane, key=("name",)), [{"name": name} for name in names]
        )


def list_lanes(session: Session) -> list[Lane]:
    """Return all lanes."""
    return [
        Lane(row.name, row.failures, row.failing_since, row.blocked_until, bool(row.slow))
        for row in session.execute(select(lane).order_by(lane.c.name))
    ]


def lane_failed(session: Session, name: str, now: datetime) -> int:
    """Count a failure; return how many there were in a row."""
    counted = session.execute(
        update(lane)
        .where(lane.c.name == name)
        .values(failures=lane.c.failures + 1)
        .returning(lane.c.failures)
    ).scalar_one_or_none()
    session.execute(
        update(lane)
        .where(lane.c.name == name, lane.c.failing_since.is_(None))
        .values(failing_since=now)
    )
    return counted or 0


def block_lane(session: Session, name: str, until: datetime) -> None:
    """Send nothing by this lane before then, nor before an earlier block ends."""
    later = or_(lane.c.blocked_until.is_(None), lane.c.blocked_until < until)
    session.execute(update(lane).where(lane.c.name == name, later).values(blocked_until=until))


def lane_works(session: Session, name: str, *, slow: bool) -> None:
    """Forget the failures of a lane, and keep whether its receiver took long."""
    session.execute(
        update(lane)
        .where(lane.c.name == name, or_(lane.c.failures > 0, lane.c.slow != int(slow)))
        .values(failures=0, failing_since=None, blocked_until=None, slow=int(slow))
    )
