"""Links by which calendar programs subscribe to somebody's duty: shown once, kept as hashes."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from telephony.domain.setup import Setup
from telephony.store.calendars import Owner
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from telephony.store.shares import Share, get_share, list_shares
from telephony.subscriptions import make_link, revoke_link
from web.calendaring import link_address, owner_words
from web.calendars.area import EDITORS, blueprint
from web.calendars.forms import LinkForm
from web.calendars.words import owner_of, owners
from web.i18n import current_language
from web.notes import note
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow, safe_next, signed_in_user
from web.services import services
from web.texts import gettext


def link_form(setup: Setup) -> LinkForm:
    """Return the form that makes a link."""
    form = LinkForm()
    form.owner.choices = [SelectChoice(value, words) for value, words in owners(setup)]
    return form


@blueprint.get("/links")
@allow(*EDITORS)
def links() -> str:
    """List the links by which duty is subscribed to."""
    with reading(services().engine) as session:
        setup, shares = load_setup(session), list_shares(session)
    paging = Paging(page_number(), PER_PAGE, len(shares))
    shown = shares[paging.offset : paging.offset + PER_PAGE]
    return render_template(
        "calendars/shared.html",
        shares=shown,
        paging=paging,
        owners={
            (one.owner_kind, one.owner): owner_words(setup, one.owner_kind, one.owner)
            for one in shown
        },
        form=link_form(setup),
        anybody=bool(setup.groups or setup.operators),
    )


@blueprint.post("/links")
@allow()
def share() -> str | tuple[str, int] | Response:
    """Make a link and show it once; operators make those to their own duty."""
    offer = services()
    with reading(offer.engine) as session:
        setup = load_setup(session)
    form = link_form(setup)
    if not form.validate_on_submit():
        flash(gettext("Choose whose duty it is."), "bad")
        return redirect(url_for("calendars.links" if _leads() else "operators.index"))
    whose = owner_of(setup, form.owner.data)
    if whose is None or not _may(*whose):
        abort(403)
    wanted = Share(
        0, *whose, form.lunch.data, current_language(), signed_in_user().login, offer.now()
    )
    words = owner_words(setup, *whose)
    with writing(offer.engine) as session:
        _, token = make_link(session, wanted, words, note)
    back = url_for("calendars.links") if _leads() else url_for("operators.show", extension=whose[1])
    return render_template(
        "calendars/link.html",
        address=link_address(token),
        words=words,
        back=back,
    )


@blueprint.post("/links/<int:key>/revoke")
@allow()
def unshare(key: int) -> Response:
    """Revoke a link: whoever subscribes by it is refused from now on."""
    offer = services()
    with writing(offer.engine) as session:
        known = get_share(session, key)
        if known is None:
            abort(404)
        if not _may(known.owner_kind, known.owner):
            abort(403)
        words = owner_words(load_setup(session), known.owner_kind, known.owner)
        revoke_link(session, known, words, note)
    flash(gettext("The link is revoked."))
    return redirect(safe_next(request.form.get("next")))


def _leads() -> bool:
    return signed_in_user().role in EDITORS


def _may(kind: Owner, owner: str) -> bool:
    """Tell whether who is signed in may make and revoke links to this duty."""
    return _leads() or (kind is Owner.OPERATOR and owner == signed_in_user().extension)
