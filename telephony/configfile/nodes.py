"""Values out of YAML nodes, with every error's line and path.

Scalars are taken as they are written, before YAML makes numbers or base-60 times of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from telephony.configfile.mistakes import Mistake, say_mistake
from telephony.domain.numbers import EXTENSION

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SECONDS = (1, 300)
_LONGEST = 100
_Code = TypeVar("_Code", bound=StrEnum)

# What stands in a file, as plain data: an entry by its keys; by section a list of entries, or of
# `callbacks` one entry.
Entry = dict[str, Any]
Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ConfigError:
    """One thing wrong: the line (from 1), the place (`groups[0].shifts[2].days`), and why.

    `line` is 0 for what stands in no file. `value` is what stands there, `code` with its `values`
    says why it cannot be so.
    """

    line: int
    path: str
    value: str
    code: Mistake
    values: tuple[tuple[str, str], ...] = ()

    @property
    def reason(self) -> str:
        """Why it cannot be so, in English."""
        return self.words("en")

    def words(self, language: str) -> str:
        """Return why it cannot be so in `language` (en or ru)."""
        return say_mistake(self.code, dict(self.values), language)

    def __str__(self) -> str:
        """All of it in one line."""
        line = f"line {self.line}, " if self.line else ""
        value = f" {self.value!r}" if self.value else ""
        return f"{line}{self.path or 'file'}:{value} {self.reason}"


class Nodes:
    """Walks the nodes of a file; every method returns what it could make of its node."""

    def __init__(self) -> None:
        self.errors: list[ConfigError] = []

    def wrong(
        self,
        node: yaml.Node,
        path: str,
        code: Mistake,
        value: str | None = None,
        **values: str | int,
    ) -> None:
        """Note that what stands at `path` is wrong; `values` are those of the code's words."""
        if value is None:
            value = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        # Nodes made of plain data stand in no file.
        mark: yaml.Mark | None = node.start_mark
        about = tuple((name, str(each)) for name, each in values.items())
        line = mark.line + 1 if mark else 0
        self.errors.append(ConfigError(line, path, value, code, about))

    # Shapes

    def mapping(
        self, node: yaml.Node, path: str, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, yaml.Node]:
        """Return the nodes by key, without those that are null."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, path, Mistake.NOT_KEYS)
            return {}
        keys = (*required, *optional)
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = str(key_node.value)
            place = f"{path}.{key}" if path else key
            if key not in keys:
                self.wrong(key_node, place, Mistake.UNKNOWN_KEY, key, keys=", ".join(keys))
            elif key in found:
                self.wrong(key_node, place, Mistake.TWICE, key)
            elif value.tag != "tag:yaml.org,2002:null":
                found[key] = value
        for key in required:
            if key not in found:
                self.wrong(node, f"{path}.{key}" if path else key, Mistake.MISSING, "")
        return found

    def items(self, node: yaml.Node | None, path: str) -> list[tuple[str, yaml.Node]]:
        """Return (path, node) of a list's items."""
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, path, Mistake.NOT_LIST)
            return []
        return [(f"{path}[{place}]", item) for place, item in enumerate(node.value)]

    # Values

    def text(
        self, node: yaml.Node | None, path: str, longest: int = _LONGEST, shortest: int = 1
    ) -> str:
        """Return a scalar as it is written, without spaces around it; empty without a node."""
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, path, Mistake.NOT_ONE_VALUE)
            return ""
        value = str(node.value).strip()
        if not shortest <= len(value) <= longest:
            self.wrong(node, path, Mistake.LENGTH, low=shortest, high=longest)
        elif any(unicodedata.category(each) in ("Cc", "Cs") for each in value):
            self.wrong(node, path, Mistake.CONTROL)
        return value

    def matching(
        self, node: yaml.Node | None, path: str, form: re.Pattern[str], code: Mistake
    ) -> str:
        value = self.text(node, path)
        if node is not None and value and not form.fullmatch(value):
            self.wrong(node, path, code)
        return value

    def extension(self, node: yaml.Node | None, path: str) -> str:
        return self.matching(node, path, EXTENSION, Mistake.EXTENSION)

    def known(
        self, node: yaml.Node | None, path: str, those: Iterable[str], code: Mistake
    ) -> str | None:
        """Return a name out of `those`, None when there is no node."""
        if node is None:
            return None
        value = self.text(node, path)
        if value and value not in those:
            self.wrong(node, path, code)
        return value

    def seconds(self, node: yaml.Node | None, path: str, usual: int) -> int:
        if node is None:
            return usual
        value = self.text(node, path)
        low, high = _SECONDS
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            self.wrong(node, path, Mistake.SECONDS, low=low, high=high)
            return usual
        return int(value)

    def yes(self, node: yaml.Node | None, path: str, *, usual: bool) -> bool:
        """Return a yes or no, `usual` without a node."""
        if node is None:
            return usual
        word = self.text(node, path).lower()
        if word not in ("true", "false", "yes", "no"):
            self.wrong(node, path, Mistake.TRUE_OR_FALSE)
        return word in ("true", "yes")

    def one_of(self, node: yaml.Node | None, path: str, those: type[_Code], usual: _Code) -> _Code:
        """Return a word out of an enumeration, `usual` without a node."""
        if node is None:
            return usual
        word = self.text(node, path)
        known = [each.value for each in those]
        if word in known:
            return those(word)
        self.wrong(node, path, Mistake.ONE_OF, known=", ".join(known))
        return usual

    def span_of_day(
        self, node: yaml.Node, path: str, wrong: Mistake = Mistake.LUNCH
    ) -> tuple[time, time] | None:
        """Return two times of day such as `13:00-14:00`."""
        first, dash, last = (part.strip() for part in self.text(node, path).partition("-"))
        if not dash:
            self.wrong(node, path, wrong)
            return None
        begin = self.clock(node, path, first)
        stop = self.clock(node, path, last, end=True) if begin is not None else None
        return None if begin is None or stop is None else (begin, stop)

    def clock(self, node: yaml.Node, path: str, value: str, *, end: bool = False) -> time | None:
        if end and value == "24:00":
            return time(0)
        match = _TIME.fullmatch(value)
        if match is None:
            self.wrong(node, path, Mistake.TIME)
            return None
        return time(int(match[1]), int(match[2]))

    def day(self, node: yaml.Node | None, path: str) -> date | None:
        """Return a day such as 2026-12-24, None when there is none."""
        value = self.text(node, path) if node is not None else ""
        if not value or node is None:
            return None
        found = _day(value)
        if found is None:
            self.wrong(node, path, Mistake.DAY)
        return found

    def moment(self, node: yaml.Node | None, path: str, *, end: bool = False) -> datetime | None:
        """Return a local moment such as `2026-12-24 18:00`; a day alone is its beginning.

        Or its `end`: who is away from Monday to Friday is away all of Friday.
        """
        value = self.text(node, path) if node is not None else ""
        if not value or node is None:
            return None
        day, _, clock = value.replace("T", " ").partition(" ")
        found, match = _day(day), _TIME.fullmatch(clock.strip() or "0:00")
        whole = clock.strip() == "24:00" or (end and not clock)
        if found is None or (match is None and not whole):
            self.wrong(node, path, Mistake.MOMENT)
            return None
        at = datetime.combine(found, time(int(match[1]), int(match[2])) if match else time())
        return at + timedelta(days=1) if whole else at

    def number(
        self, node: yaml.Node | None, path: str, usual: int, lowest: int, highest: int
    ) -> int:
        if node is None:
            return usual
        value = self.text(node, path)
        if not (value.isascii() and value.isdigit() and lowest <= int(value) <= highest):
            self.wrong(node, path, Mistake.NUMBER, low=lowest, high=highest)
            return usual
        return int(value)

    def zone(self, node: yaml.Node | None, path: str) -> str:
        value = self.text(node, path)
        if node is not None and value:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                self.wrong(node, path, Mistake.ZONE)
        return value

    def days(self, node: yaml.Node | None, path: str) -> frozenset[int]:
        """Return ISO weekdays of `daily`, `mon-fri`, `mon,wed` or `fri-mon,wed`."""
        value = self.text(node, path).lower()
        found: set[int] = set()
        wrong = False
        for part in ("mon-sun" if value == "daily" else value).split(","):
            first, dash, last = (each.strip() for each in part.partition("-"))
            if first not in DAYS or (dash and last not in DAYS):
                wrong = True
                continue
            begin = DAYS.index(first)
            length = (DAYS.index(last) - begin) % 7 if dash else 0
            found |= {(begin + step) % 7 + 1 for step in range(length + 1)}
        if wrong and value and node is not None:
            self.wrong(node, path, Mistake.DAYS, known=", ".join(DAYS))
        return frozenset(found)


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if _DAY.fullmatch(value) else None
    except ValueError:
        return None
