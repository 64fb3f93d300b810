"""Calls that Dutyline orders from the PBX: their ids, and how the channel's name tells them.

An order is a Local channel: its second half dials the party that is called first, its first half,
once that one has accepted, goes on to the other. Everything about an order stands in names that
Asterisk repeats in each event, so a listener that was started in mid-call knows it too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Dials an operator first, then the client; or the client first, who is routed like a caller.
OPERATOR_FIRST, CLIENT_FIRST = "dutyline-order", "dutyline-recall"
# Who is on the line is told by so many last digits: they are alike in every notation of a number.
LINE_DIGITS = 7
# The stages that the dialplan tells of: whoever was called first accepted; it would not dial, and
# why; how the dialling of the client ended, in Asterisk's word.
ACCEPTED, REFUSED, DIALLED = STAGES = ("accepted", "refused", "dialled")
_NEAR, _FAR = "dutyline-order", "dutyline-order2"
_ID = re.compile(rf"{_NEAR}-([0-9]{{9,11}})\.([0-9]{{1,12}})", re.ASCII)
_CHANNEL = re.compile(
    rf"Local/([0-9]{{2,10}}|)\*([0-9]{{3,15}})\*([0-9]{{0,15}})"
    rf"@({OPERATOR_FIRST}|{CLIENT_FIRST})-[0-9a-f]{{8,}};([12])",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Order:
    """What is ordered: `operator` is called first, None for an order that calls the client first.

    `number` is the client's in E.164, `did` the number of ours that the client is shown or would
    have called, empty for none.
    """

    operator: str | None
    number: str
    did: str = ""

    @property
    def channel(self) -> str:
        """The Local channel that carries it out, as Originate wants it."""
        context = CLIENT_FIRST if self.operator is None else OPERATOR_FIRST
        return f"Local/{self.operator or ''}*{self.number[1:]}*{self.did}@{context}/n"


@dataclass(frozen=True, slots=True)
class Placing:
    """An order with all that the PBX is told of it; lines are numbers, with `@trunk` where one is.

    `uniqueids` are those of `channel_ids`. `until` is the PBX's clock in seconds at which it comes
    too late, `client_until` that at which an operator has accepted too late. `desk` is the
    operator's endpoint, or empty when `mobile` is called. `line` is the client's number as it is
    dialled. `greeting` is a sound's name as Asterisk knows it.
    """

    order: Order
    uniqueids: tuple[str, str]
    until: int
    client_until: int
    desk: str = ""
    mobile: str = ""
    line: str = ""
    shown: str = ""
    operator_seconds: int = 20
    client_seconds: int = 40
    longest_minutes: int = 60
    name: str = ""
    language: str = ""
    greeting: str = ""
    client_key: bool = False
    machine_detection: bool = False


def order_of(channel: str) -> Order | None:
    """Return the order that either half of a Local channel belongs to, None for any other one."""
    match = _CHANNEL.fullmatch(channel)
    if match is None:
        return None
    return Order(match[1] or None, f"+{match[2]}", match[3])


def dials_first(channel: str) -> bool:
    """Tell whether this channel is the half that dials the party that is called first."""
    match = _CHANNEL.fullmatch(channel)
    return match is not None and match[5] == "2"


def channel_ids(attempt: int, epoch: int) -> tuple[str, str]:
    """Return the Uniqueids of the halves of an attempt's channel; `epoch` in whole seconds."""
    return f"{_NEAR}-{epoch}.{attempt}", f"{_FAR}-{epoch}.{attempt}"


def attempt_of(call_id: str) -> int | None:
    """Return the attempt that a call was ordered by, None for a call that nobody ordered."""
    match = _ID.fullmatch(call_id)
    return int(match[2]) if match else None
