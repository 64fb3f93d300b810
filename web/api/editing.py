"""What a program sends, as edits of the set-up's plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from telephony.configfile import (
    KEYS,
    ChangedError,
    Data,
    Entry,
    find,
    fingerprint,
    put_entry,
    rename_references,
)
from web.api.base import refuse
from web.texts import gettext

Edit = Callable[[Data], None]


def whole(sent: Mapping[str, Any]) -> Edit:
    """Return the edit that makes the set-up what is sent; what is not sent goes."""

    def edit(data: Data) -> None:
        for section, there in data.items():
            data[section] = type(there)()
        # Whatever is sent: the reader says what is wrong with it.
        data.update(cast(Data, sent))

    return edit


def placing(
    section: str, key: str, entry: Entry, seen: str | None = None
) -> tuple[Edit, dict[str, str]]:
    """Return the edit that puts an entry in the place of the one named `key`, or adds it.

    And the old and new names of a group that gets another one. `seen` is the state that the sender
    knows of the entry.
    """
    name = KEYS[section]
    new = str(entry.get(name, key)) if section != "absences" else key
    if new != key and section == "operators":
        refuse({f"entry.{name}": [gettext("Must be as in the address.")]})

    def edit(data: Data) -> None:
        if new != key:
            find(data, section, key)  # what is not there gets no other name
        _place(data, section, key, entry, seen)
        if new != key:
            rename_references(data, section, key, new)

    return edit, {key: new} if new != key and section == "groups" else {}


def by_key(data: Data, section: str) -> dict[str, Entry]:
    """Return the entries of a section by what names them; absences by their operator."""
    if section != "absences":
        return {str(one[KEYS[section]]): one for one in data[section]}
    found: dict[str, Entry] = {}
    for one in data[section]:
        found.setdefault(one["operator"], {"entries": []})["entries"].append(one)
    return found


def _place(data: Data, section: str, key: str, entry: Entry, seen: str | None) -> None:
    """Put an entry in the place of the one named `key`, or add it under that name."""
    if section == "absences":
        known = by_key(data, section).get(key)
        if seen is not None and (known is None or fingerprint(known) != seen):
            raise ChangedError
        given = entry.get("entries", [])
        rest = [one for one in data[section] if one["operator"] != key]
        added = [
            {**one, "operator": key} if isinstance(one, dict) else one
            for one in (given if isinstance(given, list) else [given])
        ]
        data[section] = [*rest, *added]
        return
    try:
        find(data, section, key)
    except LookupError:
        if seen is not None:
            raise ChangedError from None
        put_entry(data, section, None, {KEYS[section]: key, **entry}, None)
    else:
        put_entry(data, section, key, {KEYS[section]: key, **entry}, seen)
