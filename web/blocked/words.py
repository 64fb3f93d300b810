"""The words for lines of the block list."""

from __future__ import annotations

from telephony.domain.blocklist import HIDDEN
from web.i18n import unbroken_phone
from web.texts import gettext


def pattern_words(pattern: str) -> str:
    """Return whom a line blocks."""
    if pattern == HIDDEN:
        return gettext("hidden numbers")
    if pattern.endswith("*"):
        return gettext("all that begin with %(digits)s", digits=pattern[:-1])
    return unbroken_phone(pattern)
