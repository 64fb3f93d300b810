"""SIP load in one thread: calls at a fixed rate, operators who answer, and when each INVITE came.

The caller and all operators are two UDP sockets in one loop, so that the load costs little. An
INVITE's departure is the clock just before the send; its arrival is the kernel's own timestamp of
the packet, so that a loop that is late does not count.
"""

from __future__ import annotations

import gc
import heapq
import itertools
import math
import re
import select
import socket
import struct
import time
from dataclasses import dataclass, field

_TIMESTAMP_NS = 35  # SO_TIMESTAMPNS; the socket module does not name it
_ANCILLARY = 128
_BUFFER = 4 << 20
_RETRANSMIT = 0.5  # SIP's T1: Asterisk drops an INVITE when it is overloaded, and expects another
_CALL_ID = re.compile(rb"^Call-ID: ([^\r]+)", re.MULTILINE | re.IGNORECASE)
_FROM = re.compile(rb"^(?:From|f): [^\r]*?sip:\+?([0-9]*)@", re.MULTILINE | re.IGNORECASE)
_TO = re.compile(rb"^To: ([^\r]+)", re.MULTILINE | re.IGNORECASE)
_CONTACT = re.compile(rb"^Contact: <([^>\r]+)>", re.MULTILINE | re.IGNORECASE)
_KEPT = re.compile(rb"^(?:Via|From|To|Call-ID|CSeq|Record-Route): [^\r]*\r\n", re.M | re.I)
_RUNS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the PBX listens, where calls come from, where operators' phones are."""

    pbx: tuple[str, int]
    caller: tuple[str, int]
    phones: tuple[str, int]


@dataclass(slots=True)
class Result:
    """What became of the calls of one run; `waits` are ms from INVITE in to INVITE out.

    `foreign` is how many of the machine's cores other programs used meanwhile, `span` when it began
    and ended (seconds since the epoch).
    """

    calls: int
    waits: list[float] = field(default_factory=list)
    wrong: int = 0
    failed: int = 0
    unfinished: int = 0
    repeated: int = 0
    foreign: float = 0.0
    span: tuple[float, float] = (0.0, 0.0)

    @property
    def lost(self) -> int:
        """Calls that rang no phone."""
        return self.calls - len(self.waits)


def caller_number(index: int, managers: int) -> str:
    """Return call `index`'s number: `managers` take turns and are its last three digits."""
    turn, manager = divmod(index, managers)
    return f"7900{turn:04d}{manager:03d}"


class Load:
    """One run: `calls` calls at `rate` per second to `did`; each talks for `talk` seconds.

    A call that rings any phone but `expect`(its number) counts as wrong.
    """

    def __init__(
        self, addresses: Addresses, did: str, *, rate: float, calls: int, talk: float, managers: int
    ) -> None:
        self.addresses = addresses
        self.did = did
        self.rate = rate
        self.calls = calls
        self.talk = talk
        self.managers = managers
        self.expect_fallback = False
        self._run = f"b{next(_RUNS)}-{time.time_ns() % 10**9}"
        self._sent: dict[bytes, int] = {}
        self._rang: dict[bytes, tuple[int, bytes]] = {}
        self._acked: dict[bytes, tuple[bytes, bytes]] = {}
        self._open: set[bytes] = set()
        self._byes: list[tuple[float, bytes]] = []
        self._failed = 0
        self._unheard: dict[bytes, tuple[float, bytes]] = {}
        self._repeated = 0

    def run(self, patience: float = 8.0) -> Result:
        """Make the calls and wait for their ends, `patience` seconds at most after the last."""
        caller, phones = (
            _bound(self.addresses.caller, False),
            _bound(self.addresses.phones, True),
        )
        gc.collect()
        gc.disable()
        try:
            self._loop(caller, phones, patience)
        finally:
            gc.enable()
            caller.close()
            phones.close()
        return self._result()

    def _loop(self, caller: socket.socket, phones: socket.socket, patience: float) -> None:
        began = time.monotonic()
        made = 0
        deadline = began + self.calls / self.rate + patience
        while made < self.calls or self._open:
            now = time.monotonic()
            if now > deadline:
                break
            due = began + made / self.rate if made < self.calls else deadline
            if now >= due and made < self.calls:
                self._invite(caller, made)
                made += 1
                continue
            if self._byes and self._byes[0][0] <= now:
                self._bye(caller, heapq.heappop(self._byes)[1])
                continue
            until = min(due, self._byes[0][0]) if self._byes else due
            until = min(until, self._repeat(caller, now))
            ready, _, _ = select.select((phones, caller), (), (), max(0.0, until - now))
            if phones in ready:
                self._at_phone(phones)
            if caller in ready:
                self._at_caller(caller)

    def _result(self) -> Result:
        result = Result(
            self.calls,
            failed=self._failed,
            unfinished=len(self._open),
            repeated=self._repeated,
        )
        for number, (at, phone) in self._rang.items():
            if number in self._sent:
                result.waits.append((at - self._sent[number]) / 1e6)
                wanted = b"fallback" if self.expect_fallback else b"op" + number[-3:]
                result.wrong += phone != wanted
        return result

    # The caller

    def _invite(self, sock: socket.socket, index: int) -> None:
        number = caller_number(index, self.managers)
        call = f"{self._run}-{index}"
        host, port = self.addresses.caller
        to_host, to_port = self.addresses.pbx
        sdp = _sdp(host, 20000)
        message = (
            f"INVITE sip:{self.did}@{to_host}:{to_port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{call};rport\r\n"
            f"From: <sip:+{number}@{host}>;tag={call}\r\n"
            f"To: <sip:{self.did}@{to_host}>\r\n"
            f"Call-ID: {call}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:bench@{host}:{port}>\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}"
        ).encode()
        self._open.add(call.encode())
        self._unheard[call.encode()] = (time.monotonic() + _RETRANSMIT, message)
        self._sent[number.encode()] = time.time_ns()
        sock.sendto(message, self.addresses.pbx)

    def _repeat(self, sock: socket.socket, now: float) -> float:
        """Send an INVITE again that nobody answered; return when the next one is due."""
        while self._unheard:
            call, (due, message) = next(iter(self._unheard.items()))
            if due > now:
                return due
            del self._unheard[call]  # and to the end: the oldest is first
            self._unheard[call] = (now + _RETRANSMIT, message)
            self._repeated += 1
            sock.sendto(message, self.addresses.pbx)
        return math.inf

    def _at_caller(self, sock: socket.socket) -> None:
        packet = sock.recv(65535)
        call = _first(_CALL_ID, packet)
        self._unheard.pop(call, None)
        if packet.startswith(b"BYE "):
            sock.sendto(_answer(packet, b"200 OK"), self.addresses.pbx)
            self._open.discard(call)
            return
        if not packet.startswith(b"SIP/2.0 "):
            return
        status = int(packet[8:11])
        if b"1 INVITE" not in packet:  # the answer to our BYE
            self._open.discard(call)
            return
        if status < 200:
            return
        target = _first(_CONTACT, packet) or b"sip:" + self.did.encode()
        again = call in self._acked
        self._acked[call] = (target, _first(_TO, packet))
        sock.sendto(self._request(call, b"ACK", 1), self.addresses.pbx)
        if again:
            return
        if status < 300:
            heapq.heappush(self._byes, (time.monotonic() + self.talk, call))
        else:
            self._failed += 1
            self._open.discard(call)

    def _bye(self, sock: socket.socket, call: bytes) -> None:
        if call in self._open:
            sock.sendto(self._request(call, b"BYE", 2), self.addresses.pbx)

    def _request(self, call: bytes, method: bytes, number: int) -> bytes:
        target, remote = self._acked[call]
        host, port = self.addresses.caller
        index = int(call.rpartition(b"-")[2])
        mine = caller_number(index, self.managers)
        return b"".join(
            (
                method + b" " + target + b" SIP/2.0\r\n",
                f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK".encode(),
                call + b"." + method + b";rport\r\n",
                f"From: <sip:+{mine}@{host}>;tag=".encode() + call + b"\r\n",
                b"To: " + remote + b"\r\nCall-ID: " + call + b"\r\n",
                f"CSeq: {number} ".encode() + method + b"\r\n",
                b"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            )
        )

    # The operators

    def _at_phone(self, sock: socket.socket) -> None:
        packet, ancillary, _, source = sock.recvmsg(65535, _ANCILLARY)
        if packet.startswith(b"INVITE "):
            phone = packet[11 : packet.find(b"@", 11)]
            self._rang.setdefault(_first(_FROM, packet), (_arrival(ancillary), phone))
            sock.sendto(_answer(packet, b"180 Ringing"), source)
            sock.sendto(_answer(packet, b"200 OK", self.addresses.phones), source)
        elif not packet.startswith((b"ACK ", b"SIP/2.0 ")):
            sock.sendto(_answer(packet, b"200 OK"), source)


def _bound(address: tuple[str, int], stamped: bool) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    if stamped:
        sock.setsockopt(socket.SOL_SOCKET, _TIMESTAMP_NS, 1)
    sock.bind(address)
    return sock


def _arrival(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return when the kernel got a packet, in ns since the epoch."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _TIMESTAMP_NS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()


def _first(pattern: re.Pattern[bytes], packet: bytes) -> bytes:
    found = pattern.search(packet)
    return found[1] if found else b""


def _sdp(host: str, port: int) -> str:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
    )


def _answer(packet: bytes, status: bytes, contact: tuple[str, int] | None = None) -> bytes:
    """Return an answer to a request; with `contact` it accepts a call."""
    head = packet.partition(b"\r\n\r\n")[0] + b"\r\n"
    kept = []
    for line in _KEPT.findall(head):
        is_to = line[:3].lower() == b"to:" and b";tag=" not in line
        kept.append(line[:-2] + b";tag=phone\r\n" if is_to else line)
    lines = [b"SIP/2.0 " + status + b"\r\n", *kept]
    body = b""
    if contact:
        body = _sdp(contact[0], 22000).encode()
        lines.append(f"Contact: <sip:phone@{contact[0]}:{contact[1]}>\r\n".encode())
        lines.append(b"Content-Type: application/sdp\r\n")
    lines.append(f"Content-Length: {len(body)}\r\n\r\n".encode())
    return b"".join(lines) + body
