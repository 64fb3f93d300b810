"""A form of a set-up's entry whose inputs are named by the entry's own paths.

`menu.choices.1` is the input of that key, `open.0.start` that of the first of a list. What is left
empty is not there. So the entry is what was filled in, and the reader's errors find their inputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from telephony.configfile import ConfigError, Entry

_PART = re.compile(r"[A-Za-z0-9_]{1,40}")
_INDEX = re.compile(r"\[(\d+)\]")
_LONGEST = 200
_DEEPEST = 5


@dataclass
class Sheet:
    """What stands in the inputs, by their names, and what is wrong with it.

    `places` are the inputs' rows of the entries that the lists of the made entry have.
    """

    values: dict[str, str]
    errors: dict[str, list[str]] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)
    places: dict[str, list[str]] = field(default_factory=dict)

    def value(self, name: str, usual: str = "") -> str:
        """Return what stands in an input."""
        return self.values.get(name, usual)

    def wrong(self, name: str) -> list[str]:
        """Return what is wrong with it."""
        return self.errors.get(name, [])

    def rows(self, name: str, spare: int) -> list[int]:
        """Return the rows of a list: those that are filled in and some more."""
        taken = {int(key.split(".")[1]) for key in self.values if key.startswith(f"{name}.")}
        return list(range(max(taken, default=-1) + 1 + spare))

    def entry(self, lists: Iterable[str] = (), *, but: str = "\0") -> Entry:
        """Return the entry without inputs whose names end in `but`.

        `lists` are the keys whose numbered parts make a list.
        """
        made: Entry = {}
        for name, value in self.values.items():
            if value and not name.endswith(but):
                _put(made, name.split("."), value)
        for key in lists:
            rows = made.get(key)
            if isinstance(rows, dict):
                self.places[key] = sorted(rows, key=int)
                made[key] = [rows[row] for row in self.places[key]]
        return made

    def blame(self, errors: Iterable[ConfigError], path: str, words: Any) -> None:
        """Put errors beside their inputs; those of other entries, and without one, are `rest`."""
        for error in errors:
            if not error.path.startswith(path):
                self.rest.append(f"{error.path}: {words(error)}")
                continue
            name = self._input_of(error.path.removeprefix(path).lstrip("."))
            self.errors.setdefault(name, []).append(words(error))

    def _input_of(self, path: str) -> str:
        key, _, _ = path.partition("[")

        def row(match: re.Match[str]) -> str:
            rows = self.places.get(key, [])
            number = int(match[1])
            return f".{rows[number]}" if number < len(rows) else ""

        return _INDEX.sub(row, path, count=1) if key in self.places else path


def sent(form: Mapping[str, Any]) -> Sheet:
    """Return the sheet that was sent: inputs of right names, several values joined by commas."""
    values: dict[str, str] = {}
    for name in form:
        parts = name.split(".")
        if name == "csrf_token" or len(parts) > _DEEPEST or not all(map(_PART.fullmatch, parts)):
            continue
        joined = ",".join(form.getlist(name))  # type: ignore[attr-defined]
        values[name] = joined.strip()[:_LONGEST]
    return Sheet(values)


def of_entry(entry: Entry) -> Sheet:
    """Return the sheet of an entry as it is."""
    values: dict[str, str] = {}
    _flatten(entry, "", values)
    return Sheet(values)


def _flatten(value: Any, path: str, found: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for key, each in value.items():
            _flatten(each, f"{path}.{key}" if path else str(key), found)
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for place, each in enumerate(value):
            _flatten(each, f"{path}.{place}", found)
    else:
        found[path] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _put(made: Entry, parts: list[str], value: str) -> None:
    for part in parts[:-1]:
        below = made.setdefault(part, {})
        if not isinstance(below, dict):
            return
        made = below
    made[parts[-1]] = value
