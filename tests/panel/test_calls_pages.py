"""The pages of calls: filters, pages, rights, words, the file, and hostile names."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from telephony.accounts import Role
from telephony.domain.record import CallRecord
from telephony.store.calls import save_call
from telephony.store.engine import writing
from tests.api import company
from tests.databases.samples import a_record
from tests.panel.office import Office
from web.calls.lanes import HOLD, RINGING, TALKING, WAITING, chart
from web.i18n import phone

_ROW = re.compile(r'href="/calls/pbx-1795000000\.(\d+)"')


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    """Give the panel over the company, on both databases."""
    return Office(engine, tmp_path)


def _rows(browser: FlaskClient, query: str = "") -> list[str]:
    response = browser.get(f"/calls?{query}")
    assert response.status_code == 200
    return _ROW.findall(response.text)


def test_filters_and_pages(office: Office) -> None:
    browser = office.browser()
    first = _rows(browser)
    assert first[:5] == ["5", "4", "3", "2", "1"]
    assert len(first) == 50
    assert len(_rows(browser, "page=3")) == 25
    everything = {row for page in (1, 2, 3) for row in _rows(browser, f"page={page}")}
    assert len(everything) == 125
    for query, wanted in (
        ("direction=internal", ["5"]),
        ("disposition=abandoned", ["2"]),
        ("q=8 (900) 111-22-33&direction=in", ["1"]),
        ("q=4321", ["2"]),
        ("q=РОМАШКА&direction=out", ["4"]),
        ("operator=102", ["5", "4", "1"]),
        ("from=2026-11-18&to=2026-11-18", ["5", "4", "3", "2", "1"]),
        # A day the wrong way round, nonsense, and a day beyond the calendar.
        ("from=2026-11-19&to=2026-11-18&direction=out", ["4"]),
        ("from=yesterday&direction=out&disposition=maybe", ["4"]),
        ("to=9999-12-31&direction=out", ["4"]),
        ("q=nobody of that name", []),
        ("page=99", []),
        ("endpoint=x&_external=1&direction=out", ["4"]),
    ):
        assert _rows(browser, query) == wanted, query


def test_days_are_those_of_the_reader(office: Office) -> None:
    # 23:30 of the 17th in Moscow, the 17th in UTC too; half an hour later only one of them is.
    for nth, hour in ((801, 20.5), (802, 21.5)):
        start = int((company.NOW.timestamp() - (34.5 - hour) * 3600) * 1e6)
        with writing(office.engine) as session:
            save_call(session, a_record(nth, started_at=start, call_id=f"pbx-1795000000.{nth}"))
    browser = office.browser()
    assert "802" in _rows(browser, "from=2026-11-18&to=2026-11-18")
    assert "801" not in _rows(browser, "from=2026-11-18&to=2026-11-18")
    assert "801" in _rows(browser, "from=2026-11-17&to=2026-11-17")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_call_is_told_in_words(office: Office, language: str) -> None:
    page = office.browser(language=language).get("/calls/pbx-1795000000.1").text
    said = {
        "en": ("Why it rang there", "Boris put the call on hold", "</span>: Анна (101) is free"),
        "ru": ("Почему звонило там", "Boris: удержание", "</span>: Анна (101): линия свободна"),
    }[language]
    for words in said:
        assert words in page
    # A number inside of a sentence stays on one line.
    assert "+7\N{NO-BREAK SPACE}900\N{NO-BREAK SPACE}111\N{NON-BREAKING HYPHEN}" in page
    assert page.count('class="lane"') == 3
    assert "<code>pbx-1795000000.1</code>" in page


def test_a_call_that_was_filled_in_says_so(office: Office) -> None:
    browser = office.browser()
    assert "written down" in browser.get("/calls/pbx-1795000000.3").text
    assert "written down" not in browser.get("/calls/pbx-1795000000.1").text
    assert browser.get("/calls/no.such").status_code == 404
    assert browser.get("/calls/a%00b").status_code == 404


def test_an_operator_sees_calls_of_their_own_alone(office: Office) -> None:
    boris = office.browser(Role.OPERATOR, "102")
    assert _rows(boris) == ["5", "4", "1"]
    assert _rows(boris, "operator=101") == ["5", "4", "1"]
    assert _rows(boris, "operator=104") == []
    assert boris.get("/calls/pbx-1795000000.1").status_code == 200
    assert boris.get("/calls/pbx-1795000000.2").status_code == 404
    assert "pbx-1795000000.2" not in boris.get("/calls/export.csv").text
    assert _ROW.findall(boris.get("/clients/2").text) == []
    assert set(_ROW.findall(boris.get("/operators/101").text)) == {"5", "4", "1"}
    nobody = office.browser(Role.OPERATOR, None)
    assert _rows(nobody) == []
    assert nobody.get("/calls/pbx-1795000000.1").status_code == 404


def test_hostile_names_are_text(office: Office) -> None:
    browser = office.browser()
    for path in (
        "/calls",
        "/calls/pbx-1795000000.2",
        "/clients",
        "/clients/2",
        "/",
        "/operators/101",
        "/calls?q=<script>alert(1)</script>",
        '/clients?q="><script>alert(1)</script>',
    ):
        page = browser.get(path).text
        assert "<script>alert" not in page, path
        assert "\u202e" not in page, path
    assert "&lt;script&gt;alert" in browser.get("/calls/pbx-1795000000.2").text


@pytest.mark.parametrize(("language", "separator"), [("en", ","), ("ru", ";")])
def test_the_file_holds_the_list_and_no_formula(
    office: Office, language: str, separator: str
) -> None:
    names = ("=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "\r=1", 'a"b;c,d')
    for nth, name in enumerate(names, start=900):
        with writing(office.engine) as session:
            save_call(session, a_record(nth, client_name=name, number="+79990000001"))
    response = office.browser(language=language).get("/calls/export.csv?q=+79990000001")
    assert response.mimetype == "text/csv"
    assert "attachment" in response.headers["Content-Disposition"]
    text = response.get_data(as_text=True)
    assert text[0] == "\ufeff"
    head, *rows = csv.reader(io.StringIO(text[1:]), delimiter=separator)
    assert len(rows) == len(names)
    assert {len(row) for row in rows} == {len(head)}
    assert {row[2] for row in rows} == {"+79990000001"}
    assert {row[3] for row in rows} == {"'=1+1", "'+cmd", "'-2", "'@SUM(A1)", "'=1", 'a"b;c,d'}


def test_the_whole_file(office: Office) -> None:
    text = office.browser().get("/calls/export.csv").get_data(as_text=True)
    assert len(text.splitlines()) == 126


def _one(record: CallRecord) -> list[tuple[str, object, object]]:
    return [(bar.what, bar.x, bar.width) for bar in chart(record).lanes[0].bars]


def test_lanes_are_parts_of_the_whole_time() -> None:
    record = company.calls()[0]
    found = chart(record)
    assert [lane.operator for lane in found.lanes] == [None, "101", "102"]
    assert _one(record) == [
        (WAITING, 0.0, pytest.approx(19.737)),
        (TALKING, pytest.approx(19.737), pytest.approx(80.263)),
        (HOLD, pytest.approx(39.474), pytest.approx(15.789)),
    ]
    assert [bar.what for bar in found.lanes[2].bars] == [RINGING, TALKING, HOLD]
    assert [tick.seconds for tick in found.ticks] == [0, 15, 30, 45, 60]
    assert all(
        0 <= bar.x <= 100 and bar.x + bar.width <= 100.001
        for lane in found.lanes
        for bar in lane.bars
    )


def test_a_call_of_no_time_has_lanes_too() -> None:
    start = company.calls()[0].started_at
    found = chart(a_record(0, started_at=start, ended_at=start, answered_at=None, legs=()))
    assert [bar.what for bar in found.lanes[0].bars] == [WAITING]
    assert found.lanes[0].bars[0].width == 1.0


@pytest.mark.parametrize(
    ("milliseconds", "ticks"),
    [
        (3, [0, 0.01, 0.02, 0.03, 0.04]),
        (100, [0, 0.02, 0.04, 0.06, 0.08]),
        (1000, [0, 0.2, 0.4, 0.6, 0.8]),
        (2900, [0, 0.5, 1, 1.5, 2, 2.5]),
        (5000, [0, 1, 2, 3, 4]),
    ],
)
def test_a_short_call_has_a_scale_too(milliseconds: int, ticks: list[float]) -> None:
    start = company.calls()[0].started_at
    end = start + milliseconds * 1000
    found = chart(a_record(0, started_at=start, ended_at=end, answered_at=None, legs=()))
    assert [tick.seconds for tick in found.ticks] == ticks
    assert found.lanes[0].bars[0].width >= 5


@pytest.mark.parametrize(
    ("reason", "language", "words"),
    [
        ("late", "en", "the plan did not come in time"),
        ("planned", "ru", "дежурным звонить было некому"),
        ("<b>moonlight", "en", "&lt;b&gt;moonlight"),
    ],
)
def test_why_a_call_went_to_the_fallback(
    office: Office, reason: str, language: str, words: str
) -> None:
    with writing(office.engine) as session:
        save_call(session, a_record(777, call_id="pbx-1795000000.777", fallback=reason))
    assert words in office.browser(language=language).get("/calls/pbx-1795000000.777").text


def test_numbers_are_written_one_way(office: Office) -> None:
    browser = office.browser()
    record = company.calls()[0]
    page = browser.get(f"/calls/{record.call_id}").text
    shown = re.sub(r'data-copy="[^"]*"|href="[^"]*"', "", page)
    assert record.number.startswith("+")
    assert record.number not in shown
    assert record.did not in shown
    with office.app.test_request_context():
        assert phone(record.did) in shown
        assert phone("101") == "101"
        assert phone("1234567890") == "1234567890"
        assert phone("79001112233") == phone("89001112233") == phone("+79001112233")


def test_the_filters_say_how_many_are_set(office: Office) -> None:
    browser = office.browser()
    assert "More filters" in browser.get("/calls").text
    assert " set</span>" not in browser.get("/calls?q=1").text
    assert "2 set" in browser.get("/calls?from=2026-11-18&to=2026-11-18&operator=101").text
