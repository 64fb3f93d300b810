"""The form of the block list."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, StringField, TextAreaField

from web.texts import lazy_gettext as _


class _Day(DateField):  # type: ignore[misc]
    """A day, or nothing; what is no day says so in the reader's language."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take an empty field for no day at all."""
        if not "".join(valuelist).strip():
            self.data = None
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Choose a day.")) from None


class BlockForm(FlaskForm):  # type: ignore[misc]
    """Who is blocked, why, and until when; `sure` holds what was warned of."""

    patterns = TextAreaField(_("Numbers"))
    reason = StringField(_("Reason"))
    until = _Day(_("Until the end of"))
    sure = HiddenField()
