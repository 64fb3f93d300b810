"""What mails say of callbacks, in both languages, and what cannot be put into them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP

import pytest

from telephony.notify import (
    CASE_NOTICES,
    DID_EVENTS,
    EVENTS,
    NOTICE_EVENTS,
    ZAMMAD_EVENTS,
    alarm_mail,
    call_data,
    case_mail,
    events_of,
)
from telephony.store.alarms import ALARM, Alarm
from telephony.store.cases import CASE_FACTS, ESCALATED, NEAR, OPENED, OVERDUE
from telephony.store.outbox import StoredFact
from telephony.words import LANGUAGES

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CASE = {
    "case_id": 17,
    "number": "+79001112233",
    "client_id": 7,
    "client_name": "Ромашка",
    "did": "74951234567",
    "group": "sales",
    "owner": "101",
    "source": "missed",
    "why": "waiting",
    "missed": 3,
    "tries": 2,
    "origin_at": "2026-11-24T11:40:00Z",
    "sla_at": "2026-11-24T12:10:00Z",
    "attention": None,
    "ending": None,
    "ended_by": None,
    "at": "2026-11-24T12:00:00Z",
}
ALARM_DATA = {
    "alarm": "hour", "limit": 120, "prefix": "", "by": None, "reason": "", "since": None,
    "at": "2026-11-24T12:00:00Z",
}  # fmt: skip


def _parsed(mail: EmailMessage) -> EmailMessage:
    found = BytesParser(policy=SMTP).parsebytes(mail.as_bytes())
    assert isinstance(found, EmailMessage)
    return found


def _case(kind: str, language: str = "en", *, last: bool = False, **more: object) -> EmailMessage:
    fact = StoredFact(5, kind, f"{kind}:17", {**CASE, **more}, NOW)
    return _parsed(
        case_mail(
            fact,
            sender="dutyline@example.com",
            to="a@example.com",
            language=language,
            zone="Europe/Moscow",
            key="msg_1",
            names={"101": "Анна"},
            last=last,
        )
    )


def _alarm(language: str = "en", **more: object) -> EmailMessage:
    fact = StoredFact(6, ALARM, f"{ALARM}:x", {**ALARM_DATA, **more}, NOW)
    return _parsed(
        alarm_mail(
            fact,
            sender="dutyline@example.com",
            to="a@example.com",
            language=language,
            zone="Europe/Moscow",
            key="msg_2",
        )
    )


def _lines(mail: EmailMessage) -> list[str]:
    return str(mail.get_content()).splitlines()


def test_a_case_near_its_deadline_in_english() -> None:
    mail = _case(NEAR)
    assert mail["Subject"] == "Call back by 2026-11-24 15:10 MSK: +79001112233 (Ромашка)"
    assert _lines(mail) == [
        "Number: +79001112233",
        "Client: Ромашка",
        "To: 74951234567",
        "Reason: hung up while waiting",
        "Missed calls: 3",
        "Waits since: 2026-11-24 14:40 MSK",
        "Promised by: 2026-11-24 15:10 MSK",
        "Tries to call back: 2",
        "Owner: Анна (101)",
        "Case: 17",
    ]


def test_a_case_that_needs_a_person_in_russian() -> None:
    mail = _case(ESCALATED, "ru", attention="attempts")
    assert mail["Subject"] == "Обратный звонок ждёт человека: +79001112233 (Ромашка)"
    assert _lines(mail) == [
        "Номер: +79001112233",
        "Клиент: Ромашка",
        "Куда звонили: 74951234567",
        "Причина: ожидание прервано",
        "Пропущенных звонков: 3",
        "Ждёт с: 2026-11-24 14:40 MSK",
        "Обещано до: 2026-11-24 15:10 MSK",
        "Попыток перезвонить: 2",
        "Ответственный: Анна (101)",
        "Почему нужен человек: все попытки безуспешны",
        "Пропущенный: 17",
    ]


@pytest.mark.parametrize(
    ("kind", "language", "subject"),
    [
        (OPENED, "en", "To be called back: +79001112233"),
        (OPENED, "ru", "Нужно перезвонить: +79001112233"),
        (OVERDUE, "en", "Callback overdue: +79001112233"),
        (OVERDUE, "ru", "Обратный звонок просрочен: +79001112233"),
        (ESCALATED, "en", "A callback needs a person: +79001112233"),
        (NEAR, "ru", "Перезвонить до 2026-11-24 15:10 MSK: +79001112233"),
    ],
)
def test_what_is_not_known_is_left_out(kind: str, language: str, subject: str) -> None:
    mail = _case(kind, language, client_name="", did="", owner=None)
    assert mail["Subject"] == subject
    assert len(_lines(mail)) == 7
    assert "None" not in mail.get_content()


def test_an_owner_who_is_gone_is_named_by_their_extension() -> None:
    assert "Owner: 199" in _lines(_case(OVERDUE, owner="199"))


def test_the_last_mail_of_an_hour_says_so() -> None:
    assert "no mails of further ones" in _case(OVERDUE, last=True).get_content()
    assert "писем пока не будет" in _case(OVERDUE, "ru", last=True).get_content()
    assert "no mails" not in _case(OVERDUE).get_content()


@pytest.mark.parametrize("kind", CASE_NOTICES)
def test_a_clients_name_adds_no_header_and_no_line(kind: str) -> None:
    plain = _case(kind, client_name="Eve")
    mail = _case(kind, client_name="Eve\r\nBcc: all@example.com\u2028", number="+7900\r\n\r\n1")
    assert mail.keys() == plain.keys()
    assert len(_lines(mail)) == len(_lines(plain))


def test_an_alarm_in_each_language() -> None:
    mail = _alarm(alarm="prefix_hour", limit=30, prefix="+79161")
    assert mail["Subject"] == "Callbacks stopped: too many to numbers that begin with +79161"
    assert _lines(mail)[:3] == [
        "Numbers that begin with: +79161",
        "Most calls allowed: 30",
        "At: 2026-11-24 15:00 MSK",
    ]
    assert "stop all callbacks" in mail.get_content()
    assert _alarm("ru")["Subject"] == "Обратные звонки остановлены: слишком много за час"
    assert "поднимите предел" in _alarm("ru", alarm="day").get_content()
    stopped = _alarm(alarm="stopped", limit=None, by="boss", reason="odd calls\r\nBcc: x")
    assert stopped["Subject"] == "All callbacks were stopped"
    assert _lines(stopped) == [
        "At: 2026-11-24 15:00 MSK", "By: boss", "Why: odd calls Bcc: x",
    ]  # fmt: skip
    resumed = _alarm(
        "ru", alarm="resumed", limit=None, by="boss", since="2026-11-24T11:00:00+00:00"
    )
    assert resumed["Subject"] == "Обратные звонки снова идут"
    assert _lines(resumed)[-1] == "Были остановлены с: 2026-11-24 14:00 MSK"


def test_every_alarm_has_its_words() -> None:
    for language in LANGUAGES:
        assert len({_alarm(language, alarm=one.value)["Subject"] for one in Alarm}) == len(Alarm)


def test_which_events_there_are() -> None:
    assert {*CASE_FACTS, ALARM} < set(EVENTS)
    assert not {*CASE_FACTS, ALARM} & set(ZAMMAD_EVENTS)
    assert {*CASE_NOTICES, ALARM} < set(NOTICE_EVENTS)
    assert ALARM not in DID_EVENTS
    for kind in (*CASE_FACTS, ALARM):
        assert events_of(kind, None) == (kind,)
        assert call_data(StoredFact(1, kind, "k", CASE, NOW), None) == CASE
