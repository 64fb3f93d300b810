"""Who is on duty, and what is wrong with the duty of the next days: as the panel shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from telephony.accounts import Scope
from telephony.domain.ahead import duties, next_troubles, now_and_next
from telephony.domain.duty import Duty, Interval, Slot, Trouble
from telephony.domain.duty.walltime import reached
from telephony.domain.setup import Group, Setup
from telephony.store.engine import reading
from telephony.store.live import reachable_now
from telephony.store.setup import load_setup
from web.api import dutyshapes
from web.api.base import reads, refuse
from web.dutywords import names_of, warning_words
from web.services import services
from web.texts import gettext

_READ = Scope.OPERATORS_READ
LONGEST = timedelta(days=62)
USUAL = timedelta(days=7)


@reads("/duty", _READ, dutyshapes.DutyOf, dutyshapes.DutyQuery)
def duty(query: Mapping[str, Any]) -> dict[str, Any]:
    """Show who has duty when, by group, with gaps, doubles and absences."""
    begin = query.get("from_", services().now())
    span = Interval(begin, query.get("to", begin + USUAL))
    if span.start >= span.end:
        refuse({"to": [gettext("The end must come after the beginning.")]}, "query")
    if span.end - span.start > LONGEST:
        refuse({"to": [gettext("Ask for at most %(days)d days.", days=LONGEST.days)]}, "query")
    with reading(services().engine) as session:
        setup = load_setup(session)
    groups = _groups(setup, query)
    found = duties(setup, groups, lambda _: span)
    return {
        "begin": span.start,
        "end": span.end,
        "groups": [_duty(group, found[group.name]) for group in groups],
    }


@reads("/duty/now", _READ, dutyshapes.DutyNow, dutyshapes.GroupQuery)
def duty_now(query: Mapping[str, Any]) -> dict[str, Any]:
    """Show who is on duty now in each group, and who next."""
    now = services().now()
    with reading(services().engine) as session:
        setup = load_setup(session)
    return {"at": now, "groups": [_now(group, now) for group in _groups(setup, query)]}


@reads("/duty/warnings", _READ, dutyshapes.WarningList, dutyshapes.WarningsQuery)
def duty_warnings(query: Mapping[str, Any]) -> dict[str, Any]:
    """List what is wrong in the next 14 days.

    Nobody is on duty, no phone of theirs can be rung, somebody is on duty twice at once, or carries
    far more hours than others (of four weeks).
    """
    about = query.get("group")
    with reading(services().engine) as session:
        setup = load_setup(session)
        phones = reachable_now(session, setup)
    known = about is None or about in setup.groups
    found = next_troubles(setup, services().now(), phones, about) if known else []
    names = names_of(setup)
    first = query["offset"]
    return {
        "items": [
            {
                "trouble": one.trouble,
                "groups": one.groups,
                "begin": one.start,
                "end": one.end,
                "operator": one.operator,
                "hours": one.hours if one.trouble is Trouble.UNFAIR else None,
                "mean": one.mean if one.trouble is Trouble.UNFAIR else None,
                "more": more,
                "words": warning_words(one, more, setup, names),
            }
            for one, more in found[first : first + query["limit"]]
        ],
        "total": len(found),
    }


def _groups(setup: Setup, query: Mapping[str, Any]) -> list[Group]:
    return [one for one in setup.groups.values() if query.get("group") in (None, one.name)]


def _duty(group: Group, found: Duty) -> dict[str, Any]:
    return {
        "group": group.name,
        "zone": group.roster.zone,
        "slots": [_slot(one) for one in found.slots],
        "gaps": [{"begin": start, "end": end} for start, end in found.gaps],
        "doubles": [
            {"begin": one.start, "end": one.end, "operator": one.operator} for one in found.doubles
        ],
        "absences": list(_absences(group, Interval(found.start, found.end))),
    }


def _slot(one: Slot) -> dict[str, Any]:
    return {
        "begin": one.start,
        "end": one.end,
        "operator": one.operator,
        "layer": one.source.layer,
        "lunch": one.lunch,
        "instead_of": one.instead_of,
    }


def _absences(group: Group, span: Interval) -> Iterator[dict[str, Any]]:
    for one in group.roster.absences:
        begin, end = reached(one.start, one.zone), reached(one.end, one.zone)
        if one.operator in group.roster.named and max(begin, span.start) < min(end, span.end):
            yield {
                "begin": begin,
                "end": end,
                "operator": one.operator,
                "kind": one.kind,
                "cover": one.cover,
            }


def _now(group: Group, now: datetime) -> dict[str, Any]:
    current, following = now_and_next(group, now)
    return {
        "group": group.name,
        "zone": group.roster.zone,
        "now": {"operators": current.operators, "end": current.end},
        "next": None
        if following is None
        else {
            "operators": following.operators,
            "begin": following.start,
            "end": following.end,
        },
    }
