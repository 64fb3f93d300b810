"""The queue of a group, in and out of a YAML file."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import yaml

from telephony.configfile.mistakes import Mistake
from telephony.configfile.nodes import Nodes
from telephony.domain.queueing import LIMITS, MUSIC_CLASS, QUEUE_NAME, QueueSettings, Strategy

_USUAL = QueueSettings("")


class QueueNodes(Nodes):
    """Reads the queues of groups."""

    def queue(self, path: str, node: yaml.Node | None, taken: set[str]) -> QueueSettings | None:
        """Return a group's queue, None when it has none; `taken` are the names so far."""
        if node is None:
            return None
        parts = self.mapping(node, path, ("name",), tuple(one.name for one in fields(_USUAL))[1:])
        name = self.matching(parts.get("name"), f"{path}.name", QUEUE_NAME, Mistake.QUEUE)
        if name and name in taken:
            self.wrong(parts["name"], f"{path}.name", Mistake.QUEUE_TAKEN, name)
        taken.add(name)
        strategy = self.one_of(parts.get("strategy"), f"{path}.strategy", Strategy, _USUAL.strategy)
        music = _USUAL.music
        if "music" in parts:
            music = self.matching(parts["music"], f"{path}.music", MUSIC_CLASS, Mistake.MUSIC)
        seconds = {
            key: self.number(parts.get(key), f"{path}.{key}", getattr(_USUAL, key), *limits)
            for key, limits in LIMITS.items()
        }
        position, wait, callback = (
            self.yes(parts.get(key), f"{path}.{key}", usual=getattr(_USUAL, key))
            for key in ("announce_position", "announce_wait", "callback")
        )
        return QueueSettings(
            name,
            strategy,
            seconds["ring_seconds"],
            seconds["wrapup_seconds"],
            seconds["max_wait_seconds"],
            music,
            position,
            wait,
            seconds["announce_seconds"],
            callback,
        )


def queue_entry(queue: QueueSettings) -> dict[str, Any]:
    """Return a queue; what has its usual value is left out."""
    values = {one.name: getattr(queue, one.name) for one in fields(queue)}
    return {
        key: str(value).lower()
        for key, value in values.items()
        if key == "name" or value != getattr(_USUAL, key)
    }
