"""What webhooks say: pure functions of a fact and of the call's record."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from standardwebhooks import Webhook as Signer

from telephony.domain.numbers import digits
from telephony.domain.record import CallRecord, Disposition
from telephony.notify.events import ANSWERED, ENDED, STARTED
from telephony.store.outbox import StoredFact
from telephony.store.tables import moment

STANDARD, ZAMMAD = "standard", "zammad"
FORMS = (STANDARD, ZAMMAD)
# In the payload of the end of a call that became part of another one, whose id it is.
PART_OF = "part_of"

SECRET_PREFIX = "whsec_"  # noqa: S105
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


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP request's body and headers."""

    body: bytes
    headers: Mapping[str, str]


def new_secret() -> str:
    """Return a fresh secret of a webhook: whsec_ and 32 random bytes in base 64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


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


def _iso(microseconds: int) -> str:
    return _text(moment(microseconds))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
