"""The members of the PBX's queues, read as strictly as the list of channels.

The answer to `QueueStatus` also tells of callers who wait, and prints their numbers raw. Nothing
of those is taken: a member counts only in the exact form of a member, which no number has room for.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from telephony.ami.listing import AnswerList
from telephony.domain.membership import Key, Member

_TEXT = rb"[^\r\n\0]*"
_ITEM = re.compile(
    rb"Event: QueueMember\r\nQueue: (?P<queue>[!-~ ]{1,80})\r\nName: "
    + _TEXT
    + rb"\r\nLocation: (?P<interface>[!-~]{1,120})\r\nStateInterface: (?P<device>[!-~]{1,120})\r\n"
    rb"Membership: (?P<membership>[a-z]{1,20})\r\nPenalty: (?P<penalty>[0-9]{1,9})\r\n"
    rb"(?:(?:CallsTaken|LastCall|LastPause|LoginTime|InCall|Status): "
    + _TEXT
    + rb"\r\n){2,6}Paused: (?P<paused>[01])\r\n(?:PausedReason: ?(?P<reason>"
    + _TEXT
    + rb")\r\n)?(?:Wrapuptime: ?"
    + _TEXT
    + rb"\r\n)?ActionID: (?P<actionid>[0-9a-f]{24})"
)
_QUEUE = re.compile(
    rb"Event: QueueParams\r\nQueue: (?P<queue>[!-~ ]{1,80})\r\nMax: [0-9]{1,9}\r\n"
    rb"Strategy: [a-z]{1,20}\r\n(?:[A-Za-z0-9]{1,30}: [0-9.]{1,20}\r\n){0,12}"
    rb"ActionID: (?P<actionid>[0-9a-f]{24})"
)
# Why a member is paused of which nothing else is known.
UNTOLD = "paused"


class Queues(NamedTuple):
    """The queues that the PBX has, and their members by (queue, interface)."""

    names: frozenset[str]
    members: dict[Key, Member]


class QueueListing(AnswerList):
    """The answer to one QueueStatus action."""

    ITEMS = (b"Event: QueueMember\r\n", b"Event: QueueParams\r\n", b"Event: QueueEntry\r\n")
    COMPLETE = b"QueueStatusComplete"

    def queues(self) -> Queues:
        """Return what was listed."""
        names: set[str] = set()
        members: dict[Key, Member] = {}
        for packet in self.packets:
            match = _QUEUE.fullmatch(packet) or _ITEM.fullmatch(packet)
            if match is None or match["actionid"] != self.action_id.encode():
                continue
            queue = match["queue"].decode()
            if match.re is _QUEUE:
                names.add(queue)
                continue
            reason = (match["reason"] or b"").decode("utf-8", "replace")
            member = Member(
                int(match["penalty"]),
                (reason or UNTOLD) if match["paused"] == b"1" else "",
                match["device"].decode(),
                match["membership"] != b"dynamic",
            )
            members.setdefault((queue, match["interface"].decode()), member)
        return Queues(frozenset(names), members)
