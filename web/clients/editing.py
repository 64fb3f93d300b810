"""Adding, changing and deleting clients in the panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.clients import (
    ChangedError,
    GoneError,
    Saved,
    differences,
    remove_client,
    save_client,
)
from telephony.domain.setup import Setup
from telephony.store.clients import ClientData, get_clients
from telephony.store.directory import client_version
from telephony.store.engine import reading, writing
from telephony.store.search import Filter, count_calls
from telephony.store.setup import load_setup
from telephony.store.tables import BIGGEST_KEY
from web.cleaning import visible
from web.clients.forms import ClientForm, Number, client_form, inputs, show, values_of, written
from web.clients.views import blueprint
from web.edits import seen_version
from web.notes import note
from web.rights import allow
from web.services import services
from web.texts import gettext
from web.words import detail_words

Page = str | Response | tuple[str, int]

_FIELDS = tuple(one.name for one in fields(ClientData))


@blueprint.route("/new", methods=["GET", "POST"])
@allow(Role.ADMIN, Role.SUPERVISOR)
def add() -> Page:
    """Add a client; `?number=` fills in the first number."""
    setup = _setup()
    form = client_form(setup.operators, stage="customer")
    if not form.validate_on_submit():
        numbers = inputs([request.args.get("number", "")[:40]])
        return _page(form, numbers, None)
    return _save(form, None)


@blueprint.route("/<int:client_id>/edit", methods=["GET", "POST"])
@allow(Role.ADMIN, Role.SUPERVISOR)
def edit(client_id: int) -> Page:
    """Change a client."""
    setup = _setup()
    client, version = _client(client_id)
    form = client_form(setup.operators, **values_of(client, version))
    if not form.validate_on_submit():
        return _page(form, inputs(client.phones), client_id)
    return _save(form, client_id)


@blueprint.route("/<int:client_id>/delete", methods=["GET", "POST"])
@allow(Role.ADMIN, Role.SUPERVISOR)
def delete(client_id: int) -> Page:
    """Ask whether a client is to be deleted, and delete."""
    client, version = _client(client_id)
    status = 200
    if request.method == "POST":
        try:
            with writing(services().engine) as session:
                gone = remove_client(session, client_id, seen_version(request.form.get("seen")))
                note(session, "client.deleted", gone.name, phones=list(gone.phones))
        except GoneError:
            abort(404)
        except ChangedError:
            status = 409
        else:
            flash(gettext("%(name)s was deleted.", name=visible(gone.name)), "good")
            return redirect(url_for("clients.index"))
    with reading(services().engine) as session:
        calls = count_calls(session, Filter(client_id=client_id))
    return render_template(
        "clients/delete.html",
        client=client,
        client_id=client_id,
        version=version,
        calls=calls,
        changed=status == 409,
    ), status


def _save(form: ClientForm, client_id: int | None) -> Page:
    offer = services()
    texts = request.form.getlist("phone")
    wanted = written(form, texts)
    seen = None if client_id is None else seen_version(form.seen.data)
    numbers = inputs(wanted.phones)
    try:
        with writing(offer.engine) as session:
            saved = save_client(
                session, wanted, offer.settings.country, client_id=client_id, seen=seen
            )
            _note(session, saved)
    except GoneError:
        abort(404)
    except ChangedError:
        # Saved once more, the form overwrites what the page now tells.
        now, version = _client(client_id or 0)
        form.seen.data = str(version)
        return _page(form, numbers, client_id, _state(now)), 409
    if saved.wrong:
        show(form, numbers, saved.wrong, offer.settings.country)
        return _page(form, numbers, client_id), 422
    changed = saved.before is None or differences(saved.before, saved.after)
    flash(gettext("Saved.") if changed else gettext("Nothing was changed."), "good")
    return redirect(url_for("clients.show", client_id=saved.id))


def _note(session: Session, saved: Saved) -> None:
    if saved.wrong:
        return
    if saved.before is None:
        note(session, "client.added", saved.after.name, phones=list(saved.after.phones))
        return
    changed = differences(saved.before, saved.after)
    if changed:
        note(session, "client.changed", saved.before.name, **changed)


def _page(
    form: ClientForm, numbers: list[Number], client_id: int | None, now: Sequence[str] = ()
) -> str:
    """Show the form; `now` says what the client is by now when somebody else changed it."""
    return render_template(
        "clients/edit.html", form=form, numbers=numbers, client_id=client_id, now=now
    )


def _state(client: ClientData) -> list[str]:
    return detail_words({name: getattr(client, name) for name in _FIELDS})


def _setup() -> Setup:
    with reading(services().engine) as session:
        return load_setup(session)


def _client(client_id: int) -> tuple[ClientData, int]:
    if client_id > BIGGEST_KEY:
        abort(404)
    with reading(services().engine) as session:
        client = get_clients(session, [client_id]).get(client_id)
        version = client_version(session, client_id)
    if client is None:
        abort(404)
    return client, version
