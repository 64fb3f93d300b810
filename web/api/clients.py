"""Changing clients: by the panel's own validation, and written down like there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort
from sqlalchemy.orm import Session

from telephony.accounts import Scope
from telephony.clients import (
    POSTS,
    ChangedError,
    GoneError,
    Problem,
    Saved,
    Written,
    Wrong,
    differences,
    remove_client,
    save_client,
)
from telephony.store.engine import writing
from telephony.store.tables import BIGGEST_KEY
from web.api import clientele
from web.api.base import refuse, writes
from web.api.people import shown_client
from web.notes import note_by_token
from web.services import services
from web.wrong import problem_words

_ONE = "/clients/<int:client_id>"


@writes(
    "POST",
    "/clients",
    Scope.CLIENTS_WRITE,
    clientele.OneClient,
    clientele.ClientBody,
    status=201,
    one=False,
)
def add_client(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Add a client."""
    del query
    return _save(body)


@writes("PUT", _ONE, Scope.CLIENTS_WRITE, clientele.OneClient, clientele.ClientBody)
def replace_client(
    query: Mapping[str, Any], body: Mapping[str, Any], client_id: int
) -> dict[str, Any]:
    """Make a client what is sent."""
    del query
    return _save(body, client_id)


@writes("PATCH", _ONE, Scope.CLIENTS_WRITE, clientele.OneClient, clientele.ClientPatch)
def change_client(
    query: Mapping[str, Any], body: Mapping[str, Any], client_id: int
) -> dict[str, Any]:
    """Change those fields of a client that are sent."""
    del query
    return _save(body, client_id, whole=False)


@writes("DELETE", _ONE, Scope.CLIENTS_WRITE, None, query=clientele.VersionQuery, status=204)
def delete_client(query: Mapping[str, Any], client_id: int) -> None:
    """Delete a client; calls stay on record."""
    if client_id > BIGGEST_KEY:
        abort(404)
    try:
        with writing(services().engine) as session:
            gone = remove_client(session, client_id, query.get("version"))
            note_by_token(session, "client.deleted", gone.name, phones=list(gone.phones))
    except GoneError:
        abort(404)
    except ChangedError:
        abort(409)


def _save(
    body: Mapping[str, Any], client_id: int | None = None, *, whole: bool = True
) -> dict[str, Any]:
    if client_id is not None and client_id > BIGGEST_KEY:
        abort(404)
    offer = services()
    try:
        with writing(offer.engine) as session:
            known = {} if whole or client_id is None else shown_client(session, client_id)
            values = {**known, **body}
            # Without a version of the sender's, what is not sent stays as it was just read.
            saved = save_client(
                session,
                _written(values),
                offer.settings.country,
                client_id=client_id,
                seen=values.get("version"),
            )
            if not saved.wrong:
                _note(session, saved)
                return shown_client(session, saved.id)
    except GoneError:
        abort(404)
    except ChangedError:
        abort(409)
    return refuse(_errors(saved.wrong))


def _written(values: Mapping[str, Any]) -> Written:
    return Written(
        name=values["name"].strip(),
        phones=values["phones"],
        stage=values["stage"],
        vip="yes" if values["vip"] else "no",
        notes=values["notes"].strip(),
        zone=values["zone"] or "",
        **{post: values[post] or "" for post in POSTS},
    )


def _note(session: Session, saved: Saved) -> None:
    if saved.before is None:
        phones = list(saved.after.phones)
        note_by_token(session, "client.added", saved.after.name, phones=phones)
    elif changed := differences(saved.before, saved.after):
        note_by_token(session, "client.changed", saved.before.name, **changed)


def _errors(wrong: Sequence[Wrong]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for one in wrong:
        words = problem_words(one.problem, one.detail)
        if one.field == "phones" and one.value:
            words = f"{one.value}: {words}"
        if one.problem is Problem.NUMBER_TAKEN:
            words = f"{words} {one.owner}"
        errors.setdefault(one.field, []).append(words)
    return errors
