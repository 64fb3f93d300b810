"""The record of a call: what `calls` shows and what everything later is computed from.

Derived from the folded state alone, so the same events give the same record. Where events are
missing, the hangup handler's summary (`Finished`), the legs' ends and the other side's stay in the
bridge stand in for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from telephony.domain.call import Call, Phase, State
from telephony.domain.legs import Leg
from telephony.domain.moments import moments, operators_legs
from telephony.domain.outcomes import disposition, hung_up_by, outcome
from telephony.domain.record_types import (
    CallRecord,
    Context,
    Direction,
    Disposition,
    LegKind,
    LegRecord,
    Moment,
    MomentKind,
    Outcome,
    Side,
    Source,
    milliseconds,
)
from telephony.domain.roles import (
    called_extension,
    called_legs,
    client_number,
    direction_of,
    near_legs,
    owner,
)

__all__ = [
    "CallRecord",
    "Context",
    "Direction",
    "Disposition",
    "LegKind",
    "LegRecord",
    "Moment",
    "MomentKind",
    "Outcome",
    "Side",
    "Source",
    "record",
]

_Span = tuple[int, int]


def record(call: Call, context: Context) -> CallRecord:
    """Return the record of a call that has ended (or of one given up on)."""
    if not context.endpoints:
        context = replace(context, endpoints=call.desks)
    call = _with_missed_talks(call)
    state = call.state
    direction = direction_of(call, context)
    start = _started(call)
    end = max(start, _ended(call))
    called = called_legs(state)
    # A Local channel's halves stand for the phone behind them where that was not seen.
    heard = called if called or state.order else state.legs
    spans = [span for leg in heard for span in _talks(leg, end)]
    talk_ms = _union_ms(spans)
    answered_at = min((begin for begin, _ in spans), default=None)
    if answered_at is None and state.finished and state.finished.answered_ms:
        # The bridge was not seen: trust the dialplan's own clock.
        talk_ms = state.finished.answered_ms
        answered_at = max(start, end - talk_ms * 1000)
    told = context.answered_at
    before = told is not None and (answered_at is None or told < answered_at)
    if before:
        # Whoever answered first may be gone without a leg that this process saw.
        answered_at = told
    legs = tuple(_leg_record(leg, state, context, end) for leg in _shown(call, called))
    parties = near_legs(state) if call.unrouted else called
    outcomes = [outcome(leg, state) for leg in parties]
    found = disposition(call, context, answered_at, outcomes)
    answered_by, answered_on = _answerer(call, legs, context, direction)
    if before and direction is not Direction.OUT and context.answered_by != answered_by:
        answered_by = context.answered_by
        answered_on = LegKind.DESK if answered_by else None
    until = end if answered_at is None else max(start, answered_at)
    rang = min((leg.rang_at for leg in state.legs if leg.rang_at), default=until)
    holds = [span for leg in operators_legs(call, context) for span in _holds(leg, end)]
    return CallRecord(
        call_id=call.id,
        did=_did(call, context) if direction is Direction.IN else "",
        number=_number(call, context, direction),
        client_id=context.client_id,
        client_name=context.client_name,
        started_at=start,
        answered_at=answered_at,
        ended_at=end,
        wait_ms=milliseconds(until - start),
        ring_ms=milliseconds(max(0, until - rang)),
        talk_ms=talk_ms,
        disposition=found,
        abandoned_in=str(state.ended_in or Phase.WAITING)
        if found is Disposition.ABANDONED
        else None,
        answered_by=answered_by,
        answered_on=answered_on,
        hung_up_by=hung_up_by(call, context, direction, found),
        fallback=state.fallback.reason if state.fallback else None,
        decision=context.decision,
        decided_ms=context.decided_ms,
        legs=legs,
        direction=direction,
        placed_by=_placed_by(call, legs),
        hold_ms=_union_ms(holds),
        moments=moments(call, context, end),
    )


def _placed_by(call: Call, legs: Sequence[LegRecord]) -> str | None:
    """Return who placed a call; of one that called the client first who talked to them."""
    if call.placed_by is not None or call.state.order is None:
        return call.placed_by
    talked = (leg.operator for leg in legs if leg.operator and leg.outcome is Outcome.TALKED)
    return next(talked, None)


def _number(call: Call, context: Context, direction: Direction) -> str:
    if direction is Direction.INTERNAL:
        return called_extension(call, context)
    return context.number or client_number(call, context)


def _did(call: Call, context: Context) -> str:
    told = call.state.offered or call.state.finished
    return told.did if told else context.did


def _with_missed_talks(call: Call) -> Call:
    """Fill in the stay of a leg that answered and whose BridgeEnter was missed.

    The leg that the call began with was in a bridge with it, from the answer on. A mobile that is
    asked to press 1 answers before it may talk.
    """
    state = call.state
    for leg in called_legs(state) if state.order else state.legs:
        if leg.talks or leg.dial_status != "ANSWER" or leg.screened_at or leg.screen is not None:
            continue
        for bridge, entered, left in state.origin.talks:
            if leg.dial_ended_at is None or entered < leg.dial_ended_at:
                continue
            ends = [at for at in (left, leg.ended_at) if at is not None]
            stay = (bridge, entered, min(ends, default=None))
            state = state.with_leg(replace(leg, talks=(stay,)))
            break
    return replace(call, state=state)


def _shown(call: Call, called: list[Leg]) -> list[Leg]:
    """Return the legs that a record has: of the first leg only an operator's who talked."""
    if call.state.order is not None:
        return [*near_legs(call.state), *called]
    if call.placed_by is not None and call.state.origin.talks:
        return [call.state.origin, *called]
    return called or sorted(call.state.legs, key=lambda leg: (leg.seen_at, leg.uniqueid))


def _started(call: Call) -> int:
    state = call.state
    if state.offered:
        return state.offered.at
    if state.finished:
        return state.finished.started * 1_000_000
    if state.began_at is not None:
        return state.began_at
    return call.events[0].at if call.events else 0


def _ended(call: Call) -> int:
    if call.state.ended_at is not None:
        return call.state.ended_at
    return call.events[-1].at if call.events else 0


def _talks(leg: Leg, end: int) -> list[_Span]:
    """Return the (begin, end) of a leg's stays in bridges until `end`."""
    return _until([(begin, left) for _, begin, left in leg.talks], end)


def _holds(leg: Leg, end: int) -> list[_Span]:
    return _until(leg.holds, end)


def _until(spans: Sequence[tuple[int, int | None]], end: int) -> list[_Span]:
    """Return spans cut at `end`, where open ones stop; one begun later is kept, empty."""
    return [
        (begin, max(begin, min(end if until is None else until, end))) for begin, until in spans
    ]


def _union_ms(spans: Sequence[_Span]) -> int:
    """Return the milliseconds covered by at least one span."""
    total = 0
    reached = 0
    for begin, until in sorted(spans):
        begin = max(begin, reached)  # noqa: PLW2901
        if until > begin:
            total += until - begin
            reached = until
    return milliseconds(total)


def _leg_record(leg: Leg, state: State, context: Context, end: int) -> LegRecord:
    kind, operator, address = owner(leg, state, context)
    stops = [
        leg.screened_at,
        leg.dial_ended_at,
        leg.talks[0][1] if leg.talks else None,
        leg.ended_at,
        end,
    ]
    stop = next(moment for moment in stops if moment is not None)
    talks, holds = _talks(leg, end), _holds(leg, end)
    return LegRecord(
        uniqueid=leg.uniqueid,
        channel=leg.channel,
        kind=kind,
        operator=operator,
        address=address,
        outcome=outcome(leg, state),
        rang_at=leg.rang_at,
        ring_ms=milliseconds(max(0, stop - leg.rang_at)) if leg.rang_at else 0,
        talk_ms=_union_ms(talks),
        cause=leg.cause,
        tech_cause=leg.tech_cause,
        ended_at=leg.ended_at,
        hold_ms=_union_ms(holds),
        talks=tuple(talks),
        holds=tuple(holds),
    )


def _answerer(
    call: Call, legs: tuple[LegRecord, ...], context: Context, direction: Direction
) -> tuple[str | None, str | None]:
    """Return (operator, kind) of who answered first, of the summary's peer when no leg was seen.

    (None, None) for an outbound call: the client answered.
    """
    if direction is Direction.OUT:
        return None, None
    talked = [leg for leg in legs if leg.outcome is Outcome.TALKED and leg.uniqueid != call.id]
    for leg in sorted(talked, key=lambda leg: leg.operator is None):
        return leg.operator, leg.kind
    done = call.state.finished
    if done and done.answered_ms:
        kind, operator, _ = owner(Leg("", done.peer), call.state, context)
        return operator, kind
    return None, None
