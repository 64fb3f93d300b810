"""The forms of calendars."""

from __future__ import annotations

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired

from web.texts import NOT_LISTED
from web.texts import lazy_gettext as _


class CalendarForm(FlaskForm):  # type: ignore[misc]
    """A calendar that duty or absences are to come from: by its address, or as a file."""

    owner = SelectField(_("Whose calendar"), choices=(), invalid_choice_message=NOT_LISTED)
    url = StringField(_("Address"))
    file = FileField(_("Or a file"))
    layer = IntegerField(_("Layer"), [InputRequired(_("Enter a number."))], default=0)
    takes = SelectField(_("Absences are"), choices=(), invalid_choice_message=NOT_LISTED)
    zone = SelectField(_("Time zone"), choices=(), invalid_choice_message=NOT_LISTED)


class LinkForm(FlaskForm):  # type: ignore[misc]
    """A new link to subscribe to somebody's duty."""

    owner = SelectField(_("Whose duty"), choices=(), invalid_choice_message=NOT_LISTED)
    lunch = BooleanField(_("With lunch breaks"))
