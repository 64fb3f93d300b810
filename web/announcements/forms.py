"""The form of an announcement."""

from __future__ import annotations

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import StringField
from wtforms.validators import InputRequired, Length, Regexp

from telephony.domain.announcements import NAME
from web.texts import lazy_gettext as _


class AnnouncementForm(FlaskForm):  # type: ignore[misc]
    """A sound with the name that rules call it by."""

    title = StringField(_("Title"), [InputRequired(_("Say what is spoken.")), Length(max=100)])
    name = StringField(
        _("Name for rules"),
        [
            InputRequired(_("Enter a name.")),
            Regexp(rf"\A{NAME.pattern}\Z", message=_("1 to 40 of a–z, 0–9 and -.")),
        ],
    )
    file = FileField(_("Sound file"))


class ReplaceForm(AnnouncementForm):
    """The same for an announcement that is there: the name stays, the file may."""

    name = None
