"""What the pages of rosters share: the blueprint, who may edit, the group of an address."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Blueprint, abort, request
from flask_babel import format_date

from telephony.accounts import Role
from telephony.domain.duty.walltime import shown
from telephony.domain.setup import Group, Setup
from web.cleaning import visible
from web.rights import optional_user

EDITORS = (Role.ADMIN, Role.SUPERVISOR)

blueprint = Blueprint("rosters", __name__, url_prefix="/duty")


def may_edit() -> bool:
    """Tell whether who is signed in may change rosters."""
    user = optional_user()
    return user is not None and user.role in EDITORS


def group_of(setup: Setup, name: str) -> Group:
    """Return the group of an address; 404 when there is none."""
    if name not in setup.groups:
        abort(404)
    return setup.groups[name]


def names_of(setup: Setup) -> dict[str, str]:
    """Return extension → name of all operators, fit for showing."""
    return {extension: visible(one.name) for extension, one in setup.operators.items()}


def choices_of(setup: Setup) -> dict[str, str]:
    """Return extension → name with extension, by name: what lists offer."""
    named = sorted(names_of(setup).items(), key=lambda each: (each[1].casefold(), each[0]))
    return {extension: f"{name} ({extension})" for extension, name in named}


def day_asked(name: str = "week") -> date | None:
    """Return the day that the address or the form names, None without one that is a day."""
    text = request.values.get(name, "")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    # Weeks at the very ends of the calendar have no neighbours.
    return found if 1971 <= found.year <= 2199 else None


def today_of(group: Group, now: datetime) -> date:
    """Return the day it is in a group's zone."""
    return shown(now, group.roster.zone).date()


@blueprint.app_template_filter()
def in_zone(moment: datetime, zone: str, end: datetime | None = None) -> str:
    """Return an aware moment, or the span from it to `end`, by the clocks of a zone."""
    local = shown(moment, zone)
    return local_brief(local) if end is None else local_span(local, shown(end, zone))


@blueprint.app_template_filter()
def local_brief(local: datetime) -> str:
    """Return a naive local moment: `Thu 26 Nov, 09:00`."""
    return f"{weekday_words(local)} {short_date(local)}, {local:%H:%M}"


@blueprint.app_template_filter()
def local_span(start: datetime, end: datetime) -> str:
    """Return a span of naive local moments: `Thu 26 Nov, 09:00–17:00`."""
    midnight = end.hour == end.minute == 0
    if start.date() == (end - timedelta(minutes=1)).date():
        return f"{local_brief(start)}–{'24:00' if midnight else f'{end:%H:%M}'}"
    return f"{local_brief(start)} – {local_brief(end)}"


@blueprint.app_template_filter()
def weekday_words(day: date) -> str:
    """Return the short name of a day's weekday."""
    return str(format_date(_date(day), "ccc"))


@blueprint.app_template_filter()
def short_date(day: date) -> str:
    """Return a day without its year: `26 Nov`."""
    return str(format_date(_date(day), "d MMM")).rstrip(".")


@blueprint.app_template_filter()
def date_words(day: date) -> str:
    """Return a day with its year."""
    return str(format_date(_date(day), "medium"))


@blueprint.app_template_filter()
def short_clock(local: datetime, end: bool = False) -> str:
    """Return a time as bars have room for: `9`, `9:30`; midnight at an end is 24."""
    if end and local.hour == local.minute == 0:
        return "24"
    return f"{local.hour}:{local.minute:02}" if local.minute else str(local.hour)


def _date(day: date) -> date:
    # A datetime would be taken for one of UTC and moved into the reader's zone.
    return day.date() if isinstance(day, datetime) else day
