"""Deliveries: what jobs make of facts, and how a receiver's failures are met. On both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import default

import pytest
from sqlalchemy import Engine, update

from telephony.domain.record import CallRecord, Direction, Disposition
from telephony.jobs import deliver, expand
from telephony.mailing import Mailer
from telephony.notify import MAILS_WITHIN, MOST_MAILS
from telephony.secrets import Vault
from telephony.store.deliveries import (
    State,
    claim_deliveries,
    count_deliveries,
    delivery,
    due_deliveries,
    failing_deliveries,
    park_late,
    retry_delivery,
    sweep_deliveries,
)
from telephony.store.engine import reading, writing
from telephony.store.notices import Recipient, add_notice, remove_notice
from telephony.store.outbox import claim_facts, due_facts, pending_facts
from telephony.store.webhooks import get_webhook, remove_webhook
from tests.databases.delivering import LEASE, NOW, Mailbox, Office, mail_office
from tests.databases.samples import a_record
from tests.lab.ports import free_port
from tests.lab.receiver import Receiver, Reply


@pytest.fixture
def office(emptied: Engine) -> Iterator[Office]:
    """Give an office whose receiver answers 200."""
    with Receiver() as receiver:
        yield Office(emptied, receiver, None)


def _missed(nth: int = 0, **changes: object) -> CallRecord:
    return replace(
        a_record(nth),
        direction=Direction.IN,
        disposition=Disposition.NO_ANSWER,
        answered_at=None,
        answered_by=None,
        **changes,  # type: ignore[arg-type]
    )


def test_a_fact_goes_once_to_each_webhook_that_wants_it(office: Office) -> None:
    office.webhook("call.started")
    office.webhook("call.started", "call.ended")
    office.webhook("call.ended")
    office.started()
    office.expand()
    office.expand()
    assert [row.target for row in office.rows()] == ["webhook:1", "webhook:2"]
    assert office.deliver("webhook:1") == office.deliver("webhook:2") == 1
    assert {row.state for row in office.rows()} == {State.DELIVERED}
    assert len(office.receiver.requests) == 2


def test_a_job_of_an_older_attempt_does_nothing(office: Office) -> None:
    office.webhook("call.started")
    office.started()
    with writing(office.engine) as session:
        (key,) = due_facts(session, NOW, 10)
        claim_facts(session, [key], NOW, LEASE)
        claim_facts(session, [key], NOW + LEASE, LEASE)
    expand(office.tools, key, 1)
    assert office.rows() == []
    expand(office.tools, key, 2)
    expand(office.tools, key, 2)
    (row,) = office.rows()
    with writing(office.engine) as session:
        claim_deliveries(session, [row.id], NOW, LEASE)
        assert sweep_deliveries(session, NOW + LEASE) == 1
        claim_deliveries(session, [row.id], NOW + LEASE, LEASE)
    deliver(office.tools, row.id, 1)
    assert office.receiver.requests == []
    deliver(office.tools, row.id, 2)
    deliver(office.tools, row.id, 2)
    assert len(office.receiver.requests) == 1


def test_a_missed_call_is_told_as_ended_and_as_missed(office: Office) -> None:
    office.webhook("call.ended", "call.missed")
    office.ended(_missed())
    office.expand()
    assert office.deliver() == 2
    bodies = [json.loads(request.body) for request in office.receiver.requests]
    assert sorted(body["type"] for body in bodies) == ["call.ended", "call.missed"]
    assert {body["data"]["disposition"] for body in bodies} == {"no_answer"}


def test_failures_are_tried_again_later_and_later_then_parked(office: Office) -> None:
    office.webhook("call.started")
    office.receiver.answer = lambda _request: Reply(500)
    office.started()
    office.expand()
    tries = 0
    while office.rows()[0].state == State.WAITING:
        office.at = max(office.at, office.rows()[0].due_at)
        tries += office.deliver()
    (row,) = office.rows()
    assert row.state == State.PARKED
    assert (row.last_status, row.last_error) == (500, "it answered 500")
    assert tries == row.attempt == len(office.receiver.requests)
    assert office.at - NOW <= timedelta(days=3)
    assert 15 <= tries <= 50
    assert len({request.headers["webhook-id"] for request in office.receiver.requests}) == 1
    office.receiver.answer = lambda _request: Reply()
    with writing(office.engine) as session:
        assert [one.id for one in failing_deliveries(session, 10)] == [row.id]
        assert retry_delivery(session, row.id, office.at, office.at + LEASE)
        assert not retry_delivery(session, row.id, office.at, office.at + LEASE)
    assert office.deliver() == 1
    assert office.rows()[0].state == State.DELIVERED


def test_retry_after_is_honoured_for_the_whole_receiver(office: Office) -> None:
    office.webhook("call.started")
    office.receiver.answer = lambda _request: Reply(429, {"Retry-After": "600"})
    office.started()
    office.expand()
    office.deliver()
    (row,) = office.rows()
    assert row.due_at == NOW + timedelta(seconds=600)
    assert office.lane().blocked_until == NOW + timedelta(seconds=600)


def test_410_disables_the_webhook(office: Office) -> None:
    key = office.webhook("call.started")
    office.started("1.1")
    office.started("1.2")
    office.expand()
    replies = iter([Reply(410)])
    office.receiver.answer = lambda _request: next(replies, Reply())
    with writing(office.engine) as session:
        (first, *_) = due_deliveries(session, "webhook:1", NOW, 1)
        claim_deliveries(session, [first], NOW, LEASE)
    deliver(office.tools, first, 1)
    assert {row.state for row in office.rows()} == {State.PARKED}
    with reading(office.engine) as session:
        hook = get_webhook(session, key)
    assert hook is not None
    assert not hook.enabled
    assert hook.problem == "the receiver wants no more (410)"
    office.started("1.3")
    office.expand()
    assert len(office.rows()) == 2
    assert len(office.receiver.requests) == 1


def test_a_receiver_that_keeps_failing_is_left_alone_for_a_while(office: Office) -> None:
    office.webhook("call.started")
    office.receiver.answer = lambda _request: Reply(503)
    for nth in range(3):
        office.started(f"1.{nth}")
    office.expand()
    # Of three that were claimed while it was well the first fails, the last is tried too.
    assert office.deliver() == 3
    assert len(office.receiver.requests) == office.lane().failures == 2
    assert office.deliver() == 1
    lane = office.lane()
    assert (lane.failures, lane.failing_since) == (3, NOW)
    assert lane.blocked_until == NOW + timedelta(seconds=5)
    office.receiver.answer = lambda _request: Reply()
    office.at = NOW + timedelta(seconds=10)
    office.deliver()
    lane = office.lane()
    assert (lane.failures, lane.failing_since, lane.blocked_until) == (0, None, None)


def test_what_waits_too_long_for_a_failing_receiver_is_parked(office: Office) -> None:
    office.webhook("call.started")
    office.started()
    office.expand()
    with writing(office.engine) as session:
        assert park_late(session, "webhook:1", NOW + timedelta(days=2), 10) == 0
        assert park_late(session, "webhook:1", NOW + timedelta(days=3), 10) == 1
        assert count_deliveries(session) == (0, 1)


def test_zammad_is_not_told_late_that_a_phone_rang(office: Office) -> None:
    office.webhook("call.started", form="zammad")
    office.started()
    office.expand()
    office.at = NOW + timedelta(minutes=3)
    office.deliver()
    (row,) = office.rows()
    assert (row.state, row.last_error) == (State.PARKED, "too late to tell that a phone rings")
    office.started("1.2")
    office.expand()
    office.deliver()
    (request,) = office.receiver.requests
    assert request.body.startswith(
        b"event=newCall&from=79001112233&to=7495&direction=in&callId=1.2"
    )


def test_what_can_never_succeed_is_parked_and_blames_nobody(office: Office) -> None:
    key = office.webhook("call.started")
    office.started()
    office.expand()
    with writing(office.engine) as session:
        remove_webhook(session, key)
    office.deliver()
    assert office.rows()[0].state == State.PARKED
    assert office.lane().failures == 0
    assert office.receiver.requests == []


def test_a_secret_sealed_with_another_key_is_told(office: Office) -> None:
    office.webhook("call.started")
    office.started()
    office.expand()
    office.tools = replace(office.tools, vault=Vault(["another-key-0123456789-0123456789-0"]))
    office.deliver()
    (row,) = office.rows()
    assert row.state == State.WAITING
    assert row.last_error == "a secret was sealed with another DUTYLINE_SECRET_KEY"


def test_a_fact_whose_job_breaks_waits_and_says_why(office: Office) -> None:
    office.webhook("call.started")
    office.started()
    with writing(office.engine) as session:
        session.execute(update(delivery.metadata.tables["webhook"]).values(events={"no": "list"}))
        session.execute(update(delivery.metadata.tables["webhook"]).values(events=7))
    with pytest.raises(TypeError):
        office.expand()
    with reading(office.engine) as session:
        assert pending_facts(session) == (1, NOW)
        assert due_facts(session, NOW + timedelta(seconds=4), 10) == []
        assert len(due_facts(session, NOW + timedelta(seconds=5), 10)) == 1
    assert office.rows() == []


# Mail


@pytest.fixture
def mailbox() -> Mailbox:
    """Give an empty mailbox."""
    return Mailbox()


@pytest.fixture
def mailing(emptied: Engine, mailbox: Mailbox) -> Iterator[Office]:
    """Give an office with a real mail server."""
    with mail_office(emptied, mailbox) as made:
        yield made


def _notice(office: Office, *recipients: Recipient, did: str | None = None) -> int:
    with writing(office.engine) as session:
        return add_notice(
            session,
            events=("call.missed",),
            did=did,
            zone="Europe/Moscow",
            recipients=recipients,
            now=NOW,
        )


def _parsed(content: bytes) -> Message:
    return BytesParser(policy=default).parsebytes(content)


def test_a_missed_call_is_mailed_to_each_in_their_language(
    mailing: Office, mailbox: Mailbox
) -> None:
    _notice(mailing, Recipient("anna@example.com", "ru"), Recipient("bob@example.com", "en"))
    _notice(mailing, Recipient("other@example.com", "en"), did="000")
    mailing.ended(_missed(1))
    mailing.ended(a_record(2))
    mailing.expand()
    assert mailing.deliver("mail") == 2
    by_address = {to[0]: _parsed(content) for to, content in mailbox.mails}
    assert set(by_address) == {"anna@example.com", "bob@example.com"}
    assert by_address["anna@example.com"]["Subject"].startswith("Пропущенный звонок")
    assert by_address["bob@example.com"]["Subject"].startswith("Missed call")
    assert isinstance(by_address["bob@example.com"], EmailMessage)
    assert {row.last_status for row in mailing.rows()} == {250}


def test_an_unknown_recipient_is_parked_and_the_others_get_theirs(
    mailing: Office, mailbox: Mailbox
) -> None:
    _notice(
        mailing,
        Recipient("nobody@example.com", "en"),
        Recipient("later@example.com", "en"),
        Recipient("bob@example.com", "en"),
    )
    mailing.ended(_missed(1))
    mailing.expand()
    mailing.deliver("mail")
    states = {row.target.split(":")[2]: (row.state, row.last_status) for row in mailing.rows()}
    assert states == {
        "nobody@example.com": (State.PARKED, 550),
        "later@example.com": (State.WAITING, 450),
        "bob@example.com": (State.DELIVERED, 250),
    }
    assert len(mailbox.mails) == 1


def test_an_address_with_a_line_end_is_never_mailed(mailing: Office, mailbox: Mailbox) -> None:
    """The commands refuse one; this is one that came into the database by another way."""
    _notice(mailing, Recipient("a@example.com\r\nRCPT TO:<b@example.com>", "en"))
    mailing.ended(_missed(1))
    mailing.expand()
    mailing.deliver("mail")
    (row,) = mailing.rows()
    assert row.state == State.PARKED
    assert row.last_error.startswith("not an e-mail address")
    assert mailbox.mails == []


def test_a_storm_of_missed_calls_fills_no_mailbox(mailing: Office, mailbox: Mailbox) -> None:
    _notice(mailing, Recipient("bob@example.com", "en"))
    for nth in range(MOST_MAILS + 10):
        mailing.ended(_missed(nth))
    mailing.expand()
    assert mailing.deliver("mail") == MOST_MAILS
    (said,) = (content for _, content in mailbox.mails if b"no mails of further ones" in content)
    assert said == mailbox.mails[-1][1]
    mailing.at += MAILS_WITHIN
    mailing.ended(_missed(1000))
    mailing.expand()
    assert mailing.deliver("mail") == 1
    assert b"no mails of further ones" not in mailbox.mails[-1][1]


def test_a_removed_notice_mails_no_more(mailing: Office, mailbox: Mailbox) -> None:
    key = _notice(mailing, Recipient("bob@example.com", "en"))
    mailing.ended(_missed(1))
    mailing.expand()
    with writing(mailing.engine) as session:
        assert remove_notice(session, key)
    mailing.deliver("mail")
    assert mailing.rows()[0].state == State.PARKED
    assert mailbox.mails == []


def test_a_mail_server_that_is_away_is_tried_again(mailing: Office) -> None:
    _notice(mailing, Recipient("bob@example.com", "en"))
    away = Mailer("127.0.0.1", free_port(), "none", "", "", "dutyline@example.com")
    mailing.tools = replace(mailing.tools, mailer=away)
    mailing.ended(_missed(1))
    mailing.expand()
    mailing.deliver("mail")
    (row,) = mailing.rows()
    assert row.state == State.WAITING
    assert "refused" in row.last_error.lower()
    assert mailing.lane("mail").failures == 1
