"""Every contact with a client in one line of time: calls, missed cases and tries to call back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from telephony.domain.callback.cases import Case, Ending
from telephony.domain.callback.results import Ended, Why
from telephony.domain.record import Direction, Disposition
from telephony.store.attempts import Attempt
from telephony.store.call_lines import CallLine
from telephony.words import say
from web.cleaning import visible
from web.i18n import current_language, duration
from web.texts import gettext


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, newest first in a line of time; `href` leads to more of it."""

    at: datetime
    title: str
    text: str = ""
    symbol: str = "phone"
    tone: str = "quiet"
    href: str = ""


_GOOD = frozenset({Ending.CLIENT_CALLED, Ending.OPERATOR_CALLED, Ending.CALLED_BACK})


def in_order(events: Iterable[Event], most: int) -> list[Event]:
    """Return the latest events, newest first."""
    return sorted(events, key=lambda one: one.at, reverse=True)[:most]


def of_call(line: CallLine, names: Mapping[str, str]) -> Event:
    """Return the event that a call was."""
    language = current_language()
    answered = line.disposition is Disposition.ANSWERED
    who = line.answered_by if line.direction is Direction.IN else line.placed_by
    return Event(
        line.started_at,
        f"{say(line.direction, language)}: {say(line.disposition, language)}",
        _joined(
            who and who_words(who, names), duration(line.talk_ms / 1000) if line.talk_ms else ""
        ),
        "phone-incoming" if line.direction is Direction.IN else "phone-outgoing",
        "good" if answered else "warn",
        url_for("calls.show", call_id=line.call_id),
    )


def of_missed(at: datetime, why: Why, did: str, call_id: str | None) -> Event:
    """Return a missed call of a case; without `call_id` the reader may not open it."""
    return Event(
        at,
        gettext("Missed: %(why)s", why=say(why, current_language())),
        did,
        "phone-x",
        "bad",
        url_for("calls.show", call_id=call_id) if call_id else "",
    )


def of_attempt(one: Attempt, names: Mapping[str, str], call_id: str | None) -> Event:
    """Return a try to call back; `call_id` is its call, when there is one for the reader."""
    language = current_language()
    if one.ended is None:
        title = gettext("Calling now")
    else:
        title = gettext("Tried to call: %(how)s", how=say(one.ended, language))
    asked = (
        gettext("asked for by %(login)s", login=visible(one.asked_by))
        if one.asked_by
        else gettext("automatically")
    )
    tone = {None: "info", Ended.TALKED: "good", Ended.UNKNOWN: "bad"}.get(one.ended, "warn")
    return Event(
        one.sent_at or one.created_at,
        title,
        _joined(
            who_words(one.operator, names),
            asked,
            duration(one.talk_ms / 1000) if one.talk_ms else "",
            gettext("PBX: %(cause)s", cause=visible(one.cause)) if one.cause else "",
        ),
        "phone-outgoing",
        tone,
        url_for("calls.show", call_id=call_id) if call_id else "",
    )


def of_opening(case: Case) -> Event:
    """Return that a case was opened."""
    return Event(
        case.opened_at,
        gettext("A callback is owed"),
        _joined(say(case.source, current_language()), say(case.why, current_language())),
        "inbox",
        "info",
        url_for("cases.show", case_id=case.id),
    )


def of_ending(case: Case, names: Mapping[str, str]) -> Event | None:
    """Return that a case ended; None while it is open."""
    if case.ended_at is None or case.ending is None:
        return None
    return Event(
        case.ended_at,
        gettext("Case over: %(how)s", how=say(case.ending, current_language())),
        _joined(case.ended_by and who_words(case.ended_by, names), visible(case.note)),
        "circle-check" if case.ending in _GOOD else "circle-x",
        "good" if case.ending in _GOOD else "quiet",
        url_for("cases.show", case_id=case.id),
    )


def who_words(who: str, names: Mapping[str, str]) -> str:
    """Return an operator by name and extension, or a login as it stands."""
    return f"{names[who]} ({who})" if who in names else visible(who)


def _joined(*texts: str | None) -> str:
    return " · ".join(text for text in texts if text)
