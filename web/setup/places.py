"""Forms of entries of the set-up: described by the paths of the file, read and filled alike.

The name of each input is its path within the entry as the file's reader says it in errors, so an
error finds its field by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from telephony.configfile import ConfigError, Entry
from web.edits import error_words

_LONGEST = 200
_DECORATION = re.compile(r"[\s().\-‐-―]+")


class Kind(StrEnum):
    """What kind of an input a field has."""

    TEXT = "text"
    PHONE = "tel"
    DIALLED = "dialled"
    SELECT = "select"
    CHECK = "check"
    ZONE = "zone"


@dataclass(frozen=True, slots=True)
class Place:
    """A field: its path in the entry and how it is shown.

    `choices` names a list of them. `fixed`: it names the entry and stays once that is there.
    """

    path: str
    label: Any
    kind: Kind = Kind.TEXT
    hint: Any = ""
    choices: str = ""
    required: bool = False
    fixed: bool = False


@dataclass
class EntryForm:
    """The form of one entry: what stands in its fields, by path, and what is wrong with that.

    `general` is wrong, but with no field of it.
    """

    places: tuple[Place, ...]
    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)

    @classmethod
    def of_entry(cls, places: tuple[Place, ...], entry: Entry) -> EntryForm:
        """Return the form filled with an entry."""
        return cls(places, {one.path: str(entry.get(one.path, "")) for one in places})

    @classmethod
    def of_request(cls, places: tuple[Place, ...], sent: Mapping[str, str]) -> EntryForm:
        """Return the form as somebody filled it in."""
        return cls(places, {one.path: sent.get(one.path, "").strip()[:_LONGEST] for one in places})

    def entry(self, old: Entry | None = None) -> Entry:
        """Return the entry; fields of `old` that this form does not have stay."""
        made: Entry = {}
        for one in self.places:
            value = self.values[one.path]
            if one.kind is Kind.DIALLED:
                value = _DECORATION.sub("", value)
            if value:
                made[one.path] = value
        own = {one.path for one in self.places}
        return made | {key: value for key, value in (old or {}).items() if key not in own}

    def place_errors(self, errors: Iterable[ConfigError], section: str, index: int) -> None:
        """Put errors of the file's reader beside the fields they are about, others above."""
        here = f"{section}[{index}]."
        known = {one.path for one in self.places}
        for error in errors:
            words = error_words(error)
            # The other one of two that are not to be alike stands further down in the file.
            alike = error.path.startswith(f"{section}[")
            path = error.path.partition("].")[2]
            if path in known and (alike or error.path.startswith(here)):
                self.errors.setdefault(path, []).append(words)
            else:
                self.general.append(f"{error.path.removeprefix(here)}: {words}")
