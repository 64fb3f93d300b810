"""The one room from which HTTP goes out to addresses that people type in.

An address is resolved, checked, and the connection is made to that very address: what a name
server says a moment later changes nothing. Nothing is redirected, no proxy is used, an answer is
read up to a limit, and all of it has one deadline.
"""

from __future__ import annotations

import asyncio
import queue
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeVar

import httpx

IpAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
T = TypeVar("T")
_Take = Callable[[httpx.AsyncClient, httpx.Request], Awaitable[T]]

SECONDS = 10.0  # from the first look at the name to the end of the answer
_DNS_SECONDS = 5.0
_LARGEST = 64 * 1024
_TRIES = 3  # addresses of one name
_LONGEST_URL = 2000

# What carries or stands for other addresses, or serves a cloud's machines from inside; which of it
# is_global takes for public differs from one Python to the next.
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
)


class OutgoingError(Exception):
    """Nothing was sent, or no answer came; the message says why."""


class Refused(OutgoingError):
    """The address may not be used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: HTTP's status, its Retry-After if any, after how many ms."""

    status: int
    retry_after: str | None
    took_ms: int


@dataclass(frozen=True, slots=True)
class Document:
    """What a server sent for a GET: status, headers in lower case, and the body.

    Of a body that is larger than was asked for there is one byte too many.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outgoing:
    """Sends to public addresses by https, and to the networks in `allow` also by http."""

    def __init__(
        self,
        allow: Sequence[Network] = (),
        ports: Sequence[int] = (80, 443, 8080, 8443),
        *,
        resolve: Resolve | None = None,
        context: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
        largest: int = _LARGEST,
    ) -> None:
        """`resolve` returns the addresses of a name; `largest` is in bytes of an answer's body."""
        self._allow = tuple(allow)
        self._ports = frozenset(ports)
        self._resolve = resolve or _system_resolve
        self._context = context or ssl.create_default_context()
        self._seconds = seconds
        self._largest = largest

    def check(self, text: str) -> httpx.URL:
        """Return the URL when its form is acceptable. Raises Refused saying what is wrong."""
        if len(text) > _LONGEST_URL:
            raise Refused(f"the address is longer than {_LONGEST_URL} characters")
        if any(ord(letter) <= 32 or ord(letter) == 127 for letter in text):
            raise Refused("the address holds spaces or control characters")
        try:
            url = httpx.URL(text)
        except (httpx.InvalidURL, UnicodeError, ValueError):
            raise Refused("this is no address of a web server") from None
        if url.scheme not in ("https", "http") or not url.host:
            raise Refused("the address must begin with https://")
        if url.userinfo:
            raise Refused("the address must not hold a user or a password before the host")
        if _port(url) not in self._ports:
            ports = ", ".join(str(port) for port in sorted(self._ports))
            raise Refused(f"port {_port(url)} is not among DUTYLINE_OUTGOING_PORTS ({ports})")
        return url.copy_with(fragment=None)

    def addresses(self, url: httpx.URL) -> list[IpAddress]:
        """Return the addresses of a URL's host that may be connected to, at least one.

        Raises Refused when there are others only, OutgoingError when the name is not known.
        """
        host = url.raw_host.decode("ascii")
        found = [_address(text) for text in self._lookup(host, _port(url))]
        if not found:
            raise OutgoingError(f"the name {host} has no address")
        public = [one for one in found if self._may_reach(one, url.scheme)]
        if public:
            return public
        if url.scheme == "http" and any(self._may_reach(one, "https") for one in found):
            raise Refused("http is for networks in DUTYLINE_OUTGOING_ALLOW only: use https")
        raise Refused(f"{host} leads to an address that is not public")

    def post(self, text: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send and return the answer, whatever its status. Raises OutgoingError, Refused."""
        began = time.monotonic()
        status, retry_after = self._send(text, "POST", body, headers, self._answer)
        return Answer(status, retry_after, int((time.monotonic() - began) * 1000))

    def get(self, text: str, headers: Mapping[str, str], largest: int) -> Document:
        """Fetch a document of at most `largest` bytes. Raises OutgoingError, Refused."""

        async def take(client: httpx.AsyncClient, request: httpx.Request) -> Document:
            return await _document(client, request, largest)

        return self._send(text, "GET", b"", headers, take)

    def _send(
        self, text: str, method: str, body: bytes, headers: Mapping[str, str], take: _Take[T]
    ) -> T:
        began = time.monotonic()
        url = self.check(text)
        addresses = self.addresses(url)[:_TRIES]
        left = max(0.1, self._seconds - (time.monotonic() - began))
        try:
            return asyncio.run(self._request(url, addresses, method, body, headers, left, take))
        except TimeoutError:
            raise OutgoingError(f"no answer within {self._seconds:g} s") from None
        except httpx.TransportError as error:
            raise OutgoingError(_said(error)) from None

    async def _request(
        self,
        url: httpx.URL,
        addresses: Sequence[IpAddress],
        method: str,
        body: bytes,
        headers: Mapping[str, str],
        seconds: float,
        take: _Take[T],
    ) -> T:
        # A client for one request: a connection kept for later would belong to an address, while
        # the certificate was checked for a name.
        client = httpx.AsyncClient(
            verify=self._context,
            trust_env=False,
            follow_redirects=False,
            timeout=seconds,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
        )
        named = {**headers, "Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity"}
        async with asyncio.timeout(seconds), client:
            for position, address in enumerate(addresses, start=1):
                request = client.build_request(
                    method,
                    url.copy_with(host=str(address)),
                    content=body,
                    headers=named,
                    extensions={"sni_hostname": url.raw_host.decode("ascii")},
                )
                try:
                    return await take(client, request)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if position == len(addresses):
                        raise
        raise AssertionError("there is at least one address")

    async def _answer(
        self, client: httpx.AsyncClient, request: httpx.Request
    ) -> tuple[int, str | None]:
        answer = await client.send(request, stream=True)
        try:
            size = 0
            async for part in answer.aiter_raw():
                size += len(part)
                if size > self._largest:
                    break
        except httpx.TransportError:
            pass  # the status is what counts, and it is there
        finally:
            await answer.aclose()
        return answer.status_code, answer.headers.get("retry-after")

    def _lookup(self, host: str, port: int) -> Sequence[str]:
        """Resolve on a thread of its own: the system's resolver knows no deadline."""
        box: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

        def run() -> None:
            try:
                box.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                box.put(error if isinstance(error, OSError) else OSError(str(error)))

        threading.Thread(target=run, name="resolver", daemon=True).start()
        try:
            found = box.get(timeout=min(_DNS_SECONDS, self._seconds))
        except queue.Empty:
            raise OutgoingError(f"the name {host} was not resolved in time") from None
        if isinstance(found, OSError):
            raise OutgoingError(f"the name {host} is not known: {found.strerror or found}")
        return found

    def _may_reach(self, address: IpAddress, scheme: str) -> bool:
        if any(address in network for network in self._allow):
            return True
        return scheme == "https" and is_public(address)


async def _document(client: httpx.AsyncClient, request: httpx.Request, largest: int) -> Document:
    answer = await client.send(request, stream=True)
    found = bytearray()
    try:
        async for part in answer.aiter_raw():
            found += part[: largest + 1 - len(found)]
            if len(found) > largest:
                break
    finally:
        await answer.aclose()
    return Document(answer.status_code, dict(answer.headers), bytes(found))


def is_public(address: IpAddress) -> bool:
    """Tell whether an address is one of the open internet, and stands for itself only."""
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def wait_of(retry_after: str | None, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header asks to wait; None without one that can be read."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        return None
    return max(timedelta(0), at - now)


def place_of(url: httpx.URL) -> str:
    """Return what of an address may be shown: scheme, host and port, not its path."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _address(text: str) -> IpAddress:
    """Return an address, an IPv4 one in IPv6's clothes as what it is."""
    found = ip_address(text.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def _system_resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _said(error: httpx.TransportError) -> str:
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    said = str(error) or str(cause) or type(error).__name__
    return f"{type(error).__name__}: {' '.join(said.split())[:200]}"
