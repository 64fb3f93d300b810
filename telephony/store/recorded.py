"""Which calls are recorded already, whatever they were recorded from."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from telephony.store.calls import call, call_leg

_AT_ONCE = 500


def legs_of_others(session: Session, ids: Iterable[str]) -> set[str]:
    """Return those of the ids that are a leg of a recorded call of another id."""
    wanted = sorted(ids)
    found: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        query = select(call_leg.c.uniqueid).where(
            call_leg.c.uniqueid.in_(some), call_leg.c.call_id != call_leg.c.uniqueid
        )
        found.update(session.execute(query).scalars())
    return found


def recorded(session: Session, ids: Iterable[str]) -> set[str]:
    """Return those of the ids that are a recorded call's or one of its legs'."""
    wanted = sorted(ids)
    found: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        for column in (call.c.call_id, call_leg.c.uniqueid):
            found.update(session.execute(select(column).where(column.in_(some))).scalars())
    return found
