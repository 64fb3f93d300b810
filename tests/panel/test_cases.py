"""Missed calls in the panel: the list, one case, what people do, and who may."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from telephony.accounts import Role
from telephony.domain.callback.cases import Attention, Case, CaseState, Ending, Source
from telephony.domain.callback.results import Why
from telephony.store.attempts import live_attempts
from telephony.store.audit import list_audit
from telephony.store.cases import JoinedCall, get_case, join_calls, stop_dialling
from telephony.store.engine import reading, writing
from tests.api import company
from tests.databases.missed import a_case, add, does, listen
from tests.panel.office import Office, post, said

NOW = company.NOW
# A landline of a client: it is half past one there, and late in the evening in Kamchatka.
LANDLINE = "+74957654321"
KAMCHATKA = "+74152300001"
_ROW = re.compile(r'row-cover" href="/missed/(\d+)"')


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    """Give the panel over the company, on both databases."""
    return Office(engine, tmp_path)


def case_of(office: Office, key: int) -> Case:
    with reading(office.engine) as session:
        case = get_case(session, key)
    assert case is not None
    return case


def noted(office: Office) -> list[tuple[str, str]]:
    with reading(office.engine) as session:
        lines, _ = list_audit(session, limit=20, offset=0)
    return [(line.action, line.target) for line in reversed(lines)]


def rows(browser: FlaskClient, query: str = "") -> list[int]:
    answer = browser.get(f"/missed?{query}")
    assert answer.status_code == 200
    return [int(one) for one in _ROW.findall(answer.text)]


def test_the_list_with_its_views_and_filters(office: Office) -> None:
    late, soon, vip, asked = add(
        office.engine,
        a_case(company.CALLER, NOW, -5, client_id=1, client_name="Ромашка", missed=3, owner="101"),
        a_case("+79005550001", NOW, 5, due_at=None, attention=Attention.ATTEMPTS, tries=5),
        a_case("+79005550002", NOW, 50, priority=1, owner="102", client_name=company.HOSTILE),
        a_case("+79005550003", NOW, 60, source=Source.FORM, why=Why.ASKED, did="", group=None),
    )
    browser = office.browser()
    page = browser.get("/missed").text
    assert rows(browser) == [vip, late, soon, asked]
    assert "overdue by 5\N{NO-BREAK SPACE}mins" in page
    assert "waits for a person: all tries were in vain" in page
    assert "×3" in page
    assert re.findall(r'(\w[\w ]*) <span class="quick-count">(\d+)<', page) == [
        ("Open", "4"),
        ("Overdue", "1"),
        ("Needs a person", "1"),
        ("Promised", "1"),
    ]
    assert "<script>alert" not in page
    badge = re.search(r'id="missed-badge".*?</span></span>', page, re.S)
    assert badge is not None
    assert "pill-bad" in badge[0]
    assert ">4<" in badge[0]
    for query, wanted in (
        ("view=mine", []),
        ("view=overdue", [late]),
        ("view=attention", [soon]),
        ("view=promised", [asked]),
        ("view=closed", []),
        ("view=nonsense&operator=102", [vip]),
        ("q=8 900 555-00-03", [asked]),
        ("q=0001", [soon]),
        ("q=nobody", []),
        ("q=ромаш", [late]),
        ("why=asked", [asked]),
        ("source=form", [asked]),
        ("group=sales", [vip, late, soon]),
        (f"did={company.DID}", [vip, late, soon]),
        ("page=7", []),
    ):
        assert rows(browser, query) == wanted, query
    assert "Nobody waits for a call" not in page
    assert "No case fits" in browser.get("/missed?q=nobody").text
    russian = office.browser(language="ru").get("/missed").text
    assert "просрочено на 5\N{NO-BREAK SPACE}мин" in russian


def test_nothing_is_missed(office: Office) -> None:
    page = office.browser().get("/missed").text
    assert "Nobody waits for a call" in page
    assert '<span id="missed-badge" class="menu-badge" data-quiet></span>' in page


def test_an_operator_sees_and_does_what_is_theirs(office: Office) -> None:
    ours, foreign, taken = add(
        office.engine,
        a_case("+79005550001", NOW, 10),
        a_case("+79005550002", NOW, 20, group="support", owner="102"),
        a_case("+79005550003", NOW, 30, claimed_by="102", anyone_at=NOW + timedelta(minutes=5)),
    )
    browser = office.browser(Role.OPERATOR, "101")
    assert rows(browser) == [ours, taken]
    assert browser.get(f"/missed/{foreign}").status_code == 404
    assert post(browser, f"/missed/{foreign}/close", ending="by_hand").status_code == 404
    assert "A colleague has taken" in browser.get(f"/missed/{taken}").text
    assert "A colleague has taken" in said(post(browser, f"/missed/{taken}/claim", operator="me"))
    assert post(browser, f"/missed/{ours}/claim", operator="102").status_code == 403
    assert "it is yours" in said(post(browser, f"/missed/{ours}/claim", operator="me"))
    assert case_of(office, ours).claimed_by == "101"
    assert rows(browser, "view=mine") == [ours]
    assert "anybody may take it" in said(post(browser, f"/missed/{ours}/claim", operator=""))
    assert case_of(office, ours).claimed_by is None
    kept = post(browser, "/missed/close", case=[ours, foreign, taken], ending="by_hand")
    assert "1 case was closed" in said(kept)
    assert "2 were left" in said(kept)
    assert case_of(office, foreign).open
    assert [action for action, _ in noted(office)] == [
        "callback.claimed",
        "callback.returned",
        "callback.closed",
    ]
    nobody = office.browser(Role.OPERATOR, None)
    assert rows(nobody) == []


def test_a_call_is_ordered_or_refused_in_words(office: Office) -> None:
    one, two = add(
        office.engine,
        a_case(LANDLINE, NOW, 10, client_name="Ромашка"),
        a_case("+74955550002", NOW, 20),
    )
    browser = office.browser(Role.SUPERVISOR, "101")
    assert "The listener is not running" in said(post(browser, f"/missed/{one}/call"))
    listen(office.engine, NOW)
    does(office.engine, NOW, "101")
    assert "Your phone rings" in said(post(browser, f"/missed/{one}/call"))
    with reading(office.engine) as session:
        (attempt,) = live_attempts(session)
    assert (attempt.case_id, attempt.operator, attempt.asked_by) == (
        one,
        "101",
        "supervisor-101-en",
    )
    assert "being called right now" in said(post(browser, f"/missed/{one}/call"))
    assert "goes to this phone already" in said(post(browser, f"/missed/{two}/call"))
    assert "No phone can ring" in said(post(office.browser(), f"/missed/{two}/call"))
    with writing(office.engine) as session:
        stop_dialling(session, "boss", "a test", NOW)
    other = office.browser(Role.OPERATOR, "102")
    assert "All callbacks are stopped." in said(post(other, f"/missed/{two}/call"))
    assert noted(office) == [("callback.called", LANDLINE)]


def test_a_number_that_was_clicked(office: Office) -> None:
    listen(office.engine, NOW)
    does(office.engine, NOW, "101")
    add(office.engine, a_case(KAMCHATKA, NOW))
    browser = office.browser(Role.SUPERVISOR, "101")
    page = browser.get("/clients/2").text
    assert f'form="dial" name="number" value="{LANDLINE}"' in page
    assert 'form="dial"' in browser.get("/calls").text
    assert 'form="dial"' not in office.browser().get("/calls").text
    for number, words in (
        ("nonsense", "nonsense is no telephone number"),
        ("+79005559999", "Nobody called from this number before"),
        ("+88216200100", "Nobody called from this number before"),
        (
            KAMCHATKA,
            "It is a quiet hour where the client is. Possible again from 18 Nov 2026, 23:00:00",
        ),
    ):
        assert words in said(post(browser, "/missed/dial", number=number)), number
    answer = post(browser, "/missed/dial", number=LANDLINE, next="/clients/2")
    assert "Your phone rings" in said(answer)
    assert answer.request.path == "/clients/2"
    assert noted(office) == [("callback.called", LANDLINE)]
    elsewhere = post(browser, "/missed/dial", number=LANDLINE, next="//evil.example/")
    assert elsewhere.request.path == "/"


def test_a_time_is_agreed_on_in_the_readers_zone(office: Office) -> None:
    (key,) = add(office.engine, a_case("+79005550001", NOW, 10))
    browser = office.browser()
    path = f"/missed/{key}/schedule"
    assert 'value="2026-11-19"' in browser.get(f"/missed/{key}").text
    assert "Choose a day" in said(post(browser, path, day="soon", time="10:00"))
    assert "over already" in said(post(browser, path, day="2026-11-18", time="10:00"))
    assert "within a year" in said(post(browser, path, day="2029-11-18", time="10:00"))
    assert "is called at" in said(post(browser, path, day="2026-11-19", time="10:00"))
    case = case_of(office, key)
    assert case.promised_at is not None
    assert case.promised_at.isoformat() == "2026-11-19T07:00:00+00:00"
    assert case.due_at == case.promised_at
    assert case.source is Source.SCHEDULED


def test_a_time_in_the_night_of_the_client_is_refused_with_the_next_possible(
    office: Office,
) -> None:
    (key,) = add(office.engine, a_case(KAMCHATKA, NOW, 10))
    answer = post(office.browser(), f"/missed/{key}/schedule", day="2026-11-19", time="14:00")
    assert "a quiet hour where the client is" in said(answer)
    assert "Choose 19 Nov 2026, 23:00" in said(answer)
    assert case_of(office, key).promised_at is None


def test_what_is_agreed_in_the_call_is_noted_after_it(office: Office) -> None:
    over = a_case(LANDLINE, NOW, 10, state=CaseState.CLOSED, due_at=None, ended_at=NOW)
    (key,) = add(office.engine, replace(over, ending=Ending.CALLED_BACK, did=company.DID))
    browser = office.browser()
    page = browser.get(f"/missed/{key}").text
    assert "This case is over: the call is a new one." in page
    assert "Close the case" not in page
    then = post(browser, f"/missed/{key}/schedule", day="2026-11-19", time="10:00")
    assert "is called at" in said(then)
    assert "This client waits for a call again" in said(then)
    again = int(re.findall(r'href="/missed/(\d+)">Show that case', then.text)[0])
    assert again != key
    assert case_of(office, again).promised_at is not None
    assert not case_of(office, key).open, "what was over stays so"
    # And that they never want another one.
    never = post(browser, f"/missed/{key}/close", ending="opted_out", note="said so")
    assert "is not called any more" in said(never)
    assert case_of(office, key).ending is Ending.CALLED_BACK
    assert "Agree on a time" not in browser.get(f"/missed/{key}").text
    refused = post(browser, f"/missed/{key}/schedule", day="2026-11-19", time="11:00")
    assert "asked not to be called" in said(refused)


def test_a_time_agreed_after_a_case_does_not_pass_a_colleagues_claim(office: Office) -> None:
    over = a_case(LANDLINE, NOW, 10, state=CaseState.CLOSED, due_at=None, ended_at=NOW)
    taken = a_case(LANDLINE, NOW, 10, claimed_by="102", anyone_at=NOW + timedelta(minutes=5))
    mine = replace(over, ending=Ending.CALLED_BACK, owner="101")
    key, other = add(office.engine, mine, taken)
    path = f"/missed/{key}/schedule"
    refused = post(office.browser(Role.OPERATOR, "101"), path, day="2026-11-19", time="10:00")
    assert "A colleague has taken this case" in said(refused)
    assert case_of(office, other).promised_at is None
    post(office.browser(), path, day="2026-11-19", time="10:00")
    assert case_of(office, other).promised_at is not None, "whoever leads may"


def test_how_a_case_ends_and_who_is_never_called_again(office: Office) -> None:
    one, two = add(office.engine, a_case(company.CALLER, NOW, 10), a_case("+79005550002", NOW, 20))
    browser = office.browser()
    assert post(browser, f"/missed/{one}/close", ending="expired").status_code == 400
    ended = post(browser, f"/missed/{one}/close", ending="by_hand", note="they wrote\na letter")
    assert "over (closed by hand)" in said(ended)
    case = case_of(office, one)
    assert (case.ending, case.ended_by) == (Ending.BY_HAND, "supervisor-None-en")
    assert "they wrote" in ended.text
    assert "over already" in said(post(browser, f"/missed/{one}/close", ending="by_hand"))
    assert rows(browser, "view=closed") == [one]
    post(browser, f"/missed/{two}/close", ending="opted_out")
    assert "This number is not called" in browser.get(f"/missed/{two}").text
    assert rows(browser, "view=suppressed") == [two]
    assert "+7 900 555-00-02" in browser.get("/missed/not-called?q=%2B7900").text
    again = post(browser, "/missed/not-called/remove", number="+79005550002")
    assert "may be called again" in said(again)
    assert "Everybody may be called" in again.text
    added = post(browser, "/missed/not-called", number="8 900 555 00 09", note="by letter")
    assert "+7 900 555-00-09" in added.text
    assert "no telephone number" in said(post(browser, "/missed/not-called", number="-"))
    assert [action for action, _ in noted(office)] == [
        "callback.closed",
        "optout.added",
        "optout.removed",
        "optout.added",
    ]


def test_many_are_closed_after_a_question(office: Office) -> None:
    keys = add(office.engine, *(a_case(f"+7900555{nth:04d}", NOW) for nth in range(3)))
    browser = office.browser()
    asked = browser.get(f"/missed/close?case={keys[0]}&case={keys[1]}&case=x&case=99999")
    assert "Close 2 cases?" in asked.text
    assert "No case is chosen" in browser.get("/missed/close").text
    done = post(browser, "/missed/close", case=keys[:2], ending="duplicate", note="twins")
    assert "2 cases were closed." in said(done)
    assert rows(browser) == keys[2:]
    assert case_of(office, keys[0]).ending is Ending.DUPLICATE


def test_a_supervisor_gives_a_case_to_somebody(office: Office) -> None:
    (key,) = add(office.engine, a_case("+79005550001", NOW, 10))
    browser = office.browser()
    assert "given to Boris" in said(post(browser, f"/missed/{key}/claim", operator="102"))
    assert case_of(office, key).claimed_by == "102"
    assert post(browser, f"/missed/{key}/claim", operator="999").status_code == 400
    assert "No phone can ring" in said(post(browser, f"/missed/{key}/claim", operator="me"))


def test_one_case_and_every_contact_of_its_client(office: Office) -> None:
    (key,) = add(office.engine, a_case(company.CALLER, NOW, 10, client_id=1, client_name="Ромашка"))
    call_id = company.calls()[0].call_id
    with writing(office.engine) as session:
        join_calls(
            session,
            [JoinedCall(call_id, key, NOW - timedelta(minutes=15), Why.WAITING, company.DID)],
        )
    browser = office.browser()
    page = browser.get(f"/missed/{key}").text
    assert "Missed: hung up while waiting" in page
    assert f'href="/calls/{call_id}"' in page
    assert 'href="/clients/1"' in page
    client = browser.get("/clients/1").text
    assert "A callback is owed" in client
    assert f'href="/missed/{key}"' in client
    assert "inbound: answered" in client
    assert browser.get("/missed/9223372036854775808").status_code == 404


def test_the_file(office: Office) -> None:
    add(
        office.engine,
        a_case(company.CALLER, NOW, 10, client_name="=1+1", attention=Attention.MANUAL),
        a_case("+79005550002", NOW, 20, group="support"),
    )
    answer = office.browser(language="ru").get("/missed/export.csv")
    head, first, _ = csv.reader(io.StringIO(answer.text.lstrip("\ufeff")), delimiter=";")
    assert head[:3] == ["Ждёт с", "Номер", "Клиент"]
    line = dict(zip(head, first, strict=True))
    assert line["Клиент"] == "'=1+1"
    assert line["Ждёт с"] == "2026-11-18 13:15:00"
    assert line["Ждёт человека"] == "автоматически не перезваниваем"
    mine = office.browser(Role.OPERATOR, "101").get("/missed/export.csv").text
    assert "+79005550002" not in mine


def test_everything_is_stopped_and_goes_on(office: Office) -> None:
    browser = office.browser()
    assert "Say why" in post(browser, "/missed/stop", reason=" ").text
    post(browser, "/missed/stop", reason="the line is <b>broken</b>")
    for path in ("/", "/calls", "/profile", "/missed"):
        page = browser.get(path).text
        assert "All callbacks are stopped" in page, path
        assert "the line is &lt;b&gt;broken" in page, path
        assert "supervisor-None-en" in page
    theirs = office.browser(Role.OPERATOR, "101").get("/").text
    assert "All callbacks are stopped" in theirs
    assert "/missed/resume" not in theirs
    assert "They are stopped already" in browser.get("/missed/stop").text
    assert "Callbacks go on" in said(post(browser, "/missed/resume"))
    assert "All callbacks are stopped" not in browser.get("/").text
    assert noted(office) == [("callbacks.stopped", ""), ("callbacks.resumed", "")]
