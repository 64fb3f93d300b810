"""Deliveries: each fact once for each webhook and each recipient of a notice that wants it.

A delivery is due, is claimed for a job with a lease, and ends delivered or parked. All that goes
to one receiver shares a lane, so that a receiver which fails or dawdles holds up nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    UniqueConstraint,
    and_,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session

from telephony.store.outbox import Claim
from telephony.store.tables import BigKey, UtcDateTime, insert_or_ignore, metadata


class State(StrEnum):
    """What becomes of a delivery."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    PARKED = "parked"


# `target` is "webhook:<id>" or "notice:<id>:<address>"; `lane` is "webhook:<id>" or "mail".
delivery = Table(
    "delivery",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("fact_id", BigKey, ForeignKey("outbox.id", ondelete="CASCADE"), nullable=False),
    Column("event", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("due_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("give_up_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("last_status", Integer),
    Column("last_error", Text),
    UniqueConstraint("fact_id", "target", "event"),
    Index(None, "state", "lane", "due_at"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A delivery to be made: `event` of a fact to `target`, by `lane`, tried until `give_up_at`."""

    event: str
    target: str
    lane: str
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it stands; `last_status` is HTTP's or SMTP's."""

    id: int
    fact_id: int
    event: str
    target: str
    lane: str
    state: State
    attempt: int
    due_at: datetime
    give_up_at: datetime
    created_at: datetime
    done_at: datetime | None
    last_status: int | None
    last_error: str | None


def add_deliveries(session: Session, fact_id: int, wanted: Sequence[Wanted], now: datetime) -> None:
    """Insert the deliveries of a fact that are not there yet, due now."""
    if not wanted:
        return
    session.execute(
        insert_or_ignore(session, delivery, key=("fact_id", "target", "event")),
        [
            {
                "fact_id": fact_id,
                "event": one.event,
                "target": one.target,
                "lane": one.lane,
                "state": State.WAITING,
                "due_at": now,
                "give_up_at": one.give_up_at,
                "created_at": now,
            }
            for one in wanted
        ],
    )


def due_deliveries(session: Session, lane: str, now: datetime, limit: int) -> Sequence[int]:
    """Return at most `limit` ids of a lane's deliveries that are due, the longest due first."""
    query = (
        select(delivery.c.id)
        .where(_in(State.WAITING), delivery.c.lane == lane, delivery.c.due_at <= now)
        .order_by(delivery.c.due_at)
        .limit(limit)
    )
    return session.execute(query).scalars().all()


def in_flight(session: Session) -> dict[str, int]:
    """Return how many deliveries of each lane are claimed."""
    rows = session.execute(
        select(delivery.c.lane, func.count().label("found"))
        .where(_in(State.SENDING))
        .group_by(delivery.c.lane)
    )
    return {row.lane: row.found for row in rows}


def claim_deliveries(
    session: Session, ids: Sequence[int], now: datetime, lease: timedelta
) -> list[Claim]:
    """Take those of the deliveries that still wait, until `lease` from now, the oldest first."""
    taken = session.execute(
        update(delivery)
        .where(delivery.c.id.in_(ids), _in(State.WAITING))
        .values(state=State.SENDING, attempt=delivery.c.attempt + 1, lease_until=now + lease)
        .returning(delivery.c.id, delivery.c.attempt)
    )
    claims = (Claim(row.id, "delivery", row.attempt) for row in taken)
    return sorted(claims, key=lambda claim: claim.id)


def release_deliveries(session: Session, claims: Sequence[Claim]) -> None:
    """Give back deliveries whose jobs could not be enqueued: they wait again."""
    for claim in claims:
        session.execute(
            _mine(claim.id, claim.attempt).values(state=State.WAITING, lease_until=None)
        )


def sweep_deliveries(session: Session, now: datetime) -> int:
    """Make the deliveries due whose leases ran out; return how many."""
    swept = session.execute(
        update(delivery)
        .where(_in(State.SENDING), delivery.c.lease_until <= now)
        .values(state=State.WAITING, due_at=now, lease_until=None)
        .returning(delivery.c.id)
    )
    return len(swept.all())


def begin_delivery(session: Session, key: int, attempt: int, until: datetime) -> Delivery | None:
    """Renew the lease of a claimed delivery and return it; None when another attempt has it."""
    row = session.execute(
        _mine(key, attempt).values(lease_until=until).returning(delivery)
    ).one_or_none()
    return None if row is None else _delivery(row)


def finish_delivery(
    session: Session, key: int, attempt: int, now: datetime, status: int | None
) -> bool:
    """Mark a delivery as delivered; tell whether it was this attempt's."""
    return _settle(
        session,
        key,
        attempt,
        state=State.DELIVERED,
        done_at=now,
        last_status=status,
        last_error=None,
    )


def postpone_delivery(
    session: Session, key: int, attempt: int, until: datetime, status: int | None, error: str
) -> bool:
    """Let a delivery wait until then, and keep why it failed; tell whether it was its attempt."""
    return _settle(
        session,
        key,
        attempt,
        state=State.WAITING,
        due_at=until,
        last_status=status,
        last_error=error,
    )


def park_delivery(
    session: Session, key: int, attempt: int, now: datetime, status: int | None, error: str
) -> bool:
    """Give a delivery up, and keep why; tell whether it was this attempt's."""
    return _settle(
        session,
        key,
        attempt,
        state=State.PARKED,
        done_at=now,
        last_status=status,
        last_error=error,
    )


def park_lane(session: Session, lane: str, now: datetime, error: str) -> int:
    """Give up all deliveries of a lane that wait; return how many."""
    parked = session.execute(
        update(delivery)
        .where(_in(State.WAITING), delivery.c.lane == lane)
        .values(state=State.PARKED, done_at=now, last_error=error)
        .returning(delivery.c.id)
    )
    return len(parked.all())


def park_late(session: Session, lane: str, now: datetime, limit: int) -> int:
    """Give up at most `limit` of a lane's deliveries whose time is over; return how many."""
    late = (
        select(delivery.c.id)
        .where(_in(State.WAITING), delivery.c.lane == lane, delivery.c.give_up_at <= now)
        .limit(limit)
    )
    parked = session.execute(
        update(delivery)
        .where(delivery.c.id.in_(late.scalar_subquery()), _in(State.WAITING))
        .values(
            state=State.PARKED,
            done_at=now,
            last_error=func.coalesce(delivery.c.last_error, "the receiver was down all the time"),
        )
        .returning(delivery.c.id)
    )
    return len(parked.all())


def retry_delivery(session: Session, key: int, now: datetime, give_up_at: datetime) -> bool:
    """Make a parked delivery due once more; tell whether it was parked."""
    again = session.execute(
        update(delivery)
        .where(delivery.c.id == key, _in(State.PARKED))
        .values(state=State.WAITING, due_at=now, give_up_at=give_up_at, done_at=None)
        .returning(delivery.c.id)
    )
    return again.one_or_none() is not None


def failing_deliveries(session: Session, limit: int, offset: int = 0) -> list[Delivery]:
    """Return the newest deliveries that are parked, or wait after a failure."""
    query = select(delivery).where(_failing()).order_by(delivery.c.id.desc())
    found = session.execute(query.limit(limit).offset(offset))
    return [_delivery(row) for row in found]


def count_failing(session: Session) -> int:
    """Return how many deliveries are parked, or wait after a failure."""
    return session.execute(select(func.count()).where(_failing())).scalar_one()


def get_delivery(session: Session, key: int) -> Delivery | None:
    """Return a delivery by its id."""
    row = session.execute(select(delivery).where(delivery.c.id == key)).one_or_none()
    return None if row is None else _delivery(row)


def count_deliveries(session: Session) -> tuple[int, int]:
    """Return how many deliveries are under way, and how many are parked."""
    rows = session.execute(
        select(delivery.c.state, func.count().label("found"))
        .where(delivery.c.state.in_([State.WAITING, State.SENDING, State.PARKED]))
        .group_by(delivery.c.state)
    )
    counts = {row.state: row.found for row in rows}
    under_way = counts.get(State.WAITING, 0) + counts.get(State.SENDING, 0)
    return under_way, counts.get(State.PARKED, 0)


def count_lately(session: Session, lane: str, since: datetime) -> dict[str, int]:
    """Return how many deliveries were made after `since` for each target of a lane."""
    rows = session.execute(
        select(delivery.c.target, func.count().label("found"))
        .where(
            delivery.c.state.in_(list(State)),
            delivery.c.lane == lane,
            delivery.c.due_at > since,  # never before created_at, and in the index
            delivery.c.created_at > since,
        )
        .group_by(delivery.c.target)
    )
    return {row.target: row.found for row in rows}


def count_before(session: Session, one: Delivery, since: datetime) -> int:
    """Return how many deliveries were made after `since` for the same target, before this one."""
    query = select(func.count()).where(
        delivery.c.state.in_(list(State)),
        delivery.c.lane == one.lane,
        delivery.c.due_at > since,
        delivery.c.created_at > since,
        delivery.c.target == one.target,
        delivery.c.id < one.id,
    )
    return session.execute(query).scalar_one()


def unfinished(session: Session, fact_ids: Sequence[int]) -> set[int]:
    """Return those of the facts that have deliveries under way."""
    query = select(delivery.c.fact_id).where(
        delivery.c.fact_id.in_(fact_ids), delivery.c.state.in_([State.WAITING, State.SENDING])
    )
    return set(session.execute(query).scalars())


def _failing() -> Any:
    under_way = delivery.c.state.in_([State.WAITING, State.SENDING, State.PARKED])
    return and_(under_way, delivery.c.last_error.is_not(None))


def _settle(session: Session, key: int, attempt: int, **values: Any) -> bool:
    done = session.execute(
        _mine(key, attempt).values(lease_until=None, **values).returning(delivery.c.id)
    )
    return done.one_or_none() is not None


def _mine(key: int, attempt: int) -> Any:
    return update(delivery).where(
        delivery.c.id == key, delivery.c.attempt == attempt, _in(State.SENDING)
    )


def _in(state: State) -> Any:
    return delivery.c.state == state


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        fact_id=row.fact_id,
        event=row.event,
        target=row.target,
        lane=row.lane,
        state=State(row.state),
        attempt=row.attempt,
        due_at=row.due_at,
        give_up_at=row.give_up_at,
        created_at=row.created_at,
        done_at=row.done_at,
        last_status=row.last_status,
        last_error=row.last_error,
    )
