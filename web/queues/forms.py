"""The form of a group's queue. What is right is for telephony.configfile to say."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, IntegerField, SelectField, StringField

from telephony.configfile import Entry
from telephony.domain.queueing import QueueSettings, Strategy
from web.texts import gettext
from web.texts import lazy_gettext as _

_SWITCHES = ("announce_position", "announce_wait", "callback")


class QueueForm(FlaskForm):  # type: ignore[misc]
    """A queue as people edit it; the fields are those of QueueSettings."""

    name = StringField(_("Name in Asterisk, behind dutyline-"))
    strategy = SelectField(_("Who rings"), choices=(), validate_choice=False)
    ring_seconds = IntegerField(_("Seconds of one try"))
    wrapup_seconds = IntegerField(_("Seconds of rest after a call"))
    max_wait_seconds = IntegerField(_("Longest wait, seconds"))
    music = StringField(_("Class of music on hold"))
    announce_position = BooleanField(_("Callers hear their place"))
    announce_wait = BooleanField(_("Callers hear how long it may take"))
    announce_seconds = IntegerField(_("Seconds between two announcements"))
    callback = BooleanField(_("Key 1 asks to be called back"))
    # The version of the set-up that the page was made from.
    seen = HiddenField()


def queue_form(queue: QueueSettings, seen: int) -> QueueForm:
    """Return the form, filled with a queue before it is sent."""
    form = QueueForm(obj=queue, seen=str(seen))
    form.strategy.choices = strategies()
    for field in form:
        field.flags.required = True
    return form


def queue_entry(form: QueueForm) -> Entry:
    """Return what was sent in the form of the configuration file."""
    found: Entry = {}
    for field in form:
        if field.name in ("csrf_token", "seen"):
            continue
        if field.name in _SWITCHES:
            found[field.name] = "true" if field.data else "false"
        else:
            sent = field.raw_data[0] if field.raw_data else ""
            found[field.name] = str(sent).strip()
    return found


def strategies() -> list[tuple[str, str]]:
    """Return (strategy, what it does in the reader's language)."""
    words = {
        Strategy.RINGALL: gettext("all at once"),
        Strategy.LEASTRECENT: gettext("who has been free longest"),
        Strategy.FEWESTCALLS: gettext("who had the fewest calls"),
        Strategy.RRMEMORY: gettext("in turn, behind who rang last"),
        Strategy.RRORDERED: gettext("in turn, in the order of the list"),
        Strategy.RANDOM: gettext("anybody, by chance"),
        Strategy.WRANDOM: gettext("by chance, by weight"),
        Strategy.LINEAR: gettext("from the first of the list on"),
    }
    return [(strategy.value, words[strategy]) for strategy in Strategy]
