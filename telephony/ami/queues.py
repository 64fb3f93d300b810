"""The members of the PBX's queues, read as strictly as the list of channels.

The answer to `QueueStatus` also tells of callers who wait, and prints their numbers raw. Nothing
of those is taken: a member counts only in the exact form of a member, which no number has room for.
"""

from __future__ import annotations

import re

from telephony.ami.listing import AnswerList

_TEXT = rb"[^\r\n\0]*"
_ITEM = re.compile(
    rb"Event: QueueMember\r\nQueue: (?P<queue>[!-~ ]{1,80})\r\nName: "
    + _TEXT
    + rb"\r\nLocation: [!-~]{1,120}\r\nStateInterface: (?P<device>[!-~]{1,120})\r\n"
    rb"(?:(?:Membership|Penalty|CallsTaken|LastCall|LastPause|LoginTime|InCall|Status): "
    + _TEXT
    + rb"\r\n){4,8}Paused: (?P<paused>[01])\r\n(?:(?:PausedReason|Wrapuptime): ?"
    + _TEXT
    + rb"\r\n){0,2}ActionID: (?P<actionid>[0-9a-f]{24})"
)


class QueueListing(AnswerList):
    """The answer to one QueueStatus action."""

    ITEMS = (b"Event: QueueMember\r\n", b"Event: QueueParams\r\n", b"Event: QueueEntry\r\n")
    COMPLETE = b"QueueStatusComplete"

    def members(self) -> dict[tuple[str, str], bool]:
        """Return (queue, the member's state interface) → whether it is paused."""
        found: dict[tuple[str, str], bool] = {}
        for packet in self.packets:
            match = _ITEM.fullmatch(packet)
            if match is not None and match["actionid"] == self.action_id.encode():
                key = (match["queue"].decode(), match["device"].decode())
                found.setdefault(key, match["paused"] == b"1")
        return found
