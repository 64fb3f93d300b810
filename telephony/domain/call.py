"""One inbound call, folded from its events over one transition table.

`fold(call, event)` returns a new frozen call. A call keeps its events in order of time; an event
that arrives late is put where it belongs and the state is folded anew, so that duplicates and any
order of arrival give the same state. What is missing is made up for in `record`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from enum import StrEnum

from telephony.domain.events import (
    CallEvent,
    DialBegan,
    DialEnded,
    FellBack,
    Finished,
    HangupAsked,
    HungUp,
    Joined,
    Left,
    Offered,
    ScreenBegan,
    Screened,
    StepEnded,
    Vanished,
)


class Phase(StrEnum):
    """Where a call is. The first three waiting phases name where a caller gave up."""

    NEW = "new"
    WAITING = "waiting"
    RINGING = "ringing"
    CONNECTING = "connecting"
    TALKING = "talking"
    AFTER = "after"
    ENDED = "ended"


class Kind(StrEnum):
    """What an event means for the call as a whole: the columns of the transition table."""

    OFFERED = "offered"
    DIAL_BEGAN = "dial_began"
    PICKED_UP = "picked_up"
    DIAL_FAILED = "dial_failed"
    SCREEN_BEGAN = "screen_began"
    SCREEN_PASSED = "screen_passed"
    SCREEN_REFUSED = "screen_refused"
    STEP_ENDED = "step_ended"
    FELL_BACK = "fell_back"
    OPERATOR_JOINED = "operator_joined"
    OPERATOR_LEFT = "operator_left"
    CALLER_BRIDGED = "caller_bridged"
    OPERATOR_GONE = "operator_gone"
    CALLER_GONE = "caller_gone"
    VANISHED = "vanished"


_SAME = (
    Kind.OFFERED,
    Kind.DIAL_FAILED,
    Kind.SCREEN_PASSED,
    Kind.SCREEN_REFUSED,
    Kind.STEP_ENDED,
    Kind.FELL_BACK,
    Kind.OPERATOR_LEFT,
    Kind.CALLER_BRIDGED,
    Kind.OPERATOR_GONE,
)
_ENDS = {Kind.CALLER_GONE: Phase.ENDED, Kind.VANISHED: Phase.ENDED}


def _row(phase: Phase, same: tuple[Kind, ...], **moves: Phase) -> dict[Kind, Phase]:
    stay = dict.fromkeys(same, phase)
    return stay | {Kind(kind): target for kind, target in moves.items()} | _ENDS


# The one table: a pair that is not here leaves the phase as it is and counts as an anomaly.
TRANSITIONS: dict[Phase, dict[Kind, Phase]] = {
    Phase.NEW: _row(Phase.NEW, (), offered=Phase.WAITING),
    Phase.WAITING: _row(
        Phase.WAITING,
        _SAME,
        dial_began=Phase.RINGING,
        picked_up=Phase.CONNECTING,
        screen_began=Phase.CONNECTING,
        operator_joined=Phase.TALKING,
    ),
    Phase.RINGING: _row(
        Phase.RINGING,
        _SAME,
        dial_began=Phase.RINGING,
        picked_up=Phase.CONNECTING,
        screen_began=Phase.CONNECTING,
        step_ended=Phase.WAITING,
        fell_back=Phase.WAITING,
        operator_joined=Phase.TALKING,
    ),
    Phase.CONNECTING: _row(
        Phase.CONNECTING,
        (*_SAME, Kind.PICKED_UP, Kind.SCREEN_BEGAN),
        dial_began=Phase.RINGING,
        step_ended=Phase.WAITING,
        fell_back=Phase.WAITING,
        operator_joined=Phase.TALKING,
    ),
    Phase.TALKING: _row(
        Phase.TALKING,
        (*_SAME, Kind.DIAL_BEGAN, Kind.PICKED_UP, Kind.SCREEN_BEGAN),
        operator_joined=Phase.TALKING,
        operator_left=Phase.AFTER,
        operator_gone=Phase.AFTER,
    ),
    Phase.AFTER: _row(
        Phase.AFTER,
        _SAME,
        dial_began=Phase.AFTER,
        picked_up=Phase.AFTER,
        screen_began=Phase.AFTER,
        operator_joined=Phase.TALKING,
    ),
    Phase.ENDED: dict.fromkeys(Kind, Phase.ENDED),
}


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg to an operator, keyed by its Uniqueid. Times in µs, None when not seen.

    `talks` are the (bridge, entered, left) of its stays in bridges.
    """

    uniqueid: str
    channel: str = ""
    dialled: str = ""
    rang_at: int | None = None
    dial_ended_at: int | None = None
    dial_status: str = ""
    screened_at: int | None = None
    screen: bool | None = None
    talks: tuple[tuple[str, int, int | None], ...] = ()
    hangup_asked_at: int | None = None
    ended_at: int | None = None
    cause: int = 0
    tech_cause: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What the events so far add up to."""

    phase: Phase = Phase.NEW
    legs: tuple[Leg, ...] = ()
    offered: Offered | None = None
    finished: Finished | None = None
    steps: tuple[StepEnded, ...] = ()
    fallback: FellBack | None = None
    caller_asked_at: int | None = None
    ended_at: int | None = None
    ended_in: Phase | None = None
    vanished: bool = False
    anomalies: tuple[tuple[Phase, Kind], ...] = ()

    def leg(self, uniqueid: str) -> Leg:
        """Return the leg with this Uniqueid, a blank one when it is not known."""
        return next((leg for leg in self.legs if leg.uniqueid == uniqueid), Leg(uniqueid))

    def with_leg(self, leg: Leg) -> State:
        """Return the state with this leg in place of the one of the same Uniqueid."""
        if any(known.uniqueid == leg.uniqueid for known in self.legs):
            legs = tuple(leg if known.uniqueid == leg.uniqueid else known for known in self.legs)
        else:
            legs = (*self.legs, leg)
        return replace(self, legs=legs)


@dataclass(frozen=True, slots=True)
class Call:
    """A call: its id, its events in order of time, and their sum."""

    id: str
    events: tuple[CallEvent, ...] = ()
    state: State = State()


# Events of one microsecond are ordered by what must come first.
_RANK: dict[type[CallEvent], int] = {
    kind: rank
    for rank, kind in enumerate(
        (
            Offered,
            DialBegan,
            DialEnded,
            ScreenBegan,
            Screened,
            Joined,
            Left,
            HangupAsked,
            StepEnded,
            FellBack,
            Finished,
            HungUp,
            Vanished,
        )
    )
}


def _key(event: CallEvent) -> tuple[int, int, str]:
    return (event.at, _RANK[type(event)], repr(event))


def fold(call: Call, event: CallEvent) -> Call:
    """Return the call with one more event; the same call when the event was there already."""
    if not call.events or _key(event) > _key(call.events[-1]):
        return replace(call, events=(*call.events, event), state=step(call.id, call.state, event))
    place = bisect_left(call.events, _key(event), key=_key)
    if call.events[place] == event:
        return call
    events = (*call.events[:place], event, *call.events[place:])
    state = State()
    for past in events:
        state = step(call.id, state, past)
    return replace(call, events=events, state=state)


def kind_of(call_id: str, event: CallEvent) -> Kind:
    """Return the table's column for an event of a call."""
    match event:
        case Offered():
            return Kind.OFFERED
        case DialBegan():
            return Kind.DIAL_BEGAN
        case DialEnded(status=status):
            return Kind.PICKED_UP if status == "ANSWER" else Kind.DIAL_FAILED
        case ScreenBegan():
            return Kind.SCREEN_BEGAN
        case Screened(accepted=accepted):
            return Kind.SCREEN_PASSED if accepted else Kind.SCREEN_REFUSED
        case StepEnded():
            return Kind.STEP_ENDED
        case FellBack():
            return Kind.FELL_BACK
        case Joined(leg=leg):
            return Kind.CALLER_BRIDGED if leg == call_id else Kind.OPERATOR_JOINED
        case Left(leg=leg):
            return Kind.CALLER_BRIDGED if leg == call_id else Kind.OPERATOR_LEFT
        case HangupAsked(leg=leg) | HungUp(leg=leg):
            return Kind.CALLER_GONE if leg == call_id else Kind.OPERATOR_GONE
        case Finished():
            return Kind.CALLER_GONE
        case Vanished():
            return Kind.VANISHED


def step(call_id: str, state: State, event: CallEvent) -> State:
    """Return the state after one event that is later than all before it."""
    kind = kind_of(call_id, event)
    was = state.phase
    phase = TRANSITIONS[was].get(kind)
    state = _noted(call_id, state, event)
    if phase is None:
        return replace(state, anomalies=(*state.anomalies, (was, kind)))
    if was is Phase.TALKING and phase is Phase.AFTER and _someone_talks(state):
        phase = Phase.TALKING
    if phase is Phase.ENDED and was is not Phase.ENDED:
        return replace(state, phase=phase, ended_at=event.at, ended_in=was)
    return replace(state, phase=phase)


def _someone_talks(state: State) -> bool:
    return any(left is None for leg in state.legs for _, _, left in leg.talks)


def _noted(call_id: str, state: State, event: CallEvent) -> State:
    """Return the state with what the event tells about its leg or the call written down."""
    match event:
        case Offered():
            return replace(state, offered=state.offered or event)
        case StepEnded():
            return replace(state, steps=(*state.steps, event))
        case FellBack():
            return replace(state, fallback=state.fallback or event)
        case Finished():
            return replace(state, finished=state.finished or event)
        case Vanished():
            return replace(state, vanished=state.vanished or state.phase is not Phase.ENDED)
        case HangupAsked(leg=leg) if leg == call_id:
            return replace(state, caller_asked_at=state.caller_asked_at or event.at)
        case Joined() | Left() | HungUp() if event.leg == call_id:
            return state
        case _:
            return state.with_leg(_leg_after(state.leg(event.leg), event))


def _leg_after(
    leg: Leg,
    event: DialBegan | DialEnded | ScreenBegan | Screened | Joined | Left | HangupAsked | HungUp,
) -> Leg:
    match event:
        case DialBegan():
            return replace(
                leg,
                channel=event.channel,
                dialled=leg.dialled or event.dialled,
                rang_at=leg.rang_at or event.at,
            )
        case DialEnded():
            if leg.dial_status:  # app_queue says CANCEL a second time
                return leg
            return replace(
                leg, channel=event.channel, dial_ended_at=event.at, dial_status=event.status
            )
        case ScreenBegan():
            return replace(leg, screened_at=leg.screened_at or event.at)
        case Screened():
            return replace(leg, screen=event.accepted)
        case Joined():
            return replace(
                leg, channel=event.channel, talks=(*leg.talks, (event.bridge, event.at, None))
            )
        case Left():
            return replace(leg, talks=_closed(leg.talks, event.at, event.bridge))
        case HangupAsked():
            return replace(
                leg, channel=event.channel, hangup_asked_at=leg.hangup_asked_at or event.at
            )
        case HungUp():
            return replace(
                leg,
                channel=event.channel,
                ended_at=event.at,
                cause=event.cause,
                tech_cause=event.tech_cause,
                talks=_closed(leg.talks, event.at, None),
            )


def _closed(
    talks: tuple[tuple[str, int, int | None], ...], at: int, bridge: str | None
) -> tuple[tuple[str, int, int | None], ...]:
    """Close the open stays (in `bridge`, or all) at a moment."""
    return tuple(
        (name, entered, at if left is None and bridge in (None, name) else left)
        for name, entered, left in talks
    )
