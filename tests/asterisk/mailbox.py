"""The mailbox of the office, and what was spoken into it."""

from __future__ import annotations

from pathlib import Path

from telephony.asterisk.voicemail import voicemail
from telephony.domain.setup import Mailbox
from tests.asterisk.office import TOKEN, Office

SALES_BOX = {
    "voicemail.conf": "[general]\nformat = wav\n" + voicemail([Mailbox("1", "Sales")], TOKEN)
}


def spoken(place: Office) -> list[Path]:
    """Return the messages of the mailbox that are long enough to be kept, as they grow."""
    box = place.pbx.home / "spool" / "voicemail" / "dutyline" / "1"
    three_seconds = 3 * 8000 * 2
    return [
        path for path in box.rglob("*") if path.is_file() and path.stat().st_size > three_seconds
    ]
