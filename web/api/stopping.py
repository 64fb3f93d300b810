"""What stops callbacks: the switch for all of them, and numbers that are not to be called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort

from telephony.accounts import Scope
from telephony.callbacks.asking import opt_out
from telephony.domain.numbers import is_e164, normalise
from telephony.store.case_lists import OptOut, list_opt_outs, opt_out_of
from telephony.store.cases import opt_number_in, resume_dialling, stop_dialling, stopped
from telephony.store.engine import reading, writing
from web.api import caseshapes, schemas
from web.api.base import reads, refuse, writes
from web.api.cases import token_asker
from web.cases.asking import head_of
from web.notes import note_by_token
from web.services import services
from web.texts import gettext

_READ, _WRITE = Scope.CALLBACKS_READ, Scope.CALLBACKS_WRITE


@reads("/callback-stop", _READ, caseshapes.Stop, schemas.Empty)
def callback_stop(query: Mapping[str, Any]) -> dict[str, Any]:
    """Tell whether all callbacks are stopped."""
    del query
    with reading(services().engine) as session:
        return _stop(stopped(session))


@writes("PUT", "/callback-stop", _WRITE, caseshapes.Stop, caseshapes.StopBody, one=False)
def set_callback_stop(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Stop all callbacks, with a reason, or let them go on."""
    del query
    reason = body["reason"].strip()
    if body["stopped"] and not reason:
        refuse({"reason": [gettext("Say why, for your colleagues.")]})
    with writing(services().engine) as session:
        who = token_asker(session).login
        if body["stopped"]:
            if stop_dialling(session, who, reason, services().now()):
                note_by_token(session, "callbacks.stopped", "", reason=reason)
        elif resume_dialling(session, who, services().now()):
            note_by_token(session, "callbacks.resumed", "")
        return _stop(stopped(session))


@reads("/opt-outs", _READ, caseshapes.OptOutList, caseshapes.OptOutsQuery)
def opt_outs(query: Mapping[str, Any]) -> dict[str, Any]:
    """List the numbers that are not to be called, the latest first."""
    head = head_of(query.get("number", ""), services().settings.country)
    with reading(services().engine) as session:
        items, total = list_opt_outs(session, query["limit"], query["offset"], head)
    return {"items": items, "total": total}


@writes(
    "POST", "/opt-outs", _WRITE, caseshapes.OptOut, caseshapes.OptOutBody, status=201, one=False
)
def add_opt_out(query: Mapping[str, Any], body: Mapping[str, Any]) -> OptOut:
    """Note that a number is not to be called; its open case ends."""
    del query
    offer = services()
    number = normalise(body["number"], offer.settings.country)
    if number is None:
        refuse({"number": [gettext("This is no telephone number.")]})
    with writing(offer.engine) as session:
        if opt_out(session, number, token_asker(session), body["note"], offer.now()):
            note_by_token(session, "optout.added", number, reason=body["note"])
        found = opt_out_of(session, number)
    assert found is not None
    return found


@writes("DELETE", "/opt-outs/<number>", _WRITE, None, status=204)
def remove_opt_out(query: Mapping[str, Any], number: str) -> None:
    """Let a number (E.164) be called again."""
    del query
    with writing(services().engine) as session:
        if not is_e164(number) or not opt_number_in(session, number):
            abort(404)
        note_by_token(session, "optout.removed", number)


def _stop(found: tuple[Any, str, str] | None) -> dict[str, Any]:
    since, by, reason = found or (None, "", "")
    return {"stopped": found is not None, "since": since, "by": by, "reason": reason}
