"""Pauses of operators and “closed now”, asked for in the panel and done by the PBX."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.domain.pauses import CLOSED_STATE, STATE_OF, PauseKind, closed_device
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from telephony.store.switches import Switch, find_switches
from telephony.switches import BACK, UnknownError, ask_closing, ask_pause
from web.duty import listening
from web.notes import note
from web.operators.pauses import may_pause
from web.rights import allow, signed_in_user
from web.services import services

blueprint = Blueprint("switches", __name__)


@blueprint.post("/operators/<extension>/pause")
@allow()
def pause(extension: str) -> Response:
    """Ask the PBX to begin or end an operator's pause."""
    wanted = request.form.get("kind", "")
    if wanted not in (BACK, *(kind.value for kind in STATE_OF)):
        abort(400)
    if not may_pause(signed_in_user(), extension):
        abort(403)
    kind = None if wanted == BACK else PauseKind(wanted)
    try:
        with writing(services().engine) as session:
            ask_pause(session, extension, kind, services().now(), note)
    except UnknownError:
        abort(404)
    return redirect(url_for("operators.show", extension=extension))


@blueprint.get("/closed")
@allow(Role.ADMIN, Role.SUPERVISOR)
def closed() -> str:
    """Show which DIDs are closed by hand, all together and each."""
    with reading(services().engine) as session:
        setup = load_setup(session)
        switches = find_switches(session)
        live = listening(session, services().now())
    return render_template(
        "operators/closed.html",
        everything=switches.get(closed_device(), Switch("")),
        dids=[
            (did, switches.get(closed_device(number), Switch("")))
            for number, did in sorted(setup.dids.items())
        ],
        is_closed=lambda state: state == CLOSED_STATE,
        live=live,
    )


@blueprint.post("/closed")
@allow(Role.ADMIN, Role.SUPERVISOR)
def close() -> Response:
    """Ask the PBX to close, or open again, a DID or all of them (`did` empty)."""
    number, to = request.form.get("did", ""), request.form.get("to", "")
    if to not in ("closed", "open"):
        abort(400)
    try:
        with writing(services().engine) as session:
            ask_closing(session, number or None, services().now(), note, closed=to == "closed")
    except UnknownError:
        abort(404)
    return redirect(url_for("switches.closed"))
