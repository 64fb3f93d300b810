"""The pages of calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, render_template, request, url_for
from sqlalchemy.orm import Session

from telephony.accounts import User
from telephony.domain.record import CallRecord, Direction, Disposition, LegKind, Source
from telephony.store.call_lines import CallLine, every_call, find_calls
from telephony.store.calls import get_call
from telephony.store.engine import reading
from telephony.store.search import involves
from telephony.store.setup import load_setup
from telephony.store.tables import moment, optional_moment
from telephony.words import say, say_moment
from web.calls.asking import periods, read_asking, right_of, where_of
from web.calls.export import MOST, as_csv, headings
from web.calls.lanes import chart
from web.cleaning import visible
from web.downloads import download, separator
from web.i18n import current_language, phone, unbroken_phone, zone
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow, signed_in_user
from web.services import services
from web.today import local_today
from web.trying import Stage, plan_words, trace_words

blueprint = Blueprint("calls", __name__, url_prefix="/calls")
blueprint.add_app_template_filter(visible, "visible")
blueprint.add_app_template_filter(moment, "instant")

# Not said: a desk phone is what is expected, a mobile has its sign.
_PLAIN_LEGS = {LegKind.DESK, LegKind.MOBILE}


@blueprint.get("")
@allow()
def index() -> str:
    """List calls, newest first."""
    offer = services()
    mine = right_of(signed_in_user())
    asking = read_asking(request.args)
    number = page_number()
    with reading(offer.engine) as session:
        where, too_many = where_of(session, asking, mine, zone(), offer.settings.country)
        lines = find_calls(session, where, PER_PAGE, (number - 1) * PER_PAGE)
        setup = load_setup(session)
    return render_template(
        "calls/index.html",
        asking=asking,
        calls=lines.items,
        paging=Paging(number, PER_PAGE, lines.total),
        periods=list(periods(asking, local_today())),
        setup=setup,
        names=_names(setup.operators),
        directions=list(Direction),
        dispositions=list(Disposition),
        too_many=too_many,
        most=MOST,
        file=f"{url_for('calls.export')}?{urlencode(request.args)}",
    )


@blueprint.get("/export.csv")
@allow()
def export() -> Response:
    """Send the list as a file: the newest calls that fit."""
    offer = services()
    mine, language, place = right_of(signed_in_user()), current_language(), zone()
    asking = read_asking(request.args)
    head, between = headings(), separator()

    def pieces() -> Any:
        with reading(offer.engine) as session:
            where, _ = where_of(session, asking, mine, place, offer.settings.country)
            yield from as_csv(every_call(session, where, MOST), head, place, language, between)

    return download(pieces(), "calls", "text/csv", "csv")


@blueprint.get("/<call_id>")
@allow()
def show(call_id: str) -> str:
    """Show one call; to an operator only one in which they took part."""
    with reading(services().engine) as session:
        record = seen_call(session, call_id, signed_in_user())
        setup = load_setup(session)
    names = _names(setup.operators)
    language = current_language()
    decision = record.decision
    return render_template(
        "calls/show.html",
        call=record,
        began=moment(record.started_at),
        answered=optional_moment(record.answered_at),
        ended=moment(record.ended_at),
        did=setup.dids.get(record.did),
        names=names,
        chart=chart(record),
        said=[
            (moment(one.at), one.kind, visible(say_moment(one, names, language, unbroken_phone)))
            for one in record.moments
        ],
        trace=list(trace_words(decision)),
        plan=[Stage(words) for words in plan_words(decision, names)],
        again=_again(record),
        leg_words={one.value: say(one, language) for one in LegKind if one not in _PLAIN_LEGS},
        from_events=record.source is Source.EVENTS,
        whose=whose(record),
    )


def seen_call(session: Session, call_id: str, user: User) -> CallRecord:
    """Return a call that somebody may see: an operator one in which they took part; else 404."""
    mine = right_of(user)
    record = get_call(session, call_id) if call_id.isprintable() else None
    if record is None or (mine is not None and not involves(session, call_id, mine)):
        abort(404)
    return record


def whose(call: CallRecord | CallLine) -> str:
    """Return what a call is called by: its client, else its number; "" when that is hidden."""
    return visible(call.client_name) or phone(visible(call.number))


def _names(operators: Mapping[str, Any]) -> dict[str, str]:
    return {extension: visible(one.name) for extension, one in operators.items()}


def _again(call: CallRecord) -> dict[str, str] | None:
    """Return the question that a call was, as the page that explains takes it."""
    if call.direction is not Direction.IN or not call.did:
        return None
    return {"number": call.number, "did": call.did}
