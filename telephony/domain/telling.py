"""What a followed call looks like to others while it goes on."""

from __future__ import annotations

from telephony.domain.call import Call, State
from telephony.domain.events import Offered
from telephony.domain.legs import Leg
from telephony.domain.live import LiveCall
from telephony.domain.phases import Phase
from telephony.domain.record_types import Context, Direction
from telephony.domain.roles import (
    called_extension,
    called_legs,
    client_number,
    direction_of,
    name_of,
    near_legs,
    owner,
)
from telephony.domain.routing import Kind


def live_call(call: Call, context: Context, before: LiveCall | None, revision: int) -> LiveCall:
    """Return a call that has not ended as it is told; `before` is how it was told last."""
    state = call.state
    direction = direction_of(call, context)
    legs = called_legs(state) or ([] if state.order else list(state.legs))
    # Who was called first is on the phone, but with nobody yet.
    there = [*near_legs(state), *legs]
    talked = [leg for leg in legs if leg.talks]
    first = min(talked, key=lambda leg: leg.talks[0][1], default=None)
    answered_at = first.talks[0][1] if first else None
    if context.answered_at is not None:
        answered_at = context.answered_at  # told by an earlier process
    phase = state.phase.value
    last = call.events[-1].at if call.events else 0
    told = state.offered or state.finished
    internal = direction is Direction.INTERNAL
    queue, queued_at = _waits(call, context, before, last)
    return LiveCall(
        call_id=call.id,
        revision=revision,
        direction=direction,
        did=(told.did if told else context.did) if direction is Direction.IN else "",
        number=called_extension(call, context)
        if internal
        else context.number or client_number(call, context),
        client_id=context.client_id,
        client_name=context.client_name,
        placed_by=call.placed_by,
        phase=phase,
        since=before.since if before is not None and before.phase == phase else last,
        started_at=_started(state, last),
        answered_at=answered_at,
        answered_by=_answered_by(first, direction, state, context)
        if context.answered_at is None
        else context.answered_by,
        ringing=tuple(name_of(leg, state, context) for leg in there if _rings(leg)),
        talking=_talking(call, context, there),
        on_hold=sum(leg.holding for leg in (state.origin, *legs)),
        decision=context.decision,
        decided_ms=context.decided_ms,
        channel=state.origin.channel,
        queue=queue,
        queued_at=queued_at,
    )


_WAITING = (Phase.WAITING, Phase.RINGING, Phase.CONNECTING)


def queue_of(call: Call, context: Context) -> str:
    """Return the queue in which a caller waits by the plan, empty for none.

    An announcement before it counts as waiting: nothing tells of its end.
    """
    state = call.state
    over = state.fallback or state.callback or state.voicemail
    if state.phase not in _WAITING or over or context.answered_at is not None:
        return ""
    # A menu's key brings another plan, whose steps are counted anew.
    began = max((each.at for each in call.events if isinstance(each, Offered)), default=0)
    done = max((one.step for one in state.steps if one.at >= began), default=0)
    if state.recalled and not done:
        return context.queue
    steps = context.decision.plan.steps if context.decision else ()
    following = next((each for each in steps[done:] if each.kind is not Kind.SAY), None)
    return following.targets[0].address if following and following.kind is Kind.QUEUE else ""


def _waits(
    call: Call, context: Context, before: LiveCall | None, last: int
) -> tuple[str, int | None]:
    """Return the queue in which the caller waits, and since when."""
    queue = queue_of(call, context)
    if not queue:
        return "", None
    if before is not None and before.queue == queue:
        return queue, before.queued_at
    return queue, context.queued_at if queue == context.queue else last


def _started(state: State, last: int) -> int:
    if state.offered:
        return state.offered.at
    return state.began_at if state.began_at is not None else last


def _rings(leg: Leg) -> bool:
    rang = leg.rang_at is not None and leg.dial_ended_at is None
    return rang and not leg.talks and leg.ended_at is None


def _talking(call: Call, context: Context, legs: list[Leg]) -> tuple[str, ...]:
    names = [name_of(leg, call.state, context) for leg in legs if leg.talking]
    if call.state.order is None and call.placed_by is not None and call.state.origin.talking:
        names.insert(0, call.placed_by)
    return tuple(dict.fromkeys(names))


def _answered_by(
    first: Leg | None, direction: Direction, state: State, context: Context
) -> str | None:
    if first is None or direction is Direction.OUT:
        return None
    return owner(first, state, context)[1]
