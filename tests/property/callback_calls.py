"""Calls and rules for callbacks in tests: clients in several zones, and calls of every kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

from telephony.domain.callback.results import Ended
from telephony.domain.callback.rules import CallbackRules, Caps, QuietHours
from telephony.domain.did import Did
from telephony.domain.duty import Roster, Shift
from telephony.domain.hours import Hours, Opening
from telephony.domain.queueing import QueueSettings
from telephony.domain.record import (
    CallRecord,
    Direction,
    Disposition,
    LegRecord,
    Moment,
    MomentKind,
    Outcome,
    Side,
)
from telephony.domain.routing import Decision, Kind, Plan, Rule, Step, Target
from telephony.domain.setup import Group, Operator, Setup

BEGIN = datetime(2026, 3, 6, 9, tzinfo=UTC)  # a Friday; on Sunday clocks change in the US
DAY = frozenset({1, 2, 3, 4, 5, 6, 7})
SALES, SUPPORT = "74951234567", "74951234568"
# A client's number → the zones they may be in, said here once more, by hand.
ZONES = {
    "+74957654321": ("Europe/Moscow",),
    "+12124567890": ("America/New_York",),
    "+493012345678": ("Europe/Berlin",),
    "+74012612345": ("Europe/Kaliningrad",),
}
CLIENTS = tuple(ZONES)
PREMIUM, FAR, HIDDEN = "+78091234567", "+18762345678", ""
NUMBERS = (*CLIENTS, PREMIUM, FAR, HIDDEN)
OPERATORS = ("101", "102", "103")

RULES = CallbackRules(
    quiet=QuietHours(time(21), time(8), frozenset({6, 7}), time(20), time(10)),
    caps=Caps(attempts=3, number_day=2, number_week=4, prefix_hour=2, hour=3, day=6, at_once=2),
    regions=("RU", "US", "DE"),
)


def setup_of(rules: CallbackRules = RULES) -> Setup:
    """Return three operators in two groups; one number keeps office hours, the other none."""
    week = frozenset({1, 2, 3, 4, 5, 6, 7})
    on = (time(7), time(23))
    lunch = (time(13), time(14))
    sales = Roster("Europe/Moscow", (Shift("101", week, *on, lunch), Shift("102", week, *on)))
    support = Roster("Europe/Moscow", (Shift("103", week, *on), Shift("102", week, *on)))
    office = Hours(
        "office", "Europe/Moscow", (Opening(frozenset({1, 2, 3, 4, 5}), time(9), time(19)),)
    )
    return Setup(
        operators={
            "101": Operator("101", "Anna", "101"),
            "102": Operator("102", "Boris", "102", "+79001110102"),
            "103": Operator("103", "Clara", "103"),
        },
        groups={
            "sales": Group("sales", sales, QueueSettings("sales"), "office"),
            "support": Group("support", support, QueueSettings("support")),
        },
        dids={SALES: Did(SALES, "sales"), SUPPORT: Did(SUPPORT, "support")},
        default_group="sales",
        hours={"office": office},
        callbacks=rules,
    )


def micros(at: datetime) -> int:
    """Return the microseconds since the epoch."""
    return round(at.timestamp()) * 1_000_000 + at.microsecond


def decision(operator: str = "101", last: Rule = Rule.LAST) -> Decision:
    """Return a plan that rings one operator."""
    ring = Step(Kind.DESK, Rule.DUTY, (Target(operator, operator),), 20)
    return Decision(Plan((ring, Step(Kind.END, last))), ())


def leg(
    outcome: Outcome, kind: str = "desk", operator: str | None = "101", talk_ms: int = 0
) -> LegRecord:
    """Return a leg that ended so."""
    return LegRecord(
        uniqueid=f"leg-{kind}-{outcome}",
        channel=f"PJSIP/{operator or 'trunk'}-00000001",
        kind=kind,
        operator=operator,
        address=operator or "outside",
        outcome=outcome,
        rang_at=None,
        ring_ms=0,
        talk_ms=talk_ms,
        cause=16,
        tech_cause=0,
    )


def a_call(
    call_id: str, number: str, at: datetime, did: str = SALES, **changes: object
) -> CallRecord:
    """Return an inbound call that rang for 10 s and was given up."""
    record = CallRecord(
        call_id=call_id,
        did=did,
        number=number,
        client_id=None,
        client_name="",
        started_at=micros(at),
        answered_at=None,
        ended_at=micros(at) + 10_000_000,
        wait_ms=10_000,
        ring_ms=9_000,
        talk_ms=0,
        disposition=Disposition.ABANDONED,
        abandoned_in="ringing",
        answered_by=None,
        answered_on=None,
        hung_up_by=Side.CALLER,
        fallback=None,
        decision=decision(),
        decided_ms=1.0,
        legs=(leg(Outcome.CANCELLED),),
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def _promised(at: datetime) -> tuple[Moment, ...]:
    return (Moment(micros(at), MomentKind.PROMISED),)


# How a call can be missed → what its record has then.
MISSED: dict[str, dict[str, object]] = {
    "ringing": {},
    "waiting": {"abandoned_in": "waiting"},
    "short": {"wait_ms": 2_000},
    "nobody": {"disposition": Disposition.NO_ANSWER, "abandoned_in": None},
    "busy": {"disposition": Disposition.BUSY, "abandoned_in": None},
    "failed": {"disposition": Disposition.FAILED, "abandoned_in": None},
    "lost": {"disposition": Disposition.LOST, "abandoned_in": None},
    "voicemail": {"disposition": Disposition.VOICEMAIL, "abandoned_in": None},
    "asked": {"disposition": Disposition.CALLBACK_ASKED, "abandoned_in": None},
    "closed": {
        "disposition": Disposition.NO_ANSWER,
        "abandoned_in": None,
        "decision": decision(last=Rule.HOURS),
    },
    "promise in silence": {"moments": _promised(BEGIN)},
}


def missed(
    kind: str, call_id: str, number: str, at: datetime, did: str = SALES, operator: str = "101"
) -> CallRecord:
    """Return a missed call of a kind of MISSED."""
    made = a_call(call_id, number, at, did, decision=decision(operator))
    return replace(made, **MISSED[kind])  # type: ignore[arg-type]


def talk(
    call_id: str, number: str, at: datetime, seconds: int, operator: str, *, ours: bool = False
) -> CallRecord:
    """Return a conversation that began 5 s after the call; `ours` when the operator called."""
    begin = micros(at)
    return a_call(
        call_id,
        number,
        at,
        did="" if ours else SALES,
        answered_at=begin + 5_000_000,
        ended_at=begin + (5 + seconds) * 1_000_000,
        talk_ms=seconds * 1000,
        wait_ms=5_000,
        disposition=Disposition.ANSWERED,
        abandoned_in=None,
        answered_by=None if ours else operator,
        direction=Direction.OUT if ours else Direction.IN,
        placed_by=operator if ours else None,
        decision=None if ours else decision(operator),
        legs=(leg(Outcome.TALKED, "outside" if ours else "desk", None if ours else operator),),
    )


# How a try can end, operator first → the legs of its record, and how it was placed.
_Tried = tuple[Disposition, tuple[LegRecord, ...], str]
_LOST: _Tried = (Disposition.LOST, (leg(Outcome.ACCEPTED),), "")
_TRIED: dict[Ended, _Tried] = {
    Ended.BUSY: (Disposition.BUSY, (leg(Outcome.ACCEPTED), leg(Outcome.BUSY, "outside", None)), ""),
    Ended.NO_ANSWER: (
        Disposition.NO_ANSWER,
        (leg(Outcome.ACCEPTED), leg(Outcome.NO_ANSWER, "outside", None)),
        "",
    ),
    Ended.DECLINED: (
        Disposition.BUSY,
        (leg(Outcome.ACCEPTED), leg(Outcome.DECLINED, "outside", None)),
        "",
    ),
    Ended.UNREACHABLE: (
        Disposition.FAILED,
        (leg(Outcome.ACCEPTED), leg(Outcome.UNREACHABLE, "outside", None)),
        "",
    ),
    Ended.OPERATOR_GONE: (
        Disposition.ABANDONED,
        (leg(Outcome.ACCEPTED), leg(Outcome.CANCELLED, "outside", None)),
        "",
    ),
    Ended.OPERATOR_BUSY: (Disposition.NOT_PLACED, (leg(Outcome.BUSY),), ""),
    Ended.OPERATOR_DECLINED: (Disposition.NOT_PLACED, (leg(Outcome.DECLINED),), ""),
    Ended.OPERATOR_NO_ANSWER: (Disposition.NOT_PLACED, (leg(Outcome.NO_ANSWER),), ""),
    Ended.OPERATOR_UNREACHABLE: (Disposition.NOT_PLACED, (), ""),
    Ended.NOT_DIALLED: (Disposition.NOT_PLACED, (leg(Outcome.ACCEPTED),), "LATE"),
}
TRIED = (*_TRIED, Ended.TALKED, Ended.NOT_A_PERSON, Ended.CUT_OFF, Ended.UNKNOWN)


def tried(how: Ended, call_id: str, number: str, at: datetime, operator: str) -> CallRecord:
    """Return the record of a try that ended so."""
    if how in (Ended.TALKED, Ended.NOT_A_PERSON, Ended.CUT_OFF):
        made = talk(call_id, number, at, 60 if how is Ended.TALKED else 3, operator, ours=True)
        by = Side.SYSTEM if how is Ended.CUT_OFF else Side.OPERATOR
        legs = (leg(Outcome.TALKED, operator=operator), *made.legs)
        return replace(made, legs=legs, hung_up_by=by)
    if how is Ended.UNKNOWN:
        found, legs, status = _LOST
    else:
        found, legs, status = _TRIED[how]
    values = (("status", status),)
    moments = (Moment(micros(at), MomentKind.ORDER_REFUSED, values),) if status else ()
    return a_call(
        call_id,
        number,
        at,
        "",
        disposition=found,
        abandoned_in="ringing" if found is Disposition.ABANDONED else None,
        direction=Direction.OUT,
        placed_by=operator,
        decision=None,
        legs=legs,
        moments=moments,
    )
