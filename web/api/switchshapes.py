"""The shapes of pauses and of “closed now”."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from telephony.domain.pauses import STATE_OF
from telephony.store.switches import NOT_TAKEN, NOT_TOLD
from web.api.fields import Truth, at, text

_KINDS = validate.OneOf([kind.value for kind in STATE_OF])
_OPEN = "what was asked for, while `pending`"


class Asked(Schema):
    """What is known of a switch, and of what was asked of it."""

    since = at("Since when it is so; null: it was never set", required=True, allow_none=True)
    pending = fields.Boolean(
        required=True,
        metadata={"description": "Whether the PBX was asked and did not tell of the change yet"},
    )
    problem = text(
        f"Why the last request came to nothing: {NOT_TAKEN} (no listener ran) or {NOT_TOLD} (the "
        "PBX did not tell of the change)",
        required=True,
        allow_none=True,
        validate=validate.OneOf([NOT_TAKEN, NOT_TOLD]),
    )


def _kind(about: str, **more: Any) -> Any:
    return text(about, required=True, allow_none=True, validate=_KINDS, **more)


class PauseOf(Asked):
    """An operator's pause."""

    extension = text("The extension", required=True)
    kind = _kind("The pause; null: none")
    asked = _kind(f"The pause {_OPEN}; null: none")


class ClosedOf(Asked):
    """Whether somebody closed a DID, or all of them."""

    did = text("The number, digits; null: all of them", required=True, allow_none=True)
    closed = fields.Boolean(required=True, metadata={"description": "Closed by this switch"})
    asked = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": f"Closed or not: {_OPEN}, else null"},
    )


class Switches(Schema):
    """All switches."""

    live = fields.Boolean(
        required=True,
        metadata={"description": "Whether a listener runs, without which nothing is done"},
    )
    closed = fields.Nested(ClosedOf, required=True)
    dids = fields.List(fields.Nested(ClosedOf), required=True)
    pauses = fields.List(fields.Nested(PauseOf), required=True)


class PauseBody(Schema):
    """The pause that is wanted."""

    kind = _kind("The pause to begin; null ends it")


class ClosedBody(Schema):
    """Whether it should be closed."""

    closed = Truth(required=True, metadata={"description": "Close, or open again"})
