"""What an admin decides about a group's queue: one of Dutyline's own in Asterisk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

# In front of the name of every queue of ours on the PBX; no other queue is ever touched.
PREFIX = "dutyline-"
QUEUE_NAME = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
MUSIC_CLASS = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


class Strategy(StrEnum):
    """Which free member of a queue rings next, in Asterisk's words."""

    RINGALL = "ringall"
    LEASTRECENT = "leastrecent"
    FEWESTCALLS = "fewestcalls"
    RRMEMORY = "rrmemory"
    RRORDERED = "rrordered"
    RANDOM = "random"
    WRANDOM = "wrandom"
    LINEAR = "linear"


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """A queue; all times in seconds.

    `ring_seconds` is one try at a member, `wrapup_seconds` the rest an operator gets after a call
    (0: none), `max_wait_seconds` how long a caller waits before the call's next step.
    `announce_seconds` is the pause between announcements of the place and of the expected wait,
    `music` a class of Asterisk's music on hold. With `callback` a caller may press 1 to be called
    back.
    """

    name: str
    strategy: Strategy = Strategy.RINGALL
    ring_seconds: int = 15
    wrapup_seconds: int = 10
    max_wait_seconds: int = 300
    music: str = "default"
    announce_position: bool = True
    announce_wait: bool = True
    announce_seconds: int = 45
    callback: bool = True

    @property
    def pbx_name(self) -> str:
        """Its name in Asterisk."""
        return PREFIX + self.name


# The lowest and the highest value of each time an admin enters, in seconds.
LIMITS = {
    "ring_seconds": (5, 120),
    "wrapup_seconds": (0, 600),
    "max_wait_seconds": (10, 7200),
    "announce_seconds": (15, 600),
}
