"""Why a client, a file of clients or a line of the block list cannot be so, in words."""

from __future__ import annotations

from telephony.blocking import Objection
from telephony.clients import Problem
from web.cleaning import visible
from web.texts import gettext


def problem_words(problem: Problem, detail: str = "") -> str:
    """Return why it cannot be so, and what to do."""
    return {
        Problem.NOT_UTF8: gettext("The file is not UTF-8: save it as “CSV UTF-8”."),
        Problem.NOT_CSV: gettext("This is not CSV: %(detail)s", detail=detail),
        Problem.EMPTY_FILE: gettext("The file has no header."),
        Problem.UNKNOWN_COLUMN: gettext("No such column; there are: %(detail)s", detail=detail),
        Problem.COLUMN_TWICE: gettext("This column occurs twice."),
        Problem.COLUMN_MISSING: gettext("This column is missing."),
        Problem.FIELDS: gettext(
            "The row has another number of fields than the header: %(detail)s", detail=detail
        ),
        Problem.NAME_EMPTY: gettext("Enter a name."),
        Problem.TOO_LONG: gettext("Use at most %(count)s characters.", count=detail),
        Problem.CONTROL_CHARACTER: gettext(
            "It contains a control character: %(detail)s", detail=detail
        ),
        Problem.NO_PHONE: gettext("Enter at least one number."),
        Problem.NOT_A_NUMBER: gettext("This is not a telephone number."),
        Problem.TOO_MANY_PHONES: gettext("At most %(count)s numbers for a client.", count=detail),
        Problem.NUMBER_TWICE: gettext("This number stands in line %(line)s too.", line=detail),
        Problem.NUMBER_TAKEN: gettext("This number belongs to another client:"),
        Problem.TWO_MANAGERS: gettext(
            "The same client has another manager in line %(line)s.", line=detail
        ),
        Problem.UNKNOWN_EXTENSION: gettext("No operator has this extension."),
        Problem.NOT_YES_NO: gettext("Write yes or no."),
        Problem.UNKNOWN_STAGE: gettext("Choose lead or customer."),
        Problem.TWO_CLIENTS: gettext(
            "The numbers of this row belong to different clients: %(detail)s", detail=detail
        ),
        Problem.CLIENT_TWICE: gettext(
            "These numbers belong to the client of line %(line)s.", line=detail
        ),
    }[problem]


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
