"""The forms of the profile."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from telephony.accounts.passwords import LONGEST
from web.texts import NOT_LISTED
from web.texts import lazy_gettext as _

THEMES = ("system", "light", "dark")


class ProfileForm(FlaskForm):  # type: ignore[misc]
    """Name, language, time zone, colours."""

    name = StringField(_("Name"), [InputRequired(_("Enter a name.")), Length(max=100)])
    language = SelectField(_("Language"), invalid_choice_message=NOT_LISTED)
    zone = SelectField(_("Time zone"), invalid_choice_message=NOT_LISTED)
    theme = SelectField(_("Colours"), invalid_choice_message=NOT_LISTED)


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """A new password, with the present one to prove who asks."""

    present = PasswordField(
        _("Present password"), [InputRequired(_("Enter your password.")), Length(max=LONGEST)]
    )
    password = PasswordField(
        _("New password"), [InputRequired(_("Enter a new password.")), Length(max=LONGEST)]
    )
    again = PasswordField(
        _("New password again"),
        [
            InputRequired(_("Enter it once more.")),
            EqualTo("password", _("The two are not the same.")),
        ],
    )


class TotpForm(FlaskForm):  # type: ignore[misc]
    """The first code of an authenticator app, and the password to prove who asks."""

    password = PasswordField(
        _("Password"), [InputRequired(_("Enter your password.")), Length(max=LONGEST)]
    )
    code = StringField(_("Code"), [InputRequired(_("Enter the code.")), Length(max=10)])


class ProveForm(FlaskForm):  # type: ignore[misc]
    """The password, to prove who asks."""

    password = PasswordField(
        _("Password"), [InputRequired(_("Enter your password.")), Length(max=LONGEST)]
    )
