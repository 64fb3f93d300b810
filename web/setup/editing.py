"""Adding and changing entries of the set-up: one way for every section."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.configfile import (
    KEYS,
    Change,
    ChangedError,
    ConflictError,
    Data,
    Entry,
    as_data,
    fingerprint,
    put_entry,
    rename_references,
)
from telephony.domain.setup import Setup
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from telephony.zones import known_zones
from web.duty import listening
from web.edits import change_words, edit_setup, entry_of, saved
from web.i18n import zone
from web.rights import allow
from web.services import services
from web.setup.area import blueprint
from web.setup.places import EntryForm
from web.setup.sections import SHOWN, choices
from web.texts import gettext
from web.trying import call_form, tried_with, when_words

Page = str | Response | tuple[str, int]

TRIED = "try-"
_GET_POST = ["GET", "POST"]


@blueprint.route("/operators/new", methods=_GET_POST)
@allow(Role.ADMIN)
def add_operators() -> Page:
    """Add an operator."""
    return _change("operators", None)


@blueprint.route("/operators/edit/<path:key>", methods=_GET_POST)
@allow(Role.ADMIN)
def edit_operators(key: str) -> Page:
    """Change an operator."""
    return _change("operators", key)


@blueprint.route("/groups/new", methods=_GET_POST)
@allow(Role.ADMIN)
def add_groups() -> Page:
    """Add a group."""
    return _change("groups", None)


@blueprint.route("/groups/edit/<path:key>", methods=_GET_POST)
@allow(Role.ADMIN)
def edit_groups(key: str) -> Page:
    """Change a group; its roster has pages of its own."""
    return _change("groups", key)


def _change(name: str, key: str | None) -> Page:
    """Show the form; try what stands in it, or save it."""
    section = SHOWN[name]
    with reading(services().engine) as session:
        setup = load_setup(session)
    old = entry_of(as_data(setup), name, key) if key is not None else {}
    if request.method == "GET":
        start = old or _proposed(name, setup)
        return _page(name, key, setup, EntryForm.of_entry(section.places, start), fingerprint(old))
    form = EntryForm.of_request(section.places, request.form)
    seen = request.form.get("seen", "")
    if key is not None and name != "groups":  # an extension stays as it is
        form.values[KEYS[name]] = key
    new = form.values[KEYS[name]]
    renamed = {key: new} if key is not None and new not in ("", key) else {}
    asks = "try" in request.form
    places: list[int] = []

    def edit(data: Data) -> None:
        now = entry_of(data, name, key) if key is not None else None
        entry = form.entry(now)
        places[:] = [put_entry(data, name, key, entry, None if asks or key is None else seen)]
        for old, its_new in renamed.items():
            rename_references(data, name, old, its_new)

    try:
        done = edit_setup(edit, renamed=renamed, dry_run=asks)
    except ChangedError:
        return _page(name, key, setup, form, fingerprint(old), changed=True), 409
    except ConflictError:
        form.general.append(gettext("Others are changing the set-up just now: try again."))
        return _page(name, key, setup, form, seen), 409
    form.place_errors(done.errors, name, places[0])
    if asks:
        return _page(name, key, setup, form, seen, done), 422 if done.errors else 200
    if done.errors:
        return _page(name, key, setup, form, seen), 422
    saved(done, gettext("Saved."))
    return redirect(url_for(f"setup.{name}"))


def _page(
    name: str,
    key: str | None,
    setup: Setup,
    form: EntryForm,
    seen: str,
    done: Change | None = None,
    *,
    changed: bool = False,
) -> str:
    """Show a form; `done` is what saving it would do, when that was asked."""
    now = services().now()
    after = done.after if done and not done.errors else None
    with reading(services().engine) as session:
        call = call_form(setup, TRIED, meta={"csrf": False})
        asked = tried_with(session, call, setup, after, now, services().settings.country)
        live = listening(session, now)
    return render_template(
        "setup/edit.html",
        section=SHOWN[name],
        sections=SHOWN.values(),
        key=key,
        form=form,
        seen=seen,
        changed=changed,
        choices=choices(setup, key),
        zones=sorted(known_zones()) if name == "groups" else (),
        call=call,
        tried=asked,
        differences=[words for each in done.differences for words in change_words(each)]
        if done
        else [],
        when=when_words(asked) if asked else "",
        dids=setup.dids.values(),
        zone=zone(),
        live=live,
    )


def _proposed(name: str, setup: Setup) -> Entry:
    """Return what a new entry begins with."""
    if name != "groups":
        return {}
    known = next(iter(setup.groups.values()), None)
    entry: Entry = {"zone": known.roster.zone if known else zone()}
    return entry if setup.groups else entry | {"default": "true"}
