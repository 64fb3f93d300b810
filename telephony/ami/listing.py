"""The list of all channels, read so strictly that no caller can forge it.

In a `Status` list the ActionID stands at an item's end, behind the caller's number, which Asterisk
prints raw: a number with line ends cuts its item in two, and whatever it writes itself is followed
by the genuine rest, ActionID included. So an item counts only in the exact form that Asterisk
writes, the end of the list only in its own, and the list is whole only when as many items were
read as its end says.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import ClassVar

from telephony.ami.names import CALL, CHANNEL_HEADERS, DID
from telephony.domain.channels import Channel

# Seconds since the epoch, with their fraction.
_BEGAN, _ANSWERED = "CDR(start,u)", "CDR(answer,u)"
VARIABLES = f"{CALL},{DID},{_BEGAN},{_ANSWERED}"

_ID = rb"(?:[A-Za-z0-9_.@ -]{1,60}-)?[0-9]{9,11}\.[0-9]{1,12}"
_VALUES = {
    "Channel": rb"[!-~]{1,120}",
    "ChannelState": rb"[0-9]{1,2}",
    "Uniqueid": _ID,
    "Linkedid": _ID,
}
_ITEM = re.compile(
    rb"Event: Status\r\nPrivilege: Call\r\n"
    + b"".join(
        b"%s: (?P<%s>%s)\r\n"
        % (name.encode(), name.lower().encode(), _VALUES.get(name, rb"[^\r\n\0]*"))
        for name in CHANNEL_HEADERS
    )
    + rb"(?P<rest>(?:[A-Za-z]+: ?[^\r\n\0]*\r\n)*?)"
    rb"Seconds: (?P<seconds>[0-9]{1,9})\r\n"
    rb"(?P<variables>(?:Variable: [^\r\n\0]*\r\n)*)"
    rb"ActionID: (?P<actionid>[0-9a-f]{24})"
)
_REST = re.compile(rb"([A-Za-z]+): ?([^\r\n\0]*)\r\n")
_START = re.compile(rb"Event: Status\r\nPrivilege: Call\r\nChannel: ([!-~]{1,120})\r\n")
_BRIDGE = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_OURS = re.compile(r"[A-Za-z0-9_.@ +-]{1,80}")
_UP = "6"


@dataclass(slots=True)
class AnswerList:
    """Gathers the answer to one action. `done` ends with whether the list was begun.

    `packets` is every packet that looks like an item, `end` is how many the PBX says there are.
    """

    ITEMS: ClassVar[tuple[bytes, ...]]
    COMPLETE: ClassVar[bytes]

    action_id: str
    done: asyncio.Future[bool]
    packets: list[bytes] = field(default_factory=list)
    end: int = -1

    def take(self, packet: bytes) -> bool:
        """Take a packet (without its blank line) when it is of this list; say whether it was."""
        if packet.startswith(self.ITEMS):
            self.packets.append(packet)
            return True
        mine = re.escape(self.action_id).encode()
        if re.match(rb"Response: [A-Za-z]+\r\nActionID: " + mine + rb"(?:\r\n|$)", packet):
            if not packet.startswith(b"Response: Success\r\n") and not self.done.done():
                self.done.set_result(False)
            return True
        ended = re.fullmatch(
            rb"Event: " + self.COMPLETE + rb"\r\nActionID: " + mine + rb"\r\n"
            rb"EventList: Complete\r\nListItems: ([0-9]{1,6})(?:\r\nItems: [0-9]{1,6})?",
            packet,
        )
        if ended and not self.done.done():
            self.end = int(ended[1])
            self.done.set_result(True)
        return bool(ended)


class Listing(AnswerList):
    """The answer to one Status action: the channels."""

    ITEMS = (b"Event: Status\r\n",)
    COMPLETE = b"StatusComplete"

    def channels(self) -> tuple[list[Channel], list[str], bool]:
        """Return the channels, the names of those that are in doubt, and whether it is whole."""
        found: dict[str, Channel] = {}
        doubtful: list[str] = []
        for packet in self.packets:
            channel = self._channel(packet)
            if channel is not None and channel.uniqueid not in found:
                found[channel.uniqueid] = channel
            elif start := _START.match(packet):
                doubtful.append(start[1].decode())
        whole = len(found) == len(self.packets) == self.end
        return list(found.values()), doubtful, whole

    def _channel(self, packet: bytes) -> Channel | None:
        """Return the channel of an item that is exactly what Asterisk writes, else None."""
        match = _ITEM.fullmatch(packet)
        if match is None or match["actionid"] != self.action_id.encode():
            return None
        rest = _REST.findall(match["rest"])
        values = dict(rest)
        known = {name.encode() for name in CHANNEL_HEADERS}
        known |= {b"Event", b"Privilege", b"Variable", b"Seconds", b"ActionID"}
        if len(values) != len(rest) or known & set(values):
            return None
        variables = dict(
            line.removeprefix("Variable: ").partition("=")[::2]
            for line in match["variables"].decode("utf-8", "replace").split("\r\n")
        )
        bridge = values.get(b"BridgeID", b"").decode("utf-8", "replace")
        return Channel(
            name=match["channel"].decode(),
            uniqueid=match["uniqueid"].decode(),
            linkedid=match["linkedid"].decode(),
            number=match["calleridnum"].decode("utf-8", "replace"),
            call=_ours(variables.get(CALL, "")),
            did=_ours(variables.get(DID, "")),
            bridge=bridge if _BRIDGE.fullmatch(bridge) else "",
            exten=_ours(values.get(b"DNID", b"").decode("utf-8", "replace")),
            data=values.get(b"Data", b"").decode("utf-8", "replace"),
            began_at=_microseconds(variables.get(_BEGAN, "")),
            answered_at=_microseconds(variables.get(_ANSWERED, "")),
            up=match["channelstate"].decode() == _UP,
            seconds=int(match["seconds"]),
        )


def _microseconds(text: str) -> int | None:
    """Return `seconds.microseconds` since the epoch in microseconds; None when there is none."""
    match = re.fullmatch(r"([0-9]{9,11})\.([0-9]{6})", text)
    return int(match[1]) * 1_000_000 + int(match[2]) if match and int(match[1]) else None


def _ours(text: str) -> str:
    """Return a variable's value; empty when it is not set."""
    return text if _OURS.fullmatch(text) else ""
