"""The page of callback figures and its file: what is counted, for which days, in which words."""

from __future__ import annotations

import csv
import io
import itertools
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from telephony.accounts import Role
from telephony.domain.callback.cases import Case, Ending, ended
from telephony.domain.callback.results import Why
from telephony.store.cases import JoinedCall, add_case, join_calls
from telephony.store.engine import writing
from tests.api import company
from tests.databases.missed import a_case
from tests.panel.office import Office

NOW = company.NOW
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
_NEXT = itertools.count()


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    """Give the panel over the company, on both databases."""
    return Office(engine, tmp_path)


def opened(office: Office, days: int, calls: int = 1, **changes: Any) -> Case:
    """Store a case of some days before now, with its calls."""
    at = NOW - days * DAY
    with writing(office.engine) as session:
        number = f"+7900111{next(_NEXT):04d}"
        case = add_case(session, a_case(number, at, **changes), at)
        for nth in range(calls):
            call_id = f"{number}-{nth}"
            join_calls(
                session, [JoinedCall(call_id, case.id, case.opened_at, Why.RINGING, case.did)]
            )
    return case


def over(office: Office, days: int, after: float, ending: Ending, **changes: Any) -> None:
    """Store a case that ended so many minutes after it was opened."""
    at = NOW - days * DAY
    since = at - 15 * MINUTE
    case = a_case(f"+7900222{next(_NEXT):04d}", at)
    case = replace(case, opened_at=since, origin_at=since, **changes)
    with writing(office.engine) as session:
        add_case(session, ended(case, ending, since + after * MINUTE, "101"), at)


def figures(text: str) -> dict[str, str]:
    """Return name → figure of the tiles of a page."""
    found = re.findall(
        r'tile-name">([^<]+)</p><p class="tile-figure">(.*?)</p>', unescape(text), re.S
    )
    return {
        re.sub(r"\s", " ", name): re.sub(r"<[^>]+>", " ", figure).strip() for name, figure in found
    }


def rows(text: str) -> dict[str, list[str]]:
    """Return first cell → the other cells of the table."""
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    found = {}
    for row in body.split("</tr>")[:-1]:
        cells = [
            re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", cell))).strip()
            for cell in re.findall(r"<td.*?>(.*?)</td>", row, re.S)
        ]
        found[cells[0]] = cells[1:]
    return found


def test_nothing_was_missed(office: Office) -> None:
    browser = office.browser()
    text = browser.get("/missed/figures").text
    assert "No call was missed" in text
    assert figures(text) == {}
    assert "/missed/figures.csv" not in text
    file = browser.get("/missed/figures.csv").text.splitlines()
    assert [line.split(",")[:4] for line in file[1:]] == [["All", "0", "0", "0"]]


def test_what_became_of_a_week(office: Office) -> None:
    browser = office.browser()
    opened(office, 0, calls=2)
    over(office, 1, 5, Ending.CALLED_BACK)
    over(office, 2, 65, Ending.OPERATOR_CALLED, did="", group=None)
    over(office, 2, 0, Ending.SHORT)
    over(office, 3, 9, Ending.BLOCKED)
    opened(office, 7)
    page = browser.get("/missed/figures").text
    tiles = figures(page)
    assert tiles["Missed calls"] == "2"
    assert tiles["Reached within 60 mins"].split() == ["1", "33", "%"]
    assert tiles["Median time to callback"] == "35:00"
    assert tiles["Deadlines kept"].split() == ["1", "50", "%"]
    assert tiles["Still waiting"] == "1"
    wide = figures(browser.get("/missed/figures?within=240").text)
    assert wide["Reached within 4 hrs"].split() == ["2", "67", "%"]
    parts = rows(page)
    name = next(key for key in parts if "495" in key)
    assert [parts[name][0], parts["none"][0]] == ["3", "1"]
    assert 'href="/missed/figures?did=74951234567&amp;by=hour"' in page
    before = NOW.date() - 7 * DAY
    week = browser.get(f"/missed/figures?from={before}&to={before}&by=hour").text
    assert {key: cells[0] for key, cells in rows(week).items()} == {"13:00–14:00": "1"}
    opened(office, 7, opened_at=NOW - 7 * DAY - 3 * HOUR)
    week = browser.get(f"/missed/figures?from={before}&to={before}&by=hour").text
    assert [(key, cells[0]) for key, cells in rows(week).items()] == [
        ("10:00–11:00", "1"),
        ("11:00–12:00", "0"),
        ("12:00–13:00", "0"),
        ("13:00–14:00", "1"),
    ]


def test_by_day_every_day_has_a_line(office: Office) -> None:
    opened(office, 1)
    page = office.browser().get("/missed/figures?by=day").text
    days = rows(page)
    assert len(days) == 7
    assert [cells[0] for cells in days.values()] == ["0", "0", "0", "0", "0", "1", "0"]
    assert list(days)[-1] == "Wed, 18 Nov"


def test_too_many_days_are_cut_and_said(office: Office) -> None:
    browser = office.browser()
    opened(office, 0)
    text = browser.get("/missed/figures?from=2020-01-01&by=day").text
    assert "At most 92 days can be counted at once" in text
    assert len(rows(text)) == 92
    assert "At most" not in browser.get("/missed/figures?by=nonsense&within=7").text


def test_the_file_has_the_table(office: Office) -> None:
    opened(office, 0, calls=2, owner="101")
    over(office, 1, 5, Ending.CALLED_BACK)
    opened(office, 0, calls=0, owner="=HYPERLINK(1)")
    browser = office.browser(Role.SUPERVISOR, "101")
    answer = browser.get("/missed/figures.csv?by=operator")
    assert "callback-figures-2026-11-18.csv" in answer.headers["Content-Disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [line["Cases"] for line in lines] == ["2", "1", "3"]
    assert lines[0]["Operator"].endswith("(101)")
    assert lines[1]["Operator"] == "'=HYPERLINK(1)"
    assert lines[2]["Operator"] == "All"
    assert (lines[0]["Missed calls"], lines[0]["Median time to callback, s"]) == ("2", "300")
    assert lines[1]["Median time to callback, s"] == ""
    only = browser.get("/missed/figures.csv?by=group&operator=102").text.splitlines()
    assert len(only) == 2


def test_who_leads_sees_the_way_there(office: Office) -> None:
    assert 'href="/missed/figures"' in office.browser(Role.SUPERVISOR, "101").get("/missed").text
    assert "/missed/figures" not in office.browser(Role.OPERATOR, "101").get("/missed").text
