"""Pauses of operators and “closed now”: seen, and asked of the PBX as the panel asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort

from telephony.accounts import Scope
from telephony.domain.pauses import PauseKind
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from telephony.store.switches import Switch, find_switches
from telephony.switches import UnknownError, ask_closing, ask_pause, closing_seen, pause_seen
from web.api import schemas, switchshapes
from web.api.base import reads, writes
from web.duty import listening
from web.notes import note_by_token
from web.services import services

_READ, _WRITE = Scope.SWITCHES_READ, Scope.SWITCHES_WRITE


@reads("/switches", _READ, switchshapes.Switches, schemas.Empty)
def switches(query: Mapping[str, Any]) -> dict[str, Any]:
    """Show the pauses of all operators, and what is “closed now”."""
    del query
    offer = services()
    with reading(offer.engine) as session:
        setup = load_setup(session)
        known = find_switches(session)
        live = listening(session, offer.now())
    return {
        "live": live,
        "closed": _closing(known, None),
        "dids": [_closing(known, did) for did in sorted(setup.dids)],
        "pauses": [_pause(known, extension) for extension in sorted(setup.operators)],
    }


@writes(
    "PUT",
    "/switches/pauses/<extension>",
    _WRITE,
    switchshapes.PauseOf,
    switchshapes.PauseBody,
    status=202,
)
def set_pause(query: Mapping[str, Any], body: Mapping[str, Any], extension: str) -> dict[str, Any]:
    """Ask the PBX to begin an operator's pause, or to end it."""
    del query
    kind = None if body["kind"] is None else PauseKind(body["kind"])
    try:
        with writing(services().engine) as session:
            ask_pause(session, extension, kind, services().now(), note_by_token)
            return _pause(find_switches(session), extension)
    except UnknownError:
        abort(404)


@writes(
    "PUT",
    "/switches/closed",
    _WRITE,
    switchshapes.ClosedOf,
    switchshapes.ClosedBody,
    status=202,
    one=False,
)
def close_all(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the PBX to close all DIDs at once, or to open them again."""
    del query
    return _close(body, None)


@writes(
    "PUT",
    "/switches/closed/<did>",
    _WRITE,
    switchshapes.ClosedOf,
    switchshapes.ClosedBody,
    status=202,
)
def close_did(query: Mapping[str, Any], body: Mapping[str, Any], did: str) -> dict[str, Any]:
    """Ask the PBX to close a DID, or to open it again."""
    del query
    return _close(body, did)


def _close(body: Mapping[str, Any], did: str | None) -> dict[str, Any]:
    try:
        with writing(services().engine) as session:
            ask_closing(session, did, services().now(), note_by_token, closed=body["closed"])
            return _closing(find_switches(session), did)
    except UnknownError:
        abort(404)


def _pause(known: Mapping[str, Switch], extension: str) -> dict[str, Any]:
    seen = pause_seen(known, extension)
    return {"extension": extension} | {name: getattr(seen, name) for name in seen.__slots__}


def _closing(known: Mapping[str, Switch], did: str | None) -> dict[str, Any]:
    seen = closing_seen(known, did)
    return {"did": did} | {name: getattr(seen, name) for name in seen.__slots__}
