"""The members of the PBX's queues, read as strictly as the list of channels.

The answer to `QueueStatus` also tells of callers who wait, and prints their numbers raw. Nothing
of those is taken: a member counts only in the exact form of a member, which no number has room for.
"""

from __future__ import annotations

import re

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
# Why a member is paused of which nothing else is known.
UNTOLD = "paused"


class QueueListing(AnswerList):
    """The answer to one QueueStatus action."""

    ITEMS = (b"Event: QueueMember\r\n", b"Event: QueueParams\r\n", b"Event: QueueEntry\r\n")
    COMPLETE = b"QueueStatusComplete"

    def members(self) -> dict[Key, Member]:
        """Return (queue, interface) → the member."""
        found: dict[Key, Member] = {}
        for packet in self.packets:
            match = _ITEM.fullmatch(packet)
            if match is not None and match["actionid"] == self.action_id.encode():
                reason = (match["reason"] or b"").decode("utf-8", "replace")
                member = Member(
                    int(match["penalty"]),
                    (reason or UNTOLD) if match["paused"] == b"1" else "",
                    match["device"].decode(),
                    match["membership"] != b"dynamic",
                )
                found.setdefault((match["queue"].decode(), match["interface"].decode()), member)
        return found
