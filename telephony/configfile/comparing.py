"""What turns one set-up into another, as it is shown to people and kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from telephony.configfile.nodes import Data, Entry
from telephony.configfile.writing import as_data, entry_text
from telephony.domain.setup import Setup

# What names an entry of a section, and the section in the singular. Entries of other sections
# have no name: the section is compared as one list.
KEYS = {
    "operators": "extension",
    "groups": "name",
    "dids": "number",
    "absences": "operator",
    "hours": "name",
    "trunks": "endpoint",
    "mailboxes": "number",
}
SINGULAR = {
    "operators": "operator",
    "groups": "group",
    "dids": "did",
    "absences": "absences of",
    "hours": "hours",
    "trunks": "trunk",
    "mailboxes": "mailbox",
    "callbacks": "callback rules",
}
_ENTRIES = "entries"
# Fields whose values nobody reads in a difference: that one changed is all that is said.
_SECRET = frozenset({"pin"})
_MASK = "••••"

Value = str | tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A field before and after: texts (empty when it had none), or entries that went and came.

    Fields with their usual value count as empty, as in the file. A PIN is masked, here already, so
    that no log, history or answer has it.
    """

    name: str
    old: Value = ""
    new: Value = ""

    def __post_init__(self) -> None:
        """Mask what is secret."""
        if self.name in _SECRET:
            for side in ("old", "new"):
                if getattr(self, side):
                    object.__setattr__(self, side, _MASK)

    def __str__(self) -> str:
        """As words: `mobile +79001112233 → +79001112244`."""
        name = "" if self.name == _ENTRIES else f"{self.name} "
        return f"{name}{value_text(self.old) or '–'} → {value_text(self.new) or '–'}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One operator, group, DID or operator's absences, `added`, `removed` or `changed`.

    `what` is one of SINGULAR; the key of the callback rules is empty. `fields` are
    those that changed; all that have a value when it is added or removed.
    """

    what: str
    key: str
    action: str
    fields: tuple[Field, ...] = ()

    def __str__(self) -> str:
        """As a line: `operator 101 changed: mobile +79001112233 → +79001112244`."""
        head = f"{self.what} {self.key}".strip()
        if self.action == "changed":
            return f"{head} changed: {'; '.join(map(str, self.fields))}"
        return f"{head} {self.action}"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, as the audit log and the history keep it."""
        fields = [[field.name, field.old, field.new] for field in self.fields]
        return {"what": self.what, "key": self.key, "action": self.action, "fields": fields}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Difference:
        """Return what `as_json` gave; raises KeyError, TypeError or ValueError."""
        fields = tuple(
            Field(name, *(each if isinstance(each, str) else tuple(each) for each in pair))
            for name, *pair in value["fields"]
        )
        return cls(value["what"], value["key"], value["action"], fields)


def differences(
    before: Setup, after: Setup, renamed: Mapping[str, str] | None = None
) -> list[Difference]:
    """Return what turns one set-up into the other, section by section.

    `renamed` maps old names of groups to new ones: they changed, rather than went and came.
    """
    old, new = as_data(before), as_data(after)
    names = {"groups": renamed or {}}
    return [
        difference
        for section in dict.fromkeys((*old, *new))
        for difference in _of_section(
            section, old.get(section, []), new.get(section, []), names.get(section, {})
        )
    ]


def value_text(value: Value) -> str:
    """Return a field's value in one line, in the file's own words."""
    return value if isinstance(value, str) else "; ".join(map(entry_text, value))


def _of_section(
    section: str,
    old: list[Entry] | Entry,
    new: list[Entry] | Entry,
    renamed: Mapping[str, str],
) -> Iterable[Difference]:
    what = SINGULAR.get(section, section)
    before, after = _by_key(section, old), _by_key(section, new)
    before = {renamed.get(key, key): entry for key, entry in before.items()}
    for key in sorted(before.keys() | after.keys()):
        fields = tuple(_fields(before.get(key, {}), after.get(key, {})))
        if key not in after:
            yield Difference(what, key, "removed", fields)
        elif key not in before:
            yield Difference(what, key, "added", fields)
        elif fields:
            yield Difference(what, key, "changed", fields)


def _by_key(section: str, entries: list[Entry] | Entry) -> dict[str, Entry]:
    """Return the fields of each thing in a section; of one that is an entry itself, all of it."""
    if isinstance(entries, dict):
        return {"": dict(_flat(entries))}
    name = KEYS.get(section)
    if name is not None and section != "absences":
        return {str(entry[name]): entry for entry in entries}
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(str(entry[name]) if name else "", {_ENTRIES: []})[_ENTRIES].append(entry)
    return found


def _flat(entry: Entry, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in entry.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _fields(old: Entry, new: Entry) -> Iterable[Field]:
    for name in dict.fromkeys((*old, *new)):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        if _are_entries(was) and _are_entries(now):
            yield Field(name, *_changed(was or [], now or []))
        else:
            yield Field(name, _text(was), _text(now))


def _are_entries(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and all(isinstance(each, dict) for each in value)
    )


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return entry_text(value)
    return "" if value is None else entry_text({"": value}).strip()


def _changed(old: list[Entry], new: list[Entry]) -> tuple[Value, Value]:
    """Return the entries that go and those that come."""
    before = [one for one in old if one not in new]
    after = [one for one in new if one not in old]
    if not before and not after:  # only their order is another
        before, after = old, new
    return tuple(before), tuple(after)


def index_of(data: Data, section: str, key: str) -> int:
    """Return the place of what has this name in a section; LookupError when there is none."""
    for place, entry in enumerate(data[section]):
        if entry[KEYS[section]] == key:
            return place
    raise LookupError(f"no {SINGULAR[section]} {key}")
