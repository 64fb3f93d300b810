"""What webhooks and mails say, and what cannot be put into them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from telephony.domain.record import CallRecord, Direction, Disposition
from telephony.notify import (
    ENDED,
    MISSED,
    STARTED,
    call_data,
    clean,
    events_of,
    is_mail_address,
    message_id,
    missed_mail,
    new_secret,
    standard_message,
    zammad_message,
)
from telephony.store.outbox import StoredFact
from tests.databases.samples import a_record

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PAYLOAD = {
    "call_id": "1795500000.1",
    "direction": "in",
    "did": "74951234567",
    "number": "+79001112233",
    "client_id": 7,
    "client_name": "Ромашка",
    "placed_by": None,
    "operator": None,
    "at": "2026-11-24T12:00:00.000Z",
}
MISSED_CALL = replace(
    a_record(1), disposition=Disposition.NO_ANSWER, answered_at=None, answered_by=None
)


def _fact(kind: str = STARTED, **payload: object) -> StoredFact:
    return StoredFact(5, kind, f"{kind}:1795500000.1", {**PAYLOAD, **payload}, NOW)


def _fields(fact: StoredFact, record: CallRecord | None = None) -> dict[str, str]:
    message = zammad_message(fact, record, {"101": "Анна"})
    assert message is not None
    assert message.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return dict(parse_qsl(message.body.decode("ascii"), strict_parsing=True))


@pytest.mark.parametrize(
    ("disposition", "direction", "missed"),
    [
        (Disposition.ANSWERED, Direction.IN, False),
        (Disposition.CALLBACK_ASKED, Direction.IN, True),
        (Disposition.ABANDONED, Direction.IN, True),
        (Disposition.NO_ANSWER, Direction.IN, True),
        (Disposition.BUSY, Direction.IN, True),
        (Disposition.FAILED, Direction.IN, True),
        (Disposition.LOST, Direction.IN, False),
        (Disposition.NO_ANSWER, Direction.OUT, False),
        (Disposition.NO_ANSWER, Direction.INTERNAL, False),
    ],
)
def test_which_calls_are_missed(
    disposition: Disposition, direction: Direction, missed: bool
) -> None:
    record = replace(a_record(), disposition=disposition, direction=direction)
    assert events_of(ENDED, record) == ((ENDED, MISSED) if missed else (ENDED,))


def test_other_facts_are_nobodys_event() -> None:
    assert events_of(STARTED, None) == (STARTED,)
    assert events_of("survey.answered", None) == ()


def test_a_message_is_signed_and_says_what_happened() -> None:
    secret = new_secret()
    now = datetime.now(UTC)
    fact = _fact()
    key = message_id(fact, "webhook:1", STARTED)
    message = standard_message(STARTED, fact, None, key=key, secret=secret, now=now)
    body = Webhook(secret).verify(message.body, dict(message.headers))
    assert body == {"type": STARTED, "timestamp": "2026-11-24T12:00:00.000Z", "data": PAYLOAD}
    assert message.headers["webhook-id"] == key
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(message.body, dict(message.headers))


def test_the_id_is_the_same_at_each_try_and_for_nobody_else() -> None:
    fact = _fact()
    first = message_id(fact, "webhook:1", STARTED)
    assert first == message_id(fact, "webhook:1", STARTED)
    others = {
        message_id(fact, "webhook:2", STARTED),
        message_id(fact, "webhook:1", MISSED),
        message_id(replace(fact, key="call.started:2"), "webhook:1", STARTED),
        message_id(
            replace(fact, created_at=datetime(2026, 1, 1, tzinfo=UTC)), "webhook:1", STARTED
        ),
    }
    assert len({first, *others}) == 5
    assert "." not in first


def test_an_ended_call_is_told_by_its_record() -> None:
    data = call_data(_fact(ENDED), a_record())
    assert json.loads(json.dumps(data)) == data
    assert data["disposition"] == "answered"
    assert data["started_at"].endswith("Z")
    assert [leg["operator"] for leg in data["legs"]] == [leg.operator for leg in a_record().legs]


def test_zammad_is_told_of_a_call_in_its_words() -> None:
    assert _fields(_fact()) == {
        "event": "newCall",
        "from": "79001112233",
        "to": "74951234567",
        "direction": "in",
        "callId": "1795500000.1",
    }
    answered = _fields(_fact("call.answered", operator="101"))
    assert (answered["event"], answered["user[]"], answered["answeringNumber"]) == (
        "answer",
        "Анна",
        "101",
    )
    out = _fields(_fact(direction="out", placed_by="101", did=""))
    assert (out["from"], out["to"], out["user[]"]) == ("101", "79001112233", "Анна")
    assert _fields(_fact(number=""))["from"] == "anonymous"
    ended = _fields(_fact(ENDED), MISSED_CALL)
    assert (ended["event"], ended["cause"]) == ("hangup", "noAnswer")
    assert _fields(_fact(ENDED), a_record())["cause"] == "normalClearing"


def test_zammad_hears_nothing_of_internal_calls() -> None:
    assert zammad_message(_fact(direction="internal"), None, {}) is None
    assert zammad_message(_fact("call.ended"), None, {}) is None, "its record is gone"
    part = zammad_message(_fact("call.ended", part_of="1795521600.1"), None, {})
    assert part is not None
    assert b"event=hangup" in part.body
    assert b"cause=normalClearing" in part.body


def _mail(
    record: CallRecord = MISSED_CALL, language: str = "en", to: str = "a@example.com"
) -> EmailMessage:
    return missed_mail(
        record,
        sender="dutyline@example.com",
        to=to,
        language=language,
        zone="Europe/Moscow",
        key="msg_1",
    )


def _parsed(mail: EmailMessage) -> EmailMessage:
    found = BytesParser(policy=SMTP).parsebytes(mail.as_bytes())
    assert isinstance(found, EmailMessage)
    return found


def test_a_mail_in_each_language() -> None:
    record = replace(MISSED_CALL, number="+79001112233", client_name="Ромашка", wait_ms=25_400)
    english = _parsed(_mail(record))
    assert english["Subject"] == "Missed call from +79001112233 (Ромашка)"
    assert english["Auto-Submitted"] == "auto-generated"
    assert english["Message-ID"] == "<msg_1@example.com>"
    text = english.get_content()
    assert "Waited: 25 s" in text
    assert "MSK" in text
    russian = _parsed(_mail(record, "ru"))
    assert russian["Subject"] == "Пропущенный звонок: +79001112233 (Ромашка)"
    assert "Ждал: 25 с" in russian.get_content()
    hidden = _parsed(_mail(replace(record, number="", client_name=""), "ru"))
    assert hidden["Subject"] == "Пропущенный звонок: скрытый номер"


@pytest.mark.parametrize(
    "name",
    [
        "Eve\r\nBcc: all@example.com",
        "Eve\nBcc: all@example.com",
        "Eve\r\n\r\nbody",
        "Eve\x00Bcc: all@example.com",
        "Eve\u2028Bcc: all@example.com",
        "Eve\x85Bcc: all@example.com",
    ],
)
def test_a_callers_name_adds_no_header_and_no_line(name: str) -> None:
    plain = _parsed(_mail(replace(MISSED_CALL, client_name="Eve")))
    mail = _parsed(_mail(replace(MISSED_CALL, client_name=name)))
    assert mail.keys() == plain.keys()
    assert mail["To"] == "a@example.com"
    assert len(mail.get_content().splitlines()) == len(plain.get_content().splitlines())


@given(st.text(max_size=60))
def test_no_text_adds_a_header(name: str) -> None:
    mail = BytesParser(policy=SMTP).parsebytes(
        _mail(replace(MISSED_CALL, client_name=name, number=name)).as_bytes()
    )
    assert sorted(mail.keys()) == sorted(_mail().keys())


def test_direction_marks_are_left_out() -> None:
    assert clean("Анна\u202egnp.exe\u2066x\u2069") == "Аннаgnp.exex"
    assert clean("a\u200bb  c\td") == "ab c d"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "anna@",
        "@example.com",
        "anna@example.com\r\nBcc: b@example.com",
        "anna@example.com\n",
        "anna@example.com,bob@example.com",
        "Anna <anna@example.com>",
        '"anna"@example.com',
        "anna@exa mple.com",
        "an..na@example.com",
        "анна@example.com",
        "a" * 65 + "@example.com",
    ],
)
def test_addresses_that_are_none(address: str) -> None:
    assert not is_mail_address(address)
    with pytest.raises(ValueError, match="not an e-mail address"):
        _mail(to=address)


@pytest.mark.parametrize(
    "address", ["anna@example.com", "a.b+c@mail.example.org", "root@localhost"]
)
def test_addresses(address: str) -> None:
    assert is_mail_address(address)
