"""Who is who in a folded call: whose each leg is, who called whom, which way it went."""

from __future__ import annotations

from telephony.domain.call import Call, Leg, State
from telephony.domain.events import dialled_number, endpoint_of, extension_of, is_local
from telephony.domain.numbers import digits
from telephony.domain.record_types import Context, Direction, LegKind
from telephony.domain.routing import Kind, Target


def called_legs(state: State) -> list[Leg]:
    """Return the parties besides the first one, without halves of Local channels, by time."""
    real = (leg for leg in state.legs if leg.called and not (leg.local or state.is_near(leg)))
    return sorted(real, key=lambda leg: (leg.seen_at, leg.uniqueid))


def near_legs(state: State) -> list[Leg]:
    """Return the phones that an order called first: of an operator, or of the client, by time."""
    near = (leg for leg in state.legs if state.is_near(leg))
    return sorted(near, key=lambda leg: (leg.seen_at, leg.uniqueid))


def is_outside(leg: Leg, context: Context) -> bool:
    """Tell whether a leg leads to a number outside the company."""
    return not leg.local and extension_of(leg.channel, context.endpoints) is None


def direction_of(call: Call, context: Context) -> Direction:
    """Return which way a call went: the first leg that was dialled tells."""
    if call.state.order is not None:
        return Direction.OUT
    if call.placed_by is None:
        return Direction.IN
    first = first_called(call.state)
    if first is None:
        return Direction.OUT
    if extension_of(first.channel, context.endpoints) is not None:
        return Direction.INTERNAL
    named = dialled_number(first.dialled) in context.endpoints.values()
    return Direction.INTERNAL if named else Direction.OUT


def first_called(state: State) -> Leg | None:
    """Return the leg that was dialled first, half of a Local channel when there is no other."""
    legs = called_legs(state) or sorted(state.legs, key=lambda leg: (leg.seen_at, leg.uniqueid))
    return legs[0] if legs else None


def client_leg(call: Call, context: Context) -> Leg | None:
    """Return the leg of the party outside: the one that talked, else the first one dialled."""
    if call.placed_by is not None:
        outside = [leg for leg in called_legs(call.state) if is_outside(leg, context)]
    elif call.state.order is not None:
        outside = near_legs(call.state)
    else:
        return call.state.origin
    return next((leg for leg in outside if leg.talks), outside[0] if outside else None)


def client_number(call: Call, context: Context) -> str:
    """Return the number of the party outside as it was dialled or shown, "" when unknown.

    It has not been normalised: a caller chooses what is shown.
    """
    state = call.state
    if state.order is not None:
        return state.order.number
    if call.placed_by is None:
        told = state.offered or state.finished
        return told.number if told else state.number
    leg = client_leg(call, context)
    return dialled_number(leg.dialled) if leg else ""


def keyed_number(call: Call, context: Context) -> str:
    """Return what the operator keyed in to reach a number outside, "" when there is none.

    Where the dialling was missed; it may have prefixes that only the PBX understands.
    """
    if call.state.order is not None or call.placed_by is None:
        return ""
    leg = client_leg(call, context)
    return call.state.exten if leg is not None and not leg.dialled else ""


def called_extension(call: Call, context: Context) -> str:
    """Return the extension that an internal call called, "" when unknown."""
    first = first_called(call.state)
    if first is None:
        return call.state.exten
    return extension_of(first.channel, context.endpoints) or dialled_number(first.dialled)


def owner(leg: Leg, state: State, context: Context) -> tuple[LegKind, str | None, str]:
    """Return (kind, operator, address) of a leg: a target of the plan, else whoever's it is."""
    endpoint = endpoint_of(leg.channel)
    number = dialled_number(leg.dialled)
    if context.decision:
        for planned in context.decision.plan.steps:
            for target in planned.targets:
                if planned.kind is Kind.MOBILE and number and digits(number) in _numbers_of(target):
                    return LegKind.MOBILE, target.operator, target.address
                if (
                    planned.kind is Kind.DESK
                    and target.address == endpoint
                    and (state.fallback is None or (leg.rang_at or 0) < state.fallback.at)
                ):
                    return LegKind.DESK, target.operator, target.address
    kind = LegKind.FALLBACK if state.fallback else LegKind.DESK
    if endpoint in context.endpoints:
        return kind, context.endpoints[endpoint], endpoint
    if is_local(leg.channel):
        # A member of a queue as Local/101@context: the phone behind it was not seen.
        extension = endpoint.partition("@")[0]
        known = extension in context.endpoints.values()
        return kind, extension if known else None, extension
    if number and extension_of(leg.channel, context.endpoints) is None:
        operator = context.mobiles.get(digits(number))
        if operator is not None:
            return LegKind.MOBILE, operator, number
        return (LegKind.FALLBACK if state.fallback else LegKind.OUTSIDE), None, number
    return kind, None, endpoint


def _numbers_of(target: Target) -> tuple[str, str]:
    """Return a mobile's digits, and those that its trunk dials for it."""
    return digits(target.address), digits(target.line.partition("@")[0])


def done_talking(call: Call, uniqueid: str, context: Context) -> str | None:
    """Return the operator whose leg this was and who talked on it to somebody outside, else None.

    Whoever talked to a colleague alone needs no rest.
    """
    leg = call.state.origin if uniqueid == call.id else call.state.leg(uniqueid)
    if not leg.talks or direction_of(call, context) is Direction.INTERNAL:
        return None
    if call.state.is_near(leg) and not call.state.origin.talks:
        return None  # who waited for the client in vain
    return owner(leg, call.state, context)[1]


def behind(leg: Leg, state: State) -> Leg:
    """Return the leg that a half of a Local channel leads to, the leg itself when it is none."""
    if not leg.local:
        return leg
    other = leg.channel[:-1] + ("2" if leg.channel.endswith("1") else "1")
    dialled = (one for one in called_legs(state) if one.by_channel == other)
    return next(iter(sorted(dialled, key=lambda one: not one.talks)), leg)


def name_of(leg: Leg, state: State, context: Context) -> str:
    """Return the extension of a leg, or the number or endpoint where no operator is known."""
    _, operator, address = owner(leg, state, context)
    return operator or address
