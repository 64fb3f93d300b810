"""Who talked to whom in the recorded calls, for the rule of the last operator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from telephony.domain.record import Direction
from telephony.store.call_tables import call
from telephony.store.tables import microseconds

_ROWS = 2000
# Calls of an earlier version do not say who talked last: who answered, or placed the call.
_TALKED = func.coalesce(
    call.c.talked_last,
    case((call.c.direction == Direction.OUT, call.c.placed_by), else_=call.c.answered_by),
)


def talks_since(session: Session, since: datetime) -> Iterator[tuple[str, str, int]]:
    """Yield (number in E.164, extension, µs at which the call ended) of answered calls that began
    after `since` (aware), newest first, streaming.
    """
    query = (
        select(call.c.number, _TALKED, call.c.ended_at)
        .where(
            call.c.started_at >= since,
            call.c.answered_at.is_not(None),
            call.c.direction != Direction.INTERNAL,
        )
        .order_by(call.c.started_at.desc())
        .execution_options(yield_per=_ROWS)
    )
    for number, extension, ended_at in session.execute(query):
        if extension and number.startswith("+"):
            yield number, extension, microseconds(ended_at)


def last_talk(
    session: Session, number: str, since: datetime, until: datetime
) -> tuple[str, datetime] | None:
    """Return who talked to a number (E.164) last in calls from `since` to `until`, and when
    (all aware).
    """
    query = (
        select(_TALKED, call.c.ended_at)
        .where(
            call.c.number == number,
            call.c.started_at >= since,
            call.c.started_at < until,
            call.c.answered_at.is_not(None),
            call.c.direction != Direction.INTERNAL,
        )
        .order_by(call.c.started_at.desc())
    )
    for extension, ended_at in session.execute(query):
        if extension:
            return extension, ended_at
    return None
