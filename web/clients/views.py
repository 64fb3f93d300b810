"""The pages of clients."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request, url_for
from sqlalchemy.orm import Session

from telephony.store.asked import find_clients
from telephony.store.call_lines import find_calls
from telephony.store.clients import get_clients
from telephony.store.engine import reading
from telephony.store.search import Filter
from telephony.store.setup import list_extensions, load_setup
from web.calls.asking import right_of
from web.cleaning import visible
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow, signed_in_user
from web.services import services

blueprint = Blueprint("clients", __name__, url_prefix="/clients")

_LONGEST = 100
_CALLS = 20
BIGGEST = 2**31 - 1


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
    """Show one client with their latest calls; to an operator only with their own."""
    if client_id > BIGGEST:
        abort(404)
    where = Filter(client_id=client_id, involving=right_of(signed_in_user()))
    with reading(services().engine) as session:
        data = get_clients(session, [client_id]).get(client_id)
        if data is None:
            abort(404)
        calls = find_calls(session, where, _CALLS)
        setup = load_setup(session)
    return render_template(
        "clients/show.html",
        client=data,
        client_id=client_id,
        calls=calls.items,
        total=calls.total,
        names={extension: visible(one.name) for extension, one in setup.operators.items()},
    )
