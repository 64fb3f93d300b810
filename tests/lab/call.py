"""One call of a scripted phone: its dialog, its audio, what happened to it and when."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from typing import Literal

from tests.lab import sip
from tests.lab.rtp import RtpStream
from tests.lab.transactions import SipSocket

EndedBy = Literal["local", "remote", "cancel", "rejected", "timeout", "stopped"]
ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, REFER, NOTIFY, INFO, UPDATE"
_BYE_SECONDS = 4.0


class PhoneCall:
    """A call of a phone; times are `time.monotonic()` values or None.

    `invited_at`: the INVITE was sent or came. `rang_at`: 180 or 183 was sent or came.
    `ended_by`: "local"/"remote" after the answer, "cancel" before it by the caller, "rejected" by a
    final code (ours or theirs, in `final_code`), "timeout" when nobody answered the INVITE,
    "stopped" when the phone was stopped. `reason` is the Reason header that ended it.
    `notifies` are the bodies of NOTIFYs: the progress of a REFER.
    """

    def __init__(
        self,
        socket: SipSocket,
        direction: Literal["in", "out"],
        *,
        local: str,
        remote: str,
        call_id: str,
        authorize: Callable[[sip.Message, str, str], tuple[str, str] | None],
        user: str,
    ) -> None:
        """`local` and `remote` are From/To values; `authorize` answers a challenge."""
        self.direction = direction
        self.call_id = call_id
        self.from_number = ""
        self.from_name = ""
        self.dialled = ""
        self.invited_at = time.monotonic()
        self.rang_at: float | None = None
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.ended_by: EndedBy | None = None
        self.final_code: int | None = None
        self.reason = ""
        self.notifies: list[str] = []
        self.invite: sip.Message | None = None
        self.rtp = RtpStream(socket.host)
        self.behaving: asyncio.Task[None] | None = None
        self._socket = socket
        self._local = local
        self._remote = remote
        self._authorize = authorize
        self._contact = f"<sip:{user}@{socket.host}:{socket.port}>"
        self._target = ""
        self._cseq = 0
        self._session = int(time.time())
        self._offers = 0
        self._mode = "sendrecv"
        self._branch = ""
        self._early = ""
        self._cancelled = False
        self._referred = False
        self._heard = asyncio.Event()
        self._rang = asyncio.Event()
        self._answered = asyncio.Event()
        self._ended = asyncio.Event()

    # --- what others ask

    @property
    def digits(self) -> str:
        """The DTMF keys received so far."""
        return self.rtp.digits

    @property
    def live(self) -> bool:
        """Whether the call has not ended."""
        return self.ended_at is None

    async def wait_ringing(self, timeout: float = 5.0) -> None:
        """Wait for ringing; raises TimeoutError, also when the call ends without it."""
        await self._wait(self._rang, timeout, "ringing")

    async def wait_answered(self, timeout: float = 10.0) -> None:
        """Wait for the answer; raises TimeoutError, also when the call ends without it."""
        await self._wait(self._answered, timeout, "answer")

    async def wait_ended(self, timeout: float = 10.0) -> None:
        """Wait for the end; raises TimeoutError."""
        await self._wait(self._ended, timeout, "end")

    async def _wait(self, event: asyncio.Event, timeout: float, what: str) -> None:
        waits = [asyncio.ensure_future(one.wait()) for one in (event, self._ended)]
        try:
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
        if not event.is_set():
            how = f"ended by {self.ended_by}, {self.final_code}" if not self.live else "still up"
            raise TimeoutError(f"no {what} of the call to {self.dialled} ({how})")

    # --- what a phone does

    def ring(self) -> None:
        """Send 180 for an incoming call; nothing when it has ended."""
        if self.live and self.invite is not None:
            self._respond(self.invite, 180)
            self.mark_rang()

    async def answer(self) -> None:
        """Answer an incoming call; nothing when it has ended."""
        if self.invite is None or not self.live or self.answered_at is not None:
            return
        await self.rtp.open()
        if self._ended.is_set():
            self.rtp.close()
            return
        self.take_media(self.invite.body)
        self._respond(self.invite, 200, self.sdp())
        self._mark_answered()

    def reject(self, code: int) -> None:
        """Refuse an incoming call with a final code such as 486."""
        if self.invite is not None and self.live and self.answered_at is None:
            self._respond(self.invite, code)
            self.final_code = code
            self.finish("rejected")

    async def hangup(self) -> None:
        """End the call: BYE after the answer, before it CANCEL or, for an incoming one, 603.

        Returns when the other side confirmed or 4 s passed; nothing when it has ended already.
        """
        if not self.live:
            return
        if self.answered_at is not None:
            task = self._socket.run(self._bye())
            self.finish("local")
            await asyncio.wait([task])
        elif self.direction == "in":
            self.reject(603)
        else:
            self._cancelled = True
            # Before the first sign of life there is nothing to cancel (RFC 3261, 9.1).
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), _BYE_SECONDS)
            if self.live and self.answered_at is None:
                await asyncio.wait([self._socket.run(self._cancel())])
            with contextlib.suppress(TimeoutError):
                await self.wait_ended(_BYE_SECONDS)

    async def dtmf(self, keys: str) -> None:
        """Press keys (RFC 4733); returns when they are sent. Raises ValueError, RuntimeError."""
        await self.rtp.press(keys)

    async def refer(self, to: str, replaces: "PhoneCall | None" = None) -> int:
        """Transfer the other side to the number `to`, attended when `replaces` is another call.

        Returns the status of the answer to the REFER. Raises TimeoutError. The phone hangs up by
        itself when a NOTIFY says that the transfer went through.
        """
        host, port = self._socket.server
        target = f"sip:{to}@{host}:{port}"
        if replaces is not None:
            target += "?Replaces=" + replaces.replaces_parameter()
        self._referred = True
        extra = [("Refer-To", f"<{target}>"), ("Referred-By", self._contact)]
        return (await self._request("REFER", extra)).status

    async def hold(self, on: bool = True) -> int:
        """Put the other side on hold, or take it back; returns the status. Raises TimeoutError."""
        self._mode = "sendonly" if on else "sendrecv"
        extra = [("Content-Type", "application/sdp")]
        return (await self._request("INVITE", extra, self.sdp())).status

    def replaces_parameter(self) -> str:
        """Return this dialog as the escaped Replaces parameter of a Refer-To address."""
        mine = sip.tag_of(self._local)
        theirs = sip.tag_of(self._remote) or sip.tag_of(self._early)
        text = f"{self.call_id};to-tag={theirs};from-tag={mine}"
        return text.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")

    # --- the dialog

    async def dial(self, uri: str) -> None:
        """Send the INVITE and see it through to the answer or the refusal."""
        self._target = uri
        authorization: list[tuple[str, str]] = []
        for _ in range(3):
            self._cseq += 1
            self._branch = "z9hG4bK" + sip.new_token()
            extra = [*authorization, ("Allow", ALLOW), ("Content-Type", "application/sdp")]
            headers = self._headers("INVITE", self._branch)
            data = sip.build(f"INVITE {uri} SIP/2.0", headers + extra, self.sdp())
            try:
                final = await self._socket.request(data, self._provisional)
            except (TimeoutError, ConnectionError):
                self.finish("timeout")
                return
            self._heard.set()
            if final.status < 300:
                await self._accepted(final)
                return
            self._acknowledge(final, uri)
            challenge = self._authorize(final, "INVITE", uri)
            if challenge is None or authorization or self._cancelled:
                break
            authorization = [challenge]
        self.final_code = final.status
        self.reason = final.get("reason")
        self.finish("cancel" if self._cancelled and final.status == 487 else "rejected")

    def _provisional(self, message: sip.Message) -> None:
        self._heard.set()
        if message.status >= 180:
            # The dialog has begun: a REFER with Replaces may name it before the answer.
            self._early = message.get("to")
            self.mark_rang()

    async def _accepted(self, final: sip.Message) -> None:
        """Take a 2xx: the dialog is up, unless we cancelled or ended meanwhile."""
        self._remote = final.get("to")
        self._target = sip.uri_of(final.get("contact")) or self._target
        self._acknowledge(final, self._target)
        self.take_media(final.body)
        if self._cancelled or not self.live:
            self._socket.run(self._bye())
            self.finish("cancel")
            return
        self.final_code = final.status
        self._mark_answered()

    def _acknowledge(self, final: sip.Message, uri: str) -> None:
        """ACK a final response: in its own transaction for a refusal, in a new one for a 2xx."""
        branch = final.branch if final.status >= 300 else "z9hG4bK" + sip.new_token()
        headers = [
            ("Via", self._socket.via(branch)),
            ("Max-Forwards", "70"),
            ("From", self._local),
            ("To", final.get("to")),
            ("Call-ID", self.call_id),
            ("CSeq", f"{final.cseq[0]} ACK"),
        ]
        self._socket.acknowledge(final.branch, sip.build(f"ACK {uri} SIP/2.0", headers))

    async def _cancel(self) -> None:
        headers = [
            (name, f"{self._cseq} CANCEL" if name == "CSeq" else value)
            for name, value in self._headers("CANCEL", self._branch)
        ]
        with contextlib.suppress(TimeoutError, ConnectionError):
            data = sip.build(f"CANCEL {self._target} SIP/2.0", headers)
            await self._socket.request(data, timeout=_BYE_SECONDS)

    async def _bye(self) -> None:
        with contextlib.suppress(TimeoutError, ConnectionError):
            await self._request("BYE", timeout=_BYE_SECONDS)

    async def _request(
        self,
        method: str,
        extra: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        timeout: float = 10.0,
    ) -> sip.Message:
        """Send a request within the dialog, with credentials when asked; return the answer."""
        authorization: list[tuple[str, str]] = []
        while True:
            self._cseq += 1
            branch = "z9hG4bK" + sip.new_token()
            headers = self._headers(method, branch) + authorization + (extra or [])
            data = sip.build(f"{method} {self._target} SIP/2.0", headers, body)
            final = await self._socket.request(data, timeout=timeout)
            if method == "INVITE":
                self._acknowledge(final, self._target)
            challenge = self._authorize(final, method, self._target)
            if challenge is None or authorization:
                return final
            authorization = [challenge]

    def _headers(self, method: str, branch: str) -> list[tuple[str, str]]:
        return [
            ("Via", self._socket.via(branch)),
            ("Max-Forwards", "70"),
            ("From", self._local),
            ("To", self._remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._cseq} {method}"),
            ("Contact", self._contact),
        ]

    def _respond(self, request: sip.Message, code: int, body: bytes = b"") -> None:
        extra = [("Contact", self._contact), ("Allow", ALLOW)]
        tag = sip.tag_of(self._local)
        self._socket.respond(request, sip.response(request, code, tag, extra, body))

    def received(self, request: sip.Message) -> None:
        """Handle a request within the dialog."""
        if request.method == "BYE":
            self._respond(request, 200)
            self.reason = request.get("reason")
            self.finish("remote")
        elif request.method == "CANCEL":
            self._respond(request, 200)
            if self.invite is not None and self.answered_at is None and self.live:
                self._respond(self.invite, 487)
                self.reason = request.get("reason")
                self.finish("cancel")
        elif request.method in ("INVITE", "UPDATE"):
            if request.body:
                self.take_media(request.body)
            wanted = request.method == "INVITE" or bool(request.body)
            self._respond(request, 200, self.sdp() if wanted else b"")
        else:
            if request.method == "NOTIFY":
                self.notifies.append(request.body.decode("utf-8", "replace").strip())
            self._respond(request, 200)
            # The transfer went through: phones leave then, Asterisk does not hang them up.
            if self._referred and self.notifies and self.notifies[-1].startswith("SIP/2.0 2"):
                self._socket.run(self.hangup())

    def begin_incoming(self, invite: sip.Message) -> None:
        """Fill in who calls whom from an INVITE that came."""
        self.invite = invite
        self._target = sip.uri_of(invite.get("contact"))
        caller = invite.get("from")
        self.from_number = sip.user_of(caller)
        self.from_name = sip.name_of(caller)
        self.dialled = re.split(r"[@;]", invite.uri.partition(":")[2])[0]

    def sdp(self) -> bytes:
        """Return our next offer or answer."""
        self._offers += 1
        mine = sip.Media(self.rtp.host, self.rtp.port, self._mode)
        return sip.build_sdp(mine, self._session, self._offers)

    def take_media(self, body: bytes) -> None:
        """Send the audio where an SDP of the other side says."""
        media = sip.parse_sdp(body)
        if media is not None and media.port and self.live:
            self.rtp.connect(media)

    def mark_rang(self) -> None:
        """Note the first ringing."""
        if self.rang_at is None:
            self.rang_at = time.monotonic()
            self._rang.set()

    def _mark_answered(self) -> None:
        self.answered_at = time.monotonic()
        self._answered.set()

    def finish(self, by: EndedBy) -> None:
        """Note the end, stop the audio and what the phone was about to do."""
        if self.ended_at is not None:
            return
        self.ended_at = time.monotonic()
        self.ended_by = by
        self.rtp.close()
        self._ended.set()
        self._heard.set()
        if self.behaving is not None and self.behaving is not asyncio.current_task():
            self.behaving.cancel()
