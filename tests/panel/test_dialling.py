"""A click on a number: which are called, whose cases it leaves alone, when a phone can ring."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from telephony.accounts import Role
from telephony.callbacks import placing
from telephony.callbacks.desk import Desk
from telephony.domain.callback.cases import Ending, ended
from telephony.domain.live import OperatorActivity
from telephony.domain.record import CallRecord, Direction
from telephony.store.attempts import claim_wanted, live_attempts
from telephony.store.calls import Revised, save_calls
from telephony.store.cases import get_case
from telephony.store.engine import reading, writing
from telephony.store.live import replace_operator_states
from tests.api import company
from tests.databases.missed import a_case, add, does, listen
from tests.panel.office import Office, post, said

NOW = company.NOW
NUMBER = "+74955550001"


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    """Give the panel over the company: a listener is there, and 101 is free."""
    office = Office(engine, tmp_path)
    listen(engine, NOW)
    does(engine, NOW, "101")
    return office


def test_a_phone_that_cannot_ring_is_said_so_and_nothing_is_ordered(office: Office) -> None:
    (key,) = add(office.engine, a_case(NUMBER, NOW))
    browser = office.browser(Role.SUPERVISOR, "101")
    russian = office.browser(Role.SUPERVISOR, "101", "ru")
    talks = {"call_id": "pbx-1.1"}
    for state, more, words, russian_words in (
        (OperatorActivity.BUSY, {}, "You are on a call", "Вы разговариваете"),
        (OperatorActivity.FREE, talks, "You are on a call", "Вы разговариваете"),
        (OperatorActivity.PAUSED, talks, "You are on a call", "Вы разговариваете"),
        (OperatorActivity.RINGING, talks, "Another call rings your", "идёт другой звонок"),
        (OperatorActivity.AWAY, {}, "You are away", "Вас нет на месте"),
        (OperatorActivity.UNKNOWN, {}, "It is not known", "Неизвестно"),
    ):
        does(office.engine, NOW, "101", state, **more)
        for path in (f"/missed/{key}/call", "/missed/dial"):
            assert words in said(post(browser, path, number=NUMBER)), (state, path)
            assert russian_words in said(post(russian, path, number=NUMBER)), (state, path)
    with writing(office.engine) as session:
        replace_operator_states(session, [])
    assert "It is not known" in said(post(browser, f"/missed/{key}/call"))
    assert dialled(office) == []
    assert claimed_by(office, key) is None


def test_who_makes_a_break_may_call(office: Office) -> None:
    (key,) = add(office.engine, a_case(NUMBER, NOW))
    does(office.engine, NOW, "101", OperatorActivity.PAUSED, pause="lunch")
    browser = office.browser(Role.SUPERVISOR, "101")
    assert "Your phone rings" in said(post(browser, f"/missed/{key}/call"))
    assert dialled(office) == [NUMBER]


def test_a_case_is_claimed_when_its_call_is_sent(office: Office) -> None:
    (key,) = add(office.engine, a_case(NUMBER, NOW))
    post(office.browser(Role.SUPERVISOR, "101"), f"/missed/{key}/call")
    assert claimed_by(office, key) is None, "it is ordered, and not sent yet"
    assert sent(office)
    assert claimed_by(office, key) == "101"


def test_an_order_that_is_taken_back_leaves_the_case_to_all(office: Office) -> None:
    (key,) = add(office.engine, a_case(NUMBER, NOW))
    post(office.browser(Role.SUPERVISOR, "101"), f"/missed/{key}/call")
    does(office.engine, NOW, "101", OperatorActivity.BUSY)
    assert not sent(office)
    assert claimed_by(office, key) is None


def sent(office: Office) -> bool:
    """Let a worker look at the call that was asked for; tell whether the PBX is told of it."""
    desk = Desk(office.engine, "RU", now=lambda: NOW)
    with writing(office.engine) as session:
        (claim,) = claim_wanted(session, NOW, timedelta(seconds=15))
    return placing._decide(desk, claim.id, claim.attempt, int(NOW.timestamp())) is not None


def keep(engine: Engine, *calls: CallRecord) -> None:
    with writing(engine) as session:
        save_calls(session, [Revised(one, 1) for one in calls])


def dialled(office: Office) -> list[str]:
    with reading(office.engine) as session:
        return [one.number for one in live_attempts(session)]


def claimed_by(office: Office, key: int) -> str | None:
    with reading(office.engine) as session:
        case = get_case(session, key)
    assert case is not None
    return case.claimed_by


def a_call(nth: int, direction: Direction) -> CallRecord:
    known = company.calls()[0]
    return replace(known, call_id=f"pbx-{nth}", number=NUMBER, client_id=None, direction=direction)


def test_a_number_that_only_we_called_is_not_dialled(office: Office) -> None:
    browser = office.browser(Role.SUPERVISOR, "101")
    keep(office.engine, a_call(1, Direction.OUT))
    assert "Nobody called from this number" in said(post(browser, "/missed/dial", number=NUMBER))
    assert dialled(office) == []
    keep(office.engine, a_call(2, Direction.IN))
    assert "Your phone rings" in said(post(browser, "/missed/dial", number=NUMBER))
    assert dialled(office) == [NUMBER]


def test_a_number_that_had_a_case_is_dialled(office: Office) -> None:
    add(office.engine, ended(a_case(NUMBER, NOW), Ending.BY_HAND, NOW))
    browser = office.browser(Role.SUPERVISOR, "101")
    assert "Your phone rings" in said(post(browser, "/missed/dial", number=NUMBER))
    assert dialled(office) == [NUMBER]


def test_a_case_that_a_colleague_has_is_not_called_by_a_click(office: Office) -> None:
    taken = a_case(NUMBER, NOW, claimed_by="102", anyone_at=NOW + timedelta(minutes=5))
    (key,) = add(office.engine, taken)
    operator = office.browser(Role.OPERATOR, "101")
    assert "A colleague has taken" in said(post(operator, f"/missed/{key}/call"))
    assert "A colleague has taken" in said(post(operator, "/missed/dial", number=NUMBER))
    assert dialled(office) == []
    supervisor = office.browser(Role.SUPERVISOR, "101")
    assert "Your phone rings" in said(post(supervisor, "/missed/dial", number=NUMBER))
    assert dialled(office) == [NUMBER]


def test_a_case_of_another_group_is_not_called_by_a_click(office: Office) -> None:
    add(office.engine, a_case(NUMBER, NOW, group="support", owner="102"))
    operator = office.browser(Role.OPERATOR, "101")
    assert "it is another group's" in said(post(operator, "/missed/dial", number=NUMBER))
    assert dialled(office) == []


def test_a_case_whose_claim_is_over_is_anybodys_by_a_click(office: Office) -> None:
    add(office.engine, a_case(NUMBER, NOW, claimed_by="102", anyone_at=NOW))
    operator = office.browser(Role.OPERATOR, "101")
    assert "Your phone rings" in said(post(operator, "/missed/dial", number=NUMBER))
    assert dialled(office) == [NUMBER]
