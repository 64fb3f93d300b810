"""What the panel and the API share of notices and webhooks: their words."""

from __future__ import annotations

from telephony.notify import say_event, say_reason
from telephony.telling.written import Objected, Objection
from telephony.words import LANGUAGES
from web.cleaning import visible
from web.i18n import NAMES, current_language
from web.texts import NOT_LISTED, gettext

_LONGEST_SHOWN = 80


def event_words(event: str) -> str:
    """Return what an event is."""
    return say_event(event, current_language())


def reason_words(why: str | None) -> str:
    """Return why something did not arrive; what a server said stays as it is."""
    return visible(say_reason(why or "", current_language()))


def wrong_words(objected: Objected) -> str:
    """Return why a notice or a webhook cannot be so, and what to do."""
    shown = visible(objected.detail)[:_LONGEST_SHOWN]
    return {
        Objection.NO_EVENT: gettext("Choose at least one."),
        Objection.UNKNOWN_EVENT: gettext("%(event)s cannot be told here.", event=shown),
        Objection.NOT_BY_NUMBER: gettext(
            "Alarms, calendars and gaps of duty belong to no number: make a notice of their own."
        ),
        Objection.NOT_A_NUMBER: gettext("This is not a number of 3 to 15 digits."),
        Objection.NOT_A_ZONE: str(NOT_LISTED),
        Objection.NO_RECIPIENT: gettext("Enter at least one address."),
        Objection.MANY_RECIPIENTS: gettext("At most %(count)s addresses.", count=shown),
        Objection.NOT_AN_ADDRESS: gettext("%(address)s is not an e-mail address.", address=shown),
        Objection.NOT_A_LANGUAGE: gettext(
            "Choose one of: %(names)s.", names=", ".join(NAMES[one] for one in LANGUAGES)
        ),
        Objection.REFUSED: gettext(
            "This address cannot be used: %(why)s.", why=reason_words(objected.detail)[:300]
        ),
    }[objected.why]
