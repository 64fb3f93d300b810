"""Callbacks that are asked for on the page of a client or of a call, and who may ask for which."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.accounts import Role
from telephony.domain.blocklist import Blocked
from telephony.domain.callback.cases import Attention, Case, Source
from telephony.domain.callback.rules import Automatic, CallbackRules
from telephony.domain.record import CallRecord, Direction
from telephony.store.audit import list_audit
from telephony.store.blocklist import block
from telephony.store.callback_rules import replace_callback_rules
from telephony.store.calls import Revised, save_calls
from telephony.store.cases import open_cases
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData
from telephony.store.engine import reading, writing
from tests.api import company
from tests.databases.missed import a_case, add
from tests.panel.office import Office, post, said

NOW = company.NOW
CALLER, LANDLINE = company.CALLER, "+74957654321"
STRANGER = "+74955550001"
KAMCHATKA = "+74152300001"


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    """Give the panel over the company, on both databases."""
    return Office(engine, tmp_path)


def case_of(office: Office, number: str) -> Case | None:
    with reading(office.engine) as session:
        return open_cases(session, [number]).get(number)


def noted(office: Office) -> list[tuple[str, str]]:
    with reading(office.engine) as session:
        lines, _ = list_audit(session, limit=20, offset=0)
    return [(line.action, line.target) for line in reversed(lines)]


def keep(office: Office, **changes: object) -> str:
    """Store a call; return its id."""
    call: CallRecord = replace(
        company.calls()[0],
        call_id="pbx-1",
        number=STRANGER,
        client_id=None,
        client_name="",
    )
    call = replace(call, **changes)  # type: ignore[arg-type]
    with writing(office.engine) as session:
        save_calls(session, [Revised(call, 1)])
    return call.call_id


def ask(browser: FlaskClient, when: str = "now", **data: object) -> TestResponse:
    return post(browser, "/missed/ask", when=when, **data)


def refused(answer: TestResponse) -> str:
    """Return the page that says why something was refused."""
    assert answer.status_code == 422
    return unescape(answer.text)


def test_a_client_is_to_be_called_at_once(office: Office) -> None:
    browser = office.browser()
    page = browser.get("/clients/2").text
    assert 'action="/missed/ask"' in page
    assert f'name="number" value="{LANDLINE}"' in page
    assert "A callback is owed" not in page
    answer = ask(browser, number=LANDLINE, next="/clients/2", note="About\nthe bill")
    case = case_of(office, LANDLINE)
    assert case is not None
    assert answer.request.path == f"/missed/{case.id}"
    assert "is called as soon as somebody is free" in said(answer)
    assert (case.source, case.due_at, case.owner) == (Source.REQUEST, NOW, "102")
    assert (case.client_id, case.note) == (2, "About\nthe bill")
    assert noted(office) == [("callback.asked", "+7495***4321")]
    assert "What you ask for joins it" in browser.get("/clients/2").text


def test_a_time_is_agreed_on_and_wrong_ones_are_refused(office: Office) -> None:
    browser = office.browser()
    form = {"number": LANDLINE, "next": "/clients/2", "note": "in the morning"}
    for day, time, words in (
        ("soon", "10:00", "Choose a day and a time."),
        ("2026-11-19", "", "Choose a day and a time."),
        ("2026-11-18", "10:00", "This time is over already."),
        ("2029-11-18", "10:00", "Choose a time within a year."),
        ("2026-11-19", "03:00", "it is a quiet hour where the client is"),
    ):
        page = refused(ask(browser, "at", **form, day=day, time=time))
        assert words in page, words
        assert f'name="day" value="{day}"' in page
        assert ">in the morning</textarea>" in page
        assert f'name="number" value="{LANDLINE}"' in page
    assert case_of(office, LANDLINE) is None
    assert noted(office) == []
    answer = ask(browser, "at", **form, day="2026-11-19", time="10:00")
    assert "is called at 19 Nov 2026, 10:00:00" in said(answer)
    case = case_of(office, LANDLINE)
    assert case is not None
    assert case.promised_at is not None
    assert case.promised_at.isoformat() == "2026-11-19T07:00:00+00:00"
    assert case.source is Source.SCHEDULED
    assert browser.post("/missed/ask", data={}).status_code == 400
    assert ask(browser, "never", **form).status_code == 400


def test_it_joins_the_open_case_unless_that_is_somebody_elses(office: Office) -> None:
    (key,) = add(office.engine, a_case(LANDLINE, NOW, due_at=NOW + timedelta(hours=1)))
    operator = office.browser(Role.OPERATOR, "101")
    page = operator.get("/clients/2").text
    assert f'href="/missed/{key}"' in page
    assert ask(operator, number=LANDLINE).request.path == f"/missed/{key}"
    case = case_of(office, LANDLINE)
    assert case is not None
    assert (case.id, case.missed, case.due_at) == (key, 2, NOW)
    until = NOW + timedelta(minutes=5)
    add(office.engine, a_case(CALLER, NOW, claimed_by="102", anyone_at=until))
    add(office.engine, a_case(STRANGER, NOW, group="support", owner="102"))
    assert "A colleague has taken" in refused(ask(operator, number=CALLER))
    page = refused(ask(operator, number=STRANGER))
    assert "it is another group's" in page
    assert "A callback is owed" not in page
    assert "is called" in said(ask(office.browser(), number=STRANGER))


def test_a_case_that_is_not_the_askers_to_see_leads_back(office: Office) -> None:
    operator = office.browser(Role.OPERATOR, None)
    answer = ask(operator, number=LANDLINE, next="/clients/2")
    assert answer.request.path == "/clients/2"
    assert "is called as soon as somebody is free" in said(answer)
    elsewhere = ask(operator, number="+78120000001", next="//evil.example/")
    assert elsewhere.request.path == "/"


def test_whoever_called_is_called_back_by_the_rules_of_the_number_they_had_called(
    office: Office,
) -> None:
    call_id = keep(office, client_name="The orchid")
    mine = office.browser(Role.OPERATOR, "101")
    page = mine.get(f"/calls/{call_id}").text
    assert f'name="call" value="{call_id}"' in page
    answer = ask(mine, call=call_id, next=f"/calls/{call_id}")
    assert "The orchid is called as soon as somebody is free" in said(answer)
    case = case_of(office, STRANGER)
    assert case is not None
    assert (case.did, case.group) == (company.DID, "sales")
    foreign = office.browser(Role.OPERATOR, "103")
    assert ask(foreign, call=call_id).status_code == 404
    assert ask(mine, call="pbx-none").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"number": ""},
        {"direction": Direction.INTERNAL, "number": "102", "placed_by": "101", "did": ""},
        {"direction": Direction.OUT, "placed_by": "101", "did": ""},
    ],
    ids=["hidden", "internal", "only we called it"],
)
def test_a_call_whose_number_is_not_called_back(office: Office, changes: dict[str, object]) -> None:
    call_id = keep(office, **changes)
    browser = office.browser()
    assert 'action="/missed/ask"' not in browser.get(f"/calls/{call_id}").text
    assert "Nobody called from this number" in refused(ask(browser, call=call_id))
    assert noted(office) == []


def test_numbers_that_are_none_unknown_or_never_called(office: Office) -> None:
    with writing(office.engine) as session:
        block(session, [Blocked(LANDLINE, "spam", "boss", NOW)])
    browser = office.browser()
    for number in ("nonsense", "", STRANGER):
        assert "Nobody called from this number" in refused(ask(browser, number=number)), number
    assert "There is no number to call" in refused(ask(browser, number="nonsense"))
    assert "The number is on the block list" in refused(ask(browser, number=LANDLINE))


def test_clients_with_no_number_and_with_several(office: Office) -> None:
    phones = ("+78125550001", "+78125550002")
    with writing(office.engine) as session:
        saved = save_clients(session, [ClientData("None", ()), ClientData("Two", phones)])
    none, two = saved.ids
    browser = office.browser()
    assert "There is no number to call" in browser.get(f"/clients/{none}").text
    page = browser.get(f"/clients/{two}").text
    assert [f'<option value="{one}">' in page for one in phones] == [True, True]
    ask(browser, number=phones[1])
    assert case_of(office, phones[0]) is None
    assert case_of(office, phones[1]) is not None
    russian = office.browser(language="ru").get(f"/clients/{none}").text
    assert "Звонить некуда" in russian


def test_what_becomes_of_it_is_said(office: Office) -> None:
    add(office.engine, a_case(KAMCHATKA, NOW, due_at=NOW))
    browser = office.browser()
    assert "is called from 18 Nov 2026, 23:00:00 on" in said(ask(browser, number=KAMCHATKA))
    with writing(office.engine) as session:
        replace_callback_rules(session, CallbackRules(automatic=Automatic.NOBODY))
    assert "a person has to call" in said(ask(browser, number=LANDLINE))
    case = case_of(office, LANDLINE)
    assert case is not None
    assert case.attention is Attention.MANUAL
