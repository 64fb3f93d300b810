"""The set-up: the whole of it, and each operator, group, DID, opening hours, trunk, absences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import abort
from sqlalchemy.orm import Session

from telephony.accounts import Scope
from telephony.configfile import (
    SECTIONS,
    ChangedError,
    Data,
    Entry,
    fingerprint,
    load_data,
    remove_entry,
)
from telephony.store.engine import reading
from web.api import schemas, setupshapes
from web.api.base import reads, writes
from web.api.changing import change_setup, told
from web.api.editing import by_key, placing, whole
from web.services import services

_READ, _WRITE = Scope.SETUP_READ, Scope.SETUP_WRITE
# A section's name in the singular, for the names of the operations.
_ONE = {
    "operators": "operator",
    "groups": "group",
    "dids": "did",
    "hours": "hours",
    "trunks": "trunk",
    "mailboxes": "mailbox",
    "absences": "absences",
}
_ABOUT = {
    "operators": "operators with their phones and deputies",
    "groups": "groups with their rosters, queues and opening hours",
    "dids": "DIDs with their rules",
    "hours": "opening hours",
    "trunks": "trunks",
    "mailboxes": "mailboxes",
    "absences": "absences, by operator",
}


@reads("/setup", _READ, setupshapes.WholeSetup, schemas.Empty)
def setup(query: Mapping[str, Any]) -> dict[str, Any]:
    """Give the whole set-up, in the shape of the YAML file."""
    del query
    with reading(services().engine) as session:
        data, version = load_data(session)
    return {"version": version, "setup": data}


@writes(
    "PUT",
    "/setup",
    _WRITE,
    setupshapes.Changed,
    setupshapes.SetupBody,
    query=setupshapes.DryRunQuery,
)
def replace_setup(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Make the set-up what is sent, in one transaction; what is not sent is removed.

    With `dry_run` nothing is changed: the answer says what would be.
    """
    done = change_setup(whole(body["setup"]), body.get("version"), dry_run=query["dry_run"])
    return told(done, dry_run=query["dry_run"])


def _list(section: str) -> Callable[..., dict[str, Any]]:
    def view(query: Mapping[str, Any]) -> dict[str, Any]:
        with reading(services().engine) as session:
            entries = by_key(load_data(session)[0], section)
        first = query["offset"]
        found = [_shown(key, one) for key, one in list(entries.items())]
        return {"items": found[first : first + query["limit"]], "total": len(found)}

    return view


def _get(section: str) -> Callable[..., dict[str, Any]]:
    def view(query: Mapping[str, Any], key: str) -> dict[str, Any]:
        del query
        with reading(services().engine) as session:
            return _one(session, section, key)

    return view


def _put(section: str) -> Callable[..., dict[str, Any]]:
    def view(query: Mapping[str, Any], body: Mapping[str, Any], key: str) -> dict[str, Any]:
        edit, renamed = placing(section, key, body["entry"], body.get("version"))
        done = change_setup(edit, None, renamed, dry_run=query["dry_run"])
        return told(done, dry_run=query["dry_run"])

    return view


def _delete(section: str) -> Callable[..., None]:
    def view(query: Mapping[str, Any], key: str) -> None:
        def edit(data: Data) -> None:
            seen = query.get("version")
            if section == "absences":
                entry = by_key(data, section).get(key)
                if entry is None:
                    raise LookupError(key)
                if seen is not None and fingerprint(entry) != seen:
                    raise ChangedError
                data[section] = [one for one in data[section] if one["operator"] != key]
            else:
                remove_entry(data, section, key, seen)

        change_setup(edit, None, dry_run=False)

    return view


def _one(session: Session, section: str, key: str) -> dict[str, Any]:
    entry = by_key(load_data(session)[0], section).get(key)
    if entry is None:
        abort(404)
    return _shown(key, entry)


def _shown(key: str, entry: Entry) -> dict[str, Any]:
    return {"key": key, "version": fingerprint(entry), "entry": entry}


def _register(section: str) -> None:
    """Make the paths of a section; each function is named for the document and the table."""
    one, about = _ONE[section], _ABOUT[section]
    rule = f"/setup/{section}"

    def named(view: Callable[..., Any], name: str, words: str) -> Callable[..., Any]:
        view.__name__ = view.__qualname__ = name
        view.__doc__ = words
        return view

    listed = named(_list(section), f"setup_{section}", f"List {about}.")
    reads(rule, _READ, setupshapes.EntryList, schemas.Paged)(listed)
    got = named(_get(section), f"setup_one_{one}", f"Show one of the {about}.")
    reads(f"{rule}/<path:key>", _READ, setupshapes.OneEntry, schemas.Empty, one=True)(got)
    put = named(_put(section), f"setup_put_{one}", f"Add or replace one of the {about}.")
    writes(
        "PUT",
        f"{rule}/<path:key>",
        _WRITE,
        setupshapes.Changed,
        setupshapes.EntryBody,
        query=setupshapes.DryRunQuery,
    )(put)
    gone = named(_delete(section), f"setup_delete_{one}", f"Delete one of the {about}.")
    writes(
        "DELETE",
        f"{rule}/<path:key>",
        _WRITE,
        None,
        query=setupshapes.EntryVersionQuery,
        status=204,
    )(gone)


for _section in (*SECTIONS, "absences"):
    _register(_section)
