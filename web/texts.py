"""Flask-Babel's functions with types, and the `_` of forms, whose words are chosen when shown.

Babel finds the messages by the names of these functions: see web/catalogues.py.
"""

from __future__ import annotations

from typing import Any

import flask_babel


def gettext(message: str, **values: Any) -> str:
    """Return the message in the reader's language, its %(name)s filled in."""
    return str(flask_babel.gettext(message, **values))


def ngettext(one: str, many: str, num: int, **values: Any) -> str:
    """Return the message in the reader's language and the plural form for `num`."""
    return str(flask_babel.ngettext(one, many, num, **values))


def lazy_gettext(message: str) -> Any:
    """Return the message for later: its language is the reader's when it is shown."""
    return flask_babel.lazy_gettext(message)


# For choices: those of the library are not translated.
NOT_LISTED = lazy_gettext("Choose one of those listed.")
