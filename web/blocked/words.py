"""The words for lines of the block list, and for what is wrong with one."""

from __future__ import annotations

from telephony.blocking import Objection
from telephony.domain.blocklist import HIDDEN
from web.cleaning import visible
from web.i18n import unbroken_phone
from web.texts import gettext


def pattern_words(pattern: str) -> str:
    """Return whom a line blocks."""
    if pattern == HIDDEN:
        return gettext("hidden numbers")
    if pattern.endswith("*"):
        return gettext("all that begin with %(digits)s", digits=pattern[:-1])
    return unbroken_phone(pattern)


def objection_words(objection: Objection, value: str = "", detail: str = "") -> str:
    """Return why it cannot be so, and what to do."""
    shown = visible(value)
    return {
        Objection.NO_PATTERN: gettext("Enter at least one number."),
        Objection.NOT_A_PATTERN: gettext(
            "%(value)s is neither a number nor a beginning such as +7900*.", value=shown
        ),
        Objection.TOO_MANY_AT_ONCE: gettext("At most %(count)s at once.", count=detail),
        Objection.ON_THE_LIST: gettext(
            "%(value)s stands on the list already: %(reason)s", value=shown, reason=visible(detail)
        ),
        Objection.REASON_EMPTY: gettext("Say why."),
        Objection.REASON_LONG: gettext("Use at most %(count)s characters.", count=detail),
        Objection.CONTROL_CHARACTER: gettext(
            "It contains a control character: %(detail)s", detail=detail
        ),
        Objection.PAST: gettext("This is over already."),
        Objection.TOO_FAR: gettext("This is more than ten years away: leave it empty."),
        Objection.LIST_FULL: gettext(
            "The list may have %(count)s lines: delete some first.", count=detail
        ),
    }[objection]
