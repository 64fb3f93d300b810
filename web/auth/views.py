"""The pages of signing in and out, and the language switch for visitors."""

from __future__ import annotations

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from telephony.accounts.passwords import digest
from telephony.accounts.signin import Refusal, Refused, SignedIn, confirm
from telephony.accounts.signin import sign_in as check
from telephony.store.accounts import count_users
from telephony.store.engine import reading, writing
from telephony.store.sessions import end_session
from telephony.words import LANGUAGES
from web import errors, sessions
from web.auth.forms import CodeForm, SignInForm
from web.i18n import COOKIE
from web.notes import note
from web.rights import allow, optional_user, public, safe_next, signed_in_user
from web.services import services
from web.texts import gettext, ngettext

blueprint = Blueprint("auth", __name__)

_YEAR = 31536000


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> str | Response | tuple[str, int]:
    """Ask for login and password."""
    if optional_user() is not None:
        return redirect(safe_next(request.args.get("next")))
    form = SignInForm(next=request.args.get("next"))
    offer = services()
    status = 200
    if form.validate_on_submit():
        visitor = sessions.visitor(form.zone.data)
        answer = check(
            offer.engine, offer.passwords, form.login.data, form.password.data, visitor, offer.now()
        )
        if isinstance(answer, SignedIn):
            sessions.begin(answer.token)
            if answer.full:
                return redirect(safe_next(form.next.data))
            return redirect(url_for("auth.code", next=form.next.data or None))
        if answer.why is Refusal.TOO_MANY:
            return _too_many(answer)
        form.password.errors = [gettext("Login or password is wrong.")]
        status = 401
    elif form.is_submitted():
        status = 422
    with reading(offer.engine) as session:
        empty = count_users(session) == 0
    return render_template("auth/sign_in.html", form=form, nobody_yet=empty), status


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@public
def code() -> str | Response | tuple[str, int]:
    """Ask for the second factor."""
    token = sessions.current_token()
    if token is None or g.get("half_signed_in") is None:
        return redirect(url_for("auth.sign_in"))
    form = CodeForm(next=request.args.get("next"))
    status = 200
    if form.validate_on_submit():
        offer = services()
        answer = confirm(
            offer.engine, offer.vault, token, form.code.data, sessions.visitor(), offer.now()
        )
        if isinstance(answer, SignedIn):
            sessions.begin(answer.token)
            return redirect(safe_next(form.next.data))
        if answer.why is Refusal.TOO_MANY:
            return _too_many(answer)
        if answer.why is Refusal.EXPIRED:
            sessions.end()
            return redirect(url_for("auth.sign_in"))
        form.code.errors = [gettext("This code is wrong, or was used before.")]
        status = 401
    elif form.is_submitted():
        status = 422
    return render_template("auth/code.html", form=form), status


@blueprint.post("/sign-out")
@allow()
def sign_out() -> Response:
    """End this session."""
    token = sessions.current_token()
    offer = services()
    with writing(offer.engine) as session:
        if token is not None:
            end_session(session, digest(token))
        note(session, "signin.ended", signed_in_user().login)
    sessions.end()
    return redirect(url_for("auth.sign_in"))


@blueprint.post("/language")
@public
def language() -> Response:
    """Keep a visitor's language in a cookie; a user's stands in the profile."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        abort(400)
    response = redirect(safe_next(request.form.get("next")))
    response.set_cookie(
        COOKIE,
        chosen,
        max_age=_YEAR,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure or services().settings.web_url.startswith("https:"),
    )
    return response


def _too_many(answer: Refused) -> Response:
    minutes = -(-answer.retry_after // 60)
    advice = ngettext(
        "For safety no more attempts are taken for %(num)d minute. "
        "An administrator can set a new password for you.",
        "For safety no more attempts are taken for %(num)d minutes. "
        "An administrator can set a new password for you.",
        minutes,
    )
    text, code = errors.page(429, advice=advice)
    return Response(
        text, code, mimetype="text/html", headers={"Retry-After": str(answer.retry_after)}
    )
