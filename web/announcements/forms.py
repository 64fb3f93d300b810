"""The form of an announcement."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import StringField

from web.texts import lazy_gettext as _


class _Needed:
    """Lets a field be shown as one that is needed; `telephony.sounds` says what is wrong."""

    field_flags = {"required": True}  # noqa: RUF012

    def __call__(self, form: Any, field: Any) -> None:
        """Find nothing wrong."""


class AnnouncementForm(FlaskForm):  # type: ignore[misc]
    """A sound with the name that rules call it by."""

    title = StringField(_("Title"), [_Needed()])
    name = StringField(_("Name for rules"), [_Needed()])
    file = FileField(_("Sound file"))


class ReplaceForm(AnnouncementForm):
    """The same for an announcement that is there: the name stays, the file may."""

    name = None
