"""The rules of callbacks, in and out of a YAML file.

callbacks:
  preset: ru
  automatic: asked
  delay_seconds: 120
  quiet: {start: "22:00", end: "08:00", days: sat-sun, weekend_start: "20:00", weekend_end: "09:00"}
  spacing: {busy: 10}
  caps: {attempts: 4, number_day: 1}
  greetings: {ru: "@callback-ru", en: "@callback-en"}
  regions: [RU, KZ]
  types: [fixed_line, mobile]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import time
from typing import Any, TypeVar

import yaml

from telephony.configfile.mistakes import Mistake
from telephony.configfile.nodes import Entry
from telephony.configfile.sounds import SoundNodes
from telephony.configfile.texts import clock_text, days_text
from telephony.domain.callback.rules import (
    LIMITS,
    PRESETS,
    TYPES,
    Automatic,
    CallbackRules,
    Caps,
    First,
    QuietHours,
    Shown,
    Spacing,
)
from telephony.domain.numbers import is_country
from telephony.languages import heard

CALLBACKS = "callbacks"
PARTS = ("quiet", "spacing", "caps")

_USUAL = CallbackRules()
_CLOCKS = ("start", "end", "weekend_start", "weekend_end")
_NUMBERS = tuple(name for name in LIMITS if "." not in name)
_Numbers = TypeVar("_Numbers", Spacing, Caps)


class CallbackNodes(SoundNodes):
    """Reads the rules of callbacks."""

    def callbacks(self, node: yaml.Node | None) -> CallbackRules:
        """Return the rules; what is not there is as in the `preset`, else as usual."""
        if node is None:
            return _USUAL
        names = tuple(one.name for one in fields(CallbackRules))
        parts = self.mapping(node, CALLBACKS, (), ("preset", *names))
        usual = self._preset(parts.get("preset"))
        numbers = {
            key: self.number(parts.get(key), _at(key), getattr(usual, key), *LIMITS[key])
            for key in _NUMBERS
        }
        return replace(
            usual,
            automatic=self.one_of(
                parts.get("automatic"), _at("automatic"), Automatic, usual.automatic
            ),
            first=self.one_of(parts.get("first"), _at("first"), First, usual.first),
            shown=self.one_of(parts.get("shown"), _at("shown"), Shown, usual.shown),
            quiet=self._quiet(parts.get("quiet"), usual.quiet),
            spacing=self._numbers(parts.get("spacing"), "spacing", usual.spacing),
            caps=self._numbers(parts.get("caps"), "caps", usual.caps),
            client_key=self.yes(parts.get("client_key"), _at("client_key"), usual=usual.client_key),
            machine_detection=self.yes(
                parts.get("machine_detection"),
                _at("machine_detection"),
                usual=usual.machine_detection,
            ),
            greetings=self._greetings(parts.get("greetings")),
            regions=self._regions(parts.get("regions"), usual.regions),
            types=self._types(parts.get("types"), usual.types),
            **numbers,
        )

    def _preset(self, node: yaml.Node | None) -> CallbackRules:
        if node is None:
            return _USUAL
        name = self.text(node, _at("preset")).lower()
        if name not in PRESETS:
            self.wrong(node, _at("preset"), Mistake.ONE_OF, known=", ".join(PRESETS))
        return PRESETS.get(name, _USUAL)

    def _quiet(self, node: yaml.Node | None, usual: QuietHours) -> QuietHours:
        if node is None:
            return usual
        path = _at("quiet")
        parts = self.mapping(node, path, (), tuple(one.name for one in fields(QuietHours)))
        start, end, weekend_start, weekend_end = (
            self._quiet_clock(parts.get(key), f"{path}.{key}", getattr(usual, key))
            for key in _CLOCKS
        )
        days = self.days(parts["days"], f"{path}.days") if "days" in parts else usual.days
        return QuietHours(start, end, days, weekend_start, weekend_end)

    def _quiet_clock(self, node: yaml.Node | None, path: str, usual: time) -> time:
        if node is None:
            return usual
        value = self.text(node, path)
        found = self.clock(node, path, value) if value else None
        return usual if found is None else found

    def _numbers(self, node: yaml.Node | None, key: str, usual: _Numbers) -> _Numbers:
        if node is None:
            return usual
        names = tuple(one.name for one in fields(usual))
        parts = self.mapping(node, _at(key), (), names)
        return replace(
            usual,
            **{
                name: self.number(
                    parts.get(name),
                    _at(f"{key}.{name}"),
                    getattr(usual, name),
                    *LIMITS[f"{key}.{name}"],
                )
                for name in names
            },
        )

    def _greetings(self, node: yaml.Node | None) -> dict[str, str]:
        path = _at("greetings")
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, path, Mistake.NOT_KEYS)
            return {}
        found: dict[str, str] = {}
        keys = [str(key_node.value) for key_node, _ in node.value]
        played = heard(keys)
        for (key_node, value), language in zip(node.value, keys, strict=True):
            place = f"{path}.{language}"
            if not heard([language]):
                self.wrong(key_node, place, Mistake.LANGUAGE, language)
            elif language not in played:
                self.wrong(key_node, place, Mistake.UNHEARD, language)
            elif language in found:
                self.wrong(key_node, place, Mistake.TWICE, language)
            else:
                found[language] = self.sound(value, place)
        return found

    def _regions(self, node: yaml.Node | None, usual: tuple[str, ...]) -> tuple[str, ...]:
        found: list[str] = []
        for path, item in self.items(node, _at("regions")):
            region = self.text(item, path).upper()
            if region and not is_country(region):
                self.wrong(item, path, Mistake.CALLED_COUNTRY)
            elif region in found:
                self.wrong(item, path, Mistake.TWICE, region)
            found.append(region)
        return usual if node is None else tuple(found)

    def _types(self, node: yaml.Node | None, usual: tuple[str, ...]) -> tuple[str, ...]:
        if node is None:
            return usual
        found: list[str] = []
        items = self.items(node, _at("types"))
        for path, item in items:
            kind = self.text(item, path)
            if kind and kind not in TYPES:
                self.wrong(item, path, Mistake.ONE_OF, known=", ".join(TYPES))
            elif kind in found:
                self.wrong(item, path, Mistake.TWICE, kind)
            found.append(kind)
        if isinstance(node, yaml.SequenceNode) and not items:
            self.wrong(node, _at("types"), Mistake.MISSING)
        return tuple(found)


def callbacks_entry(rules: CallbackRules, usual: CallbackRules | None = _USUAL) -> Entry:
    """Return the rules; what has its usual value is left out, nothing when `usual` is None."""
    entry: Entry = {}
    for one in fields(rules):
        value = getattr(rules, one.name)
        before = getattr(usual, one.name) if usual is not None else None
        if one.name in PARTS:
            written = {
                name: text
                for name, text in _part(value).items()
                if before is None or text != _part(before)[name]
            }
            if written:
                entry[one.name] = written
        elif before is None or value != before:
            entry[one.name] = _written(value)
    return entry


def _part(part: QuietHours | Spacing | Caps) -> Entry:
    return {one.name: _written(getattr(part, one.name)) for one in fields(part)}


def _written(value: Any) -> Any:
    if isinstance(value, time):
        return clock_text(value)
    if isinstance(value, frozenset):
        return days_text(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _at(key: str) -> str:
    return f"{CALLBACKS}.{key}"
