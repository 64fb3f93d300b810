"""Promises that are about to be broken, and cases whose time is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine

from telephony.domain.callback.cases import expired
from telephony.store.callback_rules import load_callback_rules
from telephony.store.cases import (
    NEAR,
    OVERDUE,
    expired_cases,
    late_cases,
    save_case,
    tell_late,
)
from telephony.store.engine import reading, writing
from telephony.store.tables import in_turn

_FEW = 100


def watch_cases(engine: Engine, now: datetime) -> None:
    """Note once of each open case that its deadline is near, and that it is over; end old ones."""
    with reading(engine) as session:
        near = timedelta(minutes=load_callback_rules(session).near_minutes)
        late = bool(late_cases(session, now + near, "near", 1) or expired_cases(session, now, 1))
        late = late or bool(late_cases(session, now, "overdue", 1))
    if not late:
        return
    with writing(engine) as session:
        in_turn(session)
        for one in expired_cases(session, now, _FEW):
            save_case(session, one, expired(one, now), now)
        for one in late_cases(session, now, "overdue", _FEW):
            tell_late(session, one, OVERDUE, "overdue", now)
        for one in late_cases(session, now + near, "near", _FEW):
            tell_late(session, one, NEAR, "near", now)
