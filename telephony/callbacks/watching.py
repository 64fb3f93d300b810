"""Promises that are about to be broken, cases whose time is over, and caps that stop them all."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine

from telephony.callbacks.alarms import reached
from telephony.domain.callback.cases import Ending, ended, expired
from telephony.store.alarms import tell_cap
from telephony.store.callback_rules import load_callback_rules
from telephony.store.cases import (
    NEAR,
    OVERDUE,
    any_due,
    expired_cases,
    late_cases,
    save_case,
    stopped,
    tell_late,
    unwanted_cases,
)
from telephony.store.engine import reading, writing
from telephony.store.tables import in_turn

_FEW = 100


def watch_cases(engine: Engine, now: datetime) -> None:
    """Note once of each open case that its deadline is near, and that it is over; end old ones.

    Who said in a callback that they want no more of them is waited for no longer, either.

    While a cap on all numbers is reached no case is even looked at, so that is noted here as well.
    """
    with reading(engine) as session:
        rules = load_callback_rules(session)
        near = timedelta(minutes=rules.near_minutes)
        late = bool(late_cases(session, now + near, "near", 1) or expired_cases(session, now, 1))
        late = late or bool(late_cases(session, now, "overdue", 1) or unwanted_cases(session, 1))
        held = any_due(session, now) and stopped(session) is None
        full = reached(session, rules, now) if held else []
    if not late and not full:
        return
    with writing(engine) as session:
        in_turn(session)
        for cap in full:
            tell_cap(session, cap.alarm, cap.limit, now)
        for one in expired_cases(session, now, _FEW):
            save_case(session, one, expired(one, now), now)
        for one in unwanted_cases(session, _FEW):
            save_case(session, one, ended(one, Ending.OPTED_OUT, now), now)
        for one in late_cases(session, now, "overdue", _FEW):
            tell_late(session, one, OVERDUE, "overdue", now)
        for one in late_cases(session, now + near, "near", _FEW):
            tell_late(session, one, NEAR, "near", now)
