"""What mails say: pure functions of a fact or of a call's record."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from zoneinfo import ZoneInfo

from telephony.domain.record import CallRecord
from telephony.ical import Fault
from telephony.store.outbox import StoredFact
from telephony.store.tables import moment
from telephony.words import say

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*\.)*[A-Za-z0-9-]*[A-Za-z0-9]"
)
MOST_MAILS = 30  # by one rule to one address
MAILS_WITHIN = timedelta(hours=1)
_LONGEST_NAME = 80
_MAIL = {
    "en": {
        "subject": "Missed call from {who}",
        "hidden": "a hidden number",
        "from": "From",
        "client": "Client",
        "to": "To",
        "at": "At",
        "waited": "Waited",
        "seconds": "{count} s",
        "outcome": "Outcome",
        "call": "Call",
        "calendar": "The calendar “{title}” cannot be read",
        "group": "Group",
        "operator": "Operator",
        "why": "Why",
        "since": "Since",
        "copy": "Duty goes on by the copy of",
        "gap": "Nobody is on duty: {group}, {start}",
        "until": "Until",
        "longer": "further than a day ahead",
        "last": "These were many calls within an hour: there are no mails of further ones for now.",
    },
    "ru": {
        "subject": "Пропущенный звонок: {who}",
        "hidden": "скрытый номер",
        "from": "От",
        "client": "Клиент",
        "to": "Кому",
        "at": "Когда",
        "waited": "Ждал",
        "seconds": "{count} с",
        "outcome": "Исход",
        "call": "Звонок",
        "calendar": "Календарь «{title}» не читается",
        "group": "Группа",
        "operator": "Оператор",
        "why": "Почему",
        "since": "С",
        "copy": "Дежурства идут по копии от",
        "gap": "Нет дежурных: {group}, {start}",
        "until": "До",
        "longer": "дальше, чем на сутки вперёд",
        "last": "Звонков за час было много: о следующих писем пока не будет.",
    },
}


def is_mail_address(text: str) -> bool:
    """Tell whether a text is a plain e-mail address: no name, no quotes, ASCII only."""
    return len(text) <= 254 and ".." not in text and bool(_ADDRESS.fullmatch(text))


def missed_mail(
    record: CallRecord,
    *,
    sender: str,
    to: str,
    language: str,
    zone: str,
    key: str,
    last: bool = False,
) -> EmailMessage:
    """Return the notice of a missed call; times are in `zone` (IANA).

    `key` makes the Message-ID, the same at each try; `last` says that no more come. Raises
    ValueError for an address that is none.
    """
    words = _MAIL[language]
    began = moment(record.started_at).astimezone(ZoneInfo(zone))
    number = clean(record.number) or words["hidden"]
    name = clean(record.client_name)
    lines = [
        (words["from"], number),
        (words["client"], name),
        (words["to"], clean(record.did)),
        (words["at"], f"{began:%Y-%m-%d %H:%M:%S %Z}"),
        (words["waited"], words["seconds"].format(count=round(record.wait_ms / 1000))),
        (words["outcome"], say(record.disposition, language)),
        (words["call"], clean(record.call_id)),
    ]
    subject = words["subject"].format(who=f"{number} ({name})" if name else number)
    more = f"\n{words['last']}\n" if last else ""
    return mail_of(subject, lines, more, sender, to, key, moment(record.ended_at))


def calendar_mail(
    fact: StoredFact, *, sender: str, to: str, language: str, zone: str, key: str
) -> EmailMessage:
    """Return the notice of a calendar that fails; see `missed_mail`."""
    words, about = _MAIL[language], fact.payload

    def shown(name: str) -> str:
        at = datetime.fromisoformat(about[name]).astimezone(ZoneInfo(zone))
        return f"{at:%Y-%m-%d %H:%M %Z}"

    why = say(Fault(about["fault"]), language).format(detail=clean(about["detail"]))
    lines = [
        (words[about["owner_kind"]], clean(about["owner"])),
        (words["why"], why),
        (words["since"], shown("failing_since")),
        (words["copy"], shown("fetched_at")),
    ]
    subject = words["calendar"].format(title=clean(about["title"]))
    return mail_of(subject, lines, "", sender, to, key, fact.created_at)


def gap_mail(
    fact: StoredFact, *, sender: str, to: str, language: str, zone: str, key: str
) -> EmailMessage:
    """Return the notice of a gap in a group's roster; see `missed_mail`."""
    words, about = _MAIL[language], fact.payload
    start, end = (
        f"{datetime.fromisoformat(at).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}" if at else ""
        for at in (about["start"], about["end"])
    )
    group = clean(about["group"])
    lines = [
        (words["group"], group),
        (words["since"], start),
        (words["until"], end or words["longer"]),
    ]
    subject = words["gap"].format(group=group, start=start)
    return mail_of(subject, lines, "", sender, to, key, fact.created_at)


def mail_of(
    subject: str,
    lines: list[tuple[str, str]],
    more: str,
    sender: str,
    to: str,
    key: str,
    at: datetime,
) -> EmailMessage:
    """Return a mail of lines, those without a value left out, and `more` after them.

    Raises ValueError for an address that is none.
    """
    for address in (sender, to):
        if not is_mail_address(address):
            raise ValueError(f"not an e-mail address: {address!r}")
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = subject
    mail["From"] = Address("Dutyline", addr_spec=sender)
    mail["To"] = Address(addr_spec=to)
    mail["Date"] = at
    mail["Message-ID"] = f"<{key}@{sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("".join(f"{label}: {value}\n" for label, value in lines if value) + more)
    return mail


def clean(text: str) -> str:
    """Return a text from outside on one line: no control, format or direction characters."""
    kept = (
        letter if unicodedata.category(letter)[0] not in "CZ" else " " * (letter not in _UNSEEN)
        for letter in text
    )
    return " ".join("".join(kept).split())[:_LONGEST_NAME]


# Marks that turn the direction of writing, or take no room: left out rather than made a space.
_UNSEEN = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u061c\u00ad") | frozenset(
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
)
