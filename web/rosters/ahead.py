"""An operator's own duty to come."""

from __future__ import annotations

from datetime import datetime, timedelta

from telephony.domain.ahead import DAYS
from telephony.domain.duty import resolve
from telephony.domain.setup import Group, Setup
from web.rosters.week import Stretch, stretches

_OWN = 5
_AHEAD = timedelta(days=DAYS)


def own_turns(setup: Setup, operator: str, now: datetime) -> list[tuple[Group, Stretch]]:
    """Return (group, duty) of an operator in the next two weeks, the first ones by time."""
    found = [
        (group, each)
        for group in setup.groups.values()
        if operator in group.roster.named
        for each in stretches(resolve(group.roster, now, now + _AHEAD))
        if each.operator == operator
    ]
    return sorted(found, key=lambda each: each[1].start)[:_OWN]
