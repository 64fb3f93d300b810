"""The shapes of what the API takes and gives, from which its document is made."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from telephony.domain.duty import Presence
from telephony.domain.live import OperatorActivity
from telephony.domain.phases import Phase
from telephony.domain.record import Direction, Disposition, MomentKind, Outcome, Side, Source
from telephony.domain.routing import Kind, Reason, Rule
from telephony.store.search import Order

MOST = 500
_DEEPEST = 100_000_000
_BIGGEST = 2**31 - 1
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


class Instant(fields.AwareDateTime):
    """A moment of ISO 8601 with its offset; comes in between 1970 and 2200."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        # In an address an unescaped + is a space.
        if isinstance(value, str):
            value = _LOST_PLUS.sub("+", value)
        try:
            found = super()._deserialize(value, attr, data, **kwargs)
            return min(max(found, _EARLIEST), _LATEST).astimezone(UTC)
        except OverflowError:
            raise ValidationError("Not a valid datetime.") from None


def _text(about: str, **more: Any) -> Any:
    return fields.String(metadata={"description": about}, **more)


def _code(kinds: Any, about: str, **more: Any) -> Any:
    return fields.Enum(kinds, by_value=True, metadata={"description": about}, **more)


def _at(about: str, **more: Any) -> Any:
    return Instant(format="iso", metadata={"description": about}, **more)


def _count(about: str, **more: Any) -> Any:
    return fields.Integer(metadata={"description": about}, **more)


def _extension(about: str) -> Any:
    return _text(about, validate=validate.Regexp(r"^[0-9]{2,10}$", re.ASCII))


class Problem(Schema):
    """An error (RFC 9457)."""

    type = _text("Always about:blank", required=True)
    title = _text("The status in words", required=True)
    status = _count("The status", required=True)
    detail = _text("What to do", required=True)
    errors = fields.List(
        fields.Dict(keys=fields.String(), values=fields.String()),
        metadata={"description": "Each wrong parameter: in, name, detail"},
    )


class Empty(Schema):
    """No parameter at all."""


class Paged(Schema):
    """Which part of a list."""

    limit = _count(
        "How many items at most", load_default=50, validate=validate.Range(min=1, max=MOST)
    )
    offset = _count(
        "How many items to skip", load_default=0, validate=validate.Range(min=0, max=_DEEPEST)
    )


class Ordered(Paged):
    """Which part of a list, and which way round."""

    order = _code(Order, "Ascending or descending", load_default=Order.ASCENDING)


class CallsQuery(Paged):
    """Which calls: those that fit every parameter."""

    sort = _text(
        "Only by the beginning", load_default="started_at", validate=validate.OneOf(["started_at"])
    )
    order = _code(Order, "Newest first is desc", load_default=Order.DESCENDING)
    since = _at("Began at or after this moment")
    until = _at("Began before this moment")
    number = _text(
        "The client's number in any notation, how it begins (+ and six digits or more), or its "
        "last four digits or more",
        validate=[validate.Length(max=40), validate.Regexp(_PRINTABLE)],
    )
    q = _text(
        "What people type: a number as above, an extension, or words of a client's name",
        validate=[validate.Length(max=100), validate.Regexp(_PRINTABLE)],
    )
    did = _text(
        "The number dialled, digits", validate=validate.Regexp(r"^\+?[0-9]{2,15}$", re.ASCII)
    )
    operator = _extension("An extension that placed or answered the call, or that it reached")
    disposition = _code(Disposition, "How the call ended")
    direction = _code(Direction, "Which way it went")
    client_id = _count("A client's id", validate=validate.Range(min=1, max=_BIGGEST))


class CallLine(Schema):
    """A call in a list; durations in milliseconds."""

    call_id = _text("The PBX's id of the call (Linkedid)", required=True)
    direction = _code(Direction, "Which way it went", required=True)
    did = _text("The number dialled, digits; empty for internal calls", required=True)
    number = _text("The client's number, E.164; an extension; empty when hidden", required=True)
    client_id = _count("The client's id", required=True, allow_none=True)
    client_name = _text("The client's name at that time", required=True)
    placed_by = _text("The extension that placed it", required=True, allow_none=True)
    started_at = _at("When it began", required=True)
    answered_at = _at("When the conversation began", required=True, allow_none=True)
    ended_at = _at("When it ended", required=True)
    wait_ms = _count("From the beginning to the conversation or the end", required=True)
    ring_ms = _count("From the first ringing to the same moment", required=True)
    talk_ms = _count("In conversation with at least one operator", required=True)
    hold_ms = _count("On hold", required=True)
    disposition = _code(Disposition, "How it ended", required=True)
    abandoned_in = _text("In which phase the caller gave up", required=True, allow_none=True)
    answered_by = _text("The extension that answered first", required=True, allow_none=True)
    answered_on = _text("desk, mobile, fallback or outside", required=True, allow_none=True)
    hung_up_by = _code(Side, "Who ended it", required=True)
    fallback = _text(
        "Why it went to the fallback: stale, late, broken, planned or transfer",
        required=True,
        allow_none=True,
    )
    source = _code(Source, "What the record was made from", required=True)


class Span(Schema):
    """From one moment to another."""

    begin = _at("When it began", required=True)
    end = _at("When it ended", required=True)


class Leg(Schema):
    """One leg of a call; durations in milliseconds."""

    uniqueid = _text("The PBX's id of the leg", required=True)
    channel = _text("The PBX's channel", required=True)
    kind = _text("desk, mobile, fallback or outside", required=True)
    operator = _text("The extension", required=True, allow_none=True)
    address = _text("What was dialled", required=True)
    outcome = _code(Outcome, "How it ended", required=True)
    rang_at = _at("When it began to ring", required=True, allow_none=True)
    ended_at = _at("When it ended", required=True, allow_none=True)
    ring_ms = _count("How long it rang", required=True)
    talk_ms = _count("How long it talked", required=True)
    hold_ms = _count("How long it was on hold", required=True)
    cause = _count("Q.850 cause", required=True)
    tech_cause = _count("SIP status", required=True)
    talks = fields.List(fields.Nested(Span), required=True)
    holds = fields.List(fields.Nested(Span), required=True)


class MomentOf(Schema):
    """Something that happened to a call."""

    at = _at("When", required=True)
    kind = _code(MomentKind, "What", required=True)
    values = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    words = _text("In words, by Accept-Language", required=True)


class Target(Schema):
    """What a step rang."""

    operator = _text("The extension", required=True)
    address = _text("An endpoint's name, or a mobile's number", required=True)


class Step(Schema):
    """A step of the plan."""

    kind = _code(Kind, "What it rang", required=True)
    rule = _code(Rule, "The rule that put it there", required=True)
    seconds = _count("For how long", required=True)
    targets = fields.List(fields.Nested(Target), required=True)
    words = _text("In words, by Accept-Language", required=True)


class Checked(Schema):
    """A rule that was looked at."""

    rule = _code(Rule, "The rule", required=True)
    used = fields.Boolean(required=True)
    reason = _code(Reason, "Why, or why not", required=True)
    values = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    words = _text("In words, by Accept-Language", required=True)


class OneCall(CallLine):
    """A call with all that is known of it."""

    decided_ms = fields.Float(required=True, allow_none=True)
    legs = fields.List(fields.Nested(Leg), required=True)
    moments = fields.List(fields.Nested(MomentOf), required=True)
    plan = fields.List(fields.Nested(Step), required=True, allow_none=True)
    trace = fields.List(fields.Nested(Checked), required=True, allow_none=True)


class LiveCallOf(Schema):
    """A call that goes on."""

    call_id = _text("The PBX's id of the call", required=True)
    direction = _code(Direction, "Which way it goes", required=True)
    did = _text("The number dialled", required=True)
    number = _text("The client's number", required=True)
    client_id = _count("The client's id", required=True, allow_none=True)
    client_name = _text("The client's name", required=True)
    placed_by = _text("The extension that placed it", required=True, allow_none=True)
    phase = _text(
        "Where it is", required=True, validate=validate.OneOf([one.value for one in Phase])
    )
    since = _at("Since when it is there", required=True)
    started_at = _at("When it began", required=True)
    answered_at = _at("When it was answered", required=True, allow_none=True)
    ringing = fields.List(fields.String(), required=True)
    talking = fields.List(fields.String(), required=True)
    on_hold = _count("How many parties are on hold", required=True)


class ClientsQuery(Ordered):
    """Which clients."""

    sort = _text("By name, then id", load_default="name", validate=validate.OneOf(["name"]))
    q = _text(
        "Words of the name, or a number in any notation or its last four digits or more",
        validate=[validate.Length(max=100), validate.Regexp(_PRINTABLE)],
    )
    manager = _extension("The manager's extension")


class ClientLine(Schema):
    """A client."""

    id = _count("Its id", required=True)
    name = _text("Its name", required=True)
    phones = fields.List(fields.String(), required=True)
    manager = _text("The manager's extension", required=True, allow_none=True)
    deputy = _text("The deputy's extension", required=True, allow_none=True)
    vip = fields.Boolean(required=True)


class OneClient(ClientLine):
    """A client with notes."""

    notes = _text("Notes", required=True)


class OperatorsQuery(Ordered):
    """Which operators."""

    sort = _text(
        "By extension or name",
        load_default="extension",
        validate=validate.OneOf(["extension", "name"]),
    )
    group = _text(
        "A group's name", validate=[validate.Length(max=100), validate.Regexp(_PRINTABLE)]
    )


class Duty(Schema):
    """An operator's part in a group."""

    group = _text("The group", required=True)
    presence = _code(Presence, "Where its roster puts the operator now", required=True)


class OneOperator(Schema):
    """An operator and what they do now."""

    extension = _text("The extension", required=True)
    name = _text("The name", required=True)
    endpoint = _text("The endpoint's name in the PBX", required=True)
    mobile = _text("The mobile's number, E.164", required=True, allow_none=True)
    deputy = _text("The deputy's extension", required=True, allow_none=True)
    groups = fields.List(fields.Nested(Duty), required=True)
    state = _code(OperatorActivity, "What the phone does", required=True)
    since = _at("Since when", required=True, allow_none=True)
    call_id = _text("The call it rings for or talks in", required=True, allow_none=True)


class EventsQuery(Schema):
    """Which events."""

    after = _count(
        "Only events with a greater id: the `next` of the last answer",
        load_default=0,
        validate=validate.Range(min=0, max=2**62),
    )
    kind = _text("Only this kind", validate=validate.Regexp(r"^[a-z_]+(\.[a-z_]+)*$", re.ASCII))
    limit = _count(
        "How many items at most", load_default=100, validate=validate.Range(min=1, max=MOST)
    )


class Event(Schema):
    """Something that happened."""

    id = _count("Grows with every event", required=True)
    kind = _text("What, such as call.ended", required=True)
    key = _text("Names the event for good: the same key is the same event", required=True)
    at = _at("When it was written down", required=True)
    payload = fields.Dict(required=True)


def listed(item: type[Schema], **more: Any) -> type[Schema]:
    """Return the schema of a list of items."""
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "total": _count("How many there are in all", required=True),
            **more,
        },
        name=f"{item.__name__}List",
    )


CallList = listed(CallLine)
LiveCallList = listed(LiveCallOf)
ClientList = listed(ClientLine)
OperatorList = listed(OneOperator)
EventList = listed(Event, next=_count("Pass it as `after` to go on", required=True))
