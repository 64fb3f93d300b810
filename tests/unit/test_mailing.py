"""Mail to real servers: with TLS and a login, refusing, hanging, and rude ones."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from telephony.mailing import Mailer, MailError
from tests.lab.certificates import make_certificates
from tests.lab.ports import free_port


def _mail(to: str = "bob@example.com") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "dutyline@example.com", to, "Missed"
    mail.set_content("Пропущен")
    return mail


class _Mailbox:
    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.taken.append(envelope.content)
        return "250 OK"


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    right = LoginPassword(b"dutyline", b"pass word")
    return AuthResult(success=data == right, handled=False)


@contextmanager
def _served(mailbox: _Mailbox, context: ssl.SSLContext, *, implicit: bool) -> Iterator[int]:
    class Secured(Controller):
        def factory(self) -> SMTP:
            return SMTP(
                mailbox,
                tls_context=None if implicit else context,
                require_starttls=not implicit,
                authenticator=_login,
                auth_required=not implicit,
                auth_require_tls=not implicit,
            )

    server = Secured(
        mailbox,
        hostname="127.0.0.1",
        port=free_port(),
        ssl_context=context if implicit else None,
        server_hostname="127.0.0.1",
    )
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_goes_by_tls_with_a_login(security: str, tmp_path: Path) -> None:
    mailbox = _Mailbox()
    context, trusting = make_certificates(tmp_path, "127.0.0.1")
    with _served(mailbox, context, implicit=security == "tls") as port:
        mailer = Mailer(
            "127.0.0.1", port, security, "dutyline", "pass word", "dutyline@example.com", trusting
        )
        assert mailer.send(_mail()) == 250
        with pytest.raises(MailError, match="no such user") as refused:
            mailer.send(_mail("nobody@example.com"))
        assert (refused.value.status, refused.value.for_good) == (550, True)
        with pytest.raises(MailError) as refused:
            replace(mailer, password="wrong").send(_mail())
        assert (refused.value.status, refused.value.for_good) == (535, False)
        with pytest.raises(MailError, match="CERTIFICATE_VERIFY_FAILED"):
            replace(mailer, context=None).send(_mail())
    assert len(mailbox.taken) == 1


@contextmanager
def _rude(behave: Callable[[socket.socket], None]) -> Iterator[Mailer]:
    """Give a mailer to a server that takes one connection and does this with it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    behave(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        yield Mailer("127.0.0.1", port, "none", "", "", "dutyline@example.com", seconds=1)
    thread.join(10)
    assert not thread.is_alive(), "the connection was left open"


def _until_quit(connection: socket.socket, bye: bytes) -> None:
    connection.sendall(b"220 hello\r\n")
    lines = connection.makefile("rb")
    in_text = False
    for line in lines:
        if in_text and line != b".\r\n":
            continue
        in_text = line.upper().startswith(b"DATA")
        if line.upper().startswith(b"QUIT"):
            connection.sendall(bye)
            return
        connection.sendall(b"354 go on\r\n" if in_text else b"250 OK\r\n")


@pytest.mark.parametrize("bye", [b"221 bye\r\n", b"421 too busy\r\n", b"500 what?\r\n", b""])
def test_a_mail_that_was_taken_is_taken_whatever_is_said_at_the_end(bye: bytes) -> None:
    """Else it would be sent again, and come twice."""
    with _rude(lambda connection: _until_quit(connection, bye)) as mailer:
        assert mailer.send(_mail()) == 250


def _drip(connection: socket.socket) -> None:
    connection.sendall(b"220 hello\r\n")
    connection.recv(1000)
    while True:  # until the other side has enough of it
        connection.sendall(b"250-more\r\n")
        threading.Event().wait(0.05)


def _silent(connection: socket.socket) -> None:
    connection.sendall(b"220 hello\r\n")
    while connection.recv(1000):
        pass


@pytest.mark.parametrize("behave", [_silent, _drip])
def test_a_server_that_hangs_is_left(behave: Callable[[socket.socket], None]) -> None:
    with _rude(behave) as mailer, pytest.raises(MailError, match=r"within 1 s|timed out") as failed:
        mailer.send(_mail())
    assert not failed.value.for_good
