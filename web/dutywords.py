"""What is wrong with duty to come, and local times, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from flask_babel import format_date

from telephony.domain.duty import Trouble, Warned
from telephony.domain.duty.walltime import shown
from telephony.domain.setup import Setup
from web.cleaning import visible
from web.texts import gettext, ngettext


def names_of(setup: Setup) -> dict[str, str]:
    """Return extension → name of all operators, fit for showing."""
    return {extension: visible(one.name) for extension, one in setup.operators.items()}


def warning_words(one: Warned, more: int, setup: Setup, names: Mapping[str, str]) -> str:
    """Return what is wrong as a sentence; `names` maps extensions to names."""
    zone = setup.groups[one.groups[0]].roster.zone
    who = names.get(one.operator or "", one.operator or "")
    if one.trouble is Trouble.UNFAIR:
        return gettext(
            "%(who)s has %(hours)d h in 4 weeks, everybody %(mean)d h on average.",
            who=who,
            hours=round(one.hours),
            mean=round(one.mean),
        )
    when = local_span(shown(one.start, zone), shown(one.end, zone))
    said = {
        Trouble.GAP: gettext("Nobody is on duty %(when)s.", when=when),
        Trouble.UNREACHABLE: gettext(
            "%(who)s is on duty %(when)s and has no phone to ring.", who=who, when=when
        ),
        Trouble.TWICE: gettext("%(who)s is on duty twice at once %(when)s.", who=who, when=when),
    }[one.trouble]
    if more:
        again = ngettext("And %(num)d more time.", "And %(num)d more times.", more)
        said = f"{said} {again}"
    return said


def local_brief(local: datetime) -> str:
    """Return a naive local moment: `Thu 26 Nov, 09:00`."""
    return f"{weekday_words(local)} {short_date(local)}, {local:%H:%M}"


def local_span(start: datetime, end: datetime) -> str:
    """Return a span of naive local moments: `Thu 26 Nov, 09:00–17:00`."""
    midnight = end.hour == end.minute == 0
    if start.date() == (end - timedelta(minutes=1)).date():
        return f"{local_brief(start)}–{'24:00' if midnight else f'{end:%H:%M}'}"
    return f"{local_brief(start)} – {local_brief(end)}"


def weekday_words(day: date) -> str:
    """Return the short name of a day's weekday."""
    return str(format_date(_date(day), "ccc"))


def short_date(day: date) -> str:
    """Return a day without its year: `26 Nov`."""
    return str(format_date(_date(day), "d MMM")).rstrip(".")


def date_words(day: date) -> str:
    """Return a day with its year."""
    return str(format_date(_date(day), "medium"))


def _date(day: date) -> date:
    # A datetime would be taken for one of UTC and moved into the reader's zone.
    return day.date() if isinstance(day, datetime) else day
