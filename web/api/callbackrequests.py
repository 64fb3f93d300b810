"""Callbacks that a CRM, an operator or any other program asks for: now, or at a time agreed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, NoReturn, cast

from flask import abort, g, request
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from telephony.accounts import ApiToken, Scope
from telephony.callbacks.asking import Desk, Refusal, RefusedError, a_wish, ask_for_call
from telephony.domain.callback.cases import Source, Wish
from telephony.domain.callback.verdicts import Bar
from telephony.domain.numbers import digits, mask, normalise
from telephony.domain.setup import Setup
from telephony.store.cases import get_case
from telephony.store.engine import writing
from telephony.store.setup import load_setup
from telephony.store.sites import Answered, find_request, keep_request
from telephony.store.tables import in_turn
from web.api.base import blueprint, conflict, refuse, writes
from web.api.fields import Fits, at, count, extension, printable, text
from web.cleaning import visible
from web.notes import note_by_token
from web.refusals import refused_words
from web.services import services
from web.texts import gettext

KEY = "Idempotency-Key"
_KEY = re.compile(r"[!-~]{1,200}")


class RequestBody(Schema):
    """Whom to call back, and when."""

    number = text("The client's number in any notation", required=True, validate=printable(40))
    did = text(
        "The number of yours that they wrote to or called, digits: its hours and group hold",
        load_default="",
        validate=Fits(r"^(\+?[0-9]{2,15})?$", re.ASCII),
    )
    operator = extension("Whose callback it is at first; without it the client's own manager's")
    at = at("When the call was promised; without it as soon as possible")
    name = text("What they are called, if no client has the number", validate=printable(100))
    note = text("What it is about, for the operator", validate=validate.Length(max=500))


class Requested(Schema):
    """The callback, as it is then."""

    case_id = count("Its id", required=True)
    joined = fields.Boolean(
        required=True,
        metadata={"description": "Whether there was an open one of this number already"},
    )
    due_at = at("When it is tried; null: a person has to", required=True, allow_none=True)
    promised_at = at("When the call was promised", required=True, allow_none=True)


@writes(
    "POST",
    "/callback-requests",
    Scope.CALLBACKS_WRITE,
    Requested,
    RequestBody,
    status=201,
    one=True,
)
@blueprint.doc(  # type: ignore[untyped-decorator]
    parameters=[
        {
            "in": "header",
            "name": KEY,
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            "description": "The same for a request that is sent again",
        }
    ]
)
def request_callback(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for a callback.

    It opens a case, or joins the open one of this number. With the header Idempotency-Key a request
    that is sent again within a day is answered as the first one was, and asks for nothing.
    """
    del query
    offer = services()
    now = offer.now()
    token = cast(ApiToken, g.token)
    key, asked = _key(), _digest(body)
    with writing(offer.engine) as session:
        in_turn(session)
        known = find_request(session, token.id, key, now) if key else None
        if known is None:
            setup = load_setup(session)
            desk = Desk(setup, offer.settings.country)
            known = _ask(session, desk, _wish(setup, body), asked)
            if key:
                keep_request(session, token.id, key, known, now)
        elif known.body != asked:
            refuse({KEY: [gettext("This key came with another request before.")]}, "headers")
        return _shown(session, known)


def _ask(session: Session, desk: Desk, wish: Wish, asked: str) -> Answered:
    try:
        case, opened = ask_for_call(session, desk, wish, services().now())
    except RefusedError as error:
        _refuse(error)
    # The log is kept for long: whom was called stands in the case.
    details = {} if wish.promised_at is None else {"at": wish.promised_at.isoformat()}
    note_by_token(session, "callback.asked", mask(wish.number), case=case.id, **details)
    return Answered(asked, case.id, not opened)


def _wish(setup: Setup, body: Mapping[str, Any]) -> Wish:
    """Return what is asked for, or answer 422."""
    offer = services()
    errors: dict[str, list[str]] = {}
    number = normalise(body["number"], offer.settings.country)
    if number is None:
        errors["number"] = [gettext("This is not a telephone number.")]
    did = digits(body["did"])
    if did and did not in setup.dids:
        errors["did"] = [gettext("There is no such number of yours.")]
    operator = body.get("operator")
    if operator is not None and operator not in setup.operators:
        errors["operator"] = [gettext("There is no such operator.")]
    if errors or number is None:
        refuse(errors)
    at = body.get("at")
    wish = a_wish(
        number,
        Source.REQUEST if at is None else Source.SCHEDULED,
        offer.now(),
        did,
        name=visible(body.get("name", "")),
        note=visible(body.get("note", "")),
    )
    return replace(wish, owner=operator, promised_at=at)


def _refuse(error: RefusedError) -> NoReturn:
    if error.why is Refusal.PAST:
        refuse({"at": [gettext("This moment is past.")]})
    if error.why is Refusal.TOO_FAR:
        refuse({"at": [gettext("This is more than a year ahead.")]})
    if error.why is Refusal.QUIET or error.bar in (Bar.NUMBER_DAY, Bar.NUMBER_WEEK):
        refuse({"at": [refused_words(error)]})
    code = error.why.value if error.bar is None else error.bar.value
    words = {
        Bar.BLOCKED: gettext("The number is on the block list."),
        Bar.OPTED_OUT: gettext("The client does not want to be called."),
        Bar.REFUSED: gettext("Numbers of this kind or country are not called back."),
    }
    detail = words.get(error.bar, gettext("Nobody can be called now.")) if error.bar else code
    conflict(detail, [{"in": "json", "name": "number", "code": code, "detail": detail}])


def _key() -> str | None:
    """Return the hash of the key of this request, None when it has none."""
    key = request.headers.get(KEY)
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        refuse({KEY: [gettext("Use 1 to 200 printable characters.")]}, "headers")
    return sha256(key.encode()).hexdigest()


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, default=str)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _shown(session: Session, answered: Answered) -> dict[str, Any]:
    case = get_case(session, answered.case_id)
    if case is None:
        abort(404)
    return {
        "case_id": case.id,
        "joined": answered.joined,
        "due_at": case.due_at,
        "promised_at": case.promised_at,
    }
