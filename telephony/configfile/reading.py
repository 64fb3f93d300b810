"""A set-up out of a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time

import yaml

from telephony.configfile.nodes import ConfigError, Nodes
from telephony.domain.duty import Roster, Shift
from telephony.domain.numbers import DIALLABLE, ENDPOINT, digits, normalise
from telephony.domain.setup import Did, Group, Operator, Setup


def read_config(text: str, country: str = "") -> tuple[Setup, list[ConfigError]]:
    """Return what the file sets up, and everything that is wrong in it.

    With errors the set-up is partial and must not be applied. `country` (ISO 3166 alpha-2) is
    that of mobile numbers without `+`; without it they need the plus.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        return Setup(), [ConfigError(line, "", "", f"this is not YAML: {error.problem}")]
    except (yaml.YAMLError, RecursionError) as error:
        return Setup(), [ConfigError(1, "", "", f"this is not YAML: {error}")]
    reader = _File(country)
    if node is None:
        return Setup(), [ConfigError(1, "", "", "the file is empty")]
    return reader.setup(node), sorted(reader.errors, key=lambda error: error.line)


class _File(Nodes):
    """Walks the nodes of a file from the top."""

    def __init__(self, country: str) -> None:
        super().__init__()
        self.country = country

    def setup(self, node: yaml.Node) -> Setup:
        parts = self.mapping(node, "", ("operators", "groups", "dids"))
        operators = self.operators(parts.get("operators"))
        groups, default = self.groups(parts.get("groups"), operators)
        return Setup(operators, groups, self.dids(parts.get("dids"), groups), default)

    def operators(self, node: yaml.Node | None) -> dict[str, Operator]:
        found: dict[str, Operator] = {}
        endpoints: dict[str, str] = {}
        deputies: dict[str, tuple[str, yaml.Node]] = {}
        for path, item in self.items(node, "operators"):
            parts = self.mapping(
                item, path, ("extension", "name"), ("endpoint", "mobile", "deputy")
            )
            extension = self.extension(parts.get("extension"), f"{path}.extension")
            endpoint = extension
            if "endpoint" in parts:
                form = "must be a PJSIP endpoint: letters, digits, _ . -"
                endpoint = self.matching(parts["endpoint"], f"{path}.endpoint", ENDPOINT, form)
            mobile = None
            if "mobile" in parts:
                raw = self.text(parts["mobile"], f"{path}.mobile")
                mobile = normalise(raw, self.country)
                if mobile is None:
                    form = "must be a phone number such as +79001112233"
                    self.wrong(parts["mobile"], f"{path}.mobile", form)
            if "deputy" in parts:
                deputies.setdefault(extension, (f"{path}.deputy", parts["deputy"]))
            name = self.text(parts.get("name"), f"{path}.name")
            if extension and extension in found:
                self.wrong(item, f"{path}.extension", "occurs twice", extension)
            if endpoint and endpoint in endpoints:
                reason = f"is the endpoint of {endpoints[endpoint]} too"
                self.wrong(parts.get("endpoint", item), f"{path}.endpoint", reason, endpoint)
            endpoints.setdefault(endpoint, extension)
            found.setdefault(extension, Operator(extension, name, endpoint, mobile))
        for extension, (path, place) in deputies.items():
            deputy = self.known(place, path, found, "the extension of an operator")
            if deputy == extension:
                self.wrong(place, path, "must be somebody else")
            found[extension] = replace(found[extension], deputy=deputy)
        return found

    def groups(
        self, node: yaml.Node | None, operators: Mapping[str, Operator]
    ) -> tuple[dict[str, Group], str | None]:
        found: dict[str, Group] = {}
        default: str | None = None
        for path, item in self.items(node, "groups"):
            parts = self.mapping(item, path, ("name", "zone"), ("default", "shifts"))
            name = self.text(parts.get("name"), f"{path}.name", 40)
            if name and name in found:
                self.wrong(item, f"{path}.name", "occurs twice", name)
            if "default" in parts:
                word = self.text(parts["default"], f"{path}.default").lower()
                if word not in ("true", "false", "yes", "no"):
                    self.wrong(parts["default"], f"{path}.default", "must be true or false")
                if word in ("true", "yes"):
                    if default is not None:
                        reason = f"only one group may be it; {default} is"
                        self.wrong(parts["default"], f"{path}.default", reason)
                    default = default or name
            zone = self.zone(parts.get("zone"), f"{path}.zone")
            shifts = [
                self.shift(place, shift, operators)
                for place, shift in self.items(parts.get("shifts"), f"{path}.shifts")
            ]
            known = tuple(shift for shift in shifts if shift is not None)
            found.setdefault(name, Group(name, Roster(zone, known)))
        return found, default

    def shift(self, path: str, node: yaml.Node, operators: Mapping[str, Operator]) -> Shift | None:
        parts = self.mapping(node, path, ("operator", "days", "start", "end"), ("lunch",))
        what = "the extension of an operator"
        operator = self.known(parts.get("operator"), f"{path}.operator", operators, what)
        days = self.days(parts.get("days"), f"{path}.days")
        moments: list[time | None] = []
        for key in ("start", "end"):
            value = self.text(parts.get(key), f"{path}.{key}")
            if value:
                end = key == "end"
                moments.append(self.clock(parts[key], f"{path}.{key}", value, end=end))
        lunch = self.lunch(parts["lunch"], f"{path}.lunch") if "lunch" in parts else None
        if (
            operator is None
            or not days
            or len(moments) < 2
            or moments[0] is None
            or moments[1] is None
        ):
            return None
        start, end_time = moments[0], moments[1]
        if lunch and not _inside(lunch, start, end_time):
            self.wrong(parts["lunch"], f"{path}.lunch", "must lie within the shift")
        return Shift(operator, days, start, end_time, lunch)

    def lunch(self, node: yaml.Node, path: str) -> tuple[time, time] | None:
        first, dash, last = (part.strip() for part in self.text(node, path).partition("-"))
        if not dash:
            self.wrong(node, path, 'must be two times such as "13:00-14:00"')
            return None
        begin = self.clock(node, path, first)
        end = self.clock(node, path, last, end=True) if begin is not None else None
        return None if begin is None or end is None else (begin, end)

    def dids(self, node: yaml.Node | None, groups: Mapping[str, Group]) -> dict[str, Did]:
        found: dict[str, Did] = {}
        kinds = ("desk_seconds", "mobile_seconds", "duty_seconds")
        for path, item in self.items(node, "dids"):
            parts = self.mapping(item, path, ("number", "group"), ("title", *kinds))
            form = "must be the number as the trunk sends it: 3 to 15 digits, + allowed"
            # The dialplan tells DIDs by their digits alone.
            number = digits(self.matching(parts.get("number"), f"{path}.number", DIALLABLE, form))
            group = self.known(parts.get("group"), f"{path}.group", groups, "the name of a group")
            usual = Did(number, group or "")
            title = self.text(parts.get("title"), f"{path}.title", shortest=0)
            seconds = {
                kind: self.seconds(parts.get(kind), f"{path}.{kind}", getattr(usual, kind))
                for kind in kinds
            }
            if number and number in found:
                self.wrong(item, f"{path}.number", "occurs twice", number)
            found.setdefault(number, Did(number, group or "", title, **seconds))
        return found


def _inside(lunch: tuple[time, time], start: time, end: time) -> bool:
    """Tell whether a lunch lies within a shift; both may pass midnight."""
    begin, stop, shift_end = (
        (each.hour * 60 + each.minute - start.hour * 60 - start.minute) % 1440
        for each in (*lunch, end)
    )
    return begin < (stop or 1440) <= (shift_end or 1440)
