"""The outgoing room: which addresses are refused, and what a bad server can do to us."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from telephony.outgoing import Outgoing, OutgoingError, Refused, is_public, wait_of
from tests.lab.certificates import make_certificates
from tests.lab.receiver import Receiver, Reply

LOOPBACK = (ip_network("127.0.0.0/8"),)


def _resolving(*addresses: str) -> Outgoing:
    """A room whose names all lead to these addresses."""
    return Outgoing(resolve=lambda _host, _port: addresses)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0",
        "localhost",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "[ff02::1]",
        "169.254.169.254",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "192.0.0.192",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ],
)
def test_addresses_that_are_not_public_are_refused(host: str) -> None:
    """By the system's own resolver: it knows every way to write an address."""
    outgoing = Outgoing()
    with pytest.raises(Refused):
        outgoing.post(f"https://{host}/", b"", {})


@pytest.mark.parametrize(
    "addresses",
    [
        ("169.254.169.254",),
        ("fd00:ec2::254",),
        ("127.0.0.1", "::1"),
        ("::ffff:10.0.0.1",),
        ("fe80::1%eth0",),
    ],
)
def test_names_that_lead_inside_are_refused(addresses: Sequence[str]) -> None:
    outgoing = _resolving(*addresses)
    with pytest.raises(Refused, match=r"metadata\.internal leads to an address that is not public"):
        outgoing.post("https://metadata.internal/latest", b"", {})


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001:82a::200e", "93.184.216.34"])
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))
    outgoing = _resolving("127.0.0.1", address, "10.0.0.1")
    found = outgoing.addresses(outgoing.check("https://example.com/"))
    assert found == [ip_address(address)]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("example.com", "begin with https://"),
        ("https://", "begin with https://"),
        ("https://user:word@example.com/", "must not hold a user"),
        ("https://user@example.com/", "must not hold a user"),
        ("https://example.com:22/", "port 22 is not among"),
        ("https://example.com:6379/", "port 6379 is not among"),
        ("https://example.com:99999/", "port 99999 is not among"),
        ("https://exa mple.com/", "spaces or control"),
        ("https://example.com/\r\nX: y", "spaces or control"),
        ("https://[::1/", "no address of a web server"),
        ("https://example.com/" + "a" * 2000, "longer than"),
    ],
)
def test_forms_that_are_refused(url: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        _resolving("8.8.8.8").check(url)


def test_http_is_for_allowed_networks_only() -> None:
    with pytest.raises(Refused, match="not public"):
        _resolving("10.1.2.3").post("http://crm/", b"", {})
    with pytest.raises(Refused, match="use https"):
        _resolving("8.8.8.8").post("http://example.com/", b"", {})
    room = Outgoing((ip_network("10.1.2.0/24"),), resolve=lambda *_: ("10.1.2.3", "8.8.8.8"))
    assert room.addresses(room.check("http://crm/")) == [ip_address("10.1.2.3")]


def test_an_allowed_network_is_reached() -> None:
    with Receiver() as receiver:
        outgoing = Outgoing(LOOPBACK, (receiver.port,))
        answer = outgoing.post(receiver.url("/a?b=c"), b"body", {"X-One": "1"})
        assert answer.status == 200
        (request,) = receiver.requests
        assert (request.path, request.body) == ("/a?b=c", b"body")
        assert request.headers["x-one"] == "1"
        assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_no_redirect_is_followed() -> None:
    with Receiver() as receiver:
        outgoing = Outgoing(LOOPBACK, (receiver.port,))
        receiver.answer = lambda _request: Reply(302, {"Location": receiver.url("/inside")})
        assert outgoing.post(receiver.url(), b"", {}).status == 302
        assert [request.path for request in receiver.requests] == ["/hook"]


def test_a_name_is_asked_once_and_its_answer_is_used() -> None:
    """A server that says another address the second time has no second time."""
    asked: list[str] = []
    with Receiver() as receiver:

        def rebinding(host: str, _port: int) -> Sequence[str]:
            asked.append(host)
            return ("127.0.0.2",) if len(asked) == 1 else ("127.0.0.1",)

        # 127.0.0.2 has no receiver: were the name asked again, the request would arrive.
        outgoing = Outgoing((ip_network("127.0.0.2"),), (receiver.port,), resolve=rebinding)
        with pytest.raises(OutgoingError):
            outgoing.post(receiver.url(host="rebind.example"), b"", {})
        assert asked == ["rebind.example"]
        assert not receiver.requests


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver, Receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url(""))
        outgoing = Outgoing(LOOPBACK, (receiver.port,))
        assert outgoing.post(receiver.url(), b"", {}).status == 200
        assert not proxy.requests


def test_certificates_are_checked_for_the_name(tmp_path: Path) -> None:
    server, client = make_certificates(tmp_path, "hooks.example")
    with Receiver(server) as receiver:

        def room(context: ssl.SSLContext | None) -> Outgoing:
            return Outgoing(
                LOOPBACK, (receiver.port,), resolve=lambda *_: ("127.0.0.1",), context=context
            )

        assert room(client).post(receiver.url(host="hooks.example"), b"x", {}).status == 200
        assert receiver.requests[0].headers["host"] == f"hooks.example:{receiver.port}"
        with pytest.raises(OutgoingError, match=r"certificate is not trusted.*mismatch"):
            room(client).post(receiver.url(host="other.example"), b"x", {})
        with pytest.raises(OutgoingError, match="certificate is not trusted"):
            room(None).post(receiver.url(host="hooks.example"), b"x", {})
        assert len(receiver.requests) == 1


def test_the_next_address_of_a_name_is_tried() -> None:
    with Receiver() as receiver:
        outgoing = Outgoing(
            LOOPBACK, (receiver.port,), resolve=lambda *_: ("127.0.0.3", "127.0.0.1")
        )
        assert outgoing.post(receiver.url(host="two.example"), b"", {}).status == 200


@contextmanager
def _raw(talk: bytes, pause: float) -> Iterator[int]:
    """A server that sends these bytes over and over until the client has enough."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\n")
            try:
                while True:
                    peer.sendall(talk)
                    time.sleep(pause)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    with listener:
        yield listener.getsockname()[1]


def test_headers_that_drip_meet_the_deadline() -> None:
    with _raw(b"X-Slow: 1\r\n", 0.05) as port:
        outgoing = Outgoing(LOOPBACK, (port,), seconds=0.5)
        with pytest.raises(OutgoingError, match=r"no answer within 0\.5 s"):
            outgoing.post(f"http://127.0.0.1:{port}/", b"", {})


def test_an_endless_answer_is_read_up_to_a_limit() -> None:
    with _raw(b"\r\n" + b"a" * 65536, 0.0) as port:
        outgoing = Outgoing(LOOPBACK, (port,), seconds=20)
        answer = outgoing.post(f"http://127.0.0.1:{port}/", b"", {})
        assert answer.status == 200
        assert answer.took_ms < 20_000


def test_a_resolver_that_hangs_meets_the_deadline() -> None:
    gate = threading.Event()

    def hanging(_host: str, _port: int) -> Sequence[str]:
        gate.wait(20)
        return ("8.8.8.8",)

    with pytest.raises(OutgoingError, match="was not resolved in time"):
        Outgoing(resolve=hanging, seconds=0.2).post("https://slow.example/", b"", {})
    gate.set()


def test_a_name_that_is_not_known() -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(OutgoingError, match=r"the name no\.example is not known"):
        Outgoing(resolve=unknown).post("https://no.example/", b"", {})


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 5 ", 5),
        ("-5", None),
        ("soon", None),
        ("Tue, 24 Nov 2026 12:01:00 GMT", 60),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0),
        ("٣", None),
        ("9" * 5000, 10**8),
        ("Tue, 24 Nov 99999999999999999999 12:01:00 GMT", None),
    ],
)
def test_retry_after(header: str | None, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert wait_of(header, NOW) == expected
