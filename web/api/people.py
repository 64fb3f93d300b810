"""Clients and operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort
from sqlalchemy.orm import Session

from telephony.accounts import Scope
from telephony.store.asked import find_clients
from telephony.store.clients import get_clients
from telephony.store.directory import client_version
from telephony.store.engine import reading
from telephony.store.live import list_operator_states
from telephony.store.search import Order
from telephony.store.setup import load_setup
from telephony.store.tables import BIGGEST_KEY, moment
from web.api import clientele, schemas
from web.api.base import reads
from web.duty import OnDuty, everybody
from web.services import services


@reads("/clients", Scope.CLIENTS_READ, clientele.ClientList, clientele.ClientsQuery)
def clients(query: Mapping[str, Any]) -> dict[str, Any]:
    """List clients by name."""
    offer = services()
    with reading(offer.engine) as session:
        page = find_clients(
            session,
            query.get("q", ""),
            query["limit"],
            query["offset"],
            country=offer.settings.country,
            manager=query.get("manager"),
            order=query["order"],
        )
    return {"items": page.items, "total": page.total}


@reads("/clients/<int:client_id>", Scope.CLIENTS_READ, clientele.OneClient, schemas.Empty, one=True)
def one_client(query: Mapping[str, Any], client_id: int) -> dict[str, Any]:
    """Show one client."""
    del query
    if client_id > BIGGEST_KEY:
        abort(404)
    with reading(services().engine) as session:
        return shown_client(session, client_id)


def shown_client(session: Session, client_id: int) -> dict[str, Any]:
    """Return a client as the API shows it; abort with 404 without one."""
    data = get_clients(session, [client_id]).get(client_id)
    if data is None:
        abort(404)
    shown = {name: getattr(data, name) for name in type(data).__slots__}
    return {"id": client_id, "version": client_version(session, client_id), **shown}


@reads("/operators", Scope.OPERATORS_READ, schemas.OperatorList, schemas.OperatorsQuery)
def operators(query: Mapping[str, Any]) -> dict[str, Any]:
    """List operators and what they do now."""
    found = [_shown(one) for one in _everybody()]
    if "group" in query:
        wanted = query["group"]
        found = [one for one in found if any(part["group"] == wanted for part in one["groups"])]
    found.sort(
        key=lambda one: (one[query["sort"]], one["extension"]),
        reverse=query["order"] is Order.DESCENDING,
    )
    first = query["offset"]
    return {"items": found[first : first + query["limit"]], "total": len(found)}


@reads("/operators/<extension>", Scope.OPERATORS_READ, schemas.OneOperator, schemas.Empty, one=True)
def one_operator(query: Mapping[str, Any], extension: str) -> dict[str, Any]:
    """Show one operator and what they do now."""
    del query
    found = [one for one in _everybody() if one.operator.extension == extension]
    if not found:
        abort(404)
    return _shown(found[0])


def _everybody() -> list[OnDuty]:
    offer = services()
    with reading(offer.engine) as session:
        return everybody(load_setup(session), list_operator_states(session), offer.now())


def _shown(one: OnDuty) -> dict[str, Any]:
    return {
        "extension": one.operator.extension,
        "name": one.operator.name,
        "endpoint": one.operator.endpoint,
        "mobile": one.operator.mobile,
        "deputy": one.operator.deputy,
        "groups": [
            {"group": group, "presence": presence} for group, presence in one.groups.items()
        ],
        "state": one.state,
        "since": None if one.since is None else moment(one.since),
        "call_id": one.call_id,
        "pause": one.pause or None,
    }
