"""Audio of a phone: A-law silence out, and DTMF events both ways (RFC 3550, RFC 4733)."""

import asyncio
import random
import struct
import time
from typing import cast

from tests.lab.sip import Media

_KEYS = "0123456789*#ABCD"
_SAMPLES = 160  # 20 ms at 8000 Hz
_PACKET = 0.02
_SILENCE = {8: b"\xd5" * _SAMPLES, 0: b"\xff" * _SAMPLES}


class RtpStream(asyncio.DatagramProtocol):
    """One audio socket on `host`; `digits` are the DTMF keys received so far.

    `silent_run` counts the packets of pure silence received in a row: all phones of the lab send
    that and Asterisk's prompts do not, so a run tells that two phones are bridged.
    """

    def __init__(self, host: str) -> None:
        """Nothing is opened yet."""
        self.host = host
        self.port = 0
        self.digits = ""
        self.received = 0
        self.silent_run = 0
        self.noisy = False  # send noise instead of silence, as somebody talking
        self._remote: Media | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._sender: asyncio.Task[None] | None = None
        self._pressing = asyncio.Lock()
        self._sequence = random.getrandbits(15)
        self._stamp = random.getrandbits(31)
        self._source = random.getrandbits(32)
        self._last_event: tuple[int, int] | None = None

    async def open(self) -> None:
        """Bind the socket; `port` is set afterwards."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, 0))

    def close(self) -> None:
        """Stop sending and close the socket."""
        if self._sender is not None:
            self._sender.cancel()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the socket."""
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = int(transport.get_extra_info("sockname")[1])

    def connect(self, remote: Media) -> None:
        """Send to `remote` from now on, silence unless a key is pressed."""
        self._remote = remote
        if self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._stream())

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        """Count audio and collect keys; a key is taken once, at the first packet of its event."""
        if len(data) < 12:
            return
        self.received += 1
        payload = data[1] & 0x7F
        if self._remote is not None and payload == self._remote.events and len(data) >= 16:
            event = (int.from_bytes(data[4:8]), data[12])
            if event != self._last_event and event[1] < len(_KEYS):
                self._last_event = event
                self.digits += _KEYS[event[1]]
        elif payload in _SILENCE:
            silent = data[12:].strip(_SILENCE[payload][:1]) == b""
            self.silent_run = self.silent_run + 1 if silent else 0

    async def press(self, keys: str, hold: float = 0.1, gap: float = 0.1) -> None:
        """Send `keys`, each held for `hold` seconds; returns when they are sent.

        Raises ValueError for a key that no phone has, RuntimeError before `connect`.
        """
        codes = [_KEYS.index(key) for key in keys]
        if self._remote is None:
            raise RuntimeError("no audio yet: the call is not answered")
        for code in codes:
            async with self._pressing:
                await self._event(code, max(2, round(hold / _PACKET)))
            await asyncio.sleep(gap)

    async def _event(self, code: int, packets: int) -> None:
        """Send one key: its timestamp stays, its duration grows, the end is sent three times."""
        self._stamp += _SAMPLES
        assert self._remote is not None
        for number in range(1, packets + 3):
            last = number >= packets
            duration = min(number, packets) * _SAMPLES
            body = struct.pack(">BBH", code, (0x80 if last else 0) | 10, duration)
            self._send(self._remote.events, body, marker=number == 1)
            if not last:
                await asyncio.sleep(_PACKET)
        self._stamp += packets * _SAMPLES

    async def _stream(self) -> None:
        """Send silence every 20 ms, catching up when the loop was late."""
        due = time.monotonic()
        while True:
            assert self._remote is not None
            payload = self._remote.payloads[0] if self._remote.payloads else 8
            if not self._pressing.locked() and self._remote.mode in ("sendrecv", "recvonly"):
                self._stamp += _SAMPLES
                self._send(payload, random.randbytes(_SAMPLES) if self.noisy else _SILENCE[payload])
            due = max(due + _PACKET, time.monotonic() - 0.2)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _send(self, payload: int, body: bytes, *, marker: bool = False) -> None:
        """Send one packet."""
        if self._remote is None or self._transport is None or self._transport.is_closing():
            return
        self._sequence = (self._sequence + 1) & 0xFFFF
        head = struct.pack(
            ">BBHII",
            0x80,
            payload | (0x80 if marker else 0),
            self._sequence,
            self._stamp & 0xFFFFFFFF,
            self._source,
        )
        self._transport.sendto(head + body, (self._remote.host, self._remote.port))
