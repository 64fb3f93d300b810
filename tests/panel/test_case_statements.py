"""How many statements the pages of cases take: no more for many calls, few for each case closed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from telephony.accounts import Role
from telephony.domain.callback.cases import Ending
from telephony.domain.callback.results import Ended, Why
from telephony.store.attempts import (
    NewAttempt,
    add_attempt,
    finish_attempt,
    get_attempt,
    send_attempt,
)
from telephony.store.cases import JoinedCall, get_case, join_calls
from telephony.store.engine import reading, writing
from tests.api import company
from tests.databases.missed import a_case, add
from tests.databases.test_settling_burst import counted
from tests.panel.office import Office, post, said

NOW = company.NOW
CALLS = [one.call_id for one in company.calls()]


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    """Give the panel over the company, on both databases."""
    return Office(engine, tmp_path)


def a_case_of(office: Office, nth: int, calls: list[str], tries: int) -> int:
    """Store a case with these missed calls, and tries that each had a call; return its id."""
    number = f"+7495600{nth:04d}"
    (key,) = add(office.engine, a_case(number, NOW))
    with writing(office.engine) as session:
        missed = [
            JoinedCall(one, key, NOW - timedelta(minutes=15), Why.WAITING, company.DID)
            for one in calls
        ]
        join_calls(session, missed)
        for place in range(tries):
            new = NewAttempt(number, "+7495", "101", case_id=key)
            made = add_attempt(session, new, NOW, timedelta()).id
            assert send_attempt(session, made, 1, f"pbx-{nth}.{place}", NOW, timedelta())
            attempt = get_attempt(session, made)
            assert attempt is not None
            finish_attempt(session, attempt, Ended.NO_ANSWER, NOW, "")
    return key


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.OPERATOR])
def test_the_page_of_a_case_takes_as_many_for_many_calls_as_for_few(
    office: Office, role: Role
) -> None:
    few = a_case_of(office, 1, CALLS[:2], 1)
    many = a_case_of(office, 2, CALLS[2:62], 20)
    browser = office.browser(role, "101")
    browser.get(f"/missed/{few}")
    taken = []
    for key, calls in ((few, CALLS[:2]), (many, CALLS[2:62])):
        with counted(office.engine) as seen:
            page = browser.get(f"/missed/{key}").text
        taken.append(len(seen))
        assert sum(f'href="/calls/{one}"' in page for one in calls) >= len(calls) - 1
    assert taken[0] == taken[1]
    assert taken[0] < 50


def test_each_case_more_that_is_closed_takes_few(office: Office) -> None:
    browser = office.browser()
    keys = add(office.engine, *(a_case(f"+7495600{nth:04d}", NOW) for nth in range(60)))
    query = "&".join(f"case={key}" for key in keys)
    taken = []
    for some in (keys[:10], keys[10:]):
        with counted(office.engine) as seen:
            done = browser.get(f"/missed/close?{query}")
        assert done.status_code == 200
        asked = len(seen)
        with counted(office.engine) as seen:
            answer = post(browser, "/missed/close", case=some, ending="by_hand", note="all of it")
        taken.append(len(seen))
        assert f"{len(some)} cases were closed." in said(answer)
        assert asked < 30
    assert taken[1] - taken[0] <= 40, "one each, for the audit log"
    assert all(ending_of(office, key) is Ending.BY_HAND for key in keys)


def ending_of(office: Office, key: int) -> Ending | None:
    with reading(office.engine) as session:
        case = get_case(session, key)
    assert case is not None
    return case.ending
