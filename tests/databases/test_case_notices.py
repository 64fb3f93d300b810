"""Facts of callbacks become webhooks and mails, and alarms are told of once an hour: on both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from telephony.callbacks.alarms import alarm_of_bar, standing_alarms
from telephony.callbacks.watching import watch_cases
from telephony.domain.callback.cases import Attention, Case, Ending, Source, ended
from telephony.domain.callback.results import Ended, Why
from telephony.domain.callback.rules import CallbackRules, Caps
from telephony.domain.callback.verdicts import Bar
from telephony.notify import MOST_MAILS
from telephony.store.alarms import ALARM, CAPS, Alarm
from telephony.store.attempts import count_ended, count_live
from telephony.store.callback_rules import replace_callback_rules
from telephony.store.case_tables import callback_attempt
from telephony.store.cases import (
    add_case,
    get_case,
    resume_dialling,
    save_case,
    stop_dialling,
    stopped,
)
from telephony.store.deliveries import State, count_deliveries
from telephony.store.engine import reading, writing
from telephony.store.notices import Recipient, add_notice
from telephony.store.outbox import StoredFact, outbox
from telephony.store.setup import replace_setup
from telephony.words import say
from tests.asterisk.office import small_setup
from tests.databases.delivering import NOW, Mailbox, Office, mail_office

NUMBER = "+79161234567"
DID = "74951234567"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def mailbox() -> Mailbox:
    """Give an empty mailbox."""
    return Mailbox()


@pytest.fixture
def mailing(engine: Engine, mailbox: Mailbox) -> Iterator[Office]:
    """Give an office with a real mail server, and two operators."""
    with writing(engine) as session:
        replace_setup(session, small_setup("101", "102"))
    with mail_office(engine, mailbox) as made:
        yield made


def _case(office: Office, nth: int = 0, **changes: object) -> Case:
    case = Case(
        number=f"+7916{nth:07d}",
        source=Source.MISSED,
        why=Why.WAITING,
        opened_at=office.at,
        origin_at=office.at,
        last_missed_at=office.at,
        did=DID,
        client_name="Ромашка",
        owner="101",
        due_at=office.at + 60 * MINUTE,
        sla_at=office.at + 30 * MINUTE,
        expires_at=office.at + timedelta(days=3),
    )
    with writing(office.engine) as session:
        return add_case(session, replace(case, **changes), office.at)  # type: ignore[arg-type]


def _notice(office: Office, event: str, *, did: str | None = None, language: str = "en") -> None:
    with writing(office.engine) as session:
        add_notice(
            session,
            events=(event,),
            did=did,
            zone="Europe/Moscow",
            recipients=(Recipient("anna@example.com", language),),
            now=office.at,
        )


def _mails(mailbox: Mailbox) -> list[Message]:
    return [BytesParser(policy=default).parsebytes(content) for _, content in mailbox.mails]


def _text(mail: Message) -> str:
    assert isinstance(mail, EmailMessage)
    return str(mail.get_content())


def _alarms(engine: Engine) -> list[StoredFact]:
    query = select(outbox.c.id, outbox.c.kind, outbox.c.key, outbox.c.payload, outbox.c.created_at)
    with reading(engine) as session:
        rows = session.execute(query.where(outbox.c.kind == ALARM).order_by(outbox.c.id))
        return [StoredFact(*row) for row in rows]


def test_a_deadline_is_mailed_when_it_is_near_and_when_it_is_over(
    mailing: Office, mailbox: Mailbox
) -> None:
    _notice(mailing, "callback.near", did=DID)
    _notice(mailing, "callback.near", did="000")
    _notice(mailing, "callback.overdue", language="ru")
    _notice(mailing, "callback.opened")
    _case(mailing)
    for minutes in (1, 21, 22, 31, 32):
        mailing.at = NOW + minutes * MINUTE
        watch_cases(mailing.engine, mailing.at)
        mailing.expand()
        mailing.deliver("mail")
    opened, near, overdue = _mails(mailbox)
    assert opened["Subject"] == "To be called back: +79160000000 (Ромашка)"
    assert near["Subject"] == "Call back by 2026-11-24 15:30 MSK: +79160000000 (Ромашка)"
    assert overdue["Subject"] == "Обратный звонок просрочен: +79160000000 (Ромашка)"
    assert "Owner: Anna (101)" in _text(near)


def test_a_case_that_is_over_by_then_is_mailed_of_no_more(
    mailing: Office, mailbox: Mailbox
) -> None:
    _notice(mailing, "callback.overdue")
    case = _case(mailing)
    mailing.at = NOW + 31 * MINUTE
    watch_cases(mailing.engine, mailing.at)
    mailing.expand()
    with writing(mailing.engine) as session:
        over = ended(case, Ending.CLIENT_CALLED, mailing.at)
        save_case(session, case, over, mailing.at)
    assert mailing.deliver("mail") == 1
    assert mailbox.mails == []
    assert {(row.state, row.last_error) for row in mailing.rows()} == {(State.DELIVERED, None)}
    with reading(mailing.engine) as session:
        assert count_deliveries(session) == (0, 0), "nothing is given up"


def test_a_case_that_was_given_up_is_for_a_person(mailing: Office, mailbox: Mailbox) -> None:
    _notice(mailing, "callback.escalated")
    _notice(mailing, "callback.escalated", language="ru")
    tried = _case(mailing, attention=None, due_at=None)
    with writing(mailing.engine) as session:
        asks = replace(tried, attention=Attention.ATTEMPTS)
        save_case(session, tried, asks, mailing.at)
    mailing.expand()
    assert mailing.deliver("mail") == 2
    mailing.at = NOW + timedelta(days=3)
    watch_cases(mailing.engine, mailing.at)
    mailing.expand()
    assert mailing.deliver("mail") == 2
    with reading(mailing.engine) as session:
        case = get_case(session, tried.id)
    assert case is not None
    assert case.ending is Ending.EXPIRED
    english, russian = sorted(_mails(mailbox)[2:], key=lambda mail: str(mail["Subject"]))
    assert english["Subject"] == "A callback was given up: +79160000000 (Ромашка)"
    assert f"Why a person has to look: {say(Ending.EXPIRED, 'en')}" in _text(english)
    assert russian["Subject"] == "Обратный звонок не состоялся: +79160000000 (Ромашка)"
    assert f"Почему нужен человек: {say(Ending.EXPIRED, 'ru')}" in _text(russian)


def test_a_storm_of_cases_fills_no_mailbox(mailing: Office, mailbox: Mailbox) -> None:
    _notice(mailing, "callback.opened")
    for nth in range(MOST_MAILS + 10):
        _case(mailing, nth)
    mailing.expand()
    assert mailing.deliver("mail") == MOST_MAILS
    assert "no mails of further ones" in _text(_mails(mailbox)[-1])
    assert "no mails of further ones" not in _text(_mails(mailbox)[-2])


def test_webhooks_are_told_of_cases_and_alarms(mailing: Office) -> None:
    mailing.webhook("callback.opened", "callback.closed", ALARM)
    case = _case(mailing)
    with writing(mailing.engine) as session:
        save_case(session, case, ended(case, Ending.BY_HAND, NOW, "boss"), NOW)
        stop_dialling(session, "boss", "odd calls", NOW)
    mailing.expand()
    mailing.deliver("webhook:1")
    bodies = {body["type"]: body["data"] for body in map(_body, mailing.receiver.requests)}
    assert set(bodies) == {"callback.opened", "callback.closed", ALARM}
    closed = bodies["callback.closed"]
    assert (closed["case_id"], closed["ending"], closed["ended_by"]) == (case.id, "by_hand", "boss")
    assert bodies[ALARM]["alarm"] == "stopped"
    assert bodies[ALARM]["by"] == "boss"
    assert bodies[ALARM]["reason"] == "odd calls"


def _body(request: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.body)  # type: ignore[attr-defined]
    return found


def test_the_switch_is_told_of_when_it_is_set_and_when_it_is_taken_back(
    mailing: Office, mailbox: Mailbox
) -> None:
    _notice(mailing, ALARM)
    with writing(mailing.engine) as session:
        assert stop_dialling(session, "boss", "odd calls", NOW)
        assert not stop_dialling(session, "anna", "again", NOW + MINUTE)
        (standing,) = standing_alarms(session, NOW + MINUTE)
        assert (standing.alarm, standing.by, standing.since) == (Alarm.STOPPED, "boss", NOW)
        assert resume_dialling(session, "anna", NOW + 2 * MINUTE)
        assert not resume_dialling(session, "anna", NOW + 3 * MINUTE)
        assert stopped(session) is None
        assert standing_alarms(session, NOW + 3 * MINUTE) == []
        assert stop_dialling(session, "boss", "", NOW + 4 * MINUTE)
    kinds = [fact.payload["alarm"] for fact in _alarms(mailing.engine)]
    assert kinds == ["stopped", "resumed", "stopped"]
    mailing.expand()
    mailing.deliver("mail")
    subjects = [mail["Subject"] for mail in _mails(mailbox)]
    assert subjects.count("All callbacks were stopped") == 2
    assert subjects.count("Callbacks go on again") == 1


def _tried(office: Office, count: int, ago: timedelta, prefix: str = "+79161") -> None:
    with writing(office.engine) as session:
        for nth in range(count):
            session.execute(
                insert(callback_attempt).values(
                    number=NUMBER, prefix=prefix, did=DID, first="operator", operator=str(nth),
                    mobile=0, asked_by="", state="done", fence=1, lease_until=office.at,
                    created_at=office.at - ago, sent_at=office.at - ago, talk_ms=0,
                    ended=Ended.NO_ANSWER.value,
                )
            )  # fmt: skip


def test_a_cap_on_all_numbers_is_told_of_once_an_hour_while_it_stops_calls(
    mailing: Office,
) -> None:
    with writing(mailing.engine) as session:
        replace_callback_rules(session, CallbackRules(caps=Caps(hour=3, day=100)))
    _tried(mailing, 3, MINUTE)
    watch_cases(mailing.engine, NOW)
    assert _alarms(mailing.engine) == [], "nobody is held up"
    with reading(mailing.engine) as session:
        assert [one.alarm for one in standing_alarms(session, NOW)] == [Alarm.HOUR]
    _case(mailing, due_at=NOW)
    for minutes in (0, 1, 20, 50):
        watch_cases(mailing.engine, NOW + minutes * MINUTE)
    (fact,) = _alarms(mailing.engine)
    assert (fact.payload["alarm"], fact.payload["limit"]) == ("hour", 3)
    mailing.at = NOW + 59 * MINUTE
    _tried(mailing, 3, MINUTE)
    for minutes in (59, 61, 62):
        watch_cases(mailing.engine, NOW + minutes * MINUTE)
    assert len(_alarms(mailing.engine)) == 2
    with writing(mailing.engine) as session:
        stop_dialling(session, "boss", "", NOW)
    mailing.at = NOW + 150 * MINUTE
    _tried(mailing, 3, MINUTE)
    watch_cases(mailing.engine, mailing.at)
    kinds = [fact.payload["alarm"] for fact in _alarms(mailing.engine)]
    assert kinds == ["hour", "hour", "stopped"], "it is the switch that stops calls now"


def test_a_cap_of_a_beginning_names_it(mailing: Office) -> None:
    rules = CallbackRules(caps=Caps(prefix_hour=2))
    with writing(mailing.engine) as session:
        replace_callback_rules(session, rules)
    _tried(mailing, 2, MINUTE)
    _tried(mailing, 1, MINUTE, "+74951")
    with writing(mailing.engine) as session:
        (standing,) = standing_alarms(session, NOW)
        assert (standing.alarm, standing.prefix) == (Alarm.PREFIX_HOUR, "+79161")
        for number in (NUMBER, NUMBER, "+74951234567"):
            alarm_of_bar(session, rules, Bar.PREFIX_HOUR, number, NOW)
        for bar in (None, Bar.QUIET, Bar.NUMBER_DAY, Bar.AT_ONCE):
            alarm_of_bar(session, rules, bar, NUMBER, NOW)
        assert count_ended(session, NOW - timedelta(hours=1)) == {"no_answer": 3}
        assert count_live(session) == 0
        assert standing_alarms(session, NOW + timedelta(hours=2)) == []
    found = [(fact.payload["prefix"], fact.payload["limit"]) for fact in _alarms(mailing.engine)]
    assert found == [("+79161", 2), ("+74951", 2)]


def test_the_caps_are_named_as_their_bars() -> None:
    assert [Bar(one.value) for one in CAPS] == [Bar.PREFIX_HOUR, Bar.HOUR, Bar.DAY]


def test_a_case_that_is_gone_is_mailed_of_no_more(mailing: Office, mailbox: Mailbox) -> None:
    _notice(mailing, "callback.opened")
    case = _case(mailing)
    mailing.expand()
    with writing(mailing.engine) as session:
        found = get_case(session, case.id)
        assert found is not None
        save_case(session, found, ended(found, Ending.OPTED_OUT, NOW), NOW)
    assert mailing.deliver("mail") == 1
    assert mailbox.mails == []
