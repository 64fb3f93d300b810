"""How a call and its legs ended, from the folded state."""

from __future__ import annotations

from collections.abc import Sequence

from telephony.domain.call import Call, Leg, State
from telephony.domain.events import Finished
from telephony.domain.moments import operators_legs
from telephony.domain.record_types import Context, Direction, Disposition, Outcome, Side
from telephony.domain.roles import client_leg
from telephony.domain.routing import Kind, Step

_NEVER = 1 << 62
_SIP_DECLINED = 603
_SIP_BUSY = (486, 600)
_SIP_CANCELLED = 487
_SIP_UNREACHABLE = frozenset(range(400, 700)) - {_SIP_CANCELLED}
_PICKED_UP_ELSEWHERE = 26
# What a queue says of a caller whom nobody took.
_QUEUE_ENDS = frozenset({"TIMEOUT", "FULL", "LEAVEEMPTY", "LEAVEUNAVAIL"})
_RINGS = frozenset({Kind.DESK, Kind.MOBILE, Kind.QUEUE, Kind.NUMBER, Kind.FALLBACK})
_BY_STATUS = {
    "BUSY": Outcome.BUSY,
    "CANCEL": Outcome.CANCELLED,
    "CHANUNAVAIL": Outcome.UNREACHABLE,
    "CONGESTION": Outcome.UNREACHABLE,
}


def outcome(leg: Leg, state: State) -> Outcome:
    """Classify a leg. The SIP status wins: a 603 is NOANSWER for DialEnd."""
    if state.is_near(leg) and (leg.talks or leg.screen) and not state.origin.talks:
        # Who is called first is in a bridge from the moment they agree.
        found = Outcome.ACCEPTED
    elif leg.talks or (leg.screen is not False and _is_peer(leg, state.finished)):
        found = Outcome.TALKED
    elif leg.tech_cause == _SIP_DECLINED or (
        # What a provider forbids (403) has the cause of a call that somebody declined.
        leg.cause == 21 and not leg.tech_cause and leg.dial_status != "ANSWER"
    ):
        found = Outcome.DECLINED
    elif leg.tech_cause in _SIP_BUSY or (leg.cause == 17 and not leg.dial_status):
        found = Outcome.BUSY
    elif leg.screen is False or leg.screened_at or leg.dial_status == "ANSWER":
        found = Outcome.REFUSED
    elif leg.dial_status in ("NOANSWER", "") and leg.tech_cause in _SIP_UNREACHABLE:
        found = Outcome.UNREACHABLE
    elif leg.cause == _PICKED_UP_ELSEWHERE and not leg.dial_status:
        found = Outcome.CANCELLED
    else:
        found = _BY_STATUS.get(leg.dial_status, Outcome.NO_ANSWER)
    return found


def _is_peer(leg: Leg, done: Finished | None) -> bool:
    """Tell whether the summary names this leg as the one that talked."""
    return done is not None and bool(done.answered_ms and done.peer) and leg.channel == done.peer


def disposition(
    call: Call, context: Context, answered_at: int | None, outcomes: Sequence[Outcome]
) -> Disposition:
    """Classify a call by its legs' outcomes, and by what became of it without any."""
    if answered_at is not None:
        return Disposition.ANSWERED
    if call.state.voicemail is not None and call.state.voicemail.spoke:
        return Disposition.VOICEMAIL
    if call.state.callback is not None:
        return Disposition.CALLBACK_ASKED
    plan = context.decision.plan.steps if context.decision else ()
    if plan and plan[-1].kind is Kind.REJECT and not outcomes:
        return Disposition.BLOCKED
    if call.state.vanished:
        return Disposition.LOST
    if call.placed_by is not None and call.state.order is not None and not outcomes:
        return Disposition.NOT_PLACED
    if not call.unrouted and _gave_up(call, outcomes):
        return Disposition.ABANDONED
    seen = set(outcomes)
    if not seen and _waited_or_told(call, plan):
        return Disposition.NO_ANSWER
    if seen & {Outcome.NO_ANSWER, Outcome.CANCELLED, Outcome.REFUSED}:
        return Disposition.NO_ANSWER
    if seen & {Outcome.BUSY, Outcome.DECLINED}:
        return Disposition.BUSY
    return Disposition.FAILED


def _waited_or_told(call: Call, plan: Sequence[Step]) -> bool:
    """Tell whether a caller waited in a queue in vain, or was only told something, by plan."""
    if any(one.status in _QUEUE_ENDS for one in call.state.steps):
        return True
    return bool(plan) and not any(step.kind in _RINGS for step in plan)


def _gave_up(call: Call, outcomes: Sequence[Outcome]) -> bool:
    """Tell whether whoever called hung up before an answer."""
    if _origin_hung_up(call.state):
        return True
    # Of a call that an operator placed only the operator takes the ringing back.
    return call.placed_by is not None and outcomes[-1:] == [Outcome.CANCELLED]


def _origin_hung_up(state: State) -> bool:
    if state.origin.hangup_asked_at is not None or state.origin.tech_cause == _SIP_CANCELLED:
        return True
    done = state.finished
    return done is not None and bool(done.source) and done.source == done.channel


def hung_up_by(call: Call, context: Context, direction: Direction, found: Disposition) -> Side:
    """Return who ended a call: of the client and the operator who talked last, who asked first."""
    if found is Disposition.ABANDONED:
        return Side.CALLER if direction is Direction.IN else Side.OPERATOR
    asked: list[tuple[int, Side]] = []
    client = None if direction is Direction.INTERNAL else client_leg(call, context)
    ours = [leg for leg in operators_legs(call, context) if leg.talks]
    # After a transfer only the operator who talked last can have ended the call.
    last = max(ours, key=lambda leg: leg.talks[-1][2] or _NEVER, default=None)
    for leg in ours if direction is Direction.INTERNAL else [last]:
        if leg is not None and leg.hangup_asked_at is not None:
            asked.append((leg.hangup_asked_at, Side.OPERATOR))
    answered = found is Disposition.ANSWERED or direction is Direction.IN
    if client is not None and client.hangup_asked_at is not None and answered:
        asked.append((client.hangup_asked_at, Side.CALLER))
    if asked:
        return min(asked)[1]
    if direction is Direction.IN and _origin_hung_up(call.state):
        return Side.CALLER
    done = call.state.finished
    if done and done.source and done.source == done.peer:
        return Side.OPERATOR
    return Side.SYSTEM
