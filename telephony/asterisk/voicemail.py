"""Dutyline's mailboxes for voicemail.conf."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from telephony.ami import names
from telephony.domain.setup import Mailbox


def voicemail(mailboxes: Iterable[Mailbox], token: str) -> str:
    """Return the text of the mailbox file.

    A mailbox without a PIN gets one out of the token, so that nobody can hear it on a phone.
    """
    lines = [
        "; Written by `dutyline pbx-config`. Do not edit: run it again. See docs/dialplan.md.",
        f"[{names.MAILBOXES}]",
    ]
    for one in sorted(mailboxes, key=lambda each: each.number):
        pin = one.pin or _pin(one.number, token)
        mail = f",{one.email},,attach=yes" if one.email else ""
        lines.append(f"{one.number} => {pin},{one.name}{mail}")
    return "\n".join(lines) + "\n"


def _pin(number: str, token: str) -> str:
    digest = hashlib.sha256(f"{token} mailbox {number}".encode()).hexdigest()
    return str(int(digest, 16))[:10]
