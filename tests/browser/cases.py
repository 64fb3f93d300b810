"""Missed calls in every state, some by people who mean harm, for the panel in a browser."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from telephony.domain.callback.cases import Attention, Case, CaseState, Ending, Source, ended
from telephony.domain.callback.results import Ended, Why
from telephony.store.cases import JoinedCall, add_case, join_calls, opt_number_out
from tests.databases.missed import a_case, try_once


def add_cases(
    session: Session, now: datetime, did: str, evil: tuple[str, str], payload: str
) -> None:
    """Add a case of each kind; `evil` is the number and the name of somebody who means harm."""

    def case(number: str, minutes: float, left: float, **changes: object) -> Case:
        since = now - timedelta(minutes=minutes)
        usual: dict[str, object] = {
            "did": did,
            "group": "duty",
            "owner": "101",
            "opened_at": since,
            "origin_at": since,
            "last_missed_at": since,
            "anyone_at": since,
            "expires_at": now + timedelta(hours=60),
        }
        return a_case(number, now, left, **(usual | changes))

    open_ones = (
        case(evil[0], 55, -25, client_name=evil[1], missed=3, why=Why.WAITING, owner=None),
        case("+79005550101", 20, 8, client_name="Orchid Ltd", priority=1, tries=1, last=Ended.BUSY),
        case(
            "+79005550102",
            15,
            15,
            source=Source.FORM,
            why=Why.ASKED,
            claimed_by="102",
            anyone_at=now + timedelta(hours=1),
        ),
        case(
            "+79005550103",
            300,
            600,
            source=Source.SCHEDULED,
            promised_at=now + timedelta(hours=9),
            due_at=now + timedelta(hours=9),
        ),
        case("+79005550104", 600, -200, due_at=None, attention=Attention.ATTEMPTS, tries=5,
             last=Ended.NO_ANSWER, owner="103", why=Why.CLOSED),
        case("+79005550105", 90, 45, state=CaseState.DIALLING, owner=None, why=Why.NOBODY),
        case("+79005550106", 70, 70, due_at=None, attention=Attention.UNKNOWN, tries=1,
             last=Ended.UNKNOWN, why=Why.VOICEMAIL),
    )  # fmt: skip
    kept = [add_case(session, one, one.opened_at) for one in open_ones]
    for one in kept:
        join_calls(session, [JoinedCall(f"missed-{one.id}", one.id, one.origin_at, one.why, did)])
    for minutes, why in ((55, Why.RINGING), (40, Why.CLOSED), (20, Why.WAITING)):
        at = now - timedelta(minutes=minutes)
        join_calls(session, [JoinedCall(f"earlier-{minutes}", kept[1].id, at, why, did)])
    for number, minutes, how in (
        (1, 14, Ended.BUSY),
        (4, 400, Ended.NO_ANSWER),
        (4, 350, Ended.OPERATOR_NO_ANSWER),
        (6, 40, Ended.UNKNOWN),
    ):
        at = now - timedelta(minutes=minutes)
        try_once(session, kept[number], at, how, cause="BUSY 486")
    for nth, ending in enumerate(Ending, start=1):
        begun = case(f"+7900556{nth:04d}", 500 + nth, 30, note=payload if nth % 2 else "")
        over = ended(begun, ending, now - timedelta(minutes=20 * nth), "101")
        key = add_case(session, over, now).id
        join_calls(session, [JoinedCall(f"missed-{key}", key, over.origin_at, over.why, did)])
    opt_number_out(session, "+79005560001", "lead", payload, now)
