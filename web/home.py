"""The start page: what goes on now, and the figures of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, render_template

from telephony.accounts import Role
from telephony.domain.did import Did
from telephony.domain.live import LiveCall
from telephony.domain.setup import Setup
from telephony.store.engine import reading
from telephony.store.figures import day_figures
from telephony.store.live import list_live_calls, list_operator_states
from telephony.store.setup import load_setup
from telephony.store.switches import Switch, find_switches
from telephony.store.tables import moment
from telephony.switches import closing_seen
from web.calls.asking import midnight, right_of
from web.cleaning import visible
from web.duty import everybody, listening
from web.i18n import zone
from web.rights import allow, signed_in_user
from web.services import services
from web.today import local_today

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True, slots=True)
class Closed:
    """The numbers that are closed by hand; none: all of them are, `since` then."""

    dids: tuple[Did, ...]
    since: datetime | None


@blueprint.get("/")
@allow()
def index() -> str:
    """Show live calls, today's figures and the phones; to an operator calls of their own."""
    now = services().now()
    today = local_today()
    mine = right_of(signed_in_user())
    since, until = midnight(today, zone()), midnight(today + timedelta(days=1), zone())
    with reading(services().engine) as session:
        setup = load_setup(session)
        calls = [one for one in list_live_calls(session) if mine is None or _with(one, mine)]
        figures = day_figures(session, since, until, mine)
        operators = everybody(setup, list_operator_states(session), now)
        live = listening(session, now)
        leads = signed_in_user().role is not Role.OPERATOR
        shut = _closed(setup, find_switches(session)) if leads else None
    return render_template(
        "home/index.html",
        own=mine is not None,
        today=today,
        calls=[
            (one, moment(one.since), max(0.0, (now - moment(one.started_at)).total_seconds()))
            for one in calls
        ],
        talking=sum(one.phase == "talking" for one in calls),
        figures=figures,
        operators=operators,
        names={extension: visible(one.name) for extension, one in setup.operators.items()},
        live=live,
        shut=shut,
    )


def _closed(setup: Setup, switches: Mapping[str, Switch]) -> Closed | None:
    """Return what is closed by hand, None when nothing is."""
    everything = closing_seen(switches)
    if everything.closed:
        return Closed((), everything.since)
    dids = tuple(
        one for number, one in sorted(setup.dids.items()) if closing_seen(switches, number).closed
    )
    return Closed(dids, None) if dids else None


def _with(call: LiveCall, extension: str) -> bool:
    """Tell whether an operator is in a live call."""
    return extension in {*call.ringing, *call.talking, call.answered_by, call.placed_by}
