"""The words for what is wrong with a client or with a file of clients."""

from __future__ import annotations

from telephony.clients import Problem
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
