"""Recorded AMI streams as packets, events and calls."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from telephony.ami.decode import Decoder
from telephony.domain.board import Board
from telephony.domain.call import Call, fold
from telephony.domain.events import CallEvent, DeviceChanged, MemberChanged
from telephony.domain.record import CallRecord, Context, record

TOKEN = "test-token-0123456789"
ENDPOINTS = {name: name for name in ("101", "102", "103", "104")}
HERE = Path(__file__).parent


def packets(name: str) -> list[bytes]:
    """Return the packets of a recording (`answered.all`) without their blank lines."""
    return (HERE / f"{name}.ami").read_bytes().split(b"\r\n\r\n")[:-1]


def events_by_call(name: str, decoder: Decoder | None = None) -> dict[str, list[CallEvent]]:
    """Return the decoded events of each call, in the order of arrival."""
    decoder = decoder or Decoder(TOKEN)
    found: dict[str, list[CallEvent]] = {}
    for packet in packets(name):
        event = decoder.decode(packet)
        if event is not None and not isinstance(event, DeviceChanged | MemberChanged):
            found.setdefault(event.call, []).append(event)
    return found


def folded(call_id: str, events: list[CallEvent]) -> CallRecord:
    """Return the record that events add up to."""
    call = Call(call_id)
    for event in events:
        call = fold(call, event)
    return record(call, Context(endpoints=ENDPOINTS))


def events(name: str) -> list[CallEvent]:
    """Return the decoded events of a recording, in the order of arrival."""
    decoder = Decoder(TOKEN)
    decoded = (decoder.decode(packet) for packet in packets(name))
    return [
        event
        for event in decoded
        if event is not None and not isinstance(event, DeviceChanged | MemberChanged)
    ]


def together(given: Iterable[CallEvent]) -> list[CallRecord]:
    """Return the records of events of several calls, sorted out by the board."""
    board = Board(ENDPOINTS)
    for event in given:
        board.take(event)
    found = [record(call, Context(endpoints=ENDPOINTS)) for call in board.calls.values()]
    return sorted(found, key=lambda made: made.started_at)


def records(name: str) -> list[CallRecord]:
    """Return the records of a recording."""
    return [folded(call_id, events) for call_id, events in events_by_call(name).items()]
