"""Ways to read an AMI stream: each takes the pieces of a stream and returns how many events it saw.

No network: the pieces are handed over as a socket would. Every reader hands its events to a
function that does nothing, so what is measured is reading alone.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

from asterisk.ami import AMIClient
from asterisk.ami.event import EventListener
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from telephony.ami.client import AmiAddress, _Protocol
from telephony.ami.client import AmiClient as OurClient
from telephony.ami.decode import Decoder
from telephony.domain.events import Event
from tests.bench.office import TOKEN

Reader = Callable[[Sequence[bytes]], int]
_GREETING = b"Asterisk Call Manager/11.0.0\r\n"


def _ignore(_event: Event, _arrived: float) -> None:
    """Do nothing."""


class _Transport:
    """What a protocol needs of a transport here."""

    def write(self, _data: bytes) -> None:
        """Drop it."""

    def abort(self) -> None:
        """Never happens."""

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""

    def close(self) -> None:
        """Nothing is open."""


def ours(pieces: Sequence[bytes]) -> int:
    """Dutyline: the client's framing and queue, and the strict decoder."""
    return asyncio.run(_ours(pieces))


async def _ours(pieces: Sequence[bytes]) -> int:
    decoder = Decoder(TOKEN)
    client = OurClient(AmiAddress("127.0.0.1", 1, "", ""), decoder, _ignore)
    protocol = _Protocol(client.decoder.counters)
    protocol.connection_made(_Transport())
    protocol.data_received(_GREETING)
    for piece in pieces:
        protocol.data_received(piece)
        protocol.wake.clear()
        await client._handle_all(protocol)
        protocol.resume_if_low()
    seen = decoder.counters
    if seen.malformed or seen.foreign or not seen.decoded:
        raise RuntimeError(f"a recording that the decoder does not believe: {seen}")
    return seen.decoded


def panoramisk(pieces: Sequence[bytes]) -> int:
    """Stock panoramisk: its protocol and its manager's dispatch to two patterns."""
    return asyncio.run(_panoramisk(pieces))


async def _panoramisk(pieces: Sequence[bytes]) -> int:
    manager = Manager(loop=asyncio.get_running_loop())
    seen = 0

    def ignore(_manager: Any, _message: Any) -> None:
        nonlocal seen
        seen += 1

    manager.register_event("Dial*", ignore)
    manager.register_event("Hangup", ignore)
    protocol = AMIProtocol()
    protocol.connection_made(_Transport())
    protocol.factory = manager
    protocol.encoding = manager.config["encoding"]
    for piece in pieces:
        protocol.data_received(piece)
    return seen


class _Socket:
    """A socket that delivers given pieces, then the end."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = iter((_GREETING, *pieces))

    def recv(self, _size: int) -> bytes:
        """Return the next piece."""
        return next(self._pieces, b"")

    def close(self) -> None:
        """Nothing is open."""


def asterisk_ami(pieces: Sequence[bytes]) -> int:
    """asterisk-ami: its listening loop, with two listeners."""
    client = AMIClient()
    seen = 0

    def ignore(**_event: Any) -> None:
        nonlocal seen
        seen += 1

    client.add_event_listener(EventListener(on_event=ignore, white_list=["DialBegin", "DialEnd"]))
    client.add_event_listener(EventListener(on_event=ignore, white_list=["Hangup"]))
    client.finished = threading.Event()
    client._socket = cast(Any, _Socket(pieces))
    client.listen()
    return seen


def split(pieces: Sequence[bytes]) -> int:
    """Splitting into packets alone: what no reader in Python can be faster than."""
    seen = 0
    rest = b""
    for piece in pieces:
        *packets, rest = (rest + piece).split(b"\r\n\r\n")
        seen += len(packets)
    return seen


READERS: dict[str, Reader] = {
    "panoramisk 1.4, stock": panoramisk,
    "asterisk-ami 0.1.7": asterisk_ami,
    "Dutyline": ours,
    "raw split": split,
}
