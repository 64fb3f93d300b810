"""One leg of a call and what each event does to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from telephony.domain.events import (
    DialBegan,
    DialEnded,
    HangupAsked,
    Held,
    HungUp,
    Joined,
    Left,
    PickedUp,
    Resumed,
    ScreenBegan,
    Screened,
    Unparked,
    is_local,
)
from telephony.domain.orders import Order, dials_first, order_of

Stays = tuple[tuple[str, int, int | None], ...]
Spans = tuple[tuple[int, int | None], ...]
LegEvent = (
    DialBegan
    | DialEnded
    | ScreenBegan
    | Screened
    | Joined
    | Left
    | Held
    | Resumed
    | PickedUp
    | Unparked
    | HangupAsked
    | HungUp
)


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of a call, keyed by its Uniqueid. Times in µs, None when not seen.

    `by` and `by_channel` are the leg that dialled it. `talks` are the (bridge, entered, left) of
    its stays in bridges, `holds` the (begin, end) of the times it held the other side.
    """

    uniqueid: str
    channel: str = ""
    dialled: str = ""
    by: str = ""
    by_channel: str = ""
    rang_at: int | None = None
    dial_ended_at: int | None = None
    dial_status: str = ""
    screened_at: int | None = None
    screen: bool | None = None
    talks: Stays = ()
    holds: Spans = ()
    hangup_asked_at: int | None = None
    ended_at: int | None = None
    cause: int = 0
    tech_cause: int = 0

    @property
    def local(self) -> bool:
        """Whether this is half of a Local channel, which nobody talks on."""
        return is_local(self.channel)

    @property
    def talking(self) -> bool:
        """Whether it is in a bridge."""
        return any(left is None for _, _, left in self.talks)

    @property
    def holding(self) -> bool:
        """Whether it holds the other side."""
        return any(end is None for _, end in self.holds)

    @property
    def gone(self) -> bool:
        """Whether it asked to hang up or has hung up."""
        return self.hangup_asked_at is not None or self.ended_at is not None

    @property
    def up(self) -> Spans:
        """When it was in bridges; from the answer on when no bridge was seen."""
        if self.talks or self.dial_status != "ANSWER" or self.dial_ended_at is None:
            return tuple((entered, left) for _, entered, left in self.talks)
        return ((self.dial_ended_at, self.ended_at),)

    @property
    def called(self) -> bool:
        """Whether it was rung or talked: a phone that only dialled another one is no party."""
        return self.rang_at is not None or bool(self.dial_status or self.talks)

    @property
    def seen_at(self) -> int:
        """The first moment that is known of it, 0 when there is none."""
        first = (self.rang_at, self.dial_ended_at, self.talks[0][1] if self.talks else None)
        return next((at for at in (*first, self.ended_at) if at is not None), 0)


def order_in(origin: Leg, legs: Sequence[Leg]) -> Order | None:
    """Return what Dutyline ordered that a call's legs are of, None for a call that others began."""
    if origin.channel:
        return order_of(origin.channel)
    channels = (name for leg in legs for name in (leg.by_channel, leg.channel))
    return next((found for name in channels if (found := order_of(name)) is not None), None)


def called_first(leg: Leg, legs: Sequence[Leg]) -> bool:
    """Tell whether an order dialled a leg first; one seen late is in a bridge with what did."""
    if leg.by_channel or not leg.talks:
        return dials_first(leg.by_channel)
    bridges = {bridge for bridge, _, _ in leg.talks}
    return not leg.local and any(
        dials_first(half.channel) and not bridges.isdisjoint(name for name, _, _ in half.talks)
        for half in legs
    )


def after(leg: Leg, event: LegEvent) -> Leg:
    """Return a leg after an event that names it."""
    match event:
        case DialBegan() | DialEnded() | PickedUp():
            return _after_ringing(leg, event)
        case Joined() | Left() | Held() | Resumed():
            return _after_talking(leg, event)
        case Unparked():
            return replace(leg, channel=event.by_channel)
        case ScreenBegan():
            return replace(leg, screened_at=leg.screened_at or event.at)
        case Screened():
            return replace(leg, screen=event.accepted)
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
                holds=_resumed(leg.holds, event.at),
            )


def _after_ringing(leg: Leg, event: DialBegan | DialEnded | PickedUp) -> Leg:
    if isinstance(event, PickedUp):
        # The phone that rang; whoever picked up gets the DialEnd of the call.
        return replace(
            leg,
            channel=event.target_channel,
            dial_ended_at=leg.dial_ended_at or event.at,
            dial_status=leg.dial_status or "CANCEL",
        )
    if isinstance(event, DialEnded) and leg.dial_status:
        return leg  # app_queue says CANCEL a second time
    by, by_channel = leg.by or event.by, leg.by_channel or event.by_channel
    if isinstance(event, DialBegan):
        return replace(
            leg,
            channel=event.channel,
            by=by,
            by_channel=by_channel,
            dialled=leg.dialled or event.dialled,
            rang_at=leg.rang_at or event.at,
        )
    return replace(
        leg,
        channel=event.channel,
        by=by,
        by_channel=by_channel,
        dial_ended_at=event.at,
        dial_status=event.status,
    )


def _after_talking(leg: Leg, event: Joined | Left | Held | Resumed) -> Leg:
    match event:
        case Joined():
            stays = (*leg.talks, (event.bridge, event.at, None))
            return replace(leg, channel=event.channel, talks=stays)
        case Left():
            return replace(leg, channel=event.channel, talks=_left(leg, event))
        case Held():
            held = leg.holds if leg.holding else (*leg.holds, (event.at, None))
            return replace(leg, channel=event.channel, holds=held)
        case Resumed():
            return replace(leg, channel=event.channel, holds=_resumed(leg.holds, event.at))


def _left(leg: Leg, event: Left) -> Stays:
    """Close the stay in a bridge; one whose begin was missed began with the answer."""
    if any(name == event.bridge and left is None for name, _, left in leg.talks):
        return _closed(leg.talks, event.at, event.bridge)
    begin = leg.dial_ended_at if leg.dial_ended_at is not None and not leg.talks else event.at
    return (*leg.talks, (event.bridge, begin, event.at))


def _closed(talks: Stays, at: int, bridge: str | None) -> Stays:
    """Close the open stays (in `bridge`, or all) at a moment."""
    return tuple(
        (name, entered, at if left is None and bridge in (None, name) else left)
        for name, entered, left in talks
    )


def _resumed(holds: Spans, at: int) -> Spans:
    return tuple((begin, at if end is None else end) for begin, end in holds)
