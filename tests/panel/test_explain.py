"""Who would get a call, asked in the panel: the page of the stored set-up."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from telephony.accounts import Role
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.domain.pauses import CLOSED_STATE, closed_device
from telephony.store.engine import writing
from telephony.store.live import Process, replace_operator_states, save_process
from telephony.store.switches import save_switches
from tests.api import company
from tests.panel.conftest import settings_in
from tests.panel.office import Office

__all__ = ["settings_in"]

ASK = "/explain?did=74951234567"


@pytest.fixture
def office(engine: Engine, tmp_path) -> Office:  # type: ignore[no-untyped-def]
    return Office(engine, tmp_path)


def told(page: str, kind: str) -> list[str]:
    """Return the lines of a page's plan or trace (`why`), as text."""
    found = re.search(rf'<ol class="{kind}">(.*?)</ol>', page, re.S)
    assert found, page
    return [
        unescape(" ".join(re.sub(r"<[^>]+>", "", one).split()))
        for one in re.findall(r"<li[^>]*>(.*?)</li>", found[1], re.S)
    ]


def plan(client: FlaskClient, query: str) -> list[str]:
    answer = client.get(f"{ASK}&{query}")
    assert answer.status_code == 200
    return told(answer.text, "plan")


def test_a_known_number_in_any_notation_gets_its_manager_by_the_live_decision(
    office: Office,
) -> None:
    browser = office.browser()
    asked = [
        plan(browser, f"number={number}&at=2026-11-18T14:00")
        for number in ("%2B79001112233", "8+(900)+111-22-33")
    ]
    assert asked[0] == asked[1]
    assert "Анна" in asked[0][0]
    assert "Анна" not in plan(browser, "number=&at=2026-11-18T23:59")[0]


def test_the_trace_tells_used_rules_from_others_in_the_readers_language(office: Office) -> None:
    english = told(office.browser().get(f"{ASK}&number=%2B79001112233").text, "why")
    russian = told(office.browser(language="ru").get(f"{ASK}&number=%2B79001112233").text, "why")
    assert len(english) == len(russian) > 5
    assert english[0].startswith("Number dialled: ")
    assert english[0].endswith("(used)")
    assert any(line.endswith("(not used)") for line in english)
    assert russian[0].startswith("Набранный номер:")


def test_only_keys_that_a_menu_can_have_are_offered(office: Office) -> None:
    page = office.browser().get("/explain").text
    found = re.search(r'<select[^>]* name="key"[^>]*>(.*?)</select>', page, re.S)
    assert found
    assert re.findall(r'value="([^"]*)"', found[1]) == ["", *"1234567890", "-"]


def test_now_takes_the_phones_as_they_are_and_another_time_takes_them_as_free(
    office: Office,
) -> None:
    busy = OperatorState("101", "INUSE", OperatorActivity.BUSY, 1)
    with writing(office.engine) as session:
        replace_operator_states(session, [busy])
    browser = office.browser()
    now = " ".join(told(browser.get(f"{ASK}&number=%2B79001112233").text, "why"))
    assert "(101) is busy" in now
    page = browser.get(f"{ASK}&number=%2B79001112233&at=2026-11-18T14:00").text
    assert "(101) is busy" not in " ".join(told(page, "why"))
    assert "By today’s set-up" in page


def test_now_takes_the_switches_of_the_pbx_as_they_are(office: Office) -> None:
    with writing(office.engine) as session:
        save_switches(session, {closed_device(): CLOSED_STATE}, company.NOW)
    browser = office.browser()
    now = " ".join(told(browser.get(f"{ASK}&number=%2B79001112233").text, "why"))
    assert "it is on: closed" in now
    later = browser.get(f"{ASK}&number=%2B79001112233&at=2026-11-18T14:00").text
    assert "it is on: closed" not in later


def test_now_takes_freepbxs_switches_as_they_are(office: Office) -> None:
    with writing(office.engine) as session:
        save_switches(session, {"Custom:DND101": "BUSY"}, company.NOW)
    browser = office.browser()
    assert "(101) has “do not disturb” on" in " ".join(
        told(browser.get(f"{ASK}&number=%2B79001112233").text, "why")
    )


def test_now_knows_who_rests_after_a_call_while_the_listener_tells_of_it(office: Office) -> None:
    rests = OperatorState("101", "NOT_INUSE", OperatorActivity.PAUSED, 1, pause="wrap_up")
    with writing(office.engine) as session:
        replace_operator_states(session, [rests])
    browser = office.browser()
    gone = " ".join(told(browser.get(f"{ASK}&number=%2B79001112233").text, "why"))
    with writing(office.engine) as session:
        save_process(session, Process("listener", 1, "h", "1", company.NOW, company.NOW, True))
    alive = " ".join(told(browser.get(f"{ASK}&number=%2B79001112233").text, "why"))
    assert "has a rest" not in gone
    assert "(101) has a rest after a call" in alive


def test_the_past_is_labelled_as_asked_of_todays_set_up(office: Office) -> None:
    page = office.browser().get(f"{ASK}&number=&at=2026-01-05T10:00").text
    assert "whatever they were then" in page
    assert "hidden" in " ".join(told(page, "why"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("did=abc", "This is not a number that can be dialled."),
        ("did=74951234567&number=12", "This is not a phone number."),
        ("did=74951234567&at=tomorrow", "Enter a day and a time."),
        ("did=74951234567&at=9999-01-01T00:00", "Enter a day and a time."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    office: Office, query: str, said: str
) -> None:
    answer = office.browser().get(f"/explain?{query}")
    assert answer.status_code == 422
    assert said in answer.text
    assert all(f'value="{value}"' in answer.text for value in re.findall(r"=([^&]+)", query))


def test_a_call_leads_to_the_same_question_now_for_those_who_may_ask(office: Office) -> None:
    call = next(one for one in company.calls() if one.decision is not None)
    page = f"/calls/{call.call_id}"
    link = f'href="/explain?number={call.number.replace("+", "%2B")}&amp;did={call.did}"'
    assert link in office.browser().get(page).text.replace("number=+", "number=%2B")
    own = office.browser(Role.OPERATOR, call.answered_by or "102")
    shown = own.get(page)
    assert shown.status_code == 200
    assert "/explain" not in shown.text
