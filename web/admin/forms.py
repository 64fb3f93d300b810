"""The forms of the admin's pages."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from web.texts import NOT_LISTED
from web.texts import lazy_gettext as _

LIFETIMES = ("30", "90", "365", "")


class UserForm(FlaskForm):  # type: ignore[misc]
    """A user as an admin edits it."""

    login = StringField(_("Login"), [InputRequired(_("Enter a login.")), Length(max=60)])
    name = StringField(_("Name"), [InputRequired(_("Enter a name.")), Length(max=100)])
    role = SelectField(
        _("Role"),
        [InputRequired(NOT_LISTED)],
        choices=(),
        invalid_choice_message=NOT_LISTED,
    )
    extension = StringField(_("Extension"), [Length(max=10, message=_("At most 10 digits."))])


class EditUserForm(UserForm):
    """The same for a user who is there: the login stays."""

    login = None


class TokenForm(FlaskForm):  # type: ignore[misc]
    """A new token of the API."""

    name = StringField(_("Token name"), [InputRequired(_("Say what it is for.")), Length(max=100)])
    scopes = SelectMultipleField(
        _("It may"),
        [InputRequired(_("Choose at least one."))],
        choices=(),
        invalid_choice_message=NOT_LISTED,
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    days = SelectField(_("Valid for"), choices=(), invalid_choice_message=NOT_LISTED)
