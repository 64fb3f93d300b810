"""E-mail to the mail server that the settings name."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage

_SECONDS = 10.0


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

    def send(self, message: EmailMessage) -> int:
        """Hand a message to the server; return SMTP's status. Raises MailError."""
        try:
            with self._connect() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
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

    def _connect(self) -> smtplib.SMTP:
        context = self.context or ssl.create_default_context()
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        if self.security == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:300]
