"""SIP over UDP: client and server transactions with their retransmissions (RFC 3261, 17)."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any, cast

from tests.lab import sip

T1 = 0.5  # s, first retransmission
T2 = 4.0  # s, longest pause between two
LIFE = 32.0  # s, how long a transaction lives


class _Client:
    """A request of ours that waits for its final response."""

    def __init__(self, on_provisional: Callable[[sip.Message], None] | None) -> None:
        self.final: asyncio.Future[sip.Message] = asyncio.get_running_loop().create_future()
        self.on_provisional = on_provisional
        self.heard = False


class SipSocket(asyncio.DatagramProtocol):
    """A UDP socket that speaks SIP with one server.

    `on_request` gets each new request once (ACKs too); retransmitted ones are answered here.
    """

    def __init__(self, server: tuple[str, int], on_request: Callable[[sip.Message], None]) -> None:
        """`server` is the only peer that is heard."""
        self.server = server
        self.host = ""
        self.port = 0
        self._on_request = on_request
        self._transport: asyncio.DatagramTransport | None = None
        self._clients: dict[tuple[str, str], _Client] = {}
        self._answers: dict[tuple[str, str], tuple[float, bytes | None]] = {}
        self._acks: dict[str, tuple[float, bytes]] = {}
        self._unacked: dict[tuple[str, int], asyncio.Event] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._next_forget = 0.0

    async def open(self, host: str, port: int = 0) -> None:
        """Bind; raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))

    def close(self) -> None:
        """Close the socket and drop everything under way."""
        for task in list(self._tasks):
            task.cancel()
        for client in self._clients.values():
            if not client.final.done():
                client.final.set_exception(ConnectionError("the phone was stopped"))
        if self._transport is not None:
            self._transport.close()

    @property
    def is_open(self) -> bool:
        """Whether it can send."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the socket and its address."""
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.host, self.port = transport.get_extra_info("sockname")[:2]

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside, until it ends or the socket is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def send(self, data: bytes) -> None:
        """Send a datagram to the server; a closed socket drops it."""
        if self._transport is not None and self.is_open:
            self._transport.sendto(data, self.server)

    def via(self, branch: str) -> str:
        """Return the Via of our requests."""
        return f"SIP/2.0/UDP {self.host}:{self.port};branch={branch};rport"

    # --- our requests

    async def request(
        self,
        data: bytes,
        on_provisional: Callable[[sip.Message], None] | None = None,
        timeout: float = LIFE,
    ) -> sip.Message:
        """Send a request until it is answered; return the final response.

        `timeout` (s) is for the first sign of life; an INVITE then waits as long as it takes.
        Raises TimeoutError, or ConnectionError when closed meanwhile. The caller sends the ACK of
        an INVITE, through `acknowledge`.
        """
        message = sip.parse(data)
        key = (message.branch, message.method)
        client = self._clients[key] = _Client(on_provisional)
        invite = message.method == "INVITE"
        deadline = time.monotonic() + timeout
        pause = T1
        try:
            while not client.final.done():
                if not (invite and client.heard):
                    self.send(data)
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"no answer to {message.method}")
                await asyncio.wait([client.final], timeout=pause)
                pause = min(pause * 2, T2)
            return client.final.result()
        finally:
            del self._clients[key]

    def acknowledge(self, branch: str, ack: bytes) -> None:
        """Send the ACK of an INVITE's final response, and again whenever that comes again."""
        self._forget()
        self._acks[branch] = (time.monotonic(), ack)
        self.send(ack)

    # --- requests of the other side

    def respond(self, request: sip.Message, data: bytes) -> None:
        """Answer a request; a final answer to an INVITE is repeated until its ACK comes."""
        key = (request.branch, request.method)
        self._answers[key] = (time.monotonic(), data)
        self.send(data)
        if request.method == "INVITE" and sip.parse(data).status >= 200:
            acked = self._unacked.setdefault((request.call_id, request.cseq[0]), asyncio.Event())
            self.run(self._repeat(data, acked))

    async def _repeat(self, data: bytes, acked: asyncio.Event) -> None:
        deadline = time.monotonic() + LIFE
        pause = T1
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(acked.wait(), pause)
                return
            self.send(data)
            pause = min(pause * 2, T2)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Match a response to its request; hand on a new request, repeat the answer to an old."""
        if addr[:2] != self.server:
            return
        try:
            message = sip.parse(data)
        except sip.SipError:
            return
        if message.is_response:
            self._response(message)
        elif message.method == "ACK":
            acked = self._unacked.pop((message.call_id, message.cseq[0]), None)
            if acked is not None:
                acked.set()
            self._on_request(message)
        else:
            key = (message.branch, message.method)
            if key in self._answers:
                answer = self._answers[key][1]
                if answer is not None:
                    self.send(answer)
                return
            self._forget()
            self._answers[key] = (time.monotonic(), None)
            self._on_request(message)

    def _response(self, message: sip.Message) -> None:
        client = self._clients.get((message.branch, message.method))
        if client is None or client.final.done():
            ack = self._acks.get(message.branch)
            if ack is not None and message.method == "INVITE" and message.status >= 200:
                self.send(ack[1])
            return
        client.heard = True
        if message.status >= 200:
            client.final.set_result(message)
        elif client.on_provisional is not None:
            client.on_provisional(message)

    def _forget(self) -> None:
        """Drop what is older than a transaction's life, now and then."""
        now = time.monotonic()
        if now < self._next_forget:
            return
        self._next_forget = now + 5
        limit = now - LIFE
        self._answers = {key: old for key, old in self._answers.items() if old[0] > limit}
        self._acks = {key: old for key, old in self._acks.items() if old[0] > limit}
