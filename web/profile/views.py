"""The profile: language, zone, colours, password, second step, sessions."""

from __future__ import annotations

import base64

import segno
from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from telephony.accounts.secondfactor import (
    matching_step,
    new_recovery_codes,
    new_secret,
    recovery_digest,
    setup_uri,
)
from telephony.accounts.signin import open_session
from telephony.accounts.users import AccountError, check_password, set_password
from telephony.store.accounts import (
    change_user,
    count_recovery_codes,
    get_user,
    set_recovery_codes,
    take_totp_step,
)
from telephony.store.engine import reading, writing
from telephony.store.sessions import end_sessions, list_sessions
from telephony.words import LANGUAGES
from telephony.zones import known_zones
from web import sessions
from web.cleaning import visible
from web.i18n import NAMES, speak_anew
from web.notes import note
from web.profile.forms import THEMES, PasswordForm, ProfileForm, ProveForm, TotpForm
from web.profile.proof import proven
from web.rights import allow, safe_next, signed_in_session, signed_in_user
from web.services import services
from web.texts import gettext
from web.words import problem_words, role_about, role_words

blueprint = Blueprint("profile", __name__, url_prefix="/profile")

_NEW_SECRET = "new_totp"  # noqa: S105 - a name


@blueprint.route("", methods=["GET", "POST"])
@allow()
def index() -> str | Response | tuple[str, int]:
    """Show the profile and save language, zone and colours."""
    user = signed_in_user()
    form = ProfileForm(
        name=user.name, language=user.language or "", zone=user.zone or "", theme=user.theme
    )
    _choices(form)
    if form.validate_on_submit():
        values = {
            "name": " ".join(visible(form.name.data).split()),
            "language": form.language.data or None,
            "zone": form.zone.data or None,
            "theme": form.theme.data,
        }
        with writing(services().engine) as db:
            change_user(db, user.id, **values)
            note(db, "profile.changed", user.login)
            changed = get_user(db, user.id)
        speak_anew(changed or user)
        flash(gettext("Saved."), "good")
        return redirect(url_for("profile.index"))
    with reading(services().engine) as db:
        rows = list_sessions(db, user.id)
        codes = count_recovery_codes(db, user.id)
    page = render_template(
        "profile/index.html",
        form=form,
        sessions=rows,
        this=signed_in_session().id,
        codes=codes,
        role_words=role_words,
        role_about=role_about,
    )
    return page, 422 if form.is_submitted() else 200


@blueprint.post("/theme")
@allow()
def theme() -> Response:
    """Switch between light and dark."""
    chosen = request.form.get("theme", "")
    if chosen not in THEMES:
        abort(400)
    with writing(services().engine) as db:
        change_user(db, signed_in_user().id, theme=chosen)
    return redirect(safe_next(request.form.get("next")))


@blueprint.route("/password", methods=["GET", "POST"])
@allow()
def password() -> str | Response | tuple[str, int]:
    """Change the password: every other session ends, and this one gets a fresh cookie."""
    form = PasswordForm()
    user = signed_in_user()
    if not form.validate_on_submit():
        page = render_template("profile/password.html", form=form)
        return page, 422 if form.is_submitted() else 200
    if not proven(form.present):
        return render_template("profile/password.html", form=form), 422
    if form.password.data == form.present.data:
        form.password.errors = [gettext("This is your present password: choose another.")]
        return render_template("profile/password.html", form=form), 422
    try:
        check_password(form.password.data, user.login)
    except AccountError as error:
        form.password.errors = [problem_words(error.problem)]
        return render_template("profile/password.html", form=form), 422
    offer = services()
    hashed = offer.passwords.hash(form.password.data)
    with writing(offer.engine) as db:
        set_password(db, user.id, hashed)
        visitor = sessions.visitor(signed_in_session().zone)
        token = open_session(db, user.id, visitor, offer.now(), full=True)
        note(db, "profile.password_changed", user.login)
    sessions.begin(token)
    flash(gettext("Your password is changed. You are signed out everywhere else."), "good")
    return redirect(url_for("profile.index"))


@blueprint.post("/sign-out-elsewhere")
@allow()
def sign_out_elsewhere() -> Response:
    """End every session but this one."""
    with writing(services().engine) as db:
        end_sessions(db, signed_in_user().id, but=signed_in_session().id)
        note(db, "profile.signed_out_elsewhere", signed_in_user().login)
    flash(gettext("You are signed out everywhere else."), "good")
    return redirect(url_for("profile.index"))


@blueprint.route("/second-step", methods=["GET", "POST"])
@allow()
def totp() -> str | Response | tuple[str, int]:
    """Switch the second step on: show a secret, and keep it once its first code is right.

    The password proves who asks: who finds a browser signed in cannot lock its owner out.
    """
    user = signed_in_user()
    if user.totp_secret is not None:
        return redirect(url_for("profile.totp_off"))
    offer = services()
    # The cookie is signed, not secret: what it carries is sealed.
    if _NEW_SECRET not in session:
        session[_NEW_SECRET] = offer.vault.seal(new_secret())
    secret = offer.vault.open(session[_NEW_SECRET])
    form = TotpForm()
    if form.validate_on_submit() and proven(form.password):
        step = matching_step(secret, form.code.data, offer.now())
        if step is not None:
            codes = new_recovery_codes()
            with writing(offer.engine) as db:
                change_user(db, user.id, totp_secret=offer.vault.seal(secret), totp_step=None)
                take_totp_step(db, user.id, step)
                set_recovery_codes(db, user.id, [recovery_digest(code) for code in codes])
                end_sessions(db, user.id, but=signed_in_session().id)
                note(db, "profile.totp_on", user.login)
            session.pop(_NEW_SECRET)
            return render_template("profile/codes.html", codes=codes)
        form.code.errors = [gettext("This code is wrong: is the clock of your telephone right?")]
    uri = setup_uri(secret, user.login)
    picture = segno.make(uri, micro=False).svg_inline(border=2, omitsize=True)
    data = base64.b64encode(_whole(picture)).decode()
    page = render_template(
        "profile/totp.html", form=form, picture=f"data:image/svg+xml;base64,{data}", secret=secret
    )
    return page, 422 if form.is_submitted() else 200


@blueprint.route("/second-step/off", methods=["GET", "POST"])
@allow()
def totp_off() -> str | Response | tuple[str, int]:
    """Switch the second step off; the password proves who asks."""
    return _proven_change("off")


@blueprint.route("/second-step/codes", methods=["GET", "POST"])
@allow()
def codes() -> str | Response | tuple[str, int]:
    """Make new recovery codes; the old ones stop working."""
    return _proven_change("codes")


def _proven_change(what: str) -> str | Response | tuple[str, int]:
    user = signed_in_user()
    if user.totp_secret is None:
        return redirect(url_for("profile.totp"))
    form = ProveForm()
    if not form.validate_on_submit() or not proven(form.password):
        page = render_template("profile/prove.html", form=form, what=what)
        return page, 422 if form.is_submitted() else 200
    with writing(services().engine) as db:
        if what == "off":
            change_user(db, user.id, totp_secret=None, totp_step=None)
            set_recovery_codes(db, user.id, ())
            note(db, "profile.totp_off", user.login)
        else:
            fresh = new_recovery_codes()
            set_recovery_codes(db, user.id, [recovery_digest(code) for code in fresh])
            note(db, "profile.codes_renewed", user.login)
    if what == "codes":
        return render_template("profile/codes.html", codes=fresh)
    flash(gettext("The second step is switched off."), "good")
    return redirect(url_for("profile.index"))


def _whole(svg: str) -> bytes:
    """Return an SVG for a page as one that stands alone."""
    return svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1).encode()


def _choices(form: ProfileForm) -> None:
    browser = SelectChoice("", gettext("as the browser says"))
    form.language.choices = [browser, *(SelectChoice(code, NAMES[code]) for code in LANGUAGES)]
    form.zone.choices = [
        browser,
        *(
            SelectChoice(name, name.replace("_", " "))
            for name in sorted(known_zones())
            if "/" in name or name == "UTC"
        ),
    ]
    form.theme.choices = [
        SelectChoice("system", gettext("as the system says")),
        SelectChoice("light", gettext("light")),
        SelectChoice("dark", gettext("dark")),
    ]
