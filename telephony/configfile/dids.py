"""DIDs and their rules, in and out of a YAML file.

dids:
  - number: "74951234567"
    group: sales
    title: Sales
    hours: office
    greeting: "@welcome"
    last_operator_days: 14
    vip_always: true
    overflow: support
    menu: {announcement: "@menu", seconds: 5, tries: 2, choices: {"1": sales, "2": support}}
    closed: {action: voicemail, announcement: "@closed", mailbox: "1"}
    unanswered: {action: number, number: "+79990001122", trunk: city, seconds: 40}
    steps:
      manager_desk: {seconds: 15, announcement: "@wait"}
      duty: {strategy: in_turn}
      manager_mobile: {enabled: false}
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import yaml

from telephony.configfile.mistakes import Mistake
from telephony.configfile.nodes import Entry
from telephony.configfile.pbx import MAILBOX
from telephony.configfile.sounds import SoundNodes
from telephony.domain.did import Action, ActionKind, Did, Menu, StepName, StepRule, Strategy
from telephony.domain.lasttalk import MOST_DAYS
from telephony.domain.numbers import DIALLABLE, digits, is_dialled, is_template, normalise
from telephony.domain.setup import Trunk

SECONDS = ("desk_seconds", "mobile_seconds", "duty_seconds")

_KEY = re.compile(r"[0-9]", re.ASCII)
_USUAL = Did("", "")
_QUEUE_STEPS = (StepName.QUEUE, StepName.OVERFLOW_QUEUE)
_LONGEST_RING, _LONGEST_WAIT = 300, 7200


@dataclass(frozen=True, slots=True)
class Names:
    """What a DID may refer to, by name."""

    groups: Iterable[str]
    hours: Iterable[str]
    trunks: Mapping[str, Trunk]
    mailboxes: Collection[str]


class DidNodes(SoundNodes):
    """Reads DIDs. `country` is that of numbers without `+`."""

    country: str

    def dids(self, node: yaml.Node | None, names: Names) -> dict[str, Did]:
        """Return the DIDs by number."""
        found: dict[str, Did] = {}
        for path, item in self.items(node, "dids"):
            did = self._did(path, item, names)
            if did.number and did.number in found:
                self.wrong(item, f"{path}.number", Mistake.TWICE, did.number)
            found.setdefault(did.number, did)
        return found

    def _did(self, path: str, node: yaml.Node, names: Names) -> Did:
        optional = ("title", *SECONDS, "hours", "greeting", "last_operator_days", "vip_always",
                    "overflow", "menu", "closed", "unanswered", "steps")  # fmt: skip
        parts = self.mapping(node, path, ("number", "group"), optional)
        # The dialplan tells DIDs by their digits alone.
        written = self.matching(parts.get("number"), f"{path}.number", DIALLABLE, Mistake.DID)
        group = self.known(parts.get("group"), f"{path}.group", names.groups, Mistake.NO_GROUP)
        desk, mobile, duty = (
            self.seconds(parts.get(kind), f"{path}.{kind}", getattr(_USUAL, kind))
            for kind in SECONDS
        )
        overflow = self.known(
            parts.get("overflow"), f"{path}.overflow", names.groups, Mistake.NO_GROUP
        )
        if overflow is not None and overflow == group:
            self.wrong(parts["overflow"], f"{path}.overflow", Mistake.OTHER_GROUP)
        return Did(
            digits(written),
            group or "",
            self.text(parts.get("title"), f"{path}.title", shortest=0),
            desk,
            mobile,
            duty,
            self.known(parts.get("hours"), f"{path}.hours", names.hours, Mistake.NO_HOURS),
            self.sound(parts.get("greeting"), f"{path}.greeting"),
            self.number(
                parts.get("last_operator_days"), f"{path}.last_operator_days", 0, 0, MOST_DAYS
            ),
            self.yes(parts.get("vip_always"), f"{path}.vip_always", usual=False),
            overflow,
            self._action(parts.get("closed"), f"{path}.closed", _USUAL.closed, names),
            self._action(parts.get("unanswered"), f"{path}.unanswered", _USUAL.unanswered, names),
            self._menu(parts.get("menu"), f"{path}.menu", names),
            self._steps(parts.get("steps"), f"{path}.steps"),
        )

    def _action(self, node: yaml.Node | None, path: str, usual: Action, names: Names) -> Action:
        if node is None:
            return usual
        optional = ("announcement", "mailbox", "number", "trunk", "seconds")
        parts = self.mapping(node, path, ("action",), optional)
        kind = self.one_of(parts.get("action"), f"{path}.action", ActionKind, usual.kind)
        value = ""
        needed = {ActionKind.VOICEMAIL: "mailbox", ActionKind.NUMBER: "number"}.get(kind)
        if needed is not None and needed not in parts:
            place = f"{path}.{needed}"
            self.wrong(node, place, Mistake.MISSING_BESIDE, "", other=f"action {kind}")
        elif needed == "mailbox":
            place = f"{path}.mailbox"
            value = self.matching(parts["mailbox"], place, MAILBOX, Mistake.MAILBOX)
            # Where none are set up the PBX has its own, as FreePBX has those of its extensions.
            if names.mailboxes and MAILBOX.fullmatch(value) and value not in names.mailboxes:
                self.wrong(parts["mailbox"], place, Mistake.NO_MAILBOX)
        elif needed == "number":
            raw = self.text(parts["number"], f"{path}.number")
            value = normalise(raw, self.country) or ""
            if raw and not value:
                self.wrong(parts["number"], f"{path}.number", Mistake.MOBILE)
        trunk = self.known(parts.get("trunk"), f"{path}.trunk", names.trunks, Mistake.NO_TRUNK)
        seconds = self.seconds(parts.get("seconds"), f"{path}.seconds", usual.seconds)
        number = kind is ActionKind.NUMBER
        template = names.trunks[trunk].template if trunk and trunk in names.trunks else ""
        if number and value and is_template(template) and not is_dialled(value, template):
            self.wrong(parts["number"], f"{path}.number", Mistake.NO_COUNTRY)
        return Action(
            kind,
            self.sound(parts.get("announcement"), f"{path}.announcement"),
            value,
            trunk if number else None,
            seconds if number else usual.seconds,
        )

    def _menu(self, node: yaml.Node | None, path: str, names: Names) -> Menu | None:
        if node is None:
            return None
        parts = self.mapping(node, path, ("announcement", "choices"), ("seconds", "tries"))
        choices: dict[str, str] = {}
        place = f"{path}.choices"
        given = parts.get("choices")
        if isinstance(given, yaml.MappingNode):
            for key_node, group_node in given.value:
                key = str(key_node.value)
                if not _KEY.fullmatch(key):
                    self.wrong(key_node, f"{place}.{key}", Mistake.KEY, key)
                elif key in choices:
                    self.wrong(key_node, f"{place}.{key}", Mistake.TWICE, key)
                where = f"{place}.{key}"
                choices[key] = self.known(group_node, where, names.groups, Mistake.NO_GROUP) or ""
            if not choices:
                self.wrong(given, place, Mistake.MISSING)
        elif given is not None:
            self.wrong(given, place, Mistake.NOT_KEYS)
        seconds = self.number(parts.get("seconds"), f"{path}.seconds", 5, 1, 30)
        tries = self.number(parts.get("tries"), f"{path}.tries", 2, 1, 5)
        return Menu(
            self.sound(parts.get("announcement"), f"{path}.announcement"), choices, seconds, tries
        )

    def _steps(self, node: yaml.Node | None, path: str) -> dict[StepName, StepRule]:
        if node is None:
            return {}
        found: dict[StepName, StepRule] = {}
        each = self.mapping(node, path, (), [name.value for name in StepName])
        for key, item in each.items():
            place, name = f"{path}.{key}", StepName(key)
            parts = self.mapping(
                item, place, (), ("enabled", "seconds", "strategy", "announcement")
            )
            longest = _LONGEST_WAIT if name in _QUEUE_STEPS else _LONGEST_RING
            seconds = None
            if "seconds" in parts:
                seconds = self.number(parts["seconds"], f"{place}.seconds", 20, 1, longest)
            found[name] = StepRule(
                self.yes(parts.get("enabled"), f"{place}.enabled", usual=True),
                seconds,
                self.one_of(parts.get("strategy"), f"{place}.strategy", Strategy, Strategy.ALL),
                self.sound(parts.get("announcement"), f"{place}.announcement"),
            )
        return found


def did_entry(each: Did) -> Entry:
    """Return a DID; what has its usual value is left out."""
    entry: Entry = {"number": each.number, "group": each.group}
    for key in ("title", *SECONDS, "hours", "greeting", "last_operator_days", "overflow"):
        value = getattr(each, key)
        if value != getattr(_USUAL, key):
            entry[key] = str(value)
    if each.vip_always:
        entry["vip_always"] = "true"
    if each.menu is not None:
        entry["menu"] = _menu_entry(each.menu)
    for key in ("closed", "unanswered"):
        action = getattr(each, key)
        if action != getattr(_USUAL, key):
            entry[key] = _action_entry(action)
    if each.steps:
        entry["steps"] = {name.value: _step_entry(one) for name, one in each.steps.items()}
    return entry


def _menu_entry(menu: Menu) -> Entry:
    return {
        "announcement": menu.announcement,
        "choices": dict(menu.choices),
        "seconds": str(menu.seconds),
        "tries": str(menu.tries),
    }


def _action_entry(action: Action) -> Entry:
    entry: Entry = {"action": action.kind.value}
    if action.announcement:
        entry["announcement"] = action.announcement
    if action.kind is ActionKind.VOICEMAIL:
        entry["mailbox"] = action.value
    if action.kind is ActionKind.NUMBER:
        entry["number"] = action.value
        if action.trunk is not None:
            entry["trunk"] = action.trunk
        entry["seconds"] = str(action.seconds)
    return entry


def _step_entry(rule: StepRule) -> Entry:
    entry: Entry = {} if rule.enabled else {"enabled": "false"}
    if rule.seconds is not None:
        entry["seconds"] = str(rule.seconds)
    if rule.strategy is not Strategy.ALL:
        entry["strategy"] = rule.strategy.value
    if rule.announcement:
        entry["announcement"] = rule.announcement
    return entry
