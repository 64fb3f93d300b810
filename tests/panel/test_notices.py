"""The pages of notices and webhooks, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import Engine
from standardwebhooks import Webhook as Verifier

from telephony.notify import ZAMMAD_EVENTS
from telephony.store.deliveries import State, get_delivery
from telephony.store.engine import reading, writing
from telephony.store.notices import Notice, Recipient, list_notices
from telephony.store.setup import replace_setup
from telephony.store.webhooks import Webhook, disable_webhook, list_webhooks
from tests.api.conftest import noted
from tests.databases.delivering import Mailbox
from tests.databases.samples import a_setup
from tests.databases.telling import give_up
from tests.lab.ports import free_port
from tests.lab.receiver import Receiver, Reply, Request
from tests.panel.conftest import settings_in
from tests.panel.people import START, Browser, Panel, open_panel
from tests.panel.test_clients_editing import errors

FORM: dict[str, Any] = {
    "events": ["callback.overdue", "callback.near"],
    "addresses_en": "bob@example.com",
    "addresses_ru": "anna@example.com\r\n\r\n lead@example.com, ",
    "did": "74951234567",
    "zone": "Europe/Moscow",
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give a receiver of webhooks on loopback."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def mailbox() -> Mailbox:
    """Give an empty mailbox."""
    return Mailbox()


@pytest.fixture
def panel(engine: Engine, tmp_path: Path, receiver: Receiver, mailbox: Mailbox) -> Iterator[Panel]:
    """Give a panel that may reach the receiver and has a mail server."""
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    settings = settings_in(
        tmp_path,
        DUTYLINE_OUTGOING_ALLOW="127.0.0.0/8",
        DUTYLINE_OUTGOING_PORTS=f"443,{receiver.port}",
        DUTYLINE_SMTP_HOST="127.0.0.1",
        DUTYLINE_SMTP_PORT=str(server.port),
        DUTYLINE_SMTP_SECURITY="none",
        DUTYLINE_MAIL_FROM="dutyline@example.com",
    )
    yield open_panel(settings, engine)
    server.stop()


def rules(engine: Engine) -> list[Notice]:
    with reading(engine) as session:
        return list_notices(session)


def hooks(engine: Engine) -> list[Webhook]:
    with reading(engine) as session:
        return list_webhooks(session)


def said(browser: Browser, path: str) -> str:
    """Return the words of a page on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", browser.get(path).text)).split())


def assert_signed(secret: str, request: Request) -> None:
    """Not by the library's `verify`, whose clock is not the panel's."""
    at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    signed = Verifier(secret).sign(request.headers["webhook-id"], at, request.body.decode())
    assert signed == request.headers["webhook-signature"]


def test_a_notice_is_added_changed_and_deleted(panel: Panel, admin: Browser) -> None:
    assert "Nobody gets a mail" in said(admin, "/notices")
    assert "No mail is sent" not in said(admin, "/notices")
    assert admin.send("/notices/new", **FORM).status_code == 302
    anna, lead = Recipient("anna@example.com", "ru"), Recipient("lead@example.com", "ru")
    bob = Recipient("bob@example.com", "en")
    (rule,) = rules(panel.engine)
    assert rule == Notice(
        1, ("callback.near", "callback.overdue"), "74951234567", "Europe/Moscow", (anna, bob, lead)
    )
    page = said(admin, "/notices")
    assert "anna@example.com Русский bob@example.com English" in page
    assert "A callback is nearly late A callback is overdue" in page
    assert "Пропущен звонок" in said(panel.signed_in("admin", language="ru"), "/notices/1")

    shown = admin.get("/notices/1").text
    assert re.findall(r'checked[^>]*value="([^"]+)"', shown) == list(rule.events)
    assert "anna@example.com\r\nlead@example.com" in shown.replace("\n", "\r\n")
    changed = {**FORM, "events": ["callback.alarm"], "did": "", "addresses_en": ""}
    assert admin.send("/notices/1", **changed).status_code == 302
    after = Notice(1, ("callback.alarm",), None, "Europe/Moscow", (anna, lead))
    assert rules(panel.engine) == [after]
    assert admin.send("/notices/1", **changed).status_code == 302
    assert admin.send("/notices/1/delete", "/notices/1").status_code == 302
    assert rules(panel.engine) == []
    assert admin.get("/notices/1").status_code == 404
    people = "anna@example.com (ru), lead@example.com (ru)"
    everybody = f"bob@example.com (en), {people}"
    assert noted(panel.engine, "notice")[1:] == [
        (
            "notice.changed",
            people,
            {
                "events": {"old": list(rule.events), "new": ["callback.alarm"]},
                "did": {"old": "74951234567", "new": None},
                "recipients": {
                    "old": "anna@example.com (ru), bob@example.com (en), lead@example.com (ru)",
                    "new": people,
                },
            },
        ),
        ("notice.removed", people, {"events": ["callback.alarm"], "zone": "Europe/Moscow"}),
    ]
    assert noted(panel.engine, "notice")[0][:2] == ("notice.added", everybody)
    log = said(admin, "/audit")
    assert "added a notice by e-mail" in log
    assert "told of: A callback is nearly late, A callback is overdue → Callbacks stop" in log


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("events", [], "Choose at least one."),
        ("events", ["call.exploded"], "call.exploded cannot be told here."),
        ("events", ["callback.near", "duty.gap"], "belong to no number"),
        ("addresses_en", "bob", "bob is not an e-mail address."),
        ("addresses_ru", "<b>\u202e@example.com", "is not an e-mail address."),
        ("addresses_en", "\n".join(f"a{nth}@b.ru" for nth in range(51)), "At most 50 addresses."),
        ("did", "74950000000", "Choose one of those listed."),
        ("zone", "Mars/Olympus", "Choose one of those listed."),
    ],
)
def test_what_is_wrong_with_a_notice_stands_beside_its_field(
    panel: Panel, admin: Browser, field: str, value: object, words: str
) -> None:
    answer = admin.send("/notices/new", **{**FORM, field: value})
    assert answer.status_code == 422
    (found,) = errors(answer.text)
    assert words in found
    assert rules(panel.engine) == []


def test_a_notice_needs_somebody(panel: Panel, admin: Browser) -> None:
    nobody = {**FORM, "addresses_en": " \r\n", "addresses_ru": ""}
    answer = admin.send("/notices/new", **nobody)
    assert errors(answer.text) == ["Enter at least one address."]
    assert rules(panel.engine) == []


def test_a_number_that_is_gone_stays_chosen(panel: Panel, admin: Browser) -> None:
    admin.send("/notices/new", **FORM)
    with writing(panel.engine) as session:
        replace_setup(session, replace(a_setup(), dids={}))
    assert "deleted" in said(admin, "/notices")
    assert admin.send("/notices/1", **{**FORM, "zone": "UTC"}).status_code == 302
    assert rules(panel.engine)[0].did == "74951234567"


def test_a_test_mail_goes_to_each_and_says_who_was_refused(
    admin: Browser, mailbox: Mailbox
) -> None:
    admin.send("/notices/new", **{**FORM, "addresses_en": "nobody@example.com"})
    answer = admin.send("/notices/1/test", "/notices/1")
    assert answer.headers["Location"] == "/notices/1"
    page = said(admin, "/notices/1")
    assert "The test mail to nobody@example.com was not taken: no such user." in page
    assert "The mail server took the test for anna@example.com, lead@example.com." in page
    assert [people for people, _ in mailbox.mails] == [["anna@example.com"], ["lead@example.com"]]
    text = message_from_bytes(mailbox.mails[0][1]).get_payload(decode=True)
    assert isinstance(text, bytes)
    assert "Обратный звонок просрочен" in text.decode()


def test_of_many_test_mails_only_the_first_are_told(admin: Browser, mailbox: Mailbox) -> None:
    """All of it is carried by a cookie, which browsers drop when it is larger than 4 KB."""
    far = "@" + ".".join(["x" * 60] * 3) + ".example"
    refused = [f"nobody{nth}{far}" for nth in range(20)]
    taken = [f"a{nth}{far}" for nth in range(20)]
    many = "\n".join([*refused, *taken])
    admin.send("/notices/new", **{**FORM, "addresses_en": many, "addresses_ru": ""})
    answer = admin.send("/notices/1/test", "/notices/1")
    assert len(answer.headers["Set-Cookie"]) < 4000
    page = said(admin, "/notices/1")
    assert page.count("was not taken") == 3
    assert page.count("and 17 more") == 2
    assert len(mailbox.mails) == 20


def test_a_server_that_fails_is_asked_once(admin: Browser, mailbox: Mailbox) -> None:
    later = "later@example.com\nlater2@example.com"
    admin.send("/notices/new", **{**FORM, "addresses_en": later, "addresses_ru": ""})
    admin.send("/notices/1/test", "/notices/1")
    page = said(admin, "/notices/1")
    assert "The test mail to later2@example.com was not taken: try later." in page
    assert "Not tried: later@example.com." in page
    assert mailbox.mails == []


def test_without_a_mail_server_the_page_says_so(quick_panel: Panel) -> None:
    admin = quick_panel.signed_in("admin")
    page = said(admin, "/notices")
    assert "No mail is sent Set DUTYLINE_SMTP_HOST to your mail server" in page
    assert "nothing is sent as long as DUTYLINE_SMTP_HOST is not set" in said(admin, "/notices/new")
    assert admin.send("/notices/new", **{**FORM, "did": ""}).status_code == 302
    assert "Send a test" not in said(admin, "/notices/1")
    admin.send("/notices/1/test", "/notices/1")
    assert "as long as DUTYLINE_SMTP_HOST is not set." in said(admin, "/notices/1")


def test_a_webhook_is_added_tried_changed_paused_and_deleted(
    panel: Panel, admin: Browser, receiver: Receiver
) -> None:
    assert "No program is told" in said(admin, "/notices")
    asked = admin.get("/notices/webhooks/new").text
    assert re.findall(r'checked[^>]*value="([^"]+)"', asked) == list(ZAMMAD_EVENTS)
    form = {"url": f" {receiver.url('/hush')} ", "form": "standard"}
    made = admin.send("/notices/webhooks/new", **form, events=["callback.overdue", "call.missed"])
    assert made.status_code == 200
    (secret,) = re.findall(r"<code[^>]*>(whsec_[^<]+)</code>", made.text)
    (hook,) = hooks(panel.engine)
    place = f"http://127.0.0.1:{receiver.port}"
    assert (hook.place, hook.events) == (place, ("call.missed", "callback.overdue"))
    assert "hush" not in hook.url
    for path in ("/notices", "/notices/webhooks/1"):
        assert place in said(admin, path)
        assert "whsec_" not in admin.get(path).text
        assert "/hush" not in admin.get(path).text

    admin.send("/notices/webhooks/1/test", "/notices/webhooks/1")
    (request,) = receiver.requests
    assert request.path == "/hush"
    assert_signed(unescape(secret), request)
    assert f"{place} took the test: it answered 200" in said(admin, "/notices/webhooks/1")
    receiver.answer = lambda _request: Reply(404)
    admin.send("/notices/webhooks/1/test", "/notices/webhooks/1")
    assert "it answered 404." in said(admin, "/notices/webhooks/1")

    admin.send("/notices/webhooks/1", url="", events=["callback.alarm"])
    assert hooks(panel.engine)[0].events == ("callback.alarm",)
    admin.send("/notices/webhooks/1", url=receiver.url("/other"), events=["callback.alarm"])
    admin.send("/notices/webhooks/1/test", "/notices/webhooks/1")
    assert receiver.requests[-1].path == "/other"
    assert_signed(unescape(secret), receiver.requests[-1])

    admin.send("/notices/webhooks/1/pause", "/notices/webhooks/1")
    assert (hooks(panel.engine)[0].enabled, hooks(panel.engine)[0].problem) == (False, None)
    assert "It is paused." in said(admin, "/notices/webhooks/1")
    assert "paused" in said(admin, "/notices")
    admin.send("/notices/webhooks/1/enable", "/notices/webhooks/1")
    assert hooks(panel.engine)[0].enabled
    admin.send("/notices/webhooks/1/delete", "/notices/webhooks/1")
    assert hooks(panel.engine) == []
    assert admin.get("/notices/webhooks/1").status_code == 404
    assert admin.get(f"/notices/webhooks/{10**30}").status_code == 404
    assert [(action, target) for action, target, _ in noted(panel.engine, "webhook")] == [
        (f"webhook.{done}", place)
        for done in ("added", "changed", "changed", "paused", "enabled", "removed")
    ]
    assert "hush" not in str(noted(panel.engine, "webhook"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"url": ""}, "the address must begin with https://"),
        ({"url": "https://10.0.0.1/"}, "10.0.0.1 leads to an address that is not public"),
        ({"url": "https://169.254.169.254/"}, "leads to an address that is not public"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "leads to an address that is not public"),
        ({"url": "https://8.8.8.8:22/"}, "port 22 is not among DUTYLINE_OUTGOING_PORTS"),
        ({"url": "https://8.8.8.8/a b"}, "spaces or control characters"),
        ({"events": []}, "Choose at least one."),
        ({"form": "zammad", "events": ["callback.near"]}, "callback.near cannot be told here."),
        ({"form": "carrier pigeon"}, "Choose one of those listed."),
    ],
)
def test_what_is_wrong_with_a_webhook_stands_beside_its_field(
    panel: Panel, admin: Browser, more: dict[str, Any], words: str
) -> None:
    form = {"url": "https://8.8.8.8/", "form": "standard", "events": ["call.ended"], **more}
    answer = admin.send("/notices/webhooks/new", **form)
    assert answer.status_code == 422
    (found,) = errors(answer.text)
    assert words in found
    assert hooks(panel.engine) == []


def test_another_address_is_checked_like_the_first(
    panel: Panel, admin: Browser, receiver: Receiver
) -> None:
    form: dict[str, Any] = {"url": receiver.url(), "form": "zammad", "events": ["call.started"]}
    assert "there is no secret" in admin.send("/notices/webhooks/new", **form).text
    (hook,) = hooks(panel.engine)
    answer = admin.send("/notices/webhooks/1", url="https://10.0.0.1/", events=["call.started"])
    assert "not public" in errors(answer.text)[0]
    answer = admin.send("/notices/webhooks/1", url="", events=["callback.near"])
    assert errors(answer.text) == ["callback.near cannot be told here."]
    assert hooks(panel.engine) == [hook]
    ru = panel.signed_in("admin", language="ru")
    answer = ru.send("/notices/webhooks/1", url="https://10.0.0.1/", events=["call.started"])
    assert errors(answer.text) == ["Адрес не подходит: 10.0.0.1 ведёт не в открытую сеть."]


def test_what_did_not_arrive_is_shown_and_sent_again(
    panel: Panel, admin: Browser, receiver: Receiver
) -> None:
    assert "Nothing failed" in said(admin, "/notices")
    admin.send("/notices/new", **FORM)
    hook: dict[str, Any] = {
        "url": receiver.url(),
        "form": "standard",
        "events": ["callback.overdue"],
    }
    admin.send("/notices/webhooks/new", **hook)
    targets = ("notice:1:anna@example.com", "notice:1:gone@example.com", "webhook:1", "webhook:9")
    with writing(panel.engine) as session:
        anna, gone, first, ninth = give_up(session, START, "it answered 550", *targets)
    page = admin.get("/notices").text
    again = re.findall(r'action="/notices/deliveries/(\d+)/retry"', page)
    assert again == [str(first), str(anna)], "to those who are still to be told, newest first"
    assert page.count("it answered 550") == 4
    assert "a webhook that was deleted" in page
    assert "gone@example.com" in page
    ru = panel.signed_in("admin", language="ru")
    assert "получатель ответил 550" in said(ru, "/notices")

    assert admin.send(f"/notices/deliveries/{anna}/retry", "/notices").status_code == 302
    with reading(panel.engine) as session:
        sent = get_delivery(session, anna)
    assert sent is not None
    assert (sent.state, sent.due_at) == (State.WAITING, START)
    assert sent.give_up_at > START
    admin.send(f"/notices/deliveries/{anna}/retry", "/notices")
    assert "under way already" in said(admin, "/notices")
    assert admin.send(f"/notices/deliveries/{10**30}/retry", "/notices").status_code == 404
    assert noted(panel.engine, "delivery")[-1] == (
        "delivery.retried", "anna@example.com", {"events": ["callback.overdue"]},
    )  # fmt: skip
    assert {gone, ninth}.isdisjoint(map(int, again))


def test_a_webhook_that_wants_no_more_says_why(
    panel: Panel, admin: Browser, receiver: Receiver
) -> None:
    hook: dict[str, Any] = {"url": receiver.url(), "form": "standard", "events": ["call.ended"]}
    admin.send("/notices/webhooks/new", **hook)
    with writing(panel.engine) as session:
        disable_webhook(session, 1, "the receiver wants no more (410)")
    assert "wants no more" in said(admin, "/notices")
    page = said(admin, "/notices/webhooks/1")
    assert "Switched off: the receiver wants no more (410)." in page
