"""The shapes of callback figures."""

from __future__ import annotations

import re

from marshmallow import Schema, fields, validate

from telephony.domain.callback.figures import By
from telephony.domain.callback.results import Ended
from web.api.fields import Fits, at, code, count, extension, printable, text

_WEEK = 7 * 24 * 60


class FiguresQuery(Schema):
    """Which cases, and what they are told apart by."""

    by = code(By, "What the items are told apart by", load_default=By.DID)
    since = at("Cases opened at this moment or later; without it, seven days before `until`")
    until = at("Cases opened before this moment; without it, now")
    zone = text("IANA name of the clocks of hours and days", load_default="UTC")
    within = count(
        "In how many minutes a client was reached to count as recovered",
        load_default=60,
        validate=validate.Range(min=1, max=_WEEK),
    )
    did = text("The number dialled, digits", validate=Fits(r"^\+?[0-9]{2,15}$", re.ASCII))
    group = text("A group", validate=printable(100))
    operator = extension("Who talked to the client, else claimed the case, else owns it")


class TriesEnded(Schema):
    """How many tries ended in a way."""

    ended = code(Ended, "How they ended", required=True)
    count = count("How many", required=True)


class Figures(Schema):
    """What became of cases; docs/glossary.md has the formulas."""

    missed = count("Missed calls, without short abandons", required=True)
    short = count("Short abandons", required=True)
    cases = count("Cases opened", required=True)
    suppressed = count("Of these, clients who were not to be called", required=True)
    to_call = count("The others: what shares are of", required=True)
    reached = count("Of these, clients who were talked to", required=True)
    recovered = count("Of those reached, within the time", required=True)
    by_hand = count("Closed by somebody without a talk", required=True)
    expired = count("Given up", required=True)
    waiting = count("Open still", required=True)
    kept = count("Deadlines kept", required=True)
    broken = count("Deadlines broken", required=True)
    called_back = count("Clients whom we called", required=True)
    median_seconds = fields.Float(
        metadata={"description": "Median time to callback; null of nobody"},
        required=True,
        allow_none=True,
    )
    p90_seconds = fields.Float(
        metadata={"description": "In which 90 % were called back; null of nobody"},
        required=True,
        allow_none=True,
    )
    dialled = count("Tries that rang the client's phone, or may have", required=True)
    tries = fields.List(fields.Nested(TriesEnded), required=True)


class PartFigures(Figures):
    """Figures of a part of the cases."""

    key = text(
        "A DID, a group, an extension, an hour (00 to 23), a day, a reason or a source; null: none",
        required=True,
        allow_none=True,
    )


class FiguresOf(Schema):
    """Figures of a span: of all cases, and of their parts."""

    since = at("From", required=True)
    until = at("Until", required=True)
    by = code(By, "What the items are told apart by", required=True)
    total = fields.Nested(Figures, required=True)
    items = fields.List(fields.Nested(PartFigures), required=True)
