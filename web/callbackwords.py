"""The words for the rules of callbacks: of their form, and of what was changed in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telephony.domain.callback.rules import TYPES, Automatic, First, Shown
from web.texts import gettext
from web.texts import lazy_gettext as _

# By the names in the configuration file; those with a dot stand below a heading that says more.
LABELS: Mapping[str, Any] = {
    "automatic": _("Called back automatically"),
    "first": _("Who is called first"),
    "shown": _("The client sees"),
    "short_seconds": _("Too short to count, seconds of waiting"),
    "contact_seconds": _("The client called again, seconds of talking"),
    "callback_seconds": _("We called, seconds of talking"),
    "delay_seconds": _("Pause before the first call, seconds"),
    "claim_minutes": _("The client's own manager alone, minutes"),
    "sla_minutes": _("Promised within, minutes"),
    "near_minutes": _("Nearly late, minutes before that"),
    "expire_hours": _("Given up after, hours"),
    "operator_seconds": _("Operator's phone rings, seconds"),
    "client_seconds": _("Client's phone rings, seconds"),
    "longest_minutes": _("Longest conversation, minutes"),
    "quiet.start": _("From"),
    "quiet.end": _("To"),
    "quiet.days": _("Other hours on these days"),
    "quiet.weekend_start": _("From, on these days"),
    "quiet.weekend_end": _("To, on these days"),
    "spacing.busy": _("The client was busy"),
    "spacing.no_answer": _("The client did not answer"),
    "spacing.declined": _("The client declined"),
    "spacing.unreachable": _("The number could not be reached"),
    "spacing.not_a_person": _("Answering machine, or no key"),
    "spacing.waited_in_vain": _("The client answered, no operator did"),
    "spacing.operator": _("No operator took the call"),
    "caps.attempts": _("For one missed call"),
    "caps.number_day": _("To one number, in a day"),
    "caps.number_week": _("To one number, in a week"),
    "caps.prefix_hour": _("To numbers that begin alike, in an hour"),
    "caps.hour": _("In all, in an hour"),
    "caps.day": _("In all, in a day"),
    "caps.at_once": _("At the same time"),
    "client_key": _("The client has to press 1 to be connected"),
    "machine_detection": _("Asterisk listens for answering machines"),
    "regions": _("Countries"),
    "types": _("Kinds of numbers"),
}
_HEADINGS: Mapping[str, Any] = {
    "quiet": _("quiet hours"),
    "spacing": _("minutes to the next call"),
    "caps": _("calls at most"),
    "greetings": _("greeting"),
}


def automatic_words(code: Automatic) -> str:
    """Return who is called back by itself."""
    return {
        Automatic.NOBODY: gettext("nobody, but at times agreed"),
        Automatic.ASKED: gettext("who asked for it"),
        Automatic.EVERYBODY: gettext("everybody who was missed"),
    }[code]


def first_words(code: First) -> str:
    """Return whose phone rings first."""
    return {
        First.OPERATOR: gettext("the operator, then the client"),
        First.CLIENT: gettext("the client, then the operator"),
    }[code]


def shown_words(code: Shown) -> str:
    """Return which number the client sees."""
    return {
        Shown.DID: gettext("the number that they had called"),
        Shown.COMPANY: gettext("the company's usual number"),
    }[code]


def type_words(kind: str) -> str:
    """Return the name of a kind of numbers."""
    return {
        "fixed_line": gettext("landline"),
        "mobile": gettext("mobile"),
        "fixed_line_or_mobile": gettext("landline or mobile, where numbers do not tell which"),
        "toll_free": gettext("toll-free"),
        "shared_cost": gettext("shared cost"),
        "voip": gettext("internet telephony"),
        "personal_number": gettext("personal number"),
        "pager": gettext("pager"),
        "uan": gettext("company number (UAN)"),
    }.get(kind, kind)


def setting_words(name: str) -> str:
    """Return the name of a setting as it stands alone: `calls at most: in all, in an hour`."""
    part, _dot, key = name.partition(".")
    heading = str(_HEADINGS.get(part, ""))
    label = str(LABELS.get(name, key or name))
    return f"{heading}: {label}" if heading else label


def value_words(name: str, text: str) -> str:
    """Return what a setting of the configuration file is; a code that is unknown stands for itself.

    Empty for an empty text, which is the usual value.
    """
    if not text:
        return ""
    if name in ("client_key", "machine_detection"):
        return gettext("yes") if text == "true" else gettext("no")
    if name in ("types", "regions"):
        return ", ".join(type_words(each) for each in text.strip("[]").split())
    try:
        if name == "automatic":
            return automatic_words(Automatic(text))
        if name == "first":
            return first_words(First(text))
        return shown_words(Shown(text)) if name == "shown" else text
    except ValueError:
        return text


def kinds() -> list[tuple[str, str]]:
    """Return (kind, its name) of the numbers that may be called."""
    return [(kind, type_words(kind)) for kind in TYPES]
