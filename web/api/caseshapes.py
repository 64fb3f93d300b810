"""The shapes of missed calls, callbacks and what stops them."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields, validate

from telephony.callbacks.asking import BY_PEOPLE
from telephony.domain.callback.cases import Attention, CaseState, Ending, Source
from telephony.domain.callback.results import Ended, Why
from telephony.domain.callback.rules import First
from telephony.store.attempts import AttemptState
from telephony.store.case_lists import View
from web.api.fields import Fits, Truth, at, code, count, extension, printable, text
from web.api.schemas import Paged

MOST_AT_ONCE = 500
_KEY = validate.Range(min=1, max=2**63 - 1)
_NUMBER = "A number in any notation"


def _number(about: str, **more: Any) -> Any:
    return text(about, validate=printable(40), **more)


class CasesFilter(Schema):
    """Which cases."""

    view = code(
        View,
        "Open ones (all; mine; overdue; attention: a person has to see to it; promised a call), or "
        "those that are over: closed, or suppressed, which are not called",
        load_default=View.OPEN,
    )
    me = extension("Whose `mine` are: an extension")
    did = text("The number dialled, digits", validate=Fits(r"^\+?[0-9]{2,15}$", re.ASCII))
    group = text("A group", validate=printable(100))
    operator = extension("An extension that owns or has claimed it")
    why = code(Why, "What became of the last missed call")
    source = code(Source, "What the case came from")
    number = _number("A whole number in any notation, or its last four digits or more")
    name = text("A part of the client's name", validate=printable(100))
    client_id = count("A client's id", validate=validate.Range(min=1, max=2**31 - 1))
    since = at("Over since this moment; without it, number and client_id: the last 30 days")
    until = at("Over before this moment")


class CasesQuery(CasesFilter, Paged):
    """Which cases, and which part of them."""


class CaseLine(Schema):
    """One client's missed calls."""

    id = count("The case's id", required=True)
    number = text("E.164, or what there was of a number", required=True)
    state = code(CaseState, "Where it is", required=True)
    source = code(Source, "What it came from; all but missed were promised a call", required=True)
    why = code(Why, "What became of the last missed call", required=True)
    did = text("The number dialled, digits", required=True)
    group = text("The group", required=True, allow_none=True)
    client_id = count("The client's id", required=True, allow_none=True)
    client_name = text("The client's name", required=True)
    priority = count("Higher ones first", required=True)
    owner = text("The extension whose client it is", required=True, allow_none=True)
    claimed_by = text("The extension that claimed it", required=True, allow_none=True)
    opened_at = at("When it was opened", required=True)
    origin_at = at("Since when the client waits", required=True)
    last_missed_at = at("When the last missed call began", required=True)
    missed = count("How many calls were missed", required=True)
    due_at = at("The next try; null: none is planned", required=True, allow_none=True)
    promised_at = at("The time that was agreed", required=True, allow_none=True)
    anyone_at = at("Until then it is one operator's alone", required=True, allow_none=True)
    sla_at = at("Until when a call is promised", required=True, allow_none=True)
    expires_at = at("When it is given up", required=True, allow_none=True)
    attention = code(Attention, "Why it waits for a person", required=True, allow_none=True)
    tries = count("How often the client was called", required=True)
    last = code(Ended, "How the last try ended", required=True, allow_none=True)
    ended_at = at("When it ended", required=True, allow_none=True)
    ending = code(Ending, "How it ended", required=True, allow_none=True)
    ended_by = text("Who ended it: an extension or a login", required=True, allow_none=True)
    note = text("What was noted", required=True)
    call_id = text("The conversation that ended it", required=True, allow_none=True)


class CaseList(Schema):
    """A page of cases."""

    items = fields.List(fields.Nested(CaseLine), required=True)
    total = count("How many there are", required=True)


class CaseCall(Schema):
    """A missed call of a case."""

    call_id = text("The call's id", required=True)
    at = at("When it began", required=True)
    why = code(Why, "What became of it", required=True)
    did = text("The number dialled, digits", required=True)


class CaseAttempt(Schema):
    """A try to call back; durations in milliseconds."""

    id = count("The try's id", required=True)
    first = code(First, "Whose phone rang first", required=True)
    operator = text("The extension", required=True)
    asked_by = text("Who asked for it; empty: nobody did", required=True)
    state = code(AttemptState, "How far it is", required=True)
    created_at = at("When it was wanted", required=True)
    sent_at = at("When the PBX was told to dial", required=True, allow_none=True)
    ended_at = at("When it ended", required=True, allow_none=True)
    ended = code(Ended, "How it ended", required=True, allow_none=True)
    cause = text("The PBX's word for it", required=True, allow_none=True)
    call_id = text("The call", required=True, allow_none=True)
    talk_ms = count("How long they talked", required=True)


class OneCase(CaseLine):
    """A case with its missed calls and tries, the newest first."""

    calls = fields.List(fields.Nested(CaseCall), required=True)
    attempts = fields.List(fields.Nested(CaseAttempt), required=True)


class ClaimBody(Schema):
    """Whose it becomes."""

    operator = text(
        "An extension; null: anybody's again",
        required=True,
        allow_none=True,
        validate=Fits(r"^[0-9]{2,10}$", re.ASCII),
    )


class CallBody(Schema):
    """Whose phone rings first."""

    extension = extension("An operator's; without it that of whoever made the token")


class ScheduleBody(Schema):
    """The time that was agreed."""

    at = at("When the client is called", required=True)


def _ending() -> Any:
    return fields.Enum(
        Ending,
        by_value=True,
        required=True,
        validate=validate.OneOf(BY_PEOPLE),
        metadata={
            "description": "How it ended",
            "enum": [one.value for one in BY_PEOPLE],
        },
    )


class CloseBody(Schema):
    """How a case ended."""

    ending = _ending()
    note = text("A note", validate=printable(500), load_default="")


class BulkCloseBody(CloseBody):
    """Which cases are closed, and how they ended."""

    ids = fields.List(
        fields.Integer(strict=True, validate=_KEY),
        required=True,
        validate=validate.Length(min=1, max=MOST_AT_ONCE),
        metadata={"description": "Ids of cases"},
    )


class NotClosed(Schema):
    """A case that was left as it is."""

    id = count("The case's id", required=True)
    code = text("Why: gone, over or under_way", required=True)
    words = text("The same in words", required=True)


class BulkClosed(Schema):
    """What became of them."""

    closed = fields.List(fields.Integer(), required=True)
    refused = fields.List(fields.Nested(NotClosed), required=True)


class ClickBody(CallBody):
    """A number that is called."""

    number = _number(_NUMBER, required=True)


class Ordered(Schema):
    """A call that was ordered: the operator's phone rings within seconds."""

    number = text("E.164", required=True)
    extension = text("Whose phone rings first", required=True)


class Stop(Schema):
    """Whether all callbacks are stopped."""

    stopped = fields.Boolean(required=True)
    since = at("Since when", required=True, allow_none=True)
    by = text("By whom", required=True)
    reason = text("Why", required=True)


class StopBody(Schema):
    """Whether they should be."""

    stopped = Truth(
        required=True, metadata={"description": "Stop all callbacks, or let them go on"}
    )
    reason = text(
        "Why; needed to stop them",
        validate=printable(300),
        load_default="",
    )


class OptOutsQuery(Paged):
    """Which numbers."""

    number = _number("How a number begins, or all of it")


class OptOut(Schema):
    """A number that is not to be called."""

    number = text("E.164", required=True)
    at = at("Since when", required=True)
    added_by = text("Who noted it", required=True)
    note = text("What was noted", required=True)


class OptOutList(Schema):
    """A page of numbers."""

    items = fields.List(fields.Nested(OptOut), required=True)
    total = count("How many there are", required=True)


class OptOutBody(Schema):
    """A number that is not to be called."""

    number = _number(_NUMBER, required=True)
    note = text("Why", validate=printable(300), load_default="")
