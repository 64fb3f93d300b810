"""What webhooks and mails say: pure functions of a fact and of the call's record.

A fact `call.started`, `call.answered` or `call.ended` is an event of the same name; a missed
inbound call is the event `call.missed` besides.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from standardwebhooks import Webhook as Signer

from telephony.domain.duty.calendars import CALENDAR_FAILED
from telephony.domain.duty.outlook import DUTY_GAP
from telephony.domain.numbers import digits
from telephony.domain.record import CallRecord, Direction, Disposition
from telephony.ical import Fault
from telephony.store.outbox import StoredFact
from telephony.store.tables import moment
from telephony.words import say

STARTED, ANSWERED, ENDED, MISSED = "call.started", "call.answered", "call.ended", "call.missed"
EVENTS = (STARTED, ANSWERED, ENDED, MISSED)
NOTICE_EVENTS = (MISSED, CALENDAR_FAILED, DUTY_GAP)
STANDARD, ZAMMAD = "standard", "zammad"
FORMS = (STANDARD, ZAMMAD)
ZAMMAD_EVENTS = (STARTED, ANSWERED, ENDED)
# In the payload of the end of a call that became part of another one, whose id it is.
PART_OF = "part_of"

SECRET_PREFIX = "whsec_"  # noqa: S105
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*\.)*[A-Za-z0-9-]*[A-Za-z0-9]"
)
_MISSED = frozenset(
    {
        Disposition.CALLBACK_ASKED,
        Disposition.ABANDONED,
        Disposition.NO_ANSWER,
        Disposition.BUSY,
        Disposition.FAILED,
        Disposition.VOICEMAIL,
    }
)
MOST_MAILS = 30  # by one rule to one address
MAILS_WITHIN = timedelta(hours=1)
_LONGEST_NAME = 80
# Zammad's words for why a call ended.
_CAUSES = {
    Disposition.ANSWERED: "normalClearing",
    Disposition.CALLBACK_ASKED: "noAnswer",
    Disposition.ABANDONED: "cancel",
    Disposition.NO_ANSWER: "noAnswer",
    Disposition.BUSY: "busy",
    Disposition.FAILED: "congestion",
    Disposition.LOST: "normalClearing",
    Disposition.VOICEMAIL: "noAnswer",
    Disposition.BLOCKED: "busy",
    Disposition.NOT_PLACED: "noAnswer",
}
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


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP request's body and headers."""

    body: bytes
    headers: Mapping[str, str]


def new_secret() -> str:
    """Return a fresh secret of a webhook: whsec_ and 32 random bytes in base 64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def is_mail_address(text: str) -> bool:
    """Tell whether a text is a plain e-mail address: no name, no quotes, ASCII only."""
    return len(text) <= 254 and ".." not in text and bool(_ADDRESS.fullmatch(text))


def is_missed(record: CallRecord) -> bool:
    """Tell whether a call was missed: inbound, and nobody answered. A lost one is not known of."""
    return record.direction is Direction.IN and record.disposition in _MISSED


def events_of(kind: str, record: CallRecord | None) -> tuple[str, ...]:
    """Return the events that a fact of this kind is; none for a kind that nobody is told of."""
    if kind == ENDED and record is not None and is_missed(record):
        return ENDED, MISSED
    return (kind,) if kind in (*EVENTS, CALENDAR_FAILED, DUTY_GAP) else ()


def call_data(fact: StoredFact, record: CallRecord | None) -> dict[str, Any]:
    """Return what a webhook tells of a call: the record's summary, else the fact's payload."""
    if record is None or fact.kind != ENDED:
        return dict(fact.payload)
    return {
        "call_id": record.call_id,
        "direction": record.direction.value,
        "did": record.did,
        "number": record.number,
        "client_id": record.client_id,
        "client_name": record.client_name,
        "placed_by": record.placed_by,
        "disposition": record.disposition.value,
        "answered_by": record.answered_by,
        "hung_up_by": record.hung_up_by.value,
        "started_at": _iso(record.started_at),
        "answered_at": None if record.answered_at is None else _iso(record.answered_at),
        "ended_at": _iso(record.ended_at),
        "wait_ms": record.wait_ms,
        "ring_ms": record.ring_ms,
        "talk_ms": record.talk_ms,
        "hold_ms": record.hold_ms,
        "fallback": record.fallback,
        "legs": [
            {
                "operator": leg.operator,
                "kind": leg.kind,
                "outcome": leg.outcome.value,
                "ring_ms": leg.ring_ms,
                "talk_ms": leg.talk_ms,
            }
            for leg in record.legs
        ],
    }


def message_id(fact: StoredFact, target: str, event: str) -> str:
    """Return the id of a delivery: the same at each try, another for each receiver."""
    text = f"{fact.key}\n{fact.created_at.isoformat()}\n{target}\n{event}"
    return "msg_" + hashlib.sha256(text.encode()).hexdigest()[:32]


def standard_message(
    event: str,
    fact: StoredFact,
    record: CallRecord | None,
    *,
    key: str,
    secret: str,
    now: datetime,
) -> Message:
    """Return a signed request as Standard Webhooks has it; `key` is the delivery's message id."""
    body = json.dumps(
        {
            "type": event,
            "timestamp": _text(fact.created_at),
            "data": call_data(fact, record),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return Message(
        body.encode(),
        {
            "Content-Type": "application/json",
            "User-Agent": "Dutyline",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Signer(secret).sign(key, now, body),
        },
    )


def zammad_message(
    fact: StoredFact, record: CallRecord | None, names: Mapping[str, str]
) -> Message | None:
    """Return the form of Zammad's generic CTI; `names` maps extensions to people.

    None for what Zammad has no word for: an internal call, a record that is gone. A call that
    became part of another one is hung up.
    """
    data = call_data(fact, record)
    part = PART_OF in data
    if data.get("direction") not in ("in", "out"):
        return None
    if fact.kind == ENDED and record is None and not part:
        return None
    inbound = data["direction"] == "in"
    client = digits(str(data["number"])) or "anonymous"
    ours = str(data["did"]) or str(data["placed_by"] or "")
    fields: list[tuple[str, str]] = [
        ("from", client if inbound else ours),
        ("to", ours if inbound else client),
        ("direction", str(data["direction"])),
        ("callId", str(data["call_id"])),
    ]
    operator = data.get("answered_by") or data.get("operator") if inbound else data["placed_by"]
    if operator:
        fields.append(("user[]", names.get(str(operator), str(operator))))
    if fact.kind == STARTED:
        event = "newCall"
    elif fact.kind == ANSWERED:
        event = "answer"
        if operator:
            fields.append(("answeringNumber", str(operator)))
    else:
        event = "hangup"
        found = record.disposition if record is not None else Disposition.ANSWERED
        fields.append(("cause", _CAUSES[found]))
        if operator and record is not None and record.answered_at is not None:
            fields.append(("answeringNumber", str(operator)))
    return Message(
        urlencode([("event", event), *fields]).encode("ascii"),
        {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Dutyline"},
    )


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
    return _mail(subject, lines, more, sender, to, key, moment(record.ended_at))


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
    return _mail(subject, lines, "", sender, to, key, fact.created_at)


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
    return _mail(subject, lines, "", sender, to, key, fact.created_at)


def _mail(
    subject: str,
    lines: list[tuple[str, str]],
    more: str,
    sender: str,
    to: str,
    key: str,
    at: datetime,
) -> EmailMessage:
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


def _iso(microseconds: int) -> str:
    return _text(moment(microseconds))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
