"""Numbers that are not to be called, and the switch that stops all callbacks."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.callbacks.asking import opt_out
from telephony.domain.numbers import normalise
from telephony.store.case_lists import list_opt_outs
from telephony.store.cases import opt_number_in, resume_dialling, stop_dialling
from telephony.store.clients import find_owners, get_clients
from telephony.store.engine import reading, writing
from web.cases.actions import asker
from web.cases.asking import head_of
from web.cases.standing import standing
from web.cases.views import blueprint
from web.cleaning import visible
from web.i18n import phone
from web.notes import note
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow, safe_next, signed_in_user
from web.services import services
from web.texts import gettext

_LONGEST = 300


@blueprint.get("/not-called")
@allow(Role.ADMIN, Role.SUPERVISOR)
def opt_outs() -> str:
    """List the numbers that asked not to be called."""
    offer = services()
    text = _text(request.args.get("q", ""))
    number = page_number()
    head = head_of(text, offer.settings.country)
    with reading(offer.engine) as session:
        lines, total = list_opt_outs(session, PER_PAGE, (number - 1) * PER_PAGE, head)
        owners = find_owners(session, [one.number for one in lines])
        clients = get_clients(session, set(owners.values()))
    return render_template(
        "cases/opt_outs.html",
        q=text,
        lines=lines,
        owners={one: (key, visible(clients[key].name) or str(key)) for one, key in owners.items()},
        paging=Paging(number, PER_PAGE, total),
    )


@blueprint.post("/not-called")
@allow(Role.ADMIN, Role.SUPERVISOR)
def add_opt_out() -> Response:
    """Note that a number is not to be called."""
    offer = services()
    wanted, why = request.form.get("number", ""), _text(request.form.get("note", ""))
    number = normalise(wanted, offer.settings.country)
    if number is None:
        flash(gettext("%(text)s is no telephone number.", text=visible(wanted)[:40]), "bad")
        return redirect(url_for("cases.opt_outs"))
    with writing(offer.engine) as session:
        new = opt_out(session, number, asker(), why, offer.now())
        if new:
            note(session, "optout.added", number, reason=why)
    flash(gettext("%(number)s is not called any more.", number=phone(number)), "good")
    return redirect(url_for("cases.opt_outs"))


@blueprint.post("/not-called/remove")
@allow(Role.ADMIN, Role.SUPERVISOR)
def remove_opt_out() -> Response:
    """Let a number be called again."""
    number = request.form.get("number", "")
    with writing(services().engine) as session:
        if opt_number_in(session, number):
            note(session, "optout.removed", number)
    flash(gettext("%(number)s may be called again.", number=phone(visible(number)[:40])), "good")
    return redirect(safe_next(request.form.get("next") or url_for("cases.opt_outs")))


@blueprint.route("/stop", methods=["GET", "POST"])
@allow(Role.ADMIN, Role.SUPERVISOR)
def stop() -> str | Response | tuple[str, int]:
    """Ask whether all callbacks are to be stopped, with a reason, and stop them."""
    if request.method == "GET":
        return render_template("cases/stop.html", stop=standing().stop, error="")
    reason = _text(request.form.get("reason", ""))
    if not reason:
        said = gettext("Say why, for your colleagues.")
        return render_template("cases/stop.html", stop=standing().stop, error=said), 422
    with writing(services().engine) as session:
        if stop_dialling(session, signed_in_user().login, reason, services().now()):
            note(session, "callbacks.stopped", "", reason=reason)
    return redirect(url_for("cases.index"))


@blueprint.post("/resume")
@allow(Role.ADMIN, Role.SUPERVISOR)
def resume() -> Response:
    """Let callbacks go on."""
    with writing(services().engine) as session:
        if resume_dialling(session, signed_in_user().login, services().now()):
            note(session, "callbacks.resumed", "")
    flash(gettext("Callbacks go on."), "good")
    return redirect(url_for("cases.index"))


def _text(value: str) -> str:
    return "".join(letter for letter in value if letter.isprintable())[:_LONGEST].strip()
