"""What the health page, /readyz and /metrics read from the database, in one snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from telephony.callbacks.alarms import Standing, standing_alarms
from telephony.store.attempts import count_ended, count_live
from telephony.store.calendars import Feed, list_feeds
from telephony.store.cases import count_open
from telephony.store.live import Process, list_operator_states, list_processes, live_call
from telephony.store.outbox import pending_facts


@dataclass(frozen=True, slots=True)
class Found:
    """Processes, live calls by direction, operators by state, facts that wait, calendars in use."""

    processes: tuple[Process, ...]
    calls: Mapping[str, int]
    operators: Mapping[str, int]
    facts: int
    oldest_fact: datetime | None
    calendars: tuple[Feed, ...] = ()


_LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Cases that are open, due, overdue, and for a person's attention; tries under way, and those
    of the last hour by how they ended; the alarms that last.
    """

    cases: Mapping[str, int]
    live: int
    tries: Mapping[str, int]
    alarms: tuple[Standing, ...]


def look(session: Session) -> Found:
    """Read it all. Raises SQLAlchemyError when the database does not answer."""
    directions = select(live_call.c.direction, func.count().label("calls")).group_by(
        live_call.c.direction
    )
    facts, oldest = pending_facts(session)
    return Found(
        processes=tuple(list_processes(session)),
        calls={row.direction: row.calls for row in session.execute(directions)},
        operators=Counter(str(item.state) for item in list_operator_states(session)),
        facts=facts,
        oldest_fact=oldest,
        calendars=tuple(feed for feed in list_feeds(session) if feed.enabled),
    )


def look_at_callbacks(session: Session, now: datetime) -> Callbacks:
    """Read how callbacks go; readiness does not ask for it. Raises SQLAlchemyError."""
    return Callbacks(
        cases=count_open(session, now),
        live=count_live(session),
        tries=count_ended(session, now - _LATELY),
        alarms=tuple(standing_alarms(session, now)),
    )
