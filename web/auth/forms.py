"""The forms of signing in."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from telephony.accounts.passwords import LONGEST
from web.texts import lazy_gettext as _


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Login and password; `zone` is filled in by the browser."""

    login = StringField(_("Login"), [InputRequired(_("Enter your login.")), Length(max=100)])
    password = PasswordField(
        _("Password"), [InputRequired(_("Enter your password.")), Length(max=LONGEST)]
    )
    zone = HiddenField()
    next = HiddenField()


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The code of the authenticator app, or a recovery code."""

    code = StringField(_("Code"), [InputRequired(_("Enter the code.")), Length(max=40)])
    next = HiddenField()
