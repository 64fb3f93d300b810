"""One call, folded from its events over one transition table.

`fold(call, event)` returns a new frozen call. A call keeps its events in order of time; an event
that arrives late is put where it belongs and the state is folded anew, so that duplicates and any
order of arrival give the same state. What is missing is made up for in `record`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from telephony.domain.events import (
    CallbackAsked,
    CallEvent,
    DialBegan,
    DialEnded,
    FellBack,
    Finished,
    HangupAsked,
    Held,
    HungUp,
    Joined,
    Left,
    Offered,
    Ordered,
    Parked,
    PickedUp,
    Recalled,
    Resumed,
    ScreenBegan,
    Screened,
    StepEnded,
    Transferred,
    Unparked,
    Vanished,
    VoicemailLeft,
    extension_of,
)
from telephony.domain.legs import Leg, after, called_first, order_in
from telephony.domain.orders import Order, dials_first
from telephony.domain.phases import TRANSITIONS, Kind, Phase

__all__ = ["TRANSITIONS", "Call", "Kind", "Leg", "Phase", "State", "fold", "kind_of", "replay"]


@dataclass(frozen=True, slots=True)
class State:
    """What the events so far add up to.

    `origin` is the leg that the call began with: the caller's, or of a call that an operator
    placed the operator's. `legs` are all others. `number` and `exten` are what the origin's
    caller id and dialled extension were when it first dialled: digits or empty.
    """

    phase: Phase = Phase.NEW
    origin: Leg = field(default_factory=lambda: Leg(""))
    legs: tuple[Leg, ...] = ()
    began_at: int | None = None
    number: str = ""
    exten: str = ""
    offered: Offered | None = None
    finished: Finished | None = None
    steps: tuple[StepEnded, ...] = ()
    fallback: FellBack | None = None
    transfers: tuple[Transferred, ...] = ()
    pickups: tuple[PickedUp, ...] = ()
    parkings: tuple[Parked | Unparked, ...] = ()
    callback: CallbackAsked | None = None
    orders: tuple[Ordered, ...] = ()
    voicemail: VoicemailLeft | None = None
    ended_at: int | None = None
    ended_in: Phase | None = None
    recalled: bool = False
    vanished: bool = False
    anomalies: tuple[tuple[Phase, Kind], ...] = ()

    @property
    def order(self) -> Order | None:
        """What Dutyline ordered, None for a call that others began."""
        return order_in(self.origin, self.legs)

    def is_near(self, leg: Leg) -> bool:
        """Tell whether an order called this leg first: it stands for the call's own."""
        return called_first(leg, self.legs)

    def leg(self, uniqueid: str) -> Leg:
        """Return the leg with this Uniqueid, a blank one when it is not known."""
        return next((leg for leg in self.legs if leg.uniqueid == uniqueid), Leg(uniqueid))

    def with_leg(self, leg: Leg) -> State:
        """Return the state with this leg in place of the one of the same Uniqueid."""
        for index, known in enumerate(self.legs):
            if known.uniqueid == leg.uniqueid:
                return replace(self, legs=(*self.legs[:index], leg, *self.legs[index + 1 :]))
        return replace(self, legs=(*self.legs, leg))


@dataclass(frozen=True, slots=True)
class Call:
    """A call: its id, its events in order of time, and their sum.

    `desks` maps the operators' endpoints to their extensions, as they were when it began.
    """

    id: str
    events: tuple[CallEvent, ...] = ()
    state: State = field(default_factory=State)
    desks: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def announced(self) -> bool:
        """Whether our dialplan told of it: then it came in, whoever called."""
        return self.state.offered is not None or self.state.finished is not None

    @property
    def concerns_somebody(self) -> bool:
        """Whether it is one for others: it was announced, or somebody is or was called.

        A feature code or an announcement alone is none.
        """
        state = self.state
        return self.announced or state.recalled or bool(state.legs) or state.order is not None

    @property
    def unrouted(self) -> bool:
        """Whether an order calls the client first, who has not been put through to anybody yet."""
        order = self.state.order
        return order is not None and order.operator is None and not self.announced

    @property
    def placed_by(self) -> str | None:
        """The extension that placed it, None when it came in."""
        return _placed_by(self, self.state)


def _placed_by(call: Call, state: State) -> str | None:
    if (order := state.order) is not None:
        return order.operator
    if state.offered is not None or state.finished is not None:
        return None
    return extension_of(state.origin.channel, call.desks)


# Events of one microsecond are ordered by what must come first.
_RANK: dict[type[CallEvent], int] = {
    kind: rank
    for rank, kind in enumerate(
        (
            Offered,
            Recalled,
            DialBegan,
            PickedUp,
            DialEnded,
            ScreenBegan,
            Screened,
            Held,
            Resumed,
            Transferred,
            Parked,
            Unparked,
            Joined,
            Left,
            HangupAsked,
            StepEnded,
            FellBack,
            CallbackAsked,
            VoicemailLeft,
            Ordered,
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
    last = call.events[-1] if call.events else None
    if last is None or (_key(event) > _key(last) and not isinstance(last, Vanished)):
        return replace(call, events=(*call.events, event), state=step(call, call.state, event))
    place = bisect_left(call.events, _key(event), key=_key)
    if event in call.events[place : place + 1]:
        return call
    events = _proved((*call.events[:place], event, *call.events[place:]))
    return call if events == call.events else _refolded(call, events)


def _proved(events: tuple[CallEvent, ...]) -> tuple[CallEvent, ...]:
    """Return the events without those that say too early that a call is gone."""
    return tuple(event for event in events[:-1] if not isinstance(event, Vanished)) + events[-1:]


def replay(call_id: str, events: Iterable[CallEvent], desks: Mapping[str, str]) -> Call:
    """Return the call with this id that events in any order add up to."""
    ordered = tuple(sorted(set(events), key=_key))
    return _refolded(Call(call_id, desks=desks), _proved(ordered))


def _refolded(call: Call, events: tuple[CallEvent, ...]) -> Call:
    state = State()
    for past in events:
        state = step(call, state, past)
    return replace(call, events=events, state=state)


def kind_of(call: Call, state: State, event: CallEvent) -> Kind:
    """Return the table's column for an event of a call; `state` has it written down already."""
    match event:
        case DialEnded(status=status):
            return Kind.PICKED_UP if status == "ANSWER" else Kind.DIAL_FAILED
        case Screened(accepted=accepted):
            return Kind.SCREEN_PASSED if accepted else Kind.SCREEN_REFUSED
        case Joined(leg=leg):
            return Kind.CALLER_BRIDGED if leg == call.id else Kind.OPERATOR_JOINED
        case Left(leg=leg):
            return Kind.CALLER_BRIDGED if leg == call.id else Kind.OPERATOR_LEFT
        case HangupAsked(leg=leg) | HungUp(leg=leg):
            if _placed_by(call, state) is not None:
                return Kind.PARTIES_GONE if _is_over(state, leg) else Kind.OPERATOR_GONE
            return Kind.CALLER_GONE if leg == call.id else Kind.OPERATOR_GONE
        case _:
            return _KINDS[type(event)]


_KINDS: dict[type[CallEvent], Kind] = {
    Offered: Kind.OFFERED,
    DialBegan: Kind.DIAL_BEGAN,
    ScreenBegan: Kind.SCREEN_BEGAN,
    StepEnded: Kind.STEP_ENDED,
    FellBack: Kind.FELL_BACK,
    CallbackAsked: Kind.CALLBACK_ASKED,
    VoicemailLeft: Kind.VOICEMAIL_LEFT,
    Held: Kind.HELD,
    Resumed: Kind.RESUMED,
    Transferred: Kind.TRANSFERRED,
    PickedUp: Kind.TAKEN_OVER,
    Parked: Kind.PARKED,
    Unparked: Kind.UNPARKED,
    Finished: Kind.CALLER_GONE,
    Ordered: Kind.ORDERED,
    Recalled: Kind.RECALLED,
    Vanished: Kind.VANISHED,
}


def _is_over(state: State, leaving: str) -> bool:
    """Tell whether a call that an operator placed ends when `leaving` goes.

    Before an answer it ends with the operator. After one, whoever is left alone stays while a
    transfer goes on: only a party that asked to hang up ends a call between two.
    """
    others = (leg for leg in state.legs if leg.talks and not (leg.local or state.is_near(leg)))
    parties = [state.origin, *others]
    if len(parties) == 1:
        return state.origin.gone
    there = sum(not leg.gone for leg in parties)
    asked = any(leg.uniqueid == leaving and leg.hangup_asked_at is not None for leg in parties)
    return there == 0 or (there == 1 and asked)


def step(call: Call, state: State, event: CallEvent) -> State:
    """Return the state after one event that is later than all before it."""
    was = state.phase
    state = _noted(call.id, state, event)
    if _is_before(call.id, state, event):
        return state
    kind = kind_of(call, state, event)
    phase = TRANSITIONS[was].get(kind)
    if phase is None:
        return replace(state, anomalies=(*state.anomalies, (was, kind)))
    if was is Phase.TALKING and phase is Phase.AFTER and any(leg.talking for leg in state.legs):
        phase = Phase.TALKING
    if phase is was:
        return state
    if phase is Phase.ENDED:
        return replace(state, phase=phase, ended_at=event.at, ended_in=was)
    return replace(state, phase=phase)


def _is_before(call_id: str, state: State, event: CallEvent) -> bool:
    """Tell whether an event is about the party that an order calls first.

    The call begins behind that one: it waits, rings and talks with the other party.
    """
    match event:
        case DialBegan() | DialEnded() if event.leg == call_id:
            return state.order is not None
        case (
            DialBegan() | DialEnded() | ScreenBegan() | Screened() | Joined() | Left()
            | Held() | Resumed() | HangupAsked() | HungUp()
        ):  # fmt: skip
            leg = state.leg(event.leg)
            return state.is_near(leg) or (leg.local and dials_first(leg.channel))
        case _:
            return False


# Where the events go that are kept as they are.
_COLLECTED: dict[type[CallEvent], str] = {
    StepEnded: "steps",
    Transferred: "transfers",
    Parked: "parkings",
    Ordered: "orders",
}


def _noted(call_id: str, state: State, event: CallEvent) -> State:
    """Return the state with what the event tells about its leg or the call written down."""
    if collected := _COLLECTED.get(type(event)):
        more: dict[str, Any] = {collected: (*getattr(state, collected), event)}
        return replace(state, **more)
    match event:
        case Offered() | Finished() | Recalled() if event.call != call_id:
            return state  # of another leg than the one this call is named after
        case Recalled():
            began = event.at if state.began_at is None else min(state.began_at, event.at)
            origin = replace(state.origin, uniqueid=call_id, channel=event.channel)
            return replace(state, origin=origin, began_at=began, recalled=True)
        case FellBack() | CallbackAsked() | VoicemailLeft() | Finished():
            return _first_told(state, event)
        case Vanished():
            return replace(state, vanished=state.vanished or state.phase is not Phase.ENDED)
        case PickedUp(target=target):
            state = replace(state, pickups=(*state.pickups, event))
            return state.with_leg(after(state.leg(target), event))
        case Unparked(by=by):
            state = replace(state, parkings=(*state.parkings, event))
            return state.with_leg(after(state.leg(by), event)) if by != call_id else state
        case DialBegan() | DialEnded() if event.by == call_id:
            state = _first_dialled(state, event)
        case _:
            pass
    return _with_leg_after(call_id, state, event)


def _first_told(state: State, event: FellBack | CallbackAsked | VoicemailLeft | Finished) -> State:
    """Return the state with what happens to a call once, the first time it is told."""
    match event:
        case FellBack():
            return replace(state, fallback=state.fallback or event)
        case CallbackAsked():
            return replace(state, callback=state.callback or event)
        case VoicemailLeft():
            return replace(state, voicemail=state.voicemail or event)
        case Finished():
            return replace(state, finished=state.finished or event)


def _first_dialled(state: State, event: DialBegan | DialEnded) -> State:
    """Return the state with what the first dialling tells about the leg that dials."""
    if state.origin.channel and state.began_at is not None and state.number and state.exten:
        return state
    origin = replace(state.origin, uniqueid=event.by, channel=event.by_channel)
    return replace(
        state,
        origin=origin,
        began_at=event.at if state.began_at is None else state.began_at,
        number=state.number or event.number,
        exten=state.exten or event.exten,
    )


def _with_leg_after(call_id: str, state: State, event: CallEvent) -> State:
    if isinstance(event, Offered):
        origin = replace(state.origin, uniqueid=call_id, channel=event.channel)
        return replace(state, origin=origin, offered=state.offered or event)
    assert not isinstance(
        event,
        StepEnded
        | FellBack
        | CallbackAsked
        | VoicemailLeft
        | Finished
        | Recalled
        | Vanished
        | Transferred
        | Parked
        | Ordered,
    )
    if event.leg != call_id:
        return state.with_leg(after(state.leg(event.leg), event))
    leg = state.origin if state.origin.uniqueid else Leg(call_id)
    return replace(
        state,
        origin=after(leg, event),
        began_at=event.at if state.began_at is None else state.began_at,
    )
