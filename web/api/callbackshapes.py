"""The shapes of the rules of callbacks."""

from __future__ import annotations

import re
from dataclasses import fields as fields_of
from typing import Any

from marshmallow import Schema, fields, validate

from telephony.domain.callback.rules import (
    LIMITS,
    TYPES,
    Automatic,
    Caps,
    First,
    Shown,
    Spacing,
)
from web.api.fields import Fits, code, count, text

_CLOCK = Fits(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", re.ASCII)


def _number(name: str, about: str) -> Any:
    low, high = LIMITS[name]
    return count(about, required=True, validate=validate.Range(low, high))


def _numbers(part: str, kind: type[Any]) -> type[Schema]:
    """Return the schema of a part that is numbers."""
    return Schema.from_dict(
        {one.name: _number(f"{part}.{one.name}", "See callbacks.md") for one in fields_of(kind)},
        name=f"Callback{kind.__name__}",
    )


CallbackSpacing = _numbers("spacing", Spacing)
CallbackCaps = _numbers("caps", Caps)


def _clock(about: str) -> Any:
    return text(about, required=True, validate=_CLOCK)


def _truth(about: str) -> Any:
    return fields.Boolean(required=True, metadata={"description": about})


class CallbackQuiet(Schema):
    """When nobody is called, by the clocks of the client's number."""

    start = _clock("From")
    end = _clock("To; equal to start: none")
    days = text("Days such as sat,sun on which the others hold; empty for none", required=True)
    weekend_start = _clock("From, on these days")
    weekend_end = _clock("To, on these days")


class CallbackRulesOf(Schema):
    """All rules of callbacks."""

    automatic = code(Automatic, "Whom Dutyline calls back by itself", required=True)
    first = code(First, "Whose phone rings first", required=True)
    shown = code(Shown, "Which number the client sees", required=True)
    short_seconds = _number("short_seconds", "Who waited less is not called back")
    contact_seconds = _number("contact_seconds", "A call of the client that is a contact")
    callback_seconds = _number("callback_seconds", "A call to the client that is a contact")
    delay_seconds = _number("delay_seconds", "To the first try")
    claim_minutes = _number("claim_minutes", "So long the client's own manager's alone")
    sla_minutes = _number("sla_minutes", "A contact is promised within")
    near_minutes = _number("near_minutes", "So long before that it is nearly late")
    expire_hours = _number("expire_hours", "After this nobody is called back any more")
    operator_seconds = _number("operator_seconds", "The operator's phone rings")
    client_seconds = _number("client_seconds", "The client's phone rings")
    longest_minutes = _number("longest_minutes", "The longest conversation")
    quiet = fields.Nested(CallbackQuiet, required=True)
    spacing = fields.Nested(
        CallbackSpacing,
        required=True,
        metadata={"description": "Minutes to the next try, by what came of the last one"},
    )
    caps = fields.Nested(
        CallbackCaps, required=True, metadata={"description": "Tries at most, of several kinds"}
    )
    client_key = _truth("The client has to press 1")
    machine_detection = _truth("Asterisk listens for answering machines")
    greetings = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "Sounds by language (two letters), by the client's country"},
    )
    regions = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Countries that may be called; none: the company's own"},
    )
    types = fields.List(
        fields.String(validate=validate.OneOf(TYPES)),
        required=True,
        metadata={"description": "Kinds of numbers that may be called"},
    )


class StoredRules(Schema):
    """The rules, and which state of them."""

    version = text("Tells their state", required=True)
    rules = fields.Nested(CallbackRulesOf, required=True)


class RulesBody(Schema):
    """Rules to be put in the place of those there are; what is not sent is as usual."""

    version = text(
        "The version that was read: 409 when it is another by now",
        validate=Fits(r"^[0-9a-f]{32}$", re.ASCII),
    )
    rules = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={
            "description": "As they are given, or as in the YAML file (also with `preset`)",
        },
    )
