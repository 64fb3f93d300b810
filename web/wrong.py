"""Why a client, a line of the block list, a calendar or an announcement cannot be so, in words."""

from __future__ import annotations

from telephony import sounds, subscriptions
from telephony.blocking import Objection
from telephony.clients import Problem
from telephony.ical import Fault
from telephony.words import say
from web.cleaning import visible
from web.i18n import current_language
from web.texts import NOT_LISTED, gettext

MEGABYTES = sounds.BIGGEST_BYTES // 1_000_000


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
        Problem.UNKNOWN_ZONE: gettext("There is no such time zone."),
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


def fault_words(fault: str | None, detail: str) -> str:
    """Return why a calendar cannot be read, in the reader's language; empty while it can."""
    if fault is None:
        return ""
    return say(Fault(fault), current_language()).format(detail=visible(detail))


def calendar_words(objected: subscriptions.Objected) -> str:
    """Return why a calendar cannot be so, and what to do."""
    if isinstance(objected.why, Fault):
        return fault_words(objected.why.value, objected.detail)
    why = subscriptions.Objection
    return {
        why.NOT_LISTED: str(NOT_LISTED),
        why.NO_SOURCE: gettext("Enter an address, or choose a file."),
        why.TWO_SOURCES: gettext("Either an address or a file."),
        why.ADDRESS_LONG: gettext("At most 2,000 characters."),
        why.LAYER: gettext("A number from 0 to 99."),
        why.FROM_ADDRESS: gettext("This calendar comes from an address and takes no file."),
    }[objected.why]


def sound_words(why: sounds.Objection) -> str:
    """Return why an announcement cannot be so, and what to do."""
    codes = sounds.Objection
    minutes = sounds.LONGEST_SECONDS // 60
    return {
        codes.NO_TITLE: gettext("Say what is spoken."),
        codes.TITLE_LONG: gettext("Use at most %(count)s characters.", count=sounds.LONGEST_TITLE),
        codes.CONTROL_CHARACTER: gettext("It contains a control character."),
        codes.NO_NAME: gettext("Enter a name."),
        codes.NAME_FORM: gettext("1 to 40 of a–z, 0–9 and -."),
        codes.NAME_TAKEN: gettext("There is one of this name."),
        codes.NO_FILE: gettext("Choose a file."),
        codes.UNREADABLE: gettext("This is no sound file that can be read: WAV, MP3, FLAC or Ogg."),
        codes.EMPTY: gettext("There is no sound in it."),
        codes.LONG: gettext("It lasts longer than %(minutes)s minutes.", minutes=minutes),
        codes.BIG: gettext("The file is larger than %(megabytes)s MB.", megabytes=MEGABYTES),
    }[why]
