"""The mail by which somebody sees whether notices reach them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from telephony.notify.mails import mail_of
from telephony.notify.words import say_event

_MAIL = {
    "en": {
        "subject": "A test of Dutyline's notices",
        "at": "Sent at",
        "more": "Somebody asked for this mail to see that it arrives. You will be told by mail "
        "when this happens:",
    },
    "ru": {
        "subject": "Проверка уведомлений Dutyline",
        "at": "Отправлено",
        "more": "Это проверка: письмо должно дойти. О чём будут приходить уведомления:",
    },
}


def trial_mail(
    events: Sequence[str],
    *,
    sender: str,
    to: str,
    language: str,
    zone: str,
    key: str,
    at: datetime,
) -> EmailMessage:
    """Return a test mail to somebody who is to be told of these events; see `missed_mail`."""
    words = _MAIL[language]
    lines = [(words["at"], f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}")]
    more = "".join(f"– {say_event(event, language)}\n" for event in events)
    return mail_of(words["subject"], lines, f"\n{words['more']}\n{more}", sender, to, key, at)
