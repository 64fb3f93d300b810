"""A week of missed calls of the guide's company, as its pictures show them."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from telephony.domain.callback.cases import Attention, Case, Ending, Source, ended
from telephony.domain.callback.results import Ended, Why
from telephony.store.cases import JoinedCall, add_case, join_calls
from tests.databases.missed import try_once

_MINUTE = timedelta(minutes=1)
_SLA = 30 * _MINUTE
_OPERATORS = ("101", "102", "105")
# How many calls are missed in each hour of an office's day.
_DAY = {9: 3, 10: 4, 11: 4, 12: 2, 13: 5, 14: 3, 15: 2, 16: 3, 17: 2, 18: 2}
_OPEN: tuple[tuple[int, str, Why, dict[str, Any]], ...] = (
    # Minutes since the call, client, what became of it, what is different.
    (4, "Orchid Ltd", Why.RINGING, {"priority": 1}),
    (11, "", Why.ASKED, {"source": Source.FORM, "claimed_by": "102"}),
    (18, "Mercury Travel", Why.WAITING, {"tries": 1, "last": Ended.BUSY}),
    (26, "", Why.NOBODY, {}),
    (95, "Vega LLC", Why.VOICEMAIL, {"due_at": None, "attention": Attention.ATTEMPTS, "tries": 5,
     "last": Ended.NO_ANSWER}),
)  # fmt: skip


def add_week(session: Session, now: datetime, did: str, group: str) -> None:
    """Store what became of the missed calls of seven days, and those who wait now."""
    chance = random.Random(7)
    monday = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=6)
    for day in range(6):
        for hour, count in _DAY.items():
            for _ in range(count):
                at = monday.replace(hour=hour) + timedelta(days=day, minutes=chance.randrange(60))
                if at < now - timedelta(hours=3):
                    _over(session, chance, _case(chance, at, did, group), now)
    for minutes, name, why, different in _OPEN:
        at = now - minutes * _MINUTE
        case = replace(_case(chance, at, did, group), client_name=name, why=why)
        _kept(session, replace(case, **{"due_at": now + 3 * _MINUTE, **different}))


def _case(chance: random.Random, at: datetime, did: str, group: str) -> Case:
    return Case(
        number=f"+7900{chance.randrange(10**7):07}",
        source=Source.MISSED,
        why=chance.choice((Why.RINGING, Why.WAITING, Why.NOBODY)),
        opened_at=at,
        origin_at=at,
        last_missed_at=at,
        did=did,
        group=group,
        owner=chance.choice(_OPERATORS),
        sla_at=at + _SLA,
        anyone_at=at,
        expires_at=at + timedelta(hours=72),
    )


def _over(session: Session, chance: random.Random, case: Case, now: datetime) -> None:
    how = chance.choices(
        (Ending.CALLED_BACK, Ending.OPERATOR_CALLED, Ending.CLIENT_CALLED, Ending.EXPIRED,
         Ending.SHORT, Ending.BY_HAND),
        (60, 10, 12, 3, 10, 5),
    )[0]  # fmt: skip
    if how is Ending.EXPIRED and case.opened_at > now - timedelta(hours=72):
        how = Ending.CALLED_BACK
    slow = chance.random() < 0.07
    minutes = chance.uniform(40, 170) if slow else min(chance.expovariate(1 / 7) + 1, 40)
    at = case.opened_at + (timedelta(hours=72) if how is Ending.EXPIRED else minutes * _MINUTE)
    kept = _kept(session, ended(case, how, at, case.owner))
    if how in (Ending.CALLED_BACK, Ending.EXPIRED):
        first = case.opened_at + min(1.0, minutes) * _MINUTE
        if minutes > 8 or how is Ending.EXPIRED:
            failed = chance.choice((Ended.NO_ANSWER, Ended.BUSY, Ended.OPERATOR_BUSY))
            try_once(session, kept, first, failed)
        if how is Ending.CALLED_BACK:
            try_once(session, kept, at - _MINUTE / 2, Ended.TALKED)


def _kept(session: Session, case: Case) -> Case:
    kept = add_case(session, case, case.opened_at)
    if kept.source is Source.MISSED:
        call = JoinedCall(f"missed-{kept.id}", kept.id, kept.origin_at, kept.why, kept.did)
        join_calls(session, [call])
    return kept
