"""The start page: what goes on now, and the figures of today."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template

from telephony.domain.live import LiveCall
from telephony.store.engine import reading
from telephony.store.figures import day_figures
from telephony.store.live import list_live_calls, list_operator_states
from telephony.store.setup import load_setup
from telephony.store.tables import moment
from web.calls.asking import midnight, right_of
from web.cleaning import visible
from web.duty import everybody, listening
from web.i18n import zone
from web.rights import allow, signed_in_user
from web.services import services
from web.today import local_today

blueprint = Blueprint("home", __name__)


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
    )


def _with(call: LiveCall, extension: str) -> bool:
    """Tell whether an operator is in a live call."""
    return extension in {*call.ringing, *call.talking, call.answered_by, call.placed_by}
