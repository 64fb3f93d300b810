"""Deleting entries of the set-up, after a look at what names them."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.configfile import (
    ROSTER_KINDS,
    ChangedError,
    ConflictError,
    Data,
    Reference,
    as_data,
    fingerprint,
    references,
    remove_entry,
)
from telephony.store.calendars import list_feeds
from telephony.store.clients import count_assigned
from telephony.store.directory import current_version
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.cleaning import visible
from web.edits import edit_setup, entry_of, error_words, key_words, saved, seen_version
from web.rights import allow
from web.services import services
from web.setup.area import blueprint
from web.setup.sections import SHOWN
from web.texts import gettext

Page = str | Response | tuple[str, int]

_GET_POST = ["GET", "POST"]


@blueprint.route("/operators/delete/<path:key>", methods=_GET_POST)
@allow(Role.ADMIN)
def delete_operators(key: str) -> Page:
    """Delete an operator."""
    return _delete("operators", key)


@blueprint.route("/groups/delete/<path:key>", methods=_GET_POST)
@allow(Role.ADMIN)
def delete_groups(key: str) -> Page:
    """Delete a group with its roster."""
    return _delete("groups", key)


def _delete(name: str, key: str) -> Page:
    """Say what goes with an entry and what forbids to delete it; delete it when that was seen."""
    wrong: list[str] = []
    status = 200
    if request.method == "POST":
        seen = request.form.get("seen", "")
        expected = seen_version(request.form.get("version"))

        def edit(data: Data) -> None:
            entry_of(data, name, key)
            remove_entry(data, name, key, seen)

        try:
            done = edit_setup(edit, expected=expected)
        except (ChangedError, ConflictError):
            status = 409
        else:
            if not done.errors:
                saved(done, gettext("%(name)s was deleted.", name=visible(key)))
                return redirect(url_for(f"setup.{name}"))
            wrong = [f"{error.path}: {error_words(error)}" for error in done.errors]
            status = 422
    with reading(services().engine) as session:
        setup = load_setup(session)
        data = as_data(setup)
        entry = entry_of(data, name, key)
        version = current_version(session).setup_version
        clients = count_assigned(session, [key]).get(key, 0) if name == "operators" else 0
        kind = {"operators": "operator", "groups": "group"}.get(name)
        feeds = sum(
            one.owner == key and one.owner_kind.value == kind for one in list_feeds(session)
        )
    named = references(data, name, key)
    return render_template(
        "setup/delete.html",
        section=SHOWN[name],
        key=key,
        title=visible(str(entry.get("name") or entry.get("title") or key)),
        seen=fingerprint(entry),
        version=version,
        goes=[(one, _field_words(one)) for one in named if one.goes],
        stays=[(one, _field_words(one)) for one in named if not one.goes],
        clients=clients,
        feeds=feeds,
        roster=sum(len(entry.get(kind, ())) for kind in ROSTER_KINDS) if name == "groups" else 0,
        default=name == "groups" and key == setup.default_group,
        wrong=wrong,
        changed=status == 409,
    ), status


def _field_words(one: Reference) -> str:
    """Return where a reference stands: `group Sales: weekly shifts (3)`."""
    what = {
        "operators": gettext("operator %(key)s", key=one.key),
        "groups": gettext("group %(key)s", key=one.key),
        "dids": gettext("DID %(key)s", key=one.key),
        "absences": gettext("absences of %(key)s", key=one.key),
    }[one.section]
    count = f" ({one.count})" if one.count > 1 else ""
    return visible(f"{what}: {key_words(one.field)}{count}")
