"""The form of a client. What is right is for telephony.clients to say, here as in the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from telephony.clients import POSTS, Problem, Written, Wrong
from telephony.domain.directory import Stage
from telephony.domain.numbers import normalise
from telephony.domain.setup import Operator
from telephony.store.clients import ClientData
from telephony.zones import known_zones
from web.cleaning import visible
from web.i18n import word
from web.texts import gettext
from web.texts import lazy_gettext as _
from web.wrong import problem_words

_SPARE = 2  # empty inputs for more numbers
_MOST_INPUTS = 100


class ClientForm(FlaskForm):  # type: ignore[misc]
    """A client as people edit it; the numbers are inputs of their own (see `Number`)."""

    name = StringField(_("Name"))
    stage = RadioField(_("Stage"), choices=(), validate_choice=False)
    manager = SelectField(_("Account manager"), choices=(), validate_choice=False)
    sales_manager = SelectField(_("Sales manager"), choices=(), validate_choice=False)
    deputy = SelectField(_("Deputy"), choices=(), validate_choice=False)
    vip = BooleanField(_("VIP: rings the manager at lunch, too"))
    zone = SelectField(_("Time zone"), choices=(), validate_choice=False)
    notes = TextAreaField(_("Notes"))
    # The version that the page was made from: somebody may change the client meanwhile.
    seen = HiddenField()


@dataclass
class Number:
    """One input for a number: what stands in it, and what is wrong with that.

    `owner` is (id, name) of the client who has it.
    """

    text: str
    errors: list[str] = field(default_factory=list)
    owner: tuple[int, str] | None = None


def client_form(operators: Mapping[str, Operator], **values: Any) -> ClientForm:
    """Return the form with everybody who may be chosen; `values` fill it before it is sent."""
    form = ClientForm(**values)
    form.name.flags.required = True
    form.stage.choices = [SelectChoice(stage.value, word(stage).capitalize()) for stage in Stage]
    people = [
        SelectChoice(extension, f"{visible(one.name)} ({extension})")
        for extension, one in sorted(operators.items(), key=lambda pair: pair[1].name.casefold())
    ]
    for post in POSTS:
        nobody = (
            gettext("the manager's own deputy") if post == "deputy" else gettext("not assigned")
        )
        form[post].choices = [SelectChoice("", nobody), *people]
    by_number = SelectChoice("", gettext("as the number tells"))
    form.zone.choices = [by_number, *(SelectChoice(name, name) for name in sorted(known_zones()))]
    if form.zone.data and form.zone.data not in known_zones():
        form.zone.choices.append(SelectChoice(form.zone.data, form.zone.data))
    return form


def values_of(client: ClientData, version: int) -> dict[str, Any]:
    """Return what the form is filled with for a client."""
    people = {post: getattr(client, post) or "" for post in POSTS}
    return {
        "name": client.name,
        "stage": client.stage.value,
        "vip": client.vip,
        "notes": client.notes,
        "zone": client.zone or "",
        "seen": str(version),
        **people,
    }


def written(form: ClientForm, numbers: Iterable[str]) -> Written:
    """Return what somebody wrote, without the spaces and line ends that browsers add."""
    return Written(
        name=(form.name.data or "").strip(),
        phones=[text.strip() for text in numbers if text.strip()][:_MOST_INPUTS],
        stage=form.stage.data or "",
        vip="yes" if form.vip.data else "no",
        zone=form.zone.data or "",
        notes=(form.notes.data or "").replace("\r\n", "\n").strip(),
        **{post: form[post].data or "" for post in POSTS},
    )


def inputs(texts: Iterable[str]) -> list[Number]:
    """Return an input for each number and some empty ones."""
    return [*(Number(text) for text in texts), *(Number("") for _ in range(_SPARE))]


def show(form: ClientForm, numbers: list[Number], wrong: Iterable[Wrong], country: str) -> None:
    """Put everything that is wrong beside the field it is about."""
    for one in wrong:
        words = problem_words(one.problem, one.detail)
        if one.field != "phones":
            form[one.field].errors = [*form[one.field].errors, words]
            continue
        theirs = [
            number
            for number in numbers
            if number.text and one.value in (number.text, normalise(number.text, country))
        ]
        for number in theirs or numbers[:1]:
            number.errors.append(words)
            if one.problem is Problem.NUMBER_TAKEN and one.owner is not None:
                number.owner = (one.owner, visible(one.detail) or str(one.owner))
