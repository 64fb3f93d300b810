"""Callers who are not put through: whole numbers, beginnings of numbers, hidden numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from telephony.domain.numbers import normalise

HIDDEN = "hidden"

_DECORATION = re.compile(r"[\s().\-‐-―/]+")
_BEGINNING = re.compile(r"\+[1-9][0-9]{0,13}\*", re.ASCII)
_SHORT = re.compile(r"[0-9]{3,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Blocked:
    """One line of the list. `pattern` is as `read_pattern` gives it; moments are aware.

    `added_by` is a login; with `until` the line counts only before that moment.
    """

    pattern: str
    reason: str
    added_by: str
    added_at: datetime
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Tell whether the line counts at an aware moment."""
        return self.until is None or at < self.until


@dataclass(frozen=True)
class Blocklist:
    """The lines, each pattern once. Finding costs the same however many there are."""

    lines: tuple[Blocked, ...] = ()

    @cached_property
    def _by_pattern(self) -> Mapping[str, Blocked]:
        return {line.pattern: line for line in self.lines}

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        """How long the beginnings are, longest first."""
        found = {len(line.pattern) - 1 for line in self.lines if line.pattern.endswith("*")}
        return tuple(sorted(found, reverse=True))

    def prepare(self) -> None:
        """Make the index now, so that no caller waits for it."""
        _ = self._by_pattern, self._lengths

    def find(self, number: str, at: datetime) -> Blocked | None:
        """Return the line that blocks a caller at an aware moment: the one that says most.

        `number` is E.164, or as it came where it is no public number; empty when it is hidden.
        """
        for pattern in self._patterns(number):
            line = self._by_pattern.get(pattern)
            if line is not None and line.holds(at):
                return line
        return None

    def _patterns(self, number: str) -> list[str]:
        return patterns_of(number, self._lengths)


def patterns_of(number: str, lengths: Iterable[int]) -> list[str]:
    """Return every pattern that would mean a number: itself, then beginnings of these lengths."""
    if not number:
        return [HIDDEN]
    return [number, *(f"{number[:n]}*" for n in lengths if n <= len(number))]


def read_pattern(text: str, country: str) -> str | None:
    """Return what was typed in the form it is kept in; None when it is no pattern.

    A number in any notation (see `numbers.normalise`) in E.164, a short number of 3 to 6 digits as
    it stands, `+` with the first digits of numbers and `*`, or `hidden`.
    """
    compact = _DECORATION.sub("", text)
    if compact.casefold() == HIDDEN:
        return HIDDEN
    if compact.endswith("*"):
        return compact if _BEGINNING.fullmatch(compact) else None
    whole = normalise(compact, country)
    if whole is None and _SHORT.fullmatch(compact):
        return compact
    return whole
