"""A set-up out of a YAML file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import yaml

from telephony.configfile.callbacks import CallbackNodes
from telephony.configfile.dids import DidNodes, Names
from telephony.configfile.hours import HoursNodes
from telephony.configfile.mistakes import Mistake
from telephony.configfile.nodes import ConfigError
from telephony.configfile.pbx import MAILBOX, PbxNodes
from telephony.configfile.queues import QueueNodes
from telephony.configfile.rosters import KEYS, RosterNodes
from telephony.domain.hours import Hours
from telephony.domain.numbers import ENDPOINT, is_dialled, is_template, normalise
from telephony.domain.setup import Group, Operator, Setup, Trunk


def read_config(
    text: str, country: str = "", announcements: Collection[str] | None = None
) -> tuple[Setup, list[ConfigError]]:
    """Return what the file sets up, and everything that is wrong in it.

    With errors the set-up is partial and must not be applied. `country` (ISO 3166 alpha-2) is
    that of mobile numbers without `+`; without it they need the plus. `announcements` are those
    that rules may name; None: any.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        return Setup(), [_not_yaml(line, error.problem)]
    except (yaml.YAMLError, RecursionError) as error:
        return Setup(), [_not_yaml(1, error)]
    if node is None:
        return Setup(), [ConfigError(1, "", "", Mistake.EMPTY_FILE)]
    return _read(node, country, announcements)


def read_data(
    data: Any, country: str = "", announcements: Collection[str] | None = None
) -> tuple[Setup, list[ConfigError]]:
    """Return `read_config` of a file's plain data: mappings, lists and scalars.

    The errors have no line (0), their paths are those of the data.
    """
    try:
        node = yaml.representer.SafeRepresenter().represent_data(data)
    except (yaml.YAMLError, RecursionError) as error:
        return Setup(), [_not_yaml(0, error)]
    return _read(node, country, announcements)


def _read(
    node: yaml.Node, country: str, announcements: Collection[str] | None
) -> tuple[Setup, list[ConfigError]]:
    reader = _File(country, announcements)
    return reader.setup(node), sorted(reader.errors, key=lambda error: error.line)


def _not_yaml(line: int, problem: object) -> ConfigError:
    return ConfigError(line, "", "", Mistake.NOT_YAML, (("problem", str(problem)),))


class _File(RosterNodes, QueueNodes, HoursNodes, PbxNodes, DidNodes, CallbackNodes):
    """Walks the nodes of a file from the top."""

    def __init__(self, country: str, announcements: Collection[str] | None) -> None:
        super().__init__()
        self.country = country
        self.announcements = announcements

    def setup(self, node: yaml.Node) -> Setup:
        required, optional = (
            ("operators", "groups", "dids"),
            ("absences", "hours", "trunks", "mailboxes", "callbacks"),
        )
        parts = self.mapping(node, "", required, optional)
        trunks = self.trunks(parts.get("trunks"))
        hours = self.hours(parts.get("hours"))
        operators = self.operators(parts.get("operators"), trunks)
        groups, default = self.groups(parts.get("groups"), operators, hours)
        usual = groups[default] if default in groups else next(iter(groups.values()), None)
        zone = usual.roster.zone if usual else ""
        absences = self.absences(parts.get("absences"), operators, zone)
        groups = {
            name: replace(group, roster=replace(group.roster, absences=absences))
            for name, group in groups.items()
        }
        mailboxes = self.mailboxes(parts.get("mailboxes"))
        # A number that is wrong there is told there alone.
        boxes = mailboxes if all(map(MAILBOX.fullmatch, mailboxes)) else {}
        dids = self.dids(parts.get("dids"), Names(groups, hours, trunks, boxes))
        return Setup(
            operators,
            groups,
            dids,
            default,
            absences,
            hours=hours,
            trunks=trunks,
            mailboxes=mailboxes,
            callbacks=self.callbacks(parts.get("callbacks")),
        )

    def operators(self, node: yaml.Node | None, trunks: Mapping[str, Trunk]) -> dict[str, Operator]:
        found: dict[str, Operator] = {}
        endpoints: dict[str, str] = {}
        deputies: dict[str, tuple[str, yaml.Node]] = {}
        for path, item in self.items(node, "operators"):
            parts = self.mapping(
                item, path, ("extension", "name"), ("endpoint", "mobile", "deputy", "trunk")
            )
            extension = self.extension(parts.get("extension"), f"{path}.extension")
            endpoint = extension
            if "endpoint" in parts:
                where = f"{path}.endpoint"
                endpoint = self.matching(parts["endpoint"], where, ENDPOINT, Mistake.ENDPOINT)
            mobile = None
            if "mobile" in parts:
                raw = self.text(parts["mobile"], f"{path}.mobile")
                mobile = normalise(raw, self.country)
                if mobile is None:
                    self.wrong(parts["mobile"], f"{path}.mobile", Mistake.MOBILE)
            if "deputy" in parts:
                deputies.setdefault(extension, (f"{path}.deputy", parts["deputy"]))
            name = self.text(parts.get("name"), f"{path}.name")
            if extension and extension in found:
                self.wrong(item, f"{path}.extension", Mistake.TWICE, extension)
            if endpoint and endpoint in endpoints:
                self.wrong(
                    parts.get("endpoint", item),
                    f"{path}.endpoint",
                    Mistake.ENDPOINT_TAKEN,
                    endpoint,
                    extension=endpoints[endpoint],
                )
            endpoints.setdefault(endpoint, extension)
            trunk = self.known(parts.get("trunk"), f"{path}.trunk", trunks, Mistake.NO_TRUNK)
            template = trunks[trunk].template if trunk and trunk in trunks else ""
            if mobile and is_template(template) and not is_dialled(mobile, template):
                self.wrong(parts["mobile"], f"{path}.mobile", Mistake.NO_COUNTRY)
            operator = Operator(extension, name, endpoint, mobile, trunk=trunk)
            found.setdefault(extension, operator)
        for extension, (path, place) in deputies.items():
            deputy = self.known(place, path, found, Mistake.NO_OPERATOR)
            if deputy == extension:
                self.wrong(place, path, Mistake.SOMEBODY_ELSE)
            found[extension] = replace(found[extension], deputy=deputy)
        return found

    def groups(
        self,
        node: yaml.Node | None,
        operators: Mapping[str, Operator],
        hours: Mapping[str, Hours],
    ) -> tuple[dict[str, Group], str | None]:
        found: dict[str, Group] = {}
        queues: set[str] = set()
        default: str | None = None
        for path, item in self.items(node, "groups"):
            parts = self.mapping(item, path, ("name", "zone"), ("default", "queue", "hours", *KEYS))
            name = self.text(parts.get("name"), f"{path}.name", 40)
            if name and name in found:
                self.wrong(item, f"{path}.name", Mistake.TWICE, name)
            if self.yes(parts.get("default"), f"{path}.default", usual=False):
                if default is not None:
                    place = f"{path}.default"
                    self.wrong(parts["default"], place, Mistake.ONE_DEFAULT, group=default)
                default = default or name
            zone = self.zone(parts.get("zone"), f"{path}.zone")
            roster = self.roster(path, parts, zone, operators)
            queue = self.queue(f"{path}.queue", parts.get("queue"), queues)
            where = f"{path}.hours"
            opening = self.known(parts.get("hours"), where, hours, Mistake.NO_HOURS)
            found.setdefault(name, Group(name, roster, queue, opening))
        return found, default
