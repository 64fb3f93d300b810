"""Who talked to whom in the recorded calls, for the rule of the last operator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from telephony.domain.record import Direction
from telephony.store.call_tables import call
from telephony.store.tables import microseconds

_ROWS = 2000


def talks_since(session: Session, since: datetime) -> Iterator[tuple[str, str, int]]:
    """Yield (number in E.164, extension, µs at which the call ended) of answered calls that began
    after `since` (aware), newest first, streaming.
    """
    query = (
        select(
            call.c.number, call.c.direction, call.c.answered_by, call.c.placed_by, call.c.ended_at
        )
        .where(
            call.c.started_at >= since,
            call.c.answered_at.is_not(None),
            call.c.direction != Direction.INTERNAL,
        )
        .order_by(call.c.started_at.desc())
        .execution_options(yield_per=_ROWS)
    )
    for number, direction, answered_by, placed_by, ended_at in session.execute(query):
        extension = placed_by if direction == Direction.OUT else answered_by
        if extension and number.startswith("+"):
            yield number, extension, microseconds(ended_at)


def last_talk(
    session: Session, number: str, since: datetime, until: datetime
) -> tuple[str, datetime] | None:
    """Return who talked to a number (E.164) last in calls from `since` to `until`, and when
    (all aware).
    """
    query = (
        select(call.c.direction, call.c.answered_by, call.c.placed_by, call.c.ended_at)
        .where(
            call.c.number == number,
            call.c.started_at >= since,
            call.c.started_at < until,
            call.c.answered_at.is_not(None),
            call.c.direction != Direction.INTERNAL,
        )
        .order_by(call.c.started_at.desc())
    )
    for direction, answered_by, placed_by, ended_at in session.execute(query):
        extension = placed_by if direction == Direction.OUT else answered_by
        if extension:
            return extension, ended_at
    return None
