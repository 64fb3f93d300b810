"""The record of a call: what `calls` shows and what everything later is computed from.

Derived from the folded state alone, so the same events give the same record. Where events are
missing, the hangup handler's summary (`Finished`) and the legs' ends stand in for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from telephony.domain.call import Call, Leg, Phase, State
from telephony.domain.events import Finished, endpoint_of
from telephony.domain.numbers import digits
from telephony.domain.routing import Decision, Kind


class Disposition(StrEnum):
    """How a call ended for the caller."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    LOST = "lost"


class Direction(StrEnum):
    """Which way a call went, seen from the company."""

    IN = "in"
    OUT = "out"
    INTERNAL = "internal"


class Source(StrEnum):
    """What a record was made from: live events, or what the PBX had written down meanwhile."""

    EVENTS = "events"
    QUEUE_LOG = "queue_log"
    CDR = "cdr"


class MomentKind(StrEnum):
    """What happened to a call on its way, besides ringing and talking."""

    HELD = "held"
    RESUMED = "resumed"
    BLIND_TRANSFER = "blind_transfer"
    ATTENDED_TRANSFER = "attended_transfer"
    CONSULTED = "consulted"
    PICKED_UP = "picked_up"
    PARKED = "parked"
    UNPARKED = "unparked"


class Side(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    OPERATOR = "operator"
    SYSTEM = "system"


class Outcome(StrEnum):
    """How one leg to an operator ended."""

    TALKED = "talked"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a call at `at` (µs since the epoch).

    `values` are (name, value): `by` and `to` are extensions or numbers, `slot` a parking space.
    """

    at: int
    kind: MomentKind
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LegRecord:
    """One leg of a call. Times in µs since the epoch, durations in ms.

    `talks` are its (begin, end) in conversation, `holds` those of the times it was put on hold.
    """

    uniqueid: str
    channel: str
    kind: str
    operator: str | None
    address: str
    outcome: Outcome
    rang_at: int | None
    ring_ms: int
    talk_ms: int
    cause: int
    tech_cause: int
    ended_at: int | None = None
    hold_ms: int = 0
    talks: tuple[tuple[int, int], ...] = ()
    holds: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call. Times in µs since the epoch, durations in ms.

    `number` is the client's number; in an internal call the extension called. `placed_by` is the
    extension that placed an outbound or internal call, None for an inbound one.
    `wait_ms` runs from the announcement to the conversation, or to the end; `ring_ms` from the
    first leg's ringing to the same moment; `talk_ms` counts every moment in which at least one
    operator was in a bridge. `abandoned_in` is the phase in which the caller gave up.
    """

    call_id: str
    did: str
    number: str
    client_id: int | None
    client_name: str
    started_at: int
    answered_at: int | None
    ended_at: int
    wait_ms: int
    ring_ms: int
    talk_ms: int
    disposition: Disposition
    abandoned_in: str | None
    answered_by: str | None
    answered_on: str | None
    hung_up_by: Side
    fallback: str | None
    decision: Decision | None
    decided_ms: float | None
    legs: tuple[LegRecord, ...]
    direction: Direction = Direction.IN
    placed_by: str | None = None
    hold_ms: int = 0
    source: Source = Source.EVENTS
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a record needs besides the events: the decision and who owns which endpoint.

    `decided_ms` is the time from reading the announcement to writing the plan.
    """

    decision: Decision | None = None
    decided_ms: float | None = None
    client_id: int | None = None
    client_name: str = ""
    number: str | None = None
    endpoints: Mapping[str, str] | None = None


_ON_FALLBACK = "fallback"
_NEVER = 1 << 62
_SIP_DECLINED = 603
_SIP_BUSY = (486, 600)
_BY_STATUS = {
    "BUSY": Outcome.BUSY,
    "CANCEL": Outcome.CANCELLED,
    "CHANUNAVAIL": Outcome.UNREACHABLE,
    "CONGESTION": Outcome.UNREACHABLE,
}


def record(call: Call, context: Context) -> CallRecord:
    """Return the record of a call that has ended (or of one given up on)."""
    state = call.state
    start = _started(call)
    end = max(start, _ended(call))
    spans = [span for leg in state.legs for span in _spans(leg, end)]
    legs = tuple(_leg_record(leg, state, context, end) for leg in _ordered(state.legs))
    talk_ms = _union_ms(spans, end)
    answered_at = min((begin for begin, _ in spans), default=None)
    if answered_at is None and state.finished and state.finished.answered_ms:
        # The bridge was not seen: trust the dialplan's own clock.
        talk_ms = state.finished.answered_ms
        answered_at = max(start, end - talk_ms * 1000)
    answered_by, answered_on = _answerer(legs, state, context)
    disposition = _disposition(state, answered_at, legs)
    until = end if answered_at is None else max(start, answered_at)
    rang = min((leg.rang_at for leg in state.legs if leg.rang_at), default=until)
    offered = state.offered or state.finished
    return CallRecord(
        call_id=call.id,
        did=offered.did if offered else "",
        number=context.number or (offered.number if offered else ""),
        client_id=context.client_id,
        client_name=context.client_name,
        started_at=start,
        answered_at=answered_at,
        ended_at=end,
        wait_ms=_ms(until - start),
        ring_ms=_ms(max(0, until - rang)),
        talk_ms=talk_ms,
        disposition=disposition,
        abandoned_in=str(state.ended_in or Phase.WAITING)
        if disposition is Disposition.ABANDONED
        else None,
        answered_by=answered_by,
        answered_on=answered_on,
        hung_up_by=_hung_up_by(state),
        fallback=state.fallback.reason if state.fallback else None,
        decision=context.decision,
        decided_ms=context.decided_ms,
        legs=legs,
    )


def _ms(microseconds: int) -> int:
    return round(microseconds / 1000)


def _started(call: Call) -> int:
    if call.state.offered:
        return call.state.offered.at
    if call.state.finished:
        return call.state.finished.started * 1_000_000
    return call.events[0].at if call.events else 0


def _ended(call: Call) -> int:
    if call.state.ended_at is not None:
        return call.state.ended_at
    return call.events[-1].at if call.events else 0


def _ordered(legs: tuple[Leg, ...]) -> list[Leg]:
    return sorted(legs, key=lambda leg: (leg.rang_at or leg.ended_at or 0, leg.uniqueid))


def _spans(leg: Leg, end: int) -> list[tuple[int, int]]:
    """Return the (begin, end) of a leg's stays in bridges; an open one lasts until `end`."""
    return [(begin, max(begin, left or end)) for _, begin, left in leg.talks]


def _union_ms(spans: list[tuple[int, int]], end: int) -> int:
    """Return the milliseconds covered by at least one span."""
    total = 0
    reached = 0
    for begin, until in sorted(spans):
        begin, until = max(begin, reached), min(until, end)  # noqa: PLW2901
        if until > begin:
            total += until - begin
            reached = until
    return _ms(total)


def _owner(leg: Leg, state: State, context: Context) -> tuple[str, str | None, str]:
    """Return (kind, operator, address) of a leg: a target of the plan, else the fallback's."""
    endpoint = endpoint_of(leg.channel)
    number = leg.dialled.partition("@")[0]
    if context.decision:
        for planned in context.decision.plan.steps:
            for target in planned.targets:
                wanted = digits(target.address)
                if planned.kind is Kind.MOBILE and number and digits(number) == wanted:
                    return Kind.MOBILE, target.operator, target.address
                if (
                    planned.kind is Kind.DESK
                    and target.address == endpoint
                    and (state.fallback is None or (leg.rang_at or 0) < state.fallback.at)
                ):
                    return Kind.DESK, target.operator, target.address
    kind = _ON_FALLBACK if state.fallback else Kind.DESK
    return kind, (context.endpoints or {}).get(endpoint), endpoint


def _leg_record(leg: Leg, state: State, context: Context, end: int) -> LegRecord:
    kind, operator, address = _owner(leg, state, context)
    stops = [
        leg.screened_at,
        leg.dial_ended_at,
        leg.talks[0][1] if leg.talks else None,
        leg.ended_at,
        end,
    ]
    stop = next(moment for moment in stops if moment is not None)
    return LegRecord(
        uniqueid=leg.uniqueid,
        channel=leg.channel,
        kind=kind,
        operator=operator,
        address=address,
        outcome=_outcome(leg, state),
        rang_at=leg.rang_at,
        ring_ms=_ms(max(0, stop - leg.rang_at)) if leg.rang_at else 0,
        talk_ms=_union_ms(_spans(leg, end), end),
        cause=leg.cause,
        tech_cause=leg.tech_cause,
    )


def _outcome(leg: Leg, state: State) -> Outcome:
    """Classify a leg. The SIP status wins: a 603 is NOANSWER for DialEnd."""
    if leg.talks or (leg.screen is not False and _is_peer(leg, state.finished)):
        found = Outcome.TALKED
    elif leg.tech_cause == _SIP_DECLINED or (leg.cause == 21 and leg.dial_status != "ANSWER"):
        found = Outcome.DECLINED
    elif leg.tech_cause in _SIP_BUSY or (leg.cause == 17 and not leg.dial_status):
        found = Outcome.BUSY
    elif leg.screen is False or leg.screened_at or leg.dial_status == "ANSWER":
        found = Outcome.REFUSED
    elif leg.dial_status == "NOANSWER" and leg.tech_cause >= 400 and leg.tech_cause != 487:
        found = Outcome.UNREACHABLE
    else:
        found = _BY_STATUS.get(leg.dial_status, Outcome.NO_ANSWER)
    return found


def _is_peer(leg: Leg, done: Finished | None) -> bool:
    """Tell whether the summary names this leg as the one that talked."""
    return done is not None and bool(done.answered_ms and done.peer) and leg.channel == done.peer


def _answerer(
    legs: tuple[LegRecord, ...], state: State, context: Context
) -> tuple[str | None, str | None]:
    """Return (operator, kind) of who answered first, of the summary's peer when no leg was seen."""
    talked = [leg for leg in legs if leg.outcome is Outcome.TALKED]
    # A queue's Local channel talks too; the operator is behind it.
    for leg in sorted(talked, key=lambda leg: leg.operator is None):
        return leg.operator, leg.kind
    if state.finished and state.finished.answered_ms:
        kind, operator, _ = _owner(Leg("", state.finished.peer), state, context)
        return operator, kind
    return None, None


def _disposition(state: State, answered_at: int | None, legs: tuple[LegRecord, ...]) -> Disposition:
    if answered_at is not None:
        return Disposition.ANSWERED
    if state.vanished:
        return Disposition.LOST
    if _caller_hung_up(state):
        return Disposition.ABANDONED
    outcomes = {leg.outcome for leg in legs}
    if outcomes & {Outcome.NO_ANSWER, Outcome.CANCELLED, Outcome.REFUSED}:
        return Disposition.NO_ANSWER
    if outcomes & {Outcome.BUSY, Outcome.DECLINED}:
        return Disposition.BUSY
    return Disposition.FAILED


def _caller_hung_up(state: State) -> bool:
    if state.caller_asked_at is not None:
        return True
    done = state.finished
    return done is not None and bool(done.source) and done.source == done.channel


def _hung_up_by(state: State) -> Side:
    talked = [leg for leg in state.legs if leg.talks]
    # After a transfer only the operator who talked last can have ended the call.
    last = max(talked, key=lambda leg: leg.talks[-1][2] or _NEVER, default=None)
    asked: list[tuple[int, Side]] = []
    if last is not None and last.hangup_asked_at is not None:
        asked.append((last.hangup_asked_at, Side.OPERATOR))
    if state.caller_asked_at is not None:
        asked.append((state.caller_asked_at, Side.CALLER))
    if asked:
        return min(asked)[1]
    if _caller_hung_up(state):
        return Side.CALLER
    done = state.finished
    if done and done.source and done.source == done.peer:
        return Side.OPERATOR
    return Side.SYSTEM
