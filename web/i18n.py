"""The reader's language and time zone, and how times, numbers and telephone numbers are written."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import phonenumbers
from babel.dates import format_timedelta as spell_timedelta
from flask import Flask, g, request
from flask_babel import (
    Babel,
    format_date,
    format_decimal,
    format_time,
    format_timedelta,
    get_locale,
    refresh,
    to_user_timezone,
)

from telephony.accounts import User
from telephony.domain.numbers import normalise
from telephony.words import LANGUAGES, say, say_fallback
from telephony.zones import known_zones
from web.rights import optional_user
from web.services import services
from web.texts import gettext

COOKIE = "dutyline_language"
NAMES = {"en": "English", "ru": "Русский"}

_LONGEST_EXTENSION = 10  # digits, see telephony.domain.numbers.EXTENSION


def set_up(app: Flask) -> None:
    """Choose language and zone for every request, and give templates the filters."""
    app.config["BABEL_DEFAULT_TIMEZONE"] = "UTC"
    Babel(app, default_locale="en", locale_selector=_locale, timezone_selector=zone)
    app.jinja_env.filters.update(
        moment=moment,
        brief=brief,
        day=day,
        clock=clock,
        ago=ago,
        duration=duration,
        lasting=lasting,
        phone=phone,
        number=number,
        word=word,
        fallback=fallback,
        scale=scale,
        browser=browser,
    )


def language() -> str:
    """Return the reader's language: the user's, or the one chosen at sign-in, or the browser's."""
    user = optional_user()
    if user is not None and user.language in LANGUAGES:
        return str(user.language)
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES, "en") or "en"


def _locale() -> str:
    # British, for its 24 hours and its day before the month; the words are plain English.
    return {"en": "en_GB"}.get(language(), language())


def speak_anew(user: User) -> None:
    """Go on in the language and zone of a user whose profile was just changed."""
    g.user = user
    refresh()


def zone() -> str:
    """Return the name of the reader's zone: the user's own, or the browser's at sign-in, or UTC."""
    user = optional_user()
    row = g.get("session_row")
    for name in (user.zone if user else None, row.zone if row else None):
        if name and name in known_zones():
            return str(name)
    return "UTC"


def moment(at: datetime | None) -> str:
    """Return a moment with date, time and seconds in the reader's zone."""
    return "" if at is None else f"{format_date(at, 'medium')}, {format_time(at, 'medium')}"


def brief(at: datetime | None) -> str:
    """Return a moment for lists: without seconds, and with the year only when it is another."""
    if at is None:
        return ""
    year = to_user_timezone(services().now()).year
    if to_user_timezone(at).year == year:
        return f"{format_date(at, 'd MMM')}, {format_time(at, 'short')}"
    return f"{format_date(at, 'medium')}, {format_time(at, 'short')}"


def clock(at: datetime | None) -> str:
    """Return a moment's time of day in the reader's zone."""
    return "" if at is None else str(format_time(at, "medium"))


def day(at: datetime | None) -> str:
    """Return a moment's date in the reader's zone."""
    return "" if at is None else str(format_date(at, "medium"))


def day_of(day: date) -> str:
    """Return a date of a list with its weekday, without the year."""
    return str(format_date(day, "EEE, d MMM"))


def ago(at: datetime) -> str:
    """Return how long ago a moment was, in words; a moment to come is told as such."""
    passed = services().now() - at.astimezone(UTC)
    if abs(passed) < timedelta(seconds=2):
        return gettext("just now")
    said = str(format_timedelta(-passed, granularity="second", add_direction=True))
    # A number and its unit stay on one line.
    return re.sub(r"(?<=\d) ", "\N{NO-BREAK SPACE}", said)


def duration(seconds: float | None) -> str:
    """Return a duration as 0:07, 12:34 or 1:02:03."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def lasting(span: timedelta) -> str:
    """Return a span in a word or two, such as 12 min; at least a minute."""
    said = str(
        spell_timedelta(
            max(span, timedelta(minutes=1)),
            granularity="minute",
            threshold=1.5,
            format="short",
            locale=get_locale(),
        )
    )
    return said.replace(" ", "\N{NO-BREAK SPACE}")


def scale(seconds: float) -> str:
    """Return a mark of a time scale: as a duration, or in parts of a second."""
    if seconds == round(seconds):
        return duration(seconds)
    return gettext("%(seconds)s\N{NO-BREAK SPACE}s", seconds=number(seconds))


def number(value: float) -> str:
    """Return a number with the language's separators."""
    return str(format_decimal(value))


def phone(text: str) -> str:
    """Return a telephone number in groups, with its country; what is none, such as an extension,
    as it stands. Numbers dialled come without a plus: those longer than any extension count.
    """
    whole: str | None = text
    if not text.startswith("+"):
        longer = text.isascii() and text.isdigit() and len(text) > _LONGEST_EXTENSION
        whole = normalise(text, services().settings.country) if longer else None
    try:
        parsed = phonenumbers.parse(whole or "")
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def unbroken(text: str) -> str:
    """Return a text that no line ends within: for numbers and the like inside of sentences."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")


def unbroken_phone(text: str) -> str:
    """Return a telephone number in groups that stay on one line."""
    return unbroken(phone(text))


def browser(agent: str) -> str:
    """Return a browser's name and system out of what it says of itself."""
    names = ("Edg/", "OPR/", "YaBrowser/", "Firefox/", "Chrome/", "Safari/")
    called = {"Edg": "Edge", "OPR": "Opera", "YaBrowser": "Yandex"}
    name = next((one.rstrip("/") for one in names if one in agent), agent.partition("/")[0])
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
    system = next((one for one in systems if one in agent), "")
    return ", ".join(part for part in (called.get(name, name)[:40], system) if part)


def word(code: StrEnum) -> str:
    """Return the word for a code of a call (see telephony.words) in the reader's language."""
    return say(code, current_language())


def fallback(code: str) -> str:
    """Return why a call went to the fallback, in the reader's language."""
    return say_fallback(code, current_language())


def current_language() -> str:
    """Return the language of the answer being made: en or ru."""
    locale = get_locale()
    return str(locale.language) if locale is not None else "en"
