"""The style page: every piece of the panel's look in all its states."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from telephony.domain.record import Direction, Disposition
from web.pages import Paging
from web.rights import allow
from web.services import services
from web.texts import gettext
from web.texts import lazy_gettext as _

blueprint = Blueprint("style", __name__)


class _Sample(FlaskForm):  # type: ignore[misc]
    text = StringField(_("Text"), [InputRequired()])
    wrong = StringField(_("Text with an error"), [InputRequired()])
    choice = SelectField(_("Choice"), choices=[SelectChoice("1"), SelectChoice("2")])
    secret = PasswordField(_("Password"))
    long = TextAreaField(_("Longer text"))
    yes = BooleanField(_("A box to check"))


@blueprint.get("/style")
@allow()
def index() -> str:
    """Show them."""
    now = services().now()
    form = _Sample(formdata=None, text="+7 900 111-22-33", wrong="abc")
    form.wrong.errors = [gettext("An extension has 2 to 10 digits.")]
    return render_template(
        "style.html",
        form=form,
        now=now,
        earlier=[
            now - timedelta(seconds=seconds) for seconds in (1, 50, 600, 7200, 90000, 3000000)
        ],
        dispositions=list(Disposition),
        directions=list(Direction),
        pagings=[Paging(1, 50, 0), Paging(1, 50, 12), Paging(7, 50, 5234567)],
    )
