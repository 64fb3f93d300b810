"""The forms of notices and webhooks; `telephony.telling.written` says what is wrong."""

from __future__ import annotations

from collections.abc import Iterable

from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from telephony.domain.setup import Setup
from telephony.notify import FORMS, NOTICE_EVENTS, STANDARD
from telephony.store.notices import Notice, Recipient
from telephony.telling.written import (
    Objected,
    WrittenNotice,
    WrittenWebhook,
    possible_events,
)
from telephony.words import LANGUAGES
from telephony.zones import known_zones
from web.cleaning import visible
from web.i18n import current_language, phone
from web.telling import event_words, wrong_words
from web.texts import NOT_LISTED, gettext
from web.texts import lazy_gettext as _


class _Events(SelectMultipleField):  # type: ignore[misc]
    """Events under one legend, each with a box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class NoticeForm(FlaskForm):  # type: ignore[misc]
    """Who is mailed when what happens."""

    events = _Events(_("Tell when"), choices=(), validate_choice=False)
    addresses_en = TextAreaField(_("Mails in English"))
    addresses_ru = TextAreaField(_("Mails in Russian"))
    did = SelectField(_("Number called"), choices=(), invalid_choice_message=NOT_LISTED)
    zone = SelectField(
        _("Time zone of the times in mails"), choices=(), invalid_choice_message=NOT_LISTED
    )

    def offer(self, setup: Setup, rule: Notice | None) -> None:
        """Fill in the choices: a number that is gone stays one, so that nothing changes unseen."""
        self.events.choices = [SelectChoice(one, event_words(one)) for one in NOTICE_EVENTS]
        known = {
            did.number: f"{phone(did.number)} {visible(did.title)}".strip()
            for did in setup.dids.values()
        }
        if rule is not None and rule.did and rule.did not in known:
            known[rule.did] = gettext("%(number)s (deleted)", number=phone(rule.did))
        self.did.choices = [SelectChoice("", gettext("any"))]
        self.did.choices += [SelectChoice(*one) for one in sorted(known.items())]
        self.zone.choices = [SelectChoice(name, name) for name in sorted(known_zones())]

    def boxes(self) -> list[TextAreaField]:
        """Return the fields of addresses, that of the reader's language first."""
        first = current_language()
        ordered = sorted(LANGUAGES, key=lambda language: language != first)
        return [self[f"addresses_{language}"] for language in ordered]

    def written(self) -> WrittenNotice:
        """Return what the form states."""
        recipients = [
            Recipient(address, language)
            for language in LANGUAGES
            for address in _lines(self[f"addresses_{language}"].data)
        ]
        return WrittenNotice(
            tuple(self.events.data or ()),
            self.did.data or None,
            self.zone.data or "",
            tuple(recipients),
        )

    def object(self, wrong: Iterable[Objected]) -> None:
        """Put what is wrong beside its field."""
        for one in wrong:
            field = self._box_of(one.detail) if one.field == "recipients" else self[one.field]
            field.errors = [*field.errors, wrong_words(one)]

    def _box_of(self, address: str) -> TextAreaField:
        boxes = self.boxes()
        return next((box for box in boxes if address in _lines(box.data)), boxes[0])


class WebhookForm(FlaskForm):  # type: ignore[misc]
    """A new webhook."""

    url = StringField(_("Address"))
    form = SelectField(_("Form"), choices=(), invalid_choice_message=NOT_LISTED)
    events = _Events(_("Tell of"), choices=(), validate_choice=False)

    def offer(self, form: str = STANDARD) -> None:
        """Fill in the choices, for a webhook of this form."""
        self.events.choices = [
            SelectChoice(one, f"{event_words(one)} ({one})") for one in possible_events(form)
        ]
        if self.form is not None:
            words = (gettext("standard: JSON, signed"), "Zammad")
            self.form.choices = [SelectChoice(*one) for one in zip(FORMS, words, strict=True)]
            self.url.flags.required = True

    def written(self, form: str) -> WrittenWebhook:
        """Return what the form states."""
        return WrittenWebhook((self.url.data or "").strip(), tuple(self.events.data or ()), form)

    def object(self, wrong: Iterable[Objected]) -> None:
        """Put what is wrong beside its field."""
        for one in wrong:
            self[one.field].errors = [*self[one.field].errors, wrong_words(one)]


class EditWebhookForm(WebhookForm):
    """The same for a webhook that is there: its form stays, its address unless one is written."""

    url = StringField(_("Another address"))
    form = None


def shown(rule: Notice) -> dict[str, object]:
    """Return a notice as its form has it."""
    return {
        "events": list(rule.events),
        "did": rule.did or "",
        "zone": rule.zone,
        **{
            f"addresses_{language}": "\n".join(
                one.address for one in rule.recipients if one.language == language
            )
            for language in LANGUAGES
        },
    }


def _lines(text: str | None) -> list[str]:
    return [one for line in (text or "").splitlines() if (one := line.strip(" \t,;"))]
