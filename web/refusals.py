"""Why a call or a change of a case was refused, in the reader's language, and what helps."""

from __future__ import annotations

from telephony.callbacks.asking import Refusal, RefusedError
from telephony.domain.callback.verdicts import Bar
from web.i18n import moment
from web.texts import gettext


def refused_words(error: RefusedError, *, own: bool = False) -> str:
    """Return the sentence for a refusal; `own` when it is the reader's phone that was to ring."""
    if error.bar is not None:
        words = _bar_words(error.bar)
        if error.until is None:
            return words
        return f"{words} {gettext('Possible again from %(when)s.', when=moment(error.until))}"
    if error.why is Refusal.QUIET and error.until is not None:
        return gettext(
            "At this time it is a quiet hour where the client is. Choose %(when)s or a time soon "
            "after.",
            when=moment(error.until),
        )
    phone = _own_phone_words(error.why) if own else _phone_words(error.why)
    if phone is not None:
        return phone
    return {
        Refusal.GONE: gettext("There is no such case."),
        Refusal.OVER: gettext("This case is over already."),
        Refusal.UNDER_WAY: gettext("This client is being called right now."),
        Refusal.TAKEN: gettext("A colleague has taken this case."),
        Refusal.NOT_THEIRS: gettext("A case of this number is open, and it is another group's."),
        Refusal.BUSY: gettext("A call that was ordered goes to this phone already."),
        Refusal.NO_OPERATOR: gettext(
            "No phone can ring: the user has no extension, or it is not set up as an operator's."
        ),
        Refusal.NOT_LISTENING: gettext(
            "The listener is not running, so nobody would hear what becomes of the call. "
            "See Health."
        ),
        Refusal.UNKNOWN_NUMBER: gettext(
            "Nobody called from this number before, no client has it, and it has no case: such "
            "numbers are not called from here."
        ),
        Refusal.BARRED: gettext("The rules do not allow this call."),
        Refusal.PAST: gettext("This time is over already."),
        Refusal.TOO_FAR: gettext("Choose a time within a year."),
        Refusal.QUIET: gettext("The quiet hours leave no time to call this client."),
        Refusal.NOT_AN_ENDING: gettext("Choose how the case ended."),
    }[error.why]


def _own_phone_words(why: Refusal) -> str | None:
    return {
        Refusal.ON_A_CALL: gettext("You are on a call. End it first."),
        Refusal.RINGING: gettext("Another call rings your phone."),
        Refusal.AWAY: gettext("You are away: your phone is not connected."),
        Refusal.UNSEEN: gettext("It is not known whether your phone is connected."),
    }.get(why)


def _phone_words(why: Refusal) -> str | None:
    return {
        Refusal.ON_A_CALL: gettext("The operator is on a call."),
        Refusal.RINGING: gettext("Another call rings the operator's phone."),
        Refusal.AWAY: gettext("The operator's phone is not connected."),
        Refusal.UNSEEN: gettext("It is not known whether the operator's phone is connected."),
    }.get(why)


def _bar_words(bar: Bar) -> str:
    return {
        Bar.STOPPED: gettext("All callbacks are stopped."),
        Bar.BLOCKED: gettext("The number is on the block list."),
        Bar.OPTED_OUT: gettext("This client asked not to be called."),
        Bar.REFUSED: gettext("The rules allow no calls to this country or this kind of number."),
        Bar.ON_THE_LINE: gettext("This client is on the line right now."),
        Bar.QUIET: gettext("It is a quiet hour where the client is."),
        Bar.CLOSED: gettext("It is out of hours."),
        Bar.NUMBER_DAY: gettext("This number was called as often as allowed in a day."),
        Bar.NUMBER_WEEK: gettext("This number was called as often as allowed in a week."),
        Bar.PREFIX_HOUR: gettext(
            "Numbers that begin like this one were called as often as allowed in an hour."
        ),
        Bar.HOUR: gettext("As many calls as allowed were made in this hour."),
        Bar.DAY: gettext("As many calls as allowed were made in a day."),
        Bar.AT_ONCE: gettext("As many calls as allowed are under way. Try again in a moment."),
    }.get(bar, gettext("The rules do not allow this call."))
