"""The pages of clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request, url_for
from sqlalchemy.orm import Session

from telephony.domain.callback.cases import Case
from telephony.store.asked import find_clients
from telephony.store.attempts import Attempt
from telephony.store.call_lines import CallLine, find_calls
from telephony.store.case_lists import attempts_of_numbers, cases_of_client
from telephony.store.clients import get_clients
from telephony.store.engine import reading
from telephony.store.search import Filter
from telephony.store.setup import list_extensions, load_setup
from telephony.store.tables import BIGGEST_KEY
from web.calls.asking import right_of
from web.cases import timeline
from web.cases.limits import right_of as right_to_cases
from web.cases.wishes import form_for
from web.cleaning import visible
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow, signed_in_user
from web.services import services

blueprint = Blueprint("clients", __name__, url_prefix="/clients")

_LONGEST = 100
_CALLS = 20


@blueprint.get("")
@allow()
def index() -> str:
    """List clients by name."""
    offer = services()
    number = page_number()
    with reading(offer.engine) as session:
        text, manager = asked_for(session)
        found = find_clients(
            session,
            text,
            PER_PAGE,
            (number - 1) * PER_PAGE,
            country=offer.settings.country,
            manager=manager,
        )
        setup = load_setup(session)
    query = urlencode({"q": text, "manager": manager or ""})
    return render_template(
        "clients/index.html",
        q=text,
        manager=manager,
        clients=found.items,
        operators=setup.operators,
        names={extension: visible(one.name) for extension, one in setup.operators.items()},
        paging=Paging(number, PER_PAGE, found.total),
        file=f"{url_for('clients.export')}?{query}",
    )


def asked_for(session: Session) -> tuple[str, str | None]:
    """Return what an address asks for: a text to search for, and an operator's extension."""
    text = "".join(letter for letter in request.args.get("q", "") if letter.isprintable())
    manager = request.args.get("manager", "")
    known = manager in list_extensions(session)
    return text[:_LONGEST].strip(), manager if known else None


@blueprint.get("/<int:client_id>")
@allow()
def show(client_id: int) -> str:
    """Show one client with every contact; to an operator only calls of their own, and the cases
    that they may see.
    """
    if client_id > BIGGEST_KEY:
        abort(404)
    now, user = services().now(), signed_in_user()
    where = Filter(client_id=client_id, involving=right_of(user))
    with reading(services().engine) as session:
        data = get_clients(session, [client_id]).get(client_id)
        if data is None:
            abort(404)
        calls = find_calls(session, where, _CALLS)
        setup = load_setup(session)
        right = right_to_cases(user, setup, now)
        cases = cases_of_client(session, client_id, data.phones, _CALLS, right)
        attempts = attempts_of_numbers(session, data.phones, _CALLS)
        back = url_for("clients.show", client_id=client_id)
        form = form_for(session, setup, data.phones, back)
    names = {extension: visible(one.name) for extension, one in setup.operators.items()}
    if right is not None:
        mine = {one.id for one in cases}
        attempts = [
            one for one in attempts if one.case_id in mine or one.operator == user.extension
        ]
    return render_template(
        "clients/show.html",
        client=data,
        client_id=client_id,
        events=_contacts(calls.items, cases, attempts, names),
        total=calls.total,
        most=_CALLS,
        names=names,
        form=form,
    )


def _contacts(
    calls: Sequence[CallLine],
    cases: Sequence[Case],
    attempts: Sequence[Attempt],
    names: Mapping[str, str],
) -> list[timeline.Event]:
    """Return calls, cases and tries in one line of time; a try and its call are one event."""
    known = {one.call_id for one in calls}
    tried = {one.uniqueid for one in attempts}
    events = [timeline.of_call(one, names) for one in calls if one.call_id not in tried]
    events += [
        timeline.of_attempt(one, names, one.uniqueid if one.uniqueid in known else None)
        for one in attempts
    ]
    events += [timeline.of_opening(one) for one in cases]
    events += [over for one in cases if (over := timeline.of_ending(one, names)) is not None]
    return timeline.in_order(events, 3 * _CALLS)
