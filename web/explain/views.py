"""The page that says who would get a call, and why, by the set-up of today."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from telephony.accounts import Role
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.duty import listening
from web.i18n import zone
from web.rights import allow
from web.services import services
from web.trying import call_form, question_of, tried, when_words

blueprint = Blueprint("explain", __name__, url_prefix="/explain")


@blueprint.get("")
@allow(Role.ADMIN, Role.SUPERVISOR)
def index() -> str | tuple[str, int]:
    """Ask, and answer when the address has a question: `?did=`, `number`, `at`, `key`."""
    offer = services()
    now = offer.now()
    asked = None
    with reading(offer.engine) as session:
        setup = load_setup(session)
        form = call_form(setup, formdata=request.args or None, meta={"csrf": False})
        if "did" in request.args:
            question = question_of(form, now, offer.settings.country)
            if question is not None:
                asked = tried(session, question, setup, now)
        live = listening(session, now)
    return render_template(
        "explain/index.html",
        form=form,
        tried=asked,
        when=when_words(asked) if asked else "",
        dids=setup.dids.values(),
        zone=zone(),
        live=live,
    ), 422 if "did" in request.args and asked is None else 200
