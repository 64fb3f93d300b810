"""What happened to a call on its way: holds, transfers, pickups, parking, from the folded state."""

from __future__ import annotations

from telephony.domain.call import Call, Leg
from telephony.domain.events import Parked, Transferred, endpoint_of
from telephony.domain.orders import ACCEPTED, DIALLED, REFUSED
from telephony.domain.record_types import Context, Moment, MomentKind
from telephony.domain.roles import behind, called_legs, client_leg, name_of, near_legs

# A blind transfer to a parking lot is told by Asterisk as both, in either order; a phone that
# transfers takes the call back first.
_SAME_MOMENT = 1_000_000


def moments(call: Call, context: Context, end: int) -> tuple[Moment, ...]:
    """Return what happened to a call until `end`, in order of time."""
    found = [
        *_holds(call, context, end),
        *_transfers(call, context),
        *_consultations(call, context),
        *_pickups(call, context),
        *_parkings(call, context),
        *_told(call),
        *_ordered(call),
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.kind, one.values)))


def operators_legs(call: Call, context: Context) -> list[Leg]:
    """Return every leg on our side: all but the client's, with the placing operator's own."""
    client = client_leg(call, context)
    legs = called_legs(call.state)
    if call.state.order is not None:
        legs = [*near_legs(call.state), *legs]
    elif call.placed_by is not None:
        legs = [call.state.origin, *legs]
    return [leg for leg in legs if client is None or leg.uniqueid != client.uniqueid]


def _leg(call: Call, uniqueid: str) -> Leg:
    return call.state.origin if uniqueid == call.id else call.state.leg(uniqueid)


def _holds(call: Call, context: Context, end: int) -> list[Moment]:
    found = []
    transferred = [(one.leg, one.at) for one in call.state.transfers]
    for leg in operators_legs(call, context):
        by = (("by", name_of(leg, call.state, context)),)
        for begin, until in leg.holds:
            if begin < end:
                found.append(Moment(begin, MomentKind.HELD, by))
            if until is None or until >= end or until == leg.ended_at:
                continue
            if not any(
                by_leg == leg.uniqueid and abs(at - until) < _SAME_MOMENT
                for by_leg, at in transferred
            ):
                found.append(Moment(until, MomentKind.RESUMED, by))
    return found


def _transfers(call: Call, context: Context) -> list[Moment]:
    state = call.state
    parked = [one.at for one in state.parkings if isinstance(one, Parked)]
    found = []
    for one in state.transfers:
        by = name_of(_named(_leg(call, one.leg), one), state, context)
        if one.second:
            reached = _leg(call, one.target) if one.target else _reached(call, one)
            to = name_of(behind(reached, state), state, context)
            values = (("by", by), ("to", to))
            found.append(Moment(one.at, MomentKind.ATTENDED_TRANSFER, values))
        elif not any(abs(at - one.at) < _SAME_MOMENT for at in parked):
            values = (("by", by), ("to", one.exten))
            found.append(Moment(one.at, MomentKind.BLIND_TRANSFER, values))
    return found


def _reached(call: Call, event: Transferred) -> Leg:
    """Return the leg a call was handed to when the event does not name it.

    It rang still, dialled by the phone's second leg; or keys were pressed, and it came last.
    """
    legs = called_legs(call.state)
    dialled = [leg for leg in legs if leg.by == event.second]
    before = [leg for leg in legs if leg.seen_at <= event.at and leg.uniqueid != event.leg]
    return (dialled or before or [Leg("")])[-1]


def _named(leg: Leg, event: Transferred) -> Leg:
    """Return the leg with its channel, which the event tells when nothing else did."""
    return leg if leg.channel else Leg(event.leg, event.channel)


def _consultations(call: Call, context: Context) -> list[Moment]:
    """Whoever is reached while an operator holds the call, or dialled by an operator, is asked."""
    state = call.state
    ours = {leg.uniqueid: leg for leg in operators_legs(call, context)}
    found = []
    for leg in called_legs(state):
        if not leg.talks or not (leg.rang_at or leg.dial_status):
            continue
        begin = leg.talks[0][1]
        asker = ours.get(leg.by) if leg.by != call.id else None
        if asker is None:
            asker = next(
                (
                    other
                    for other in ours.values()
                    if other.uniqueid != leg.uniqueid
                    and any(
                        held < begin and (until or begin) >= begin for held, until in other.holds
                    )
                ),
                None,
            )
        if asker is not None:
            values = (
                ("by", name_of(asker, state, context)),
                ("to", name_of(leg, state, context)),
            )
            found.append(Moment(begin, MomentKind.CONSULTED, values))
    return found


def _pickups(call: Call, context: Context) -> list[Moment]:
    return [
        Moment(
            one.at,
            MomentKind.PICKED_UP,
            (
                ("by", _device(one.channel, context)),
                ("to", _device(one.target_channel, context)),
            ),
        )
        for one in call.state.pickups
    ]


def _parkings(call: Call, context: Context) -> list[Moment]:
    return [
        Moment(
            one.at,
            MomentKind.PARKED,
            (("by", _extension(one.by.partition("/")[2], context)), ("slot", one.slot)),
        )
        if isinstance(one, Parked)
        else Moment(
            one.at,
            MomentKind.UNPARKED,
            (("by", _device(one.by_channel, context)), ("slot", one.slot)),
        )
        for one in call.state.parkings
    ]


def _told(call: Call) -> list[Moment]:
    """Return the promise of a callback, asked for in a queue or not, and the message left."""
    found = []
    asked, left = call.state.callback, call.state.voicemail
    if asked is not None and asked.queue:
        values = (("queue", asked.queue),)
        found.append(Moment(asked.at, MomentKind.CALLBACK_ASKED, values))
    elif asked is not None:
        found.append(Moment(asked.at, MomentKind.PROMISED))
    if left is not None and left.spoke:
        found.append(Moment(left.at, MomentKind.VOICEMAIL, (("mailbox", left.mailbox),)))
    return found


def _ordered(call: Call) -> list[Moment]:
    """Return how far an order came."""
    return [
        Moment(one.at, kind, (("status", one.status),) if one.status else ())
        for one in call.state.orders
        if (kind := _STAGES.get(one.stage)) is not None
    ]


_STAGES = {
    ACCEPTED: MomentKind.ORDER_ACCEPTED,
    REFUSED: MomentKind.ORDER_REFUSED,
    DIALLED: MomentKind.ORDER_DIALLED,
}


def _device(channel: str, context: Context) -> str:
    return _extension(endpoint_of(channel), context)


def _extension(endpoint: str, context: Context) -> str:
    """Return the extension of an endpoint, the endpoint where no operator is known."""
    return context.endpoints.get(endpoint, endpoint)
