"""What the pages of rosters share: the blueprint, who may edit, the group of an address."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint, abort, request

from telephony.accounts import Role
from telephony.domain.duty.walltime import shown
from telephony.domain.setup import Group, Setup
from web.dutywords import (
    date_words,
    local_brief,
    local_span,
    names_of,
    short_date,
    weekday_words,
)
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


for _filter in (local_brief, local_span, weekday_words, short_date, date_words):
    blueprint.add_app_template_filter(_filter)


@blueprint.app_template_filter()
def short_clock(local: datetime, end: bool = False) -> str:
    """Return a time as bars have room for: `9`, `9:30`; midnight at an end is 24."""
    if end and local.hour == local.minute == 0:
        return "24"
    return f"{local.hour}:{local.minute:02}" if local.minute else str(local.hour)
