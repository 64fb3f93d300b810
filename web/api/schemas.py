"""The shapes of what the API takes and gives, from which its document is made."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields, validate

from telephony.domain.duty import Presence
from telephony.domain.live import OperatorActivity
from telephony.domain.phases import Phase
from telephony.domain.record import Direction, Disposition, MomentKind, Outcome, Side, Source
from telephony.domain.routing import Kind, Reason, Rule
from telephony.store.search import Order
from web.api.fields import BIGGEST, DEEPEST, MOST, Fits, at, code, count, extension, printable, text


class Problem(Schema):
    """An error (RFC 9457)."""

    type = text("Always about:blank", required=True)
    title = text("The status in words", required=True)
    status = count("The status", required=True)
    detail = text("What to do", required=True)
    errors = fields.List(
        fields.Dict(keys=fields.String(), values=fields.String()),
        metadata={"description": "Each wrong parameter or field: in, name, detail"},
    )


class Empty(Schema):
    """No parameter at all."""


class Paged(Schema):
    """Which part of a list."""

    limit = count(
        "How many items at most", load_default=50, validate=validate.Range(min=1, max=MOST)
    )
    offset = count(
        "How many items to skip", load_default=0, validate=validate.Range(min=0, max=DEEPEST)
    )


class Ordered(Paged):
    """Which part of a list, and which way round."""

    order = code(Order, "Ascending or descending", load_default=Order.ASCENDING)


class CallsQuery(Paged):
    """Which calls: those that fit every parameter."""

    sort = text(
        "Only by the beginning", load_default="started_at", validate=validate.OneOf(["started_at"])
    )
    order = code(Order, "Newest first is desc", load_default=Order.DESCENDING)
    since = at("Began at or after this moment")
    until = at("Began before this moment")
    number = text(
        "The client's number in any notation, how it begins (+ and six digits or more), or its "
        "last four digits or more",
        validate=printable(40),
    )
    q = text(
        "What people type: a number as above, an extension, or words of a client's name",
        validate=printable(100),
    )
    did = text("The number dialled, digits", validate=Fits(r"^\+?[0-9]{2,15}$", re.ASCII))
    operator = extension("An extension that placed or answered the call, or that it reached")
    disposition = code(Disposition, "How the call ended")
    direction = code(Direction, "Which way it went")
    client_id = count("A client's id", validate=validate.Range(min=1, max=BIGGEST))


class CallLine(Schema):
    """A call in a list; durations in milliseconds."""

    call_id = text("The PBX's id of the call (Linkedid)", required=True)
    direction = code(Direction, "Which way it went", required=True)
    did = text("The number dialled, digits; empty for internal calls", required=True)
    number = text("The client's number, E.164; an extension; empty when hidden", required=True)
    client_id = count("The client's id", required=True, allow_none=True)
    client_name = text("The client's name at that time", required=True)
    placed_by = text("The extension that placed it", required=True, allow_none=True)
    started_at = at("When it began", required=True)
    answered_at = at("When the conversation began", required=True, allow_none=True)
    ended_at = at("When it ended", required=True)
    wait_ms = count("From the beginning to the conversation or the end", required=True)
    ring_ms = count("From the first ringing to the same moment", required=True)
    talk_ms = count("In conversation with at least one operator", required=True)
    hold_ms = count("On hold", required=True)
    disposition = code(Disposition, "How it ended", required=True)
    abandoned_in = text("In which phase the caller gave up", required=True, allow_none=True)
    answered_by = text("The extension that answered first", required=True, allow_none=True)
    answered_on = text("desk, mobile, fallback or outside", required=True, allow_none=True)
    hung_up_by = code(Side, "Who ended it", required=True)
    fallback = text(
        "Why it went to the fallback: stale, late, broken, planned, noqueue or transfer",
        required=True,
        allow_none=True,
    )
    source = code(Source, "What the record was made from", required=True)


class Span(Schema):
    """From one moment to another."""

    begin = at("When it began", required=True)
    end = at("When it ended", required=True)


class Leg(Schema):
    """One leg of a call; durations in milliseconds."""

    uniqueid = text("The PBX's id of the leg", required=True)
    channel = text("The PBX's channel", required=True)
    kind = text("desk, mobile, fallback or outside", required=True)
    operator = text("The extension", required=True, allow_none=True)
    address = text("What was dialled", required=True)
    outcome = code(Outcome, "How it ended", required=True)
    rang_at = at("When it began to ring", required=True, allow_none=True)
    ended_at = at("When it ended", required=True, allow_none=True)
    ring_ms = count("How long it rang", required=True)
    talk_ms = count("How long it talked", required=True)
    hold_ms = count("How long it was on hold", required=True)
    cause = count("Q.850 cause", required=True)
    tech_cause = count("SIP status", required=True)
    talks = fields.List(fields.Nested(Span), required=True)
    holds = fields.List(fields.Nested(Span), required=True)


class MomentOf(Schema):
    """Something that happened to a call."""

    at = at("When", required=True)
    kind = code(MomentKind, "What", required=True)
    values = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    words = text("In words, by Accept-Language", required=True)


class Target(Schema):
    """What a step rang."""

    operator = text("The extension", required=True)
    address = text("An endpoint's name, or a mobile's number", required=True)


class Step(Schema):
    """A step of the plan."""

    kind = code(Kind, "What it rang", required=True)
    rule = code(Rule, "The rule that put it there", required=True)
    seconds = count("For how long", required=True)
    targets = fields.List(fields.Nested(Target), required=True)
    words = text("In words, by Accept-Language", required=True)


class Checked(Schema):
    """A rule that was looked at."""

    rule = code(Rule, "The rule", required=True)
    used = fields.Boolean(required=True)
    reason = code(Reason, "Why, or why not", required=True)
    values = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    words = text("In words, by Accept-Language", required=True)


class OneCall(CallLine):
    """A call with all that is known of it."""

    decided_ms = fields.Float(required=True, allow_none=True)
    legs = fields.List(fields.Nested(Leg), required=True)
    moments = fields.List(fields.Nested(MomentOf), required=True)
    plan = fields.List(fields.Nested(Step), required=True, allow_none=True)
    trace = fields.List(fields.Nested(Checked), required=True, allow_none=True)


class LiveCallOf(Schema):
    """A call that goes on."""

    call_id = text("The PBX's id of the call", required=True)
    direction = code(Direction, "Which way it goes", required=True)
    did = text("The number dialled", required=True)
    number = text("The client's number", required=True)
    client_id = count("The client's id", required=True, allow_none=True)
    client_name = text("The client's name", required=True)
    placed_by = text("The extension that placed it", required=True, allow_none=True)
    phase = text(
        "Where it is", required=True, validate=validate.OneOf([one.value for one in Phase])
    )
    since = at("Since when it is there", required=True)
    started_at = at("When it began", required=True)
    answered_at = at("When it was answered", required=True, allow_none=True)
    ringing = fields.List(fields.String(), required=True)
    talking = fields.List(fields.String(), required=True)
    on_hold = count("How many parties are on hold", required=True)
    queue = text("The queue of ours in which the client waits, or empty", required=True)
    queued_at = at("Since when", required=True, allow_none=True)


class OperatorsQuery(Ordered):
    """Which operators."""

    sort = text(
        "By extension or name",
        load_default="extension",
        validate=validate.OneOf(["extension", "name"]),
    )
    group = text("A group's name", validate=printable(100))


class Duty(Schema):
    """An operator's part in a group."""

    group = text("The group", required=True)
    presence = code(Presence, "Where its roster puts the operator now", required=True)


class OneOperator(Schema):
    """An operator and what they do now."""

    extension = text("The extension", required=True)
    name = text("The name", required=True)
    endpoint = text("The endpoint's name in the PBX", required=True)
    mobile = text("The mobile's number, E.164", required=True, allow_none=True)
    deputy = text("The deputy's extension", required=True, allow_none=True)
    groups = fields.List(fields.Nested(Duty), required=True)
    state = code(OperatorActivity, "What the phone does", required=True)
    since = at("Since when", required=True, allow_none=True)
    call_id = text("The call it rings for or talks in", required=True, allow_none=True)
    pause = text(
        "Why no queue rings the phone: lunch, break, offline, wrap_up or do_not_disturb",
        required=True,
        allow_none=True,
    )


class EventsQuery(Schema):
    """Which events."""

    after = count(
        "Only events with a greater id: the `next` of the last answer",
        load_default=0,
        validate=validate.Range(min=0, max=2**62),
    )
    kind = text("Only this kind", validate=Fits(r"^[a-z_]+(\.[a-z_]+)*$", re.ASCII))
    limit = count(
        "How many items at most", load_default=100, validate=validate.Range(min=1, max=MOST)
    )


class Event(Schema):
    """Something that happened."""

    id = count("Grows with every event", required=True)
    kind = text("What, such as call.ended", required=True)
    key = text("Names the event for good: the same key is the same event", required=True)
    at = at("When it was written down", required=True)
    payload = fields.Dict(required=True)


def listed(item: type[Schema], **more: Any) -> type[Schema]:
    """Return the schema of a list of items."""
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "total": count("How many there are in all", required=True),
            **more,
        },
        name=f"{item.__name__}List",
    )


CallList = listed(CallLine)
LiveCallList = listed(LiveCallOf)
OperatorList = listed(OneOperator)
EventList = listed(Event, next=count("Pass it as `after` to go on", required=True))
