"""Pauses and “closed now” in the panel: who may, what is asked of the PBX, what is shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.accounts import Role
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.domain.pauses import closed_device, pause_device
from telephony.store.audit import list_audit
from telephony.store.engine import reading, writing
from telephony.store.live import save_operator_states
from telephony.store.switches import Switch, find_switches, save_switches, take_switches
from tests.panel.office import Office

NOW = datetime.now(UTC)


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    """Give the panel over the company, on both databases."""
    return Office(engine, tmp_path)


def post(browser: FlaskClient, path: str, data: dict[str, str]) -> TestResponse:
    """Send a form with the token of a page."""
    page = browser.get("/operators").text
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found is not None
    return browser.post(path, data={"csrf_token": unescape(found[1]), **data})


def known(office: Office, device: str) -> Switch:
    with reading(office.engine) as session:
        return find_switches(session).get(device, Switch(device))


def test_an_operator_pauses_and_sees_what_the_pbx_says(office: Office) -> None:
    browser = office.browser(Role.OPERATOR, "101")
    page = browser.get("/operators/101").text
    assert "Lunch" in page
    assert "Take calls again" not in page
    assert post(browser, "/operators/101/pause", {"kind": "lunch"}).status_code == 302
    assert known(office, pause_device("101")).asked == "BUSY"
    # Not shown as done before the PBX says so.
    page = browser.get("/operators/101").text
    assert "has not answered yet" in page or "the PBX cannot be asked" in page
    assert "Take calls again" not in page
    with writing(office.engine) as session:
        save_switches(session, {pause_device("101"): "BUSY"}, NOW)
    page = browser.get("/operators/101").text
    assert "Take calls again" in page
    assert "has not answered yet" not in page
    post(browser, "/operators/101/pause", {"kind": "back"})
    assert known(office, pause_device("101")).asked == "NOT_INUSE"


def test_nobody_but_a_supervisor_pauses_somebody_else(office: Office) -> None:
    other = office.browser(Role.OPERATOR, "102")
    assert post(other, "/operators/101/pause", {"kind": "lunch"}).status_code == 403
    nobody = office.browser(Role.OPERATOR)
    assert post(nobody, "/operators/101/pause", {"kind": "lunch"}).status_code == 403
    assert "Lunch" not in other.get("/operators/101").text
    assert known(office, pause_device("101")) == Switch(pause_device("101"))
    leader = office.browser(Role.SUPERVISOR)
    assert post(leader, "/operators/101/pause", {"kind": "offline"}).status_code == 302
    assert known(office, pause_device("101")).asked == "INUSE"
    with reading(office.engine) as session:
        (line, *_), _ = list_audit(session, limit=1, offset=0, action="operator.paused")
    assert (line.target, line.details) == ("101", {"pause": "offline"})


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("/operators/101/pause", {"kind": "holiday"}, 400),
        ("/operators/101/pause", {}, 400),
        ("/operators/999/pause", {"kind": "lunch"}, 404),
        ("/closed", {"to": "maybe"}, 400),
        ("/closed", {"to": "closed", "did": "123"}, 404),
    ],
)
def test_what_cannot_be_asked(office: Office, path: str, data: dict[str, str], status: int) -> None:
    assert post(office.browser(Role.ADMIN), path, data).status_code == status
    with reading(office.engine) as session:
        assert find_switches(session) == {}


def test_closing_all_dids_and_one(office: Office) -> None:
    browser = office.browser(Role.SUPERVISOR)
    page = browser.get("/closed").text
    assert "All DIDs" in page
    assert "Open again" not in page
    assert post(browser, "/closed", {"to": "closed", "did": ""}).status_code == 302
    assert known(office, closed_device()).asked == "INUSE"
    with writing(office.engine) as session:
        save_switches(session, {closed_device(): "INUSE"}, NOW)
    assert "Open again" in browser.get("/closed").text
    post(browser, "/closed", {"to": "open"})
    assert known(office, closed_device()).asked == "NOT_INUSE"
    assert office.browser(Role.OPERATOR, "101").get("/closed").status_code == 403


def test_the_overview_says_what_is_closed_by_hand(office: Office) -> None:
    leader, operator = office.browser(Role.SUPERVISOR), office.browser(Role.OPERATOR, "101")
    assert "closed by hand" not in leader.get("/").text
    did = "74951234567"
    with writing(office.engine) as session:
        save_switches(session, {closed_device(did): "INUSE"}, NOW)
    page = leader.get("/").text
    assert "1 number is closed by hand" in page
    notice = page[page.index("closed by hand") :][:1000]
    assert 'href="/closed"' in notice
    assert "Open again" in notice
    with writing(office.engine) as session:
        save_switches(session, {closed_device(): "INUSE"}, NOW)
    assert "All numbers are closed by hand" in office.browser(Role.ADMIN).get("/").text
    russian = office.browser(Role.SUPERVISOR, language="ru").get("/").text
    assert "Все номера закрыты вручную" in russian
    assert "closed by hand" not in operator.get("/").text
    with writing(office.engine) as session:
        off = {closed_device(): "NOT_INUSE", closed_device(did): "NOT_INUSE"}
        save_switches(session, off, NOW)
    assert "closed by hand" not in leader.get("/").text


def test_a_request_that_came_to_nothing_is_told(office: Office) -> None:
    browser = office.browser(Role.SUPERVISOR)
    post(browser, "/closed", {"to": "closed"})
    with writing(office.engine) as session:
        take_switches(session, datetime.now(UTC) + timedelta(minutes=1))
    assert "the listener did not run" in browser.get("/closed").text
    russian = office.browser(Role.SUPERVISOR, language="ru")
    assert "не выполнено" in russian.get("/closed").text.lower()


@pytest.mark.parametrize(
    ("pause", "words"),
    [
        ("lunch", "at lunch"),
        ("wrap_up", "rest after a call"),
        ("do_not_disturb", "do not disturb"),
        ("", "on a break"),
    ],
)
def test_why_somebody_pauses(office: Office, pause: str, words: str) -> None:
    state = OperatorState("101", "NOT_INUSE", OperatorActivity.PAUSED, 1, None, pause)
    with writing(office.engine) as session:
        save_operator_states(session, [state])
    assert words in office.browser().get("/operators").text
