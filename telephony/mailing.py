"""E-mail to the mail server that the settings name."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

SECONDS = 15.0  # for all of a mail, from the connection on; less than a stop waits
_STEP_SECONDS = 10.0  # for each answer


class MailError(Exception):
    """A mail was not taken; `status` is SMTP's, `for_good` that trying again is of no use."""

    def __init__(self, message: str, status: int | None = None, *, for_good: bool = False) -> None:
        """Keep the message, SMTP's status and whether the failure is for good."""
        super().__init__(message)
        self.status = status
        self.for_good = for_good


@dataclass(frozen=True, slots=True)
class Mailer:
    """A mail server. `security` is starttls, tls or none; an empty `user` does not log in."""

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str
    context: ssl.SSLContext | None = None
    seconds: float = SECONDS

    def send(self, message: EmailMessage) -> int:
        """Hand a message to the server; return SMTP's status. Raises MailError."""
        try:
            with self._connect() as server, self._limited(server):
                if self.security == "starttls":
                    server.starttls(context=self._trust())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    server.quit()  # it has the mail: what it says now changes nothing
        except smtplib.SMTPRecipientsRefused as error:
            status, said = next(iter(error.recipients.values()))
            for_good = 500 <= status < 600
            raise MailError(_text(said), status, for_good=for_good) from None
        except smtplib.SMTPResponseException as error:
            # Refused for what it says, not for how we ask: it would be refused again.
            for_good = isinstance(error, smtplib.SMTPDataError) and 500 <= error.smtp_code < 600
            raise MailError(_text(error.smtp_error), error.smtp_code, for_good=for_good) from None
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise MailError(f"{type(error).__name__}: {error}"[:300]) from None
        return 250

    @contextlib.contextmanager
    def _connect(self) -> Iterator[smtplib.SMTP]:
        """Give a connection, closed at the end without a word."""
        step = min(_STEP_SECONDS, self.seconds)
        server = (
            smtplib.SMTP_SSL(self.host, self.port, timeout=step, context=self._trust())
            if self.security == "tls"
            else smtplib.SMTP(self.host, self.port, timeout=step)
        )
        try:
            yield server
        finally:
            server.close()

    @contextlib.contextmanager
    def _limited(self, server: smtplib.SMTP) -> Iterator[None]:
        """Break the connection when all of it takes too long: smtplib limits each wait only."""
        over = threading.Event()

        def end() -> None:
            over.set()
            with contextlib.suppress(OSError):
                if server.sock is not None:
                    # Not the TLS layer's way, which is not for a second thread.
                    socket.socket.shutdown(server.sock, socket.SHUT_RDWR)

        watch = threading.Timer(self.seconds, end)
        watch.daemon = True
        watch.start()
        try:
            yield
        except (smtplib.SMTPException, OSError):
            if over.is_set():
                raise MailError(f"it was not done within {self.seconds:g} s") from None
            raise
        finally:
            watch.cancel()

    def _trust(self) -> ssl.SSLContext:
        return self.context or ssl.create_default_context()


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:300]
