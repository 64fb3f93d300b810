"""What a desk phone and a provider have in common: a SIP socket, calls, the next call."""

import asyncio
import contextlib
from typing import Self

from tests.lab import sip
from tests.lab.behaviours import Behaviour
from tests.lab.call import ALLOW, PhoneCall
from tests.lab.errors import LabError
from tests.lab.transactions import SipSocket

_STOP_SECONDS = 1.0


class Party:
    """A SIP user agent; `calls` are the incoming and outgoing calls in their order.

    Usable as an asynchronous context manager: start on entry, stop at exit.
    """

    def __init__(self, server: tuple[str, int], local: tuple[str, int], user: str) -> None:
        """`server` is Asterisk; `local` where to listen, port 0 meaning any."""
        self.server = server
        self.user = user
        self.calls: list[PhoneCall] = []
        self._local = local
        self._incoming: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self._by_id: dict[str, PhoneCall] = {}
        self._socket: SipSocket | None = None

    @property
    def socket(self) -> SipSocket:
        """The open socket; raises LabError before `start` and after `stop`."""
        if self._socket is None or not self._socket.is_open:
            raise LabError(f"phone {self.user} is not started")
        return self._socket

    async def open(self) -> None:
        """Bind the SIP socket; raises LabError when the port is taken."""
        self._socket = SipSocket(self.server, self._on_request)
        try:
            await self._socket.open(*self._local)
        except OSError as error:
            raise LabError(f"phone {self.user} cannot listen at {self._local}: {error}") from error

    async def start(self) -> None:
        """Begin to listen."""
        await self.open()

    async def stop(self) -> None:
        """Hang up everything (1 s at most) and close."""
        live = [asyncio.ensure_future(call.hangup()) for call in self.calls if call.live]
        if live:
            _, late = await asyncio.wait(live, timeout=_STOP_SECONDS)
            for one in late:
                one.cancel()
        self.unplug()

    def unplug(self) -> None:
        """Close without a word to anybody, as a phone whose cable is pulled."""
        for call in self.calls:
            call.finish("stopped")
        if self._socket is not None:
            self._socket.close()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop."""
        await self.stop()

    async def next_call(self, timeout: float = 5.0) -> PhoneCall:
        """Return the next incoming call not returned yet; raises TimeoutError."""
        try:
            return await asyncio.wait_for(self._incoming.get(), timeout)
        except TimeoutError:
            raise TimeoutError(f"nobody called {self.user} within {timeout} s") from None

    async def dial(self, number: str, caller: str, uri: str) -> PhoneCall:
        """Begin a call to `uri`; `caller` is the From value. Returns before any answer."""
        socket = self.socket
        local = caller if sip.tag_of(caller) else f"{caller};tag={sip.new_token(4)}"
        call_id = f"{sip.new_token()}@{socket.host}"
        call = PhoneCall(
            socket,
            "out",
            local=local,
            remote=f"<{uri}>",
            call_id=call_id,
            authorize=self.authorize,
            user=self.user,
        )
        call.from_number = sip.user_of(caller)
        call.from_name = sip.name_of(caller)
        call.dialled = number
        await call.rtp.open()
        self._add(call)
        socket.run(call.dial(uri))
        return call

    def authorize(self, _message: sip.Message, _method: str, _uri: str) -> tuple[str, str] | None:
        """Return the header that answers a challenge, None when there is none to answer."""
        return None

    def behaviour_for(self, call: PhoneCall) -> Behaviour:
        """Return what to do with an incoming call."""
        raise NotImplementedError

    def _add(self, call: PhoneCall) -> None:
        self.calls.append(call)
        self._by_id[call.call_id] = call

    def _on_request(self, request: sip.Message) -> None:
        """Handle a new request of the server."""
        if request.method == "ACK" or self._socket is None:
            return
        call = self._by_id.get(request.call_id)
        if call is not None and (sip.tag_of(request.get("to")) or request.method == "CANCEL"):
            call.received(request)
        elif sip.tag_of(request.get("to")) and request.method != "NOTIFY":
            self._reply(request, 481)
        elif request.method == "INVITE":
            self._invited(request, self._socket)
        elif request.method == "CANCEL":
            self._reply(request, 481)
        else:
            known = request.method in ("OPTIONS", "NOTIFY", "INFO", "MESSAGE")
            self._reply(request, 200 if known else 405)

    def _reply(self, request: sip.Message, code: int) -> None:
        data = sip.response(request, code, sip.new_token(4), [("Allow", ALLOW)])
        self.socket.respond(request, data)

    def _invited(self, invite: sip.Message, socket: SipSocket) -> None:
        """Begin an incoming call and let the behaviour decide."""
        local = f"{invite.get('to')};tag={sip.new_token(4)}"
        call = PhoneCall(
            socket,
            "in",
            local=local,
            remote=invite.get("from"),
            call_id=invite.call_id,
            authorize=self.authorize,
            user=self.user,
        )
        call.begin_incoming(invite)
        self._add(call)
        call.behaving = socket.run(self._behave(call))
        self._incoming.put_nowait(call)

    async def _behave(self, call: PhoneCall) -> None:
        with contextlib.suppress(ConnectionError):
            await self.behaviour_for(call)(call)
