"""Figures of a day, from the calls themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from telephony.domain.record import Direction, Disposition
from telephony.store.call_tables import call, call_operator


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Ended calls that began in a span.

    `offered` are inbound calls; of these `answered` reached a person, `lost` vanished with the
    PBX, and the others are `missed`. `wait_ms` is the mean wait of the answered (None without
    any), `placed` counts outbound calls.
    """

    offered: int
    answered: int
    missed: int
    lost: int
    wait_ms: float | None
    placed: int


def day_figures(
    session: Session, since: datetime, until: datetime, involving: str | None = None
) -> DayFigures:
    """Return the figures of the calls with `since` ≤ start < `until`, of one operator if given."""
    columns = (call.c.direction, call.c.disposition)
    query = select(*columns, func.count(), func.sum(call.c.wait_ms)).group_by(*columns)
    if involving is None:
        query = query.where(call.c.started_at >= since, call.c.started_at < until)
    else:
        query = query.join(call_operator, call_operator.c.call_key == call.c.id).where(
            call_operator.c.extension == involving,
            call_operator.c.started_at >= since,
            call_operator.c.started_at < until,
        )
    inbound: dict[str, tuple[int, int]] = {}
    placed = 0
    for direction, disposition, number, wait in session.execute(query):
        if direction == Direction.IN:
            inbound[disposition] = (number, int(wait))
        elif direction == Direction.OUT:
            placed += number
    # Nobody was to take a blocked call.
    inbound.pop(Disposition.BLOCKED, None)
    offered = sum(number for number, _ in inbound.values())
    answered, waited = inbound.get(Disposition.ANSWERED, (0, 0))
    lost, _ = inbound.get(Disposition.LOST, (0, 0))
    return DayFigures(
        offered=offered,
        answered=answered,
        missed=offered - answered - lost,
        lost=lost,
        wait_ms=waited / answered if answered else None,
        placed=placed,
    )
