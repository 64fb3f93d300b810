"""Clients, operators and the start page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from telephony.accounts import Role
from telephony.domain.duty import Absence, AbsenceKind, Rotation
from telephony.domain.setup import Group
from telephony.store.engine import reading, writing
from telephony.store.figures import day_figures
from telephony.store.live import Process, save_process
from telephony.store.setup import load_setup, replace_setup
from tests.api import company
from tests.panel.office import Office
from web.calls.asking import midnight


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    """Give the panel over the company, on both databases."""
    return Office(engine, tmp_path)


def test_clients_are_found_and_paged(office: Office) -> None:
    browser = office.browser()
    assert "1–50 of 72" in browser.get("/clients").text
    assert "51–72 of 72" in browser.get("/clients?page=2").text
    for text in ("ромаш", "8 900 111 22 33", "2233"):
        page = browser.get(f"/clients?q={text}").text
        assert "Ромашка" in page
        assert "1–1 of 1" in page
    assert "No client fits" in browser.get("/clients?q=nobody").text
    assert "1–1 of 1" in browser.get("/clients?manager=101").text


def test_a_client_has_their_calls(office: Office) -> None:
    page = office.browser().get("/clients/1").text
    for words in ("VIP", "Звонить после 10:00", "/calls/pbx-1795000000.1", "+7 900 111-22-33"):
        assert words in page
    assert office.browser(Role.ADMIN).get("/clients/999").status_code == 404
    assert office.browser(Role.OPERATOR, "101").get(f"/clients/{10**30}").status_code == 404


def test_operators_show_their_phones_and_duty(office: Office) -> None:
    browser = office.browser()
    page = browser.get("/operators").text
    for words in ("busy", "free", "sales: at lunch", "sales: off duty", "nobody"):
        assert words in page
    one = browser.get("/operators/101").text
    assert "lunch 13:00–14:00" in one
    assert "all 124 calls" in one
    assert browser.get("/operators/999").status_code == 404


def test_an_operator_shows_turns_and_absences(office: Office) -> None:
    with reading(office.engine) as session:
        setup = load_setup(session)
    day = company.NOW.date()
    noon = datetime.combine(day, time(12))
    away = tuple(
        Absence("102", noon + timedelta(days=start), noon + timedelta(days=end), "UTC", kind, "101")
        for start, end, kind in (
            (-9, -8, AbsenceKind.SICK),
            (-1, 8, AbsenceKind.VACATION),
        )
    )
    turns = Rotation((("101",), ("102",)), day, 7, start=time(20), end=time(8))
    name, group = next(iter(setup.groups.items()))
    roster = replace(group.roster, rotations=(turns,), absences=away)
    changed = replace(setup, groups={**setup.groups, name: Group(name, roster)}, absences=away)
    with writing(office.engine) as session:
        replace_setup(session, changed)
    browser = office.browser()
    page = browser.get("/operators/102").text
    assert "takes turns of 7 days" in page
    assert "20:00–08:00" in page
    assert "on vacation" in page
    assert "ill" not in re.findall(r"<li><span>(\w+)", page), "what is over is not shown"
    assert f"{name}: away" in browser.get("/operators").text
    russian = office.browser(language="ru").get("/operators/102").text
    assert "по очереди, смена — 7 дней" in russian
    assert "отпуск" in russian


def test_a_silent_listener_is_told(office: Office) -> None:
    browser = office.browser()
    assert "The listener is not running" in browser.get("/operators").text
    with writing(office.engine) as session:
        save_process(session, Process("listener", 1, "h", "1", company.NOW, company.NOW, True))
    for path in ("/operators", "/operators/101", "/"):
        assert "The listener is not running" not in browser.get(path).text


def test_the_start_page_is_of_today(office: Office) -> None:
    page = office.browser().get("/").text
    for words in ("Live calls", "33&nbsp;%", "offered − answered − lost; 1 lost", "0:15"):
        assert words in page
    own = office.browser(Role.OPERATOR, "102").get("/").text
    assert "100&nbsp;%" in own
    assert "No call at the moment" in own


def test_figures_of_a_day(office: Office) -> None:
    today = company.NOW.date()
    since = midnight(today, "Europe/Moscow")
    with reading(office.engine) as session:
        found = day_figures(session, since, company.NOW)
        assert (found.offered, found.answered, found.missed, found.lost) == (3, 1, 1, 1)
        assert (found.wait_ms, found.placed) == (15_000, 1)
        mine = day_figures(session, since, company.NOW, "101")
        assert (mine.offered, mine.answered, mine.missed) == (2, 1, 1)
        none = day_figures(session, company.NOW, company.NOW)
        assert (none.offered, none.wait_ms) == (0, None)


@pytest.mark.parametrize("path", ["/", "/calls", "/clients", "/operators", "/calls/export.csv"])
def test_visitors_are_sent_to_sign_in(office: Office, path: str) -> None:
    response = office.app.test_client().get(path)
    assert response.status_code == 302
    assert "/sign-in" in response.headers["Location"]
