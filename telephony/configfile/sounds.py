"""Sounds that the rules of a file name."""

from __future__ import annotations

from collections.abc import Collection

import yaml

from telephony.configfile.mistakes import Mistake
from telephony.configfile.nodes import Nodes
from telephony.domain.announcements import SOUND


class SoundNodes(Nodes):
    """Reads names of sounds.

    `announcements` are the names that a rule may give after `@`; None: whatever they are.
    """

    announcements: Collection[str] | None

    def sound(self, node: yaml.Node | None, path: str) -> str:
        """Return a sound, empty without a node."""
        if node is None:
            return ""
        sound = self.matching(node, path, SOUND, Mistake.SOUND)
        name = sound[1:] if sound.startswith("@") and SOUND.fullmatch(sound) else None
        if name and self.announcements is not None and name not in self.announcements:
            self.wrong(node, path, Mistake.NO_ANNOUNCEMENT)
        return sound
