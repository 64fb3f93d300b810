"""The pages of calendars, and the links by which duty is subscribed to."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import icalendar
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.accounts import Role
from telephony.configfile import COMMAND_LINE, Data, change, undo
from telephony.store.audit import list_audit
from telephony.store.calendars import Feed, list_feeds
from telephony.store.engine import open_engine, reading
from telephony.store.setup import load_setup
from telephony.store.shares import list_shares
from tests.lab.receiver import Receiver, Reply
from tests.panel.office import Office
from tests.unit.calendars import calendar
from web.calendars.feed import BY_ADDRESS, BY_LINK

DUTY = calendar(
    "UID:1\nDTSTART:20261119T060000Z\nDTEND:20261119T150000Z\nSUMMARY:101",
    "UID:2\nDTSTART:20261120T060000Z\nDTEND:20261120T150000Z\nSUMMARY:<i>Zoe</i>",
    head="X-WR-CALNAME:Duty <b>of sales</b>",
)


@pytest.fixture
def office(migrated: bytes, tmp_path: Path) -> Iterator[Office]:
    path = tmp_path / "dutyline.db"
    path.write_bytes(migrated)
    engine = open_engine(f"sqlite:///{path}")
    yield Office(engine, tmp_path)
    engine.dispose()


@pytest.fixture
def both(engine: Engine, tmp_path: Path) -> Office:
    return Office(engine, tmp_path)


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


def _post(browser: FlaskClient, path: str, **data: object) -> TestResponse:
    token = _token(browser.get("/profile").text)
    return browser.post(path, data={"csrf_token": token, **data})


def _file(text: str = DUTY, name: str = "duty.ics") -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode()), name


def _add(browser: FlaskClient, **data: object) -> TestResponse:
    values = {"owner": "group:sales", "layer": "2", "takes": "busy", "zone": "Europe/Moscow"}
    return _post(browser, "/calendars/new", **values | data)


def _feeds(office: Office) -> list[Feed]:
    with reading(office.engine) as session:
        return list_feeds(session)


def _actions(office: Office) -> list[str]:
    with reading(office.engine) as session:
        entries, _ = list_audit(session, limit=50, offset=0)
    return [entry.action for entry in entries]


def _imported(office: Office) -> int:
    with reading(office.engine) as session:
        return len(load_setup(session).groups["sales"].roster.imported)


def test_a_file_is_looked_at_before_it_is_used(both: Office) -> None:
    browser = both.browser()
    answer = _add(browser, file=_file())
    assert answer.status_code == 302
    page = browser.get(answer.location).text
    assert "This calendar is not in use" in page
    assert "1 problem" in page
    assert "names no operator" in page
    assert "&lt;i&gt;Zoe&lt;/i&gt;" in page
    assert "19 Nov" in page
    assert _imported(both) == 0
    assert _post(browser, f"{answer.location}/use").status_code == 302
    assert _imported(both) == 1
    assert "in use" in browser.get("/calendars").text
    replaced = DUTY.replace("SUMMARY:<i>Zoe</i>", "SUMMARY:102")
    assert _post(browser, f"{answer.location}/file", file=_file(replaced)).status_code == 302
    assert _imported(both) == 2
    assert _post(browser, f"{answer.location}/stop").status_code == 302
    assert _imported(both) == 0
    assert _post(browser, f"{answer.location}/remove").status_code == 302
    assert _feeds(both) == []
    assert _actions(both)[:5] == [
        "calendar.removed",
        "calendar.stopped",
        "calendar.replaced",
        "calendar.used",
        "calendar.added",
    ]
    russian = both.browser(Role.ADMIN, language="ru").get("/audit").text
    assert "удалён календарь" in russian


def test_an_address_is_fetched_and_only_its_server_shown(office: Office) -> None:
    browser = office.browser()
    answer = _add(browser, url="https://127.0.0.1/secret-path.ics")
    assert answer.status_code == 422
    assert "the address cannot be used: 127.0.0.1 leads to an address that is not public" in (
        answer.text
    )
    with Receiver() as server:
        server.answer = lambda _request: Reply(200, body=DUTY.encode())
        settings = office.app.extensions["dutyline"].settings
        allowed = replace(
            settings, outgoing_allow=(ip_network("127.0.0.0/8"),), outgoing_ports=(server.port,)
        )
        office.app.extensions["dutyline"] = replace(
            office.app.extensions["dutyline"], settings=allowed
        )
        answer = _add(browser, url=server.url("/secret-path.ics"))
        assert answer.status_code == 302, answer.text
        page = browser.get(answer.location).text
        assert "Duty &lt;b&gt;of sales&lt;/b&gt;" in page
        assert f"http://127.0.0.1:{server.port}" in page
        assert "secret-path" not in page + browser.get("/calendars").text
        server.answer = lambda _request: Reply(404)
        assert _post(browser, f"{answer.location}/renew").status_code == 302
        page = browser.get(answer.location).text
        assert "the server answered 404" in page
        assert "last good copy" in page
        assert "сервер ответил 404" in office.browser(language="ru").get(answer.location).text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Enter an address, or choose a file."),
        ({"url": "https://example.com/x", "file": _file()}, "Either an address or a file."),
        ({"file": _file("<html>")}, "this is no iCalendar file"),
        ({"file": _file(DUTY), "layer": "-1"}, "A number from 0 to 99."),
        ({"file": _file(DUTY), "owner": "group:none"}, "Choose one of those listed."),
        ({"file": _file(DUTY), "zone": "Mars/Base"}, "Choose one of those listed."),
        ({"url": "ftp://example.com/x"}, "must begin with https://"),
    ],
)
def test_mistakes_are_told_at_their_fields(
    office: Office, data: dict[str, object], words: str
) -> None:
    for one in data.values():
        if isinstance(one, tuple):
            one[0].seek(0)
    files = {
        name: (io.BytesIO(one[0].getvalue()), one[1]) if isinstance(one, tuple) else one
        for name, one in data.items()
    }
    answer = _add(office.browser(), **files)
    assert answer.status_code == 422
    assert words in answer.text
    assert _feeds(office) == []


def test_an_operators_calendar_is_absences(office: Office) -> None:
    browser = office.browser()
    text = calendar("UID:1\nDTSTART;VALUE=DATE:20261120\nSUMMARY:Отпуск")
    answer = _add(browser, owner="operator:101", file=_file(text), takes="marked")
    page = browser.get(answer.location).text
    assert "vacation" in page
    assert "Only those whose title or category says so" in page
    assert _post(browser, f"{answer.location}/use").status_code == 302
    assert "on vacation" in browser.get("/operators/101").text


def _link(browser: FlaskClient, owner: str, **data: object) -> str:
    page = _post(browser, "/calendars/links", owner=owner, **data).text
    found = re.search(r'translate="no">[a-z]+://[^/]+(/calendar/[\w-]+\.ics)<', page)
    assert found is not None, page
    return found[1]


def test_a_link_shows_duty_without_a_cookie_until_it_is_revoked(both: Office) -> None:
    browser = both.browser()
    path = _link(browser, "group:sales", lunch="y")
    stranger = both.app.test_client()
    answer = stranger.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    events = icalendar.Calendar.from_ical(answer.text).walk("VEVENT")
    assert events
    again = stranger.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with reading(both.engine) as session:
        (share,) = list_shares(session)
    assert share.lunch
    assert share.used_at is not None
    token = path.removeprefix("/calendar/").removesuffix(".ics")
    for text in (token, token[:20]):
        assert text not in browser.get("/calendars/links").text
    assert stranger.get(path.replace("/calendar/", "/calendar/x")).status_code == 404
    done = _post(browser, f"/calendars/links/{share.id}/revoke", next="/calendars/links")
    assert done.location == "/calendars/links"
    assert stranger.get(path).status_code == 404
    assert _actions(both)[:2] == ["calendar.unshared", "calendar.shared"]


def test_operators_make_links_to_their_own_duty_only(office: Office) -> None:
    browser = office.browser(Role.OPERATOR, "101")
    assert "calendars/links" in browser.get("/operators/101").text
    assert "calendars/links" not in browser.get("/operators/102").text
    path = _link(browser, "operator:101")
    calendar_ = icalendar.Calendar.from_ical(office.app.test_client().get(path).text)
    assert str(calendar_["X-WR-CALNAME"])
    for owner in ("operator:102", "group:sales"):
        assert _post(browser, "/calendars/links", owner=owner).status_code == 403
    with reading(office.engine) as session:
        (share,) = list_shares(session)
    other = office.browser(Role.OPERATOR, "102")
    assert _post(other, f"/calendars/links/{share.id}/revoke").status_code == 403
    assert "never used" not in browser.get("/operators/101").text
    assert _post(browser, f"/calendars/links/{share.id}/revoke").status_code == 302


def test_links_are_held_to_a_rate_and_go_with_their_owner(office: Office) -> None:
    path = _link(office.browser(), "group:sales")
    stranger = office.app.test_client()
    codes = [stranger.get(path).status_code for _ in range(BY_LINK + 1)]
    assert codes == [200] * BY_LINK + [429]
    assert int(stranger.get(path).headers["Retry-After"]) > 0
    codes = [stranger.get("/calendar/none.ics").status_code for _ in range(BY_ADDRESS + 1)]
    assert codes == [404] * BY_ADDRESS + [429]

    def empty(data: Data) -> None:
        data["groups"], data["dids"] = [], []

    gone = change(office.engine, COMMAND_LINE, empty, now=datetime.now(UTC))
    with reading(office.engine) as session:
        assert list_shares(session) == []
    undo(office.engine, COMMAND_LINE, gone.version, now=datetime.now(UTC))
    with reading(office.engine) as session:
        assert len(list_shares(session)) == 1
