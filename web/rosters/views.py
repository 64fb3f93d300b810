"""The pages that show rosters: all groups, and one group's week."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta

from flask import render_template, request

from telephony.configfile import ROSTER_KINDS, as_data
from telephony.domain.ahead import next_troubles, now_and_next
from telephony.domain.duty.walltime import shown
from telephony.domain.setup import Setup
from telephony.store.engine import reading
from telephony.store.live import reachable_now
from telephony.store.setup import load_setup
from web.dutywords import names_of, warning_words
from web.i18n import zone
from web.rights import allow, signed_in_user
from web.rosters.ahead import own_turns
from web.rosters.area import blueprint, day_asked, group_of, may_edit, today_of
from web.rosters.listing import TITLES, entries_of, listed
from web.rosters.week import monday, utc_text, week_of
from web.services import services

_WEEK = timedelta(days=7)
# A group without a roster yet shows so many operators to begin with.
_BEGINNERS = 12


@blueprint.get("")
@allow()
def index() -> str:
    """Show who is on duty in each group, who is next, and what is wrong in the next days."""
    now = services().now()
    with reading(services().engine) as session:
        setup = load_setup(session)
        wrong = next_troubles(setup, now, reachable_now(session, setup))
    names = names_of(setup)
    own = signed_in_user().extension
    return render_template(
        "rosters/index.html",
        groups=[(group, *now_and_next(group, now)) for group in setup.groups.values()],
        warnings=[(one, warning_words(one, more, setup, names)) for one, more in wrong],
        own=own_turns(setup, own, now) if own else None,
        own_zone=zone(),
        names=names,
        may_edit=may_edit(),
    )


@blueprint.get("/groups/<path:name>")
@allow()
def show(name: str) -> str:
    """Show a group's week, what its roster is made of, and what is wrong with it."""
    now = services().now()
    with reading(services().engine) as session:
        setup = load_setup(session)
        group = group_of(setup, name)
        wrong = next_troubles(setup, now, reachable_now(session, setup), about=name)
    this_week = monday(today_of(group, now))
    asked = day_asked()
    first = monday(asked) if asked else this_week
    week = week_of(
        group.roster, first, now, _shown_too(setup, name), functools.partial(setup.wanted, name)
    )
    data = as_data(setup)
    names = names_of(setup)
    local_now = shown(now, group.roster.zone)
    lists = {
        kind: listed(kind, entries_of(data, name, kind), names, local_now) for kind in ROSTER_KINDS
    }
    members = {row.operator for row in week.rows}
    away = [
        each
        for each, entry in zip(
            listed("absences", data["absences"], names, local_now), data["absences"], strict=True
        )
        if entry["operator"] in members and not each.past
    ]
    current, following = now_and_next(group, now)
    return render_template(
        "rosters/week.html",
        group=group,
        week=week,
        now=now,
        current=current,
        following=following,
        warnings=[(one, warning_words(one, more, setup, names)) for one, more in wrong],
        lists=lists,
        absences=away,
        titles=TITLES,
        names=names,
        others=[who for who in setup.operators if who not in members],
        before=first - _WEEK,
        after=first + _WEEK,
        this_week=this_week,
        today=today_of(group, now),
        own=signed_in_user().extension,
        may_edit=may_edit(),
        utc_text=utc_text,
    )


@blueprint.get("/absences")
@allow()
def absences() -> str:
    """List who is away and who will be."""
    now = services().now()
    with reading(services().engine) as session:
        setup = load_setup(session)
    everybody = listed("absences", as_data(setup)["absences"], names_of(setup), _utc(now))
    return render_template(
        "rosters/absences.html",
        coming=[each for each in everybody if not each.past],
        past=[each for each in everybody if each.past],
        may_edit=may_edit(),
    )


def _utc(now: datetime) -> datetime:
    return now.replace(tzinfo=None)


def _shown_too(setup: Setup, name: str) -> list[str]:
    """Return who else has a row: asked for by `?with=`, or all when nobody is in the roster yet."""
    asked = [who for who in request.args.getlist("with") if who in setup.operators]
    if asked or setup.groups[name].roster.named or not may_edit():
        return asked
    return list(setup.operators)[:_BEGINNERS]
