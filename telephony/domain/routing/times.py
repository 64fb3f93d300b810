"""The rule of opening hours: those of the number dialled, and those of a group that was chosen."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from telephony.domain.hours import DayKind, Hours
from telephony.domain.routing.draft import Draft
from telephony.domain.routing.reasons import Reason, Rule


def out_of_hours(draft: Draft, hours: Hours | None) -> bool:
    """Note whether it is open by these hours, None for always; tell whether it is closed."""
    if hours is None:
        return draft.note(Rule.HOURS, False, Reason.NO_HOURS)
    at = draft.question.at
    found = hours.at(at)
    own = found.day.kind is DayKind.OWN
    values = {"hours": hours.name, "day": found.day.name or _shown(at, hours.zone)}
    if found.open:
        draft.note(Rule.HOURS, False, Reason.OPEN_OWN_DAY if own else Reason.OPEN, **values)
        return False
    reason = Reason.CLOSED
    if not found.day.openings:
        reason = {
            DayKind.OWN: Reason.CLOSED_OWN_DAY,
            DayKind.HOLIDAY: Reason.CLOSED_HOLIDAY,
            DayKind.WEEKDAY: Reason.CLOSED,
        }[found.day.kind]
    return draft.note(Rule.HOURS, True, reason, **values)


def group_closed(draft: Draft, name: str) -> bool:
    """Tell whether a group that a caller chose, or that takes over, is closed by its own hours."""
    group = draft.setup.groups.get(name)
    hours = draft.setup.hours.get(group.hours) if group and group.hours else None
    return hours is not None and out_of_hours(draft, hours)


def _shown(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
