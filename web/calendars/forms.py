"""The forms of calendars."""

from __future__ import annotations

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from web.texts import NOT_LISTED
from web.texts import lazy_gettext as _

HIGHEST_LAYER = 99


class CalendarForm(FlaskForm):  # type: ignore[misc]
    """A calendar that duty or absences are to come from: by its address, or as a file."""

    owner = SelectField(_("Whose calendar"), choices=(), invalid_choice_message=NOT_LISTED)
    url = StringField(_("Address"), [Length(max=2000, message=_("At most 2,000 characters."))])
    file = FileField(_("Or a file"))
    layer = IntegerField(
        _("Layer"),
        [
            InputRequired(_("Enter a number.")),
            NumberRange(0, HIGHEST_LAYER, _("A number from 0 to 99.")),
        ],
        default=0,
    )
    takes = SelectField(_("Absences are"), choices=(), invalid_choice_message=NOT_LISTED)
    zone = SelectField(_("Time zone"), choices=(), invalid_choice_message=NOT_LISTED)


class LinkForm(FlaskForm):  # type: ignore[misc]
    """A new link to subscribe to somebody's duty."""

    owner = SelectField(_("Whose duty"), choices=(), invalid_choice_message=NOT_LISTED)
    lunch = BooleanField(_("With lunch breaks"))
