"""Calendars: fetched from a real server, kept, failing, and what becomes of the set-up by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from ipaddress import ip_network
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import Engine

from telephony.calendars import (
    ALERT_AFTER,
    EVERY,
    Calendars,
    Use,
    address_of,
    fetch,
    load_company,
    shown_place,
    understand,
)
from telephony.configfile import differences, write_config
from telephony.domain.directory import Directory
from telephony.domain.duty import AbsenceKind, Presence, Roster
from telephony.domain.duty.calendars import Flaw, Takes
from telephony.domain.setup import Group, Operator, Setup
from telephony.feed import Feed as ListenerFeed
from telephony.ical import CalendarError, Fault
from telephony.jobs import JOBS, deliver, expand
from telephony.mailing import Mailer
from telephony.outgoing import Outgoing
from telephony.secrets import Vault
from telephony.sending import Tools
from telephony.store.accounts import add_user
from telephony.store.aside import set_aside
from telephony.store.calendars import (
    LEASE,
    Copy,
    Feed,
    Owner,
    add_feed,
    claim_feeds,
    copy_of,
    due_feeds,
    get_feed,
    list_feeds,
    release_feeds,
    remove_feed,
    use_feed,
)
from telephony.store.deliveries import claim_deliveries, due_deliveries
from telephony.store.directory import current_version
from telephony.store.engine import reading, writing
from telephony.store.notices import Recipient, add_notice
from telephony.store.outbox import claim_facts, due_facts
from telephony.store.setup import load_setup, replace_setup
from tests.lab.ports import free_port
from tests.lab.receiver import Receiver, Reply, Request
from tests.unit.calendars import NEXTCLOUD, calendar

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
VAULT = Vault(["a-key-of-some-length-0123456789-0123"])
SETUP = Setup(
    operators={
        "101": Operator("101", "Anna Ivanova", "101"),
        "102": Operator("102", "Boris", "102"),
    },
    groups={"sales": Group("sales", Roster("Europe/Moscow"))},
)
DUTY = calendar(
    "UID:1\nDTSTART:20261126T060000Z\nDTEND:20261126T150000Z\nSUMMARY:Anna Ivanova\n"
    "RRULE:FREQ=DAILY",
    "UID:2\nDTSTART:20261127T180000Z\nDTEND:20261127T190000Z\nSUMMARY:Zoe",
    head="X-WR-CALNAME:Duty of sales",
)


class Inbox:
    """Keeps what the mail server takes."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(BytesParser(policy=default).parsebytes(envelope.content))
        return "250 OK"


class Office:
    """A database, a server of calendars, and a clock that the test moves."""

    def __init__(self, engine: Engine, server: Receiver) -> None:
        self.engine = engine
        self.server = server
        self.at = NOW
        self.body = DUTY
        self.reply: Reply | None = None
        self.outgoing = Outgoing(
            [ip_network("127.0.0.0/8")], ports=(server.port,), largest=1_000_000
        )
        self.calendars = Calendars(
            engine, VAULT, self.outgoing, now=lambda: self.at, draw=lambda: 0.5
        )
        server.answer = self._answer
        with writing(engine) as session:
            replace_setup(session, SETUP)

    def _answer(self, request: Request) -> Reply:
        if self.reply is not None:
            return self.reply
        mark = f'"{hash(self.body)}"'
        if request.headers.get("if-none-match") == mark:
            return Reply(304)
        return Reply(200, {"ETag": mark, "Content-Type": "text/calendar"}, self.body.encode())

    def add(self, use: Use, path: str = "/duty.ics?key=s3cret", *, enabled: bool = True) -> int:
        url = self.server.url(path)
        fetched = fetch(self.outgoing, url, now=self.at)
        assert fetched.text is not None
        with reading(self.engine) as session:
            company = load_company(session)
        name, copy = understand(company, use, fetched.text, self.at)
        with writing(self.engine) as session:
            key = add_feed(
                session,
                owner_kind=use.owner_kind,
                owner=use.owner,
                title=name,
                place=shown_place(self.outgoing, url),
                url=VAULT.seal(url),
                zone=use.zone,
                layer=use.layer,
                takes=use.takes,
                copy=replace(copy, etag=fetched.etag),
                now=self.at,
            )
            if enabled:
                use_feed(session, key, True, self.at)
        return key

    def feed(self, key: int) -> Feed:
        with reading(self.engine) as session:
            found = get_feed(session, key)
        assert found is not None
        return found

    def setup(self) -> Setup:
        with reading(self.engine) as session:
            return load_setup(session)

    def version(self) -> int:
        with reading(self.engine) as session:
            return current_version(session).setup_version


@pytest.fixture
def office(emptied: Engine) -> Iterator[Office]:
    with Receiver() as server:
        yield Office(emptied, server)


SALES = Use(Owner.GROUP, "sales", layer=3)


def test_a_calendar_of_a_group_puts_on_duty_when_it_is_put_to_use(office: Office) -> None:
    key = office.add(SALES, enabled=False)
    assert office.setup().groups["sales"].roster.imported == ()
    before = office.version()
    with writing(office.engine) as session:
        assert use_feed(session, key, True, NOW)
        assert not use_feed(session, key, True, NOW)
    assert office.version() > before
    setup = office.setup()
    assert {one.operator for one in setup.groups["sales"].roster.imported} == {"101"}
    assert {one.layer for one in setup.groups["sales"].roster.imported} == {3}
    assert setup.presence("101", NOW) is Presence.ON_SHIFT
    assert setup.presence("101", NOW + timedelta(hours=8)) is Presence.OFF
    feed = office.feed(key)
    assert feed.title == "Duty of sales"
    assert [(one.flaw, one.title) for one in feed.complaints] == [(Flaw.NOBODY, "Zoe")]
    assert feed.place == f"http://127.0.0.1:{office.server.port}"
    assert "s3cret" not in f"{feed.url}{feed.place}"
    with writing(office.engine) as session:
        assert use_feed(session, key, False, NOW)
    assert office.setup().groups["sales"].roster.imported == ()


def test_a_calendar_of_an_operator_is_when_they_are_away(office: Office) -> None:
    office.body = NEXTCLOUD
    use = Use(Owner.OPERATOR, "101", "Europe/Moscow", takes=Takes.MARKED)
    office.add(use)
    setup = office.setup()
    assert setup.absences == ()
    assert [one.kind for one in setup.calendar_absences] == [AbsenceKind.VACATION]
    assert setup.groups["sales"].roster.absences == ()  # it does not name 101
    office.body = DUTY
    office.add(SALES)
    assert office.setup().groups["sales"].roster.absences == setup.calendar_absences
    assert setup.presence("101", datetime(2027, 1, 1, tzinfo=UTC)) is Presence.ABSENT


def test_what_is_the_same_is_not_fetched_again_and_later_days_come_into_sight(
    office: Office,
) -> None:
    key = office.add(SALES)
    with writing(office.engine) as session:
        assert claim_feeds(session, [key], NOW, LEASE) != []
    before = office.version()
    assert office.calendars.renew_now(key) is None
    assert office.version() == before
    assert office.feed(key).fetched_at == NOW
    office.at = NOW + timedelta(days=2)
    assert office.calendars.renew_now(key) is None
    assert [request.headers.get("if-none-match") is None for request in office.server.requests] == [
        True,
        False,
        False,
    ]
    assert office.version() > before
    imported = office.setup().groups["sales"].roster.imported
    assert imported[-1].end.date() == (NOW + timedelta(days=62)).date()
    assert office.feed(key).next_at == office.at + EVERY


def test_a_change_is_a_new_version_of_the_set_up_and_only_then(office: Office) -> None:
    key = office.add(SALES)
    before = office.version()
    office.body = DUTY.replace("Zoe", "Boris")
    assert office.calendars.renew_now(key) is None
    assert office.version() > before
    assert {one.operator for one in office.setup().groups["sales"].roster.imported} == {
        "101",
        "102",
    }
    assert office.feed(key).complaints == ()


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (Reply(503, {"Retry-After": "7200"}), Fault.STATUS),
        (Reply(302, {"Location": "http://127.0.0.1/"}), Fault.STATUS),
        (Reply(200, body=b"<html>"), Fault.NO_CALENDAR),
        (Reply(200, body=DUTY.encode()[:-20]), Fault.BROKEN),
        (Reply(200, body=b"BEGIN:VCALENDAR\r\n" + b" " * 300_000), Fault.TOO_LARGE),
        (Reply(200, body=DUTY.replace("DAILY", "SECONDLY").encode()), Fault.TOO_OFTEN),
    ],
)
def test_a_failing_calendar_keeps_its_last_copy(office: Office, reply: Reply, fault: Fault) -> None:
    key = office.add(SALES)
    known = office.setup().groups["sales"].roster.imported
    office.reply = reply
    office.at = NOW + timedelta(days=3)
    failed = office.calendars.renew_now(key)
    assert failed is not None
    assert failed.fault is fault
    feed = office.feed(key)
    assert (feed.fault, feed.failures, feed.failing_since) == (fault.value, 1, office.at)
    assert feed.fetched_at == NOW
    wait = feed.next_at - office.at
    assert wait == (timedelta(hours=2) if reply.status == 503 else timedelta(seconds=30))
    imported = office.setup().groups["sales"].roster.imported
    assert imported[-1].end - known[-1].end == timedelta(days=3)
    office.reply = None
    office.at += timedelta(hours=3)
    assert office.calendars.renew_now(key) is None
    feed = office.feed(key)
    assert (feed.fault, feed.failures, feed.failing_since) == (None, 0, None)


def test_pauses_grow_up_to_half_an_hour(office: Office) -> None:
    key = office.add(SALES)
    office.reply = Reply(500)
    waits = []
    for _ in range(10):
        office.calendars.renew_now(key)
        waits.append(office.feed(key).next_at - office.at)
        office.at = office.feed(key).next_at
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=30)


def test_one_mail_tells_that_a_calendar_fails_for_an_hour(office: Office) -> None:
    key = office.add(SALES)
    with writing(office.engine) as session:
        people = (Recipient("lead@example.com", "ru"),)
        add_notice(
            session,
            events=("calendar.failed",),
            did=None,
            zone="Europe/Moscow",
            recipients=people,
            now=NOW,
        )
    office.reply = Reply(404)
    for _ in range(4):
        office.calendars.renew_now(key)
        office.at += ALERT_AFTER / 2
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        mailer = Mailer("127.0.0.1", controller.port, "none", "", "", "pbx@example.com")
        tools = Tools(office.engine, VAULT, office.outgoing, mailer, now=lambda: office.at)
        with writing(office.engine) as session:
            facts = claim_facts(session, due_facts(session, office.at, 10), office.at, LEASE)
        assert [fact.kind for fact in facts] == ["calendar.failed"]
        expand(tools, facts[0].id, facts[0].attempt)
        with writing(office.engine) as session:
            ids = due_deliveries(session, "mail", office.at, 10)
            (claim,) = claim_deliveries(session, ids, office.at, LEASE)
        deliver(tools, claim.id, claim.attempt)
    finally:
        controller.stop()
    (mail,) = inbox.mails
    assert mail["Subject"] == "Календарь «Duty of sales» не читается"
    text = mail.get_content()
    assert "Группа: sales" in text
    assert "сервер ответил 404" in text
    assert "копии от: 2026-11-26 15:00 MSK" in text


def test_the_relay_gives_a_calendar_to_one_job_at_a_time(office: Office) -> None:
    key = office.add(SALES)
    off = office.add(SALES, "/other", enabled=False)
    with writing(office.engine) as session:
        assert list(due_feeds(session, NOW, 10)) == [key]
        (claim,) = claim_feeds(session, [key, off], NOW, LEASE)
        assert due_feeds(session, NOW, 10) == []
        release_feeds(session, [claim], NOW)
        (again,) = claim_feeds(session, [key], NOW, LEASE)
    asked = len(office.server.requests)
    tools = Tools(office.engine, VAULT, office.outgoing, None, now=lambda: NOW)
    JOBS["calendar"](tools, key, claim.attempt)
    assert len(office.server.requests) == asked
    JOBS["calendar"](tools, key, again.attempt)
    assert len(office.server.requests) == asked + 1


def test_a_file_is_read_anew_for_later_days(office: Office) -> None:
    with reading(office.engine) as session:
        company = load_company(session)
    _, copy = understand(company, SALES, DUTY, NOW)
    with writing(office.engine) as session:
        key = add_feed(
            session,
            owner_kind=Owner.GROUP,
            owner="sales",
            title="duty.ics",
            place=None,
            url=None,
            zone=None,
            layer=0,
            takes=Takes.BUSY,
            copy=copy,
            now=NOW,
        )
        use_feed(session, key, True, NOW)
    office.at = NOW + timedelta(days=10)
    assert office.calendars.renew_now(key) is None
    assert office.feed(key).title == "duty.ics"
    assert office.server.requests == []
    assert office.setup().groups["sales"].roster.imported[-1].end > copy.shifts[-1].end
    with reading(office.engine) as session:
        assert copy_of(session, office.feed(key)).body == DUTY


def test_calendars_stay_when_the_set_up_is_replaced_and_go_with_their_owners(
    office: Office,
) -> None:
    office.add(SALES)
    office.body = NEXTCLOUD
    office.add(Use(Owner.OPERATOR, "101"))
    setup = office.setup()
    text = write_config(setup)
    assert "imported" not in text
    assert "absences" not in text
    assert differences(setup, SETUP) == []
    with writing(office.engine) as session:
        replace_setup(session, setup)
    assert office.setup() == setup
    with writing(office.engine) as session:
        fewer = replace(SETUP, operators={"102": SETUP.operators["102"]})
        replace_setup(session, fewer)
        set_aside(session, fewer, {})
    assert office.setup().groups["sales"].roster.imported == ()
    with reading(office.engine) as session:
        assert [feed.owner for feed in list_feeds(session)] == ["sales"]
    with writing(office.engine) as session:
        replace_setup(session, Setup())
        set_aside(session, Setup(), {})
    with reading(office.engine) as session:
        assert list_feeds(session) == []


def test_a_listener_hears_of_a_new_copy(office: Office) -> None:
    key = office.add(SALES)
    heard: list[Setup] = []
    feed = ListenerFeed(
        office.engine, Directory(), lambda _changes, setup: heard.append(setup) if setup else None
    )
    feed.load()
    feed.poll()
    office.body = DUTY.replace("Zoe", "Boris")
    assert office.calendars.renew_now(key) is None
    feed.poll()
    (setup,) = heard
    assert {one.operator for one in setup.groups["sales"].roster.imported} == {"101", "102"}
    assert setup.presence("102", datetime(2026, 11, 27, 18, 30, tzinfo=UTC)) is Presence.ON_SHIFT


def test_removing_a_calendar_takes_its_entries_away(office: Office) -> None:
    key = office.add(SALES)
    before = office.version()
    with writing(office.engine) as session:
        assert remove_feed(session, key)
        assert not remove_feed(session, key)
    assert office.version() > before
    assert office.setup().groups["sales"].roster.imported == ()


def test_logins_name_operators(office: Office) -> None:
    with writing(office.engine) as session:
        add_user(
            session, "zoe", NOW, name="Zoe", role="operator", extension="102", password_hash="-"
        )
    office.add(SALES)
    assert {one.operator for one in office.setup().groups["sales"].roster.imported} == {
        "101",
        "102",
    }


def test_addresses_inside_are_refused_and_webcal_is_https(office: Office) -> None:
    assert address_of(" webcal://example.com/a.ics ") == "https://example.com/a.ics"
    for url, fault in (
        ("https://127.0.0.1/x.ics", Fault.ADDRESS),
        ("file:///etc/passwd", Fault.ADDRESS),
        (f"http://127.0.0.1:{free_port()}/x.ics", Fault.ADDRESS),
    ):
        with pytest.raises(CalendarError) as raised:
            fetch(Outgoing(), url, now=NOW)
        assert raised.value.fault is fault
    office.server.answer = lambda _request: Reply(delay=1.0)
    slow = Outgoing([ip_network("127.0.0.0/8")], ports=(office.server.port,), seconds=0.3)
    with pytest.raises(CalendarError) as raised:
        fetch(slow, office.server.url("/x"), now=NOW)
    assert raised.value.fault is Fault.NO_ANSWER


def test_a_copy_without_entries_is_one_too() -> None:
    assert Copy("x").shifts == ()
