"""The pages of missed calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, render_template, request, url_for
from sqlalchemy.orm import Session

from telephony.accounts import User
from telephony.domain.callback.cases import Case, Ending, Source
from telephony.domain.callback.results import Why
from telephony.domain.setup import Setup
from telephony.store.attempts import attempts_of
from telephony.store.case_lists import (
    CaseFilter,
    View,
    count_views,
    every_case,
    find_cases,
    opt_out_of,
)
from telephony.store.cases import calls_of_case, get_case, open_cases
from telephony.store.engine import reading
from telephony.store.search import recorded
from telephony.store.setup import load_setup
from web.calls.asking import right_of as right_to_calls
from web.cases import timeline
from web.cases.asking import DAYS, read, where_of
from web.cases.export import MOST, as_csv, headings
from web.cases.limits import is_taken, leads, right_of
from web.cases.standing import may_dial, standing
from web.cleaning import visible
from web.downloads import download, separator
from web.i18n import current_language, phone, zone
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow, signed_in_user
from web.services import services
from web.texts import gettext
from web.today import local_today

blueprint = Blueprint("cases", __name__, url_prefix="/missed")
blueprint.add_app_template_global(standing, "callbacks_standing")
blueprint.add_app_template_global(may_dial, "may_dial")

BIGGEST = 2**63 - 1
_CALLS = 100
# What the form of a case offers; whoever is not to be called has a button that asks first.
ENDINGS = (Ending.BY_HAND, Ending.DUPLICATE, Ending.NOT_DIALLABLE)


def view_words() -> dict[View, str]:
    """Return the names of the views of the list."""
    return {
        View.OPEN: gettext("Open"),
        View.MINE: gettext("Mine"),
        View.OVERDUE: gettext("Overdue"),
        View.ATTENTION: gettext("Needs a person"),
        View.PROMISED: gettext("Promised"),
        View.CLOSED: gettext("Closed"),
        View.SUPPRESSED: gettext("Not called"),
    }


@blueprint.get("")
@allow()
def index() -> str:
    """List cases: those that are open, the most urgent first, unless another view is chosen."""
    offer = services()
    now, user = offer.now(), signed_in_user()
    asking = read(request.args)
    number = page_number()
    with reading(offer.engine) as session:
        setup = load_setup(session)
        where = _where(user, setup)
        page = find_cases(session, where, now, PER_PAGE, (number - 1) * PER_PAGE)
        counts = count_views(session, where, now)
    return render_template(
        "cases/index.html",
        asking=asking,
        views=view_words(),
        counts=counts,
        cases=page.items,
        taken={one.id for one in page.items if is_taken(one, user, now)},
        paging=Paging(number, PER_PAGE, page.total),
        setup=setup,
        names=names_of(setup),
        whys=list(Why),
        sources=list(Source),
        now=now,
        near=timedelta(minutes=setup.callbacks.near_minutes),
        days=DAYS,
        leads=leads(user),
        me=user.extension or "",
        most=MOST,
        file=f"{url_for('cases.export')}?{urlencode(request.args)}",
    )


@blueprint.get("/export.csv")
@allow()
def export() -> Response:
    """Send the list as a file."""
    offer = services()
    now, language, place = offer.now(), current_language(), zone()
    head, between = headings(), separator()
    with reading(offer.engine) as session:
        where = _where(signed_in_user(), load_setup(session))

    def pieces() -> Iterator[str]:
        with reading(offer.engine) as session:
            cases = every_case(session, where, now, MOST)
            yield from as_csv(cases, head, place, language, between)

    return download(pieces(), "missed-calls", "text/csv", "csv")


@blueprint.get("/<int:case_id>")
@allow()
def show(case_id: int) -> str:
    """Show one case with its missed calls and the tries to call back."""
    now, user = services().now(), signed_in_user()
    mine = right_to_calls(user)
    with reading(services().engine) as session:
        setup = load_setup(session)
        case = seen_case(session, case_id, user, setup)
        names = names_of(setup)
        missed = calls_of_case(session, case_id, _CALLS)
        attempts = attempts_of(session, case_id, _CALLS)
        ids = [row.call_id for row in missed] + [one.uniqueid for one in attempts if one.uniqueid]
        # Calls that the reader may open.
        known = {one: one for one in recorded(session, ids, mine)}
        events = [
            timeline.of_missed(row.at, Why(row.why), phone(row.did), known.get(row.call_id))
            for row in missed
        ]
        events += [
            timeline.of_attempt(one, names, known.get(one.uniqueid or "")) for one in attempts
        ]
        out = opt_out_of(session, case.number)
        again = None if case.open else open_cases(session, [case.number]).get(case.number)
        right = right_of(user, setup, now)
    over = timeline.of_ending(case, names)
    return render_template(
        "cases/show.html",
        case=case,
        whose=whose(case),
        events=timeline.in_order([*events, *([over] if over else [])], 2 * _CALLS),
        out=out,
        again=again if again and (right is None or right.sees(again)) else None,
        names=names,
        did=setup.dids.get(case.did),
        now=now,
        near=timedelta(minutes=setup.callbacks.near_minutes),
        taken=is_taken(case, user, now),
        leads=leads(user),
        me=user.extension or "",
        endings=ENDINGS,
        tomorrow=local_today() + timedelta(days=1),
        zone=zone(),
    )


def seen_case(
    session: Session, case_id: int, user: User, setup: Setup, *, lock: bool = False
) -> Case:
    """Return a case that somebody may see; 404 for others, and where there is none."""
    case = None if case_id > BIGGEST else get_case(session, case_id, lock=lock)
    right = right_of(user, setup, services().now())
    if case is None or (right is not None and not right.sees(case)):
        abort(404)
    return case


def whose(case: Case) -> str:
    """Return what a case is called by: its client, else its number."""
    return visible(case.client_name) or phone(visible(case.number))


def names_of(setup: Setup) -> Mapping[str, str]:
    """Return extension → name of the operators."""
    return {extension: visible(one.name) for extension, one in setup.operators.items()}


def _where(user: User, setup: Setup) -> CaseFilter:
    offer = services()
    return where_of(
        read(request.args),
        right_of(user, setup, offer.now()),
        user.extension or "",
        local_today(),
        zone(),
        offer.settings.country,
    )
