"""Tokens of the API: the list, making one (shown once), revoking."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from telephony.accounts import ApiToken, Role, Scope, new_token
from telephony.accounts.tokens import may_make_tokens
from telephony.store.accounts import get_user
from telephony.store.engine import reading, writing
from telephony.store.sessions import add_token, get_token, list_tokens, revoke_token
from web.admin.forms import LIFETIMES, TokenForm
from web.notes import note
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow, signed_in_user
from web.services import services
from web.texts import gettext, ngettext
from web.words import scope_words

blueprint = Blueprint("tokens", __name__, url_prefix="/tokens")


@blueprint.get("")
@allow(Role.ADMIN)
def index() -> str:
    """List the tokens."""
    number = page_number()
    with reading(services().engine) as session:
        tokens, total = list_tokens(session, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
        makers = {number: get_user(session, number) for number in {one.user_id for one in tokens}}
    return render_template(
        "admin/tokens.html",
        tokens=tokens,
        makers={number: maker.login for number, maker in makers.items() if maker},
        asleep={number for number, maker in makers.items() if not may_make_tokens(maker)},
        now=services().now(),
        paging=Paging(number, PER_PAGE, total),
        scope_words=scope_words,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@allow(Role.ADMIN)
def add() -> str | tuple[str, int]:
    """Make a token and show it once."""
    form = TokenForm(days="365")
    form.scopes.choices = [
        SelectChoice(scope.value, scope_words(scope).capitalize()) for scope in Scope
    ]
    form.days.choices = [SelectChoice(days, _lifetime(days)) for days in LIFETIMES]
    if not form.validate_on_submit():
        return render_template(
            "admin/token_new.html", form=form
        ), 422 if form.is_submitted() else 200
    offer = services()
    now = offer.now()
    token, hashed = new_token()
    days = form.days.data
    made = ApiToken(
        id=0,
        name=form.name.data.strip(),
        scopes=frozenset(Scope(scope) for scope in form.scopes.data),
        user_id=signed_in_user().id,
        created_at=now,
        expires_at=now + timedelta(days=int(days)) if days else None,
        used_at=None,
        revoked_at=None,
    )
    with writing(offer.engine) as session:
        add_token(session, hashed, made)
        note(session, "token.added", made.name, scopes=sorted(made.scopes))
    return render_template("admin/token_made.html", token=token, made=made, scope_words=scope_words)


@blueprint.post("/<int:token_id>/revoke")
@allow(Role.ADMIN)
def revoke(token_id: int) -> Response:
    """Revoke a token: it stops working at once."""
    offer = services()
    with writing(offer.engine) as session:
        token = get_token(session, token_id)
        if token is None:
            abort(404)
        if revoke_token(session, token_id, offer.now()):
            note(session, "token.revoked", token.name)
    flash(gettext("The token “%(name)s” is revoked.", name=token.name), "good")
    return redirect(url_for("tokens.index"))


def _lifetime(days: str) -> str:
    if not days:
        return gettext("no end")
    return ngettext("%(num)d day", "%(num)d days", int(days))
