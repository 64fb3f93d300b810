"""One entry of the set-up at a time, such as an operator: put, remove, and what refers to it.

The panel and the API change single entries by these; `editing` then checks the whole and applies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from telephony.configfile.comparing import KEYS, index_of
from telephony.configfile.nodes import Data, Entry
from telephony.configfile.rosters import KEYS as ROSTER_KINDS
from telephony.configfile.rosters import NOBODY

# In the order in which they are set up from nothing.
SECTIONS = ("operators", "groups", "dids", "hours", "trunks", "mailboxes")
_ENDS = ("closed", "unanswered")
# Keys of a roster's entries that name operators.
_NAMING = ("operator", "operators", "turns", "between", "cover", "instead_of")


class ChangedError(Exception):
    """The entry is not the one that its fingerprint was taken of: somebody changed it meanwhile."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What names an entry: an entry of a section, the field in it, and how many times there.

    `goes`: removing the entry takes the reference with it, else the reference forbids removing.
    """

    section: str
    key: str
    field: str
    count: int
    goes: bool


def find(data: Data, section: str, key: str) -> Entry:
    """Return the entry of this name out of a set-up's data, to be changed; else LookupError."""
    found: Entry = data[section][index_of(data, section, key)]
    return found


def fingerprint(entry: Entry) -> str:
    """Return what tells an entry from any other state of it."""
    text = json.dumps(entry, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def put_entry(data: Data, section: str, key: str | None, entry: Entry, seen: str | None) -> int:
    """Add an entry, or put it in the place of the one named `key`; return its place.

    Whatever of the old one `entry` does not have goes. With `seen` the old one must still have this
    fingerprint, else ChangedError; LookupError when it is gone. A group that becomes the default
    takes that from the other one.
    """
    entries = data[section]
    if key is None:
        place = len(entries)
        entries.append(entry)
    else:
        place = index_of(data, section, key)
        if seen is not None and fingerprint(entries[place]) != seen:
            raise ChangedError
        entries[place] = entry
    if section == "groups" and str(entry.get("default", "")).lower() in ("true", "yes"):
        for other in entries:
            if other is not entry:
                other.pop("default", None)
    return place


def remove_entry(data: Data, section: str, key: str, seen: str | None = None) -> None:
    """Remove an entry and the references that go with it; see `references`.

    Raises LookupError when there is none, ChangedError as `put_entry`. References that do not go
    stay and are found wrong by the file's reader.
    """
    place = index_of(data, section, key)
    if seen is not None and fingerprint(data[section][place]) != seen:
        raise ChangedError
    del data[section][place]
    if section == "operators":
        _without_operator(data, key)


def references(data: Data, section: str, key: str) -> list[Reference]:
    """Return what names an entry in the set-up, by section.

    Of an operator all goes but turns of rotations, whose order would become another; of others
    nothing goes.
    """
    if section == "operators":
        return list(_of_operator(data, key))
    if section == "groups":
        return [
            Reference("dids", did["number"], field, 1, False)
            for did in data["dids"]
            for field, named in (
                ("group", [did.get("group")]),
                ("overflow", [did.get("overflow")]),
                ("menu", did.get("menu", {}).get("choices", {}).values()),
            )
            if key in named
        ]
    if section == "hours":
        return [
            Reference(where, entry[KEYS[where]], "hours", 1, False)
            for where in ("groups", "dids")
            for entry in data[where]
            if entry.get("hours") == key
        ]
    if section == "trunks":
        operators = [
            Reference("operators", entry["extension"], "trunk", 1, False)
            for entry in data["operators"]
            if entry.get("trunk") == key
        ]
        return operators + _of_ends(data, "trunk", key)
    return _of_ends(data, "mailbox", key) if section == "mailboxes" else []


def rename_references(data: Data, section: str, key: str, new: str) -> None:
    """Let what names a group, hours, a trunk or a mailbox use the new name; others keep theirs."""
    if section not in ("groups", "hours", "trunks", "mailboxes"):
        return
    for one in references(data, section, key):
        entry = find(data, one.section, one.key)
        if one.field in _ENDS:
            entry[one.field]["mailbox" if section == "mailboxes" else "trunk"] = new
        elif one.field == "menu":
            choices = entry["menu"]["choices"]
            choices |= {digit: new for digit, group in choices.items() if group == key}
        else:
            entry[one.field] = new


def _of_ends(data: Data, field: str, key: str) -> list[Reference]:
    """Return the DIDs whose ends name something: a trunk or a mailbox."""
    return [
        Reference("dids", entry["number"], action, 1, False)
        for entry in data["dids"]
        for action in _ENDS
        if entry.get(action, {}).get(field) == key
    ]


def _of_operator(data: Data, key: str) -> Iterator[Reference]:
    for other in data["operators"]:
        if other.get("deputy") == key:
            yield Reference("operators", other["extension"], "deputy", 1, True)
    for group in data["groups"]:
        for kind in ROSTER_KINDS:
            entries = group.get(kind, [])
            turns = sum(_names(entry.get("turns"), key) for entry in entries)
            if turns:
                yield Reference("groups", group["name"], kind, turns, False)
            named = sum(
                any(_names(entry.get(name), key) for name in _NAMING if name != "turns")
                for entry in entries
            )
            if named:
                yield Reference("groups", group["name"], kind, named, True)
    own = sum(entry["operator"] == key for entry in data["absences"])
    if own:
        yield Reference("absences", key, "operator", own, True)
    for who in sorted({entry["operator"] for entry in data["absences"]} - {key}):
        entries = [entry for entry in data["absences"] if entry["operator"] == who]
        covers = sum(entry.get("cover") == key for entry in entries)
        if covers:
            yield Reference("absences", who, "cover", covers, True)


def _names(value: Any, key: str) -> bool:
    """Tell whether a value of a roster's entry names an operator: a text, or lists of them."""
    if isinstance(value, list):
        return any(_names(each, key) for each in value)
    return bool(value == key)


def _without_operator(data: Data, key: str) -> None:
    for other in data["operators"]:
        if other.get("deputy") == key:
            del other["deputy"]
    for group in data["groups"]:
        for kind in ROSTER_KINDS:
            if kind in group:
                group[kind] = [one for one in group[kind] if _left(one, key)]
                if not group[kind]:
                    del group[kind]
    data["absences"] = [one for one in data["absences"] if _left(one, key)]


def _left(entry: Entry, key: str) -> bool:
    """Take an operator out of an entry; tell whether anything of it is left."""
    if entry.get("cover") == key:
        del entry["cover"]
    if entry.get("operator") == key or key in entry.get("between", ()):
        return False
    if isinstance(entry.get("instead_of"), list):
        entry["instead_of"] = [one for one in entry["instead_of"] if one != key]
        if not entry["instead_of"]:
            entry["instead_of"] = NOBODY
    if "operators" in entry:
        entry["operators"] = [one for one in entry["operators"] if one != key]
        return bool(entry["operators"])
    return True
