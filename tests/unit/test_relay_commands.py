"""Webhooks, notices and deliveries by command, and the messages for what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from standardwebhooks import Webhook

from telephony.store.audit import list_audit
from telephony.store.deliveries import (
    Wanted,
    add_deliveries,
    begin_delivery,
    claim_deliveries,
    park_delivery,
)
from telephony.store.engine import open_engine, reading, writing
from telephony.store.outbox import Fact, add_facts, due_facts
from tests.databases.delivering import Mailbox
from tests.lab.ports import free_port
from tests.lab.receiver import Receiver, Reply
from tests.unit.test_cli import Admin


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    """Give an admin with a migrated, empty database."""
    admin = Admin(tmp_path)
    assert "applied" in admin.says("migrate")
    return admin


@pytest.fixture
def receiver(admin: Admin) -> Iterator[Receiver]:
    """Give a receiver that the admin allowed."""
    with Receiver() as receiver:
        admin.environment["DUTYLINE_OUTGOING_ALLOW"] = "127.0.0.0/8"
        admin.environment["DUTYLINE_OUTGOING_PORTS"] = str(receiver.port)
        yield receiver


def test_a_webhook_is_added_tried_shown_and_removed(admin: Admin, receiver: Receiver) -> None:
    assert "no webhooks yet" in admin.says("webhooks", "list")
    added = admin.says("webhooks", "add", receiver.url("/path-that-is-a-password"))
    assert "webhook 1 added" in added
    (secret,) = re.findall(r"whsec_\S+", added)
    shown = admin.says("webhooks", "list")
    assert f"http://127.0.0.1:{receiver.port}  call.started,call.answered,call.ended  on" in shown
    assert "password" not in shown
    assert "whsec_" not in shown
    assert "answered 200" in admin.says("webhooks", "test", "1")
    (request,) = receiver.requests
    body = Webhook(secret).verify(request.body, dict(request.headers))
    assert body["data"]["client_name"] == "Dutyline test"
    receiver.answer = lambda _request: Reply(404)
    assert "answered 404" in admin.refuses("webhooks", "test", "1")
    assert "webhook 1 enabled" in admin.says("webhooks", "enable", "1")
    assert "webhook 1 removed" in admin.says("webhooks", "remove", "1")
    for command in ("remove", "pause", "enable", "test"):
        assert "there is no webhook 1" in admin.refuses("webhooks", command, "1")


def test_secrets_and_addresses_are_sealed_in_the_database(admin: Admin, receiver: Receiver) -> None:
    added = admin.says("webhooks", "add", receiver.url("/path-that-is-a-password"))
    (secret,) = re.findall(r"whsec_(\S+)", added)
    kept = b"".join(path.read_bytes() for path in admin.folder.glob("test.db*"))
    assert b"webhook" in kept
    assert secret.encode() not in kept
    assert b"path-that-is-a-password" not in kept


def test_zammads_form_has_no_secret(admin: Admin, receiver: Receiver) -> None:
    added = admin.says("webhooks", "add", receiver.url(), "--form", "zammad")
    assert "whsec_" not in added
    admin.says("webhooks", "test", "1")
    assert receiver.requests[0].body.startswith(b"event=newCall&from=79001112233")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("http://8.8.8.8/",), "use https"),
        (("https://127.0.0.1/",), "an address that is not public"),
        (("https://10.0.0.1:22/",), "port 22 is not among DUTYLINE_OUTGOING_PORTS"),
        (("https://8.8.8.8/", "--event", "call.exploded"), "call.exploded is no event"),
        (
            ("https://8.8.8.8/", "--form", "zammad", "--event", "call.missed"),
            "call.missed is no event of the form zammad",
        ),
        (
            ("https://8.8.8.8/", "--form", "zammad", "--event", "callback.near"),
            "callback.near is no event of the form zammad",
        ),
        (("nonsense",), "must begin with https://"),
    ],
)
def test_webhooks_that_are_refused(admin: Admin, arguments: tuple[str, ...], reason: str) -> None:
    assert reason in " ".join(admin.refuses("webhooks", "add", *arguments).split())
    assert "no webhooks yet" in admin.says("webhooks", "list")


def test_a_notice_is_added_shown_and_removed(admin: Admin) -> None:
    assert "no notices yet" in admin.says("notices", "list")
    added = admin.says(
        "notices", "add", "anna@example.com=ru", "bob@example.com", "--did", "+74951234567",
        "--zone", "Europe/Moscow",
    )  # fmt: skip
    assert "notice 1 added" in added
    assert "DUTYLINE_SMTP_HOST" in added
    assert admin.says("notices", "list").split() == [
        "1", "call.missed", "74951234567", "Europe/Moscow",
        "anna@example.com", "(ru),", "bob@example.com", "(en)",
    ]  # fmt: skip
    assert "notice 1 removed" in admin.says("notices", "remove", "1")
    assert "there is no notice 1" in admin.refuses("notices", "remove", "1")
    admin.environment["DUTYLINE_LANGUAGE"] = "ru"
    assert "уведомлений пока нет" in admin.says("notices", "list")


@pytest.mark.parametrize(
    "event", ["callback.opened", "callback.near", "callback.overdue", "callback.escalated"]
)
def test_a_notice_of_callbacks_may_be_for_one_number(admin: Admin, event: str) -> None:
    admin.says("notices", "add", "a@example.com", "--event", event, "--did", "74951234567")
    assert f"1  {event}  74951234567" in admin.says("notices", "list")


def test_a_notice_may_be_of_several_events_and_is_tried(admin: Admin) -> None:
    chosen = ("--event", "callback.overdue", "--event", "callback.near")
    admin.says("notices", "add", "nobody@example.com", "a@example.com", *chosen)
    assert "1  callback.near,callback.overdue  any DID" in admin.says("notices", "list")
    assert "DUTYLINE_SMTP_HOST is not set" in admin.refuses("notices", "test", "1")
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    admin.environment |= {
        "DUTYLINE_SMTP_HOST": "127.0.0.1",
        "DUTYLINE_SMTP_PORT": str(server.port),
        "DUTYLINE_SMTP_SECURITY": "none",
        "DUTYLINE_MAIL_FROM": "dutyline@example.com",
    }
    try:
        assert "not all test mails were sent" in admin.refuses("notices", "test", "1")
    finally:
        server.stop()
    assert [people for people, _ in mailbox.mails] == [["a@example.com"]]
    assert "there is no notice 2" in admin.refuses("notices", "test", "2")


def test_a_webhook_is_paused_and_enabled(admin: Admin, receiver: Receiver) -> None:
    admin.says("webhooks", "add", receiver.url())
    assert "webhook 1 paused" in admin.says("webhooks", "pause", "1")
    assert "✗ paused" in admin.says("webhooks", "list")
    assert "webhook 1 enabled" in admin.says("webhooks", "enable", "1")
    assert "call.ended  on" in admin.says("webhooks", "list")
    engine = open_engine(admin.environment["DUTYLINE_DATABASE_URL"])
    with reading(engine) as session:
        lines, _ = list_audit(session, limit=9, offset=0)
    engine.dispose()
    assert [(line.actor, line.action) for line in reversed(lines)] == [
        ("command line", f"webhook.{done}") for done in ("added", "paused", "enabled")
    ]


def test_events_of_callbacks_are_sent_when_they_are_named(admin: Admin, receiver: Receiver) -> None:
    chosen = ("callback.near", "callback.alarm")
    admin.says("webhooks", "add", receiver.url(), "--event", chosen[0], "--event", chosen[1])
    assert ",".join(chosen) in admin.says("webhooks", "list")
    admin.says("webhooks", "add", receiver.url())
    assert "call.started,call.answered,call.ended  on" in admin.says("webhooks", "list")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("anna",), "'anna' is not an e-mail address"),
        (("a@example.com\nBcc: b@example.com",), "is not an e-mail address"),
        (("a@example.com=de",), "'de' is not a language"),
        (("a@example.com", "--zone", "Mars/Base"), "is not an IANA time zone"),
        (("a@example.com", "--did", "x"), "--did 'x' is not a number"),
        (("a@example.com", "--event", "call.ended"), "is not one of call.missed"),
        (("a@example.com", "--event", "callback.closed"), "is not one of call.missed"),
        (
            ("a@example.com", "--event", "callback.alarm", "--did", "74951234567"),
            "--did is for missed calls and callbacks only",
        ),
    ],
)
def test_notices_that_are_refused(admin: Admin, arguments: tuple[str, ...], reason: str) -> None:
    assert reason in " ".join(admin.refuses("notices", "add", *arguments).split())
    assert "no notices yet" in admin.says("notices", "list")


def test_what_failed_is_shown_and_sent_again(admin: Admin) -> None:
    assert "nothing failed" in admin.says("deliveries")
    now = datetime.now(UTC)
    engine = open_engine(admin.environment["DUTYLINE_DATABASE_URL"])
    with writing(engine) as session:
        add_facts(session, [Fact("call.started", "key", {})], now)
        (fact,) = due_facts(session, now, 1)
        wanted = [Wanted("call.started", "webhook:1", "webhook:1", now + timedelta(days=3))]
        add_deliveries(session, fact, wanted, now)
        (claim,) = claim_deliveries(session, [1], now, timedelta(minutes=1))
        assert begin_delivery(session, claim.id, claim.attempt, now) is not None
        park_delivery(session, claim.id, claim.attempt, now, 500, "it answered 500")
    engine.dispose()
    shown = admin.says("deliveries")
    assert "✗ 1" in shown
    assert "webhook:1  1×  parked: it answered 500" in shown
    assert "delivery 1 will be sent again" in admin.says("deliveries", "--retry", "1")
    assert "there is no parked delivery 1" in admin.refuses("deliveries", "--retry", "1")


def test_commands_that_run_parts_refuse_what_cannot_work(admin: Admin) -> None:
    admin.environment["DUTYLINE_REDIS_URL"] = "redis://elsewhere/0"
    assert "no private one is needed" in admin.refuses("redis")
    del admin.environment["DUTYLINE_REDIS_URL"]
    admin.environment["DUTYLINE_REDIS_SERVER"] = "/nonexistent/redis-server"
    assert "apt install redis-server" in admin.refuses("redis")
    admin.environment["DUTYLINE_SMTP_HOST"] = "mail.example.com"
    assert "DUTYLINE_MAIL_FROM is not" in admin.refuses("work", "bulk")
    assert "is not one of 'now', 'bulk'" in admin.refuses("work", "soon")
