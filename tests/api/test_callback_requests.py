"""Callbacks asked for by programs: what is opened, joined and refused, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from telephony.accounts import Scope
from telephony.domain.blocklist import Blocked
from telephony.domain.callback.cases import Case, Source
from telephony.store.blocklist import block
from telephony.store.cases import get_case, open_cases, opt_number_out, save_case
from telephony.store.engine import reading, writing
from tests.api import company
from tests.api.conftest import Send, noted, said

PATH = "/callback-requests"
STRANGER = "+79161234567"


def case_of(engine: Engine, number: str) -> Case:
    with reading(engine) as session:
        return open_cases(session, [number])[number]


def ask(send: Send, **body: Any) -> dict[str, Any]:
    answer = send("POST", PATH, body)
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def test_a_number_in_any_notation_is_called_at_once(send: Send, engine: Engine) -> None:
    answer = ask(
        send,
        number="8 (916) 123-45-67",
        did=company.DID,
        operator="102",
        name="Ivan\u202e <b>",
        note="About\nthe bill",
    )
    case = case_of(engine, STRANGER)
    assert answer == {
        "case_id": case.id,
        "joined": False,
        "due_at": company.NOW.isoformat(),
        "promised_at": None,
    }
    assert (case.source, case.did, case.owner) == (Source.REQUEST, company.DID, "102")
    assert (case.client_name, case.note) == ("Ivan <b>", "About the bill")
    assert noted(engine, "callback") == [
        ("callback.asked", "+7916***4567", {"case": case.id, "token": "test"})
    ]


def test_a_client_is_known_and_their_manager_owns_the_case(send: Send, engine: Engine) -> None:
    ask(send, number=company.CALLER, name="Somebody else")
    case = case_of(engine, company.CALLER)
    assert (case.client_name, case.owner) == ("Ромашка", "101")


def test_a_promise_for_tomorrow(send: Send, engine: Engine) -> None:
    at = company.NOW + timedelta(days=1)
    answer = ask(send, number=STRANGER, at="2026-11-19T13:30:00+03:00")
    assert answer["due_at"] == answer["promised_at"] == at.isoformat()
    assert case_of(engine, STRANGER).source is Source.SCHEDULED


def test_a_second_request_joins_and_is_not_made_to_wait(send: Send, engine: Engine) -> None:
    first = ask(send, number=STRANGER)
    case = case_of(engine, STRANGER)
    later = replace(case, due_at=company.NOW + timedelta(hours=1), tries=1)
    with writing(engine) as session:
        save_case(session, case, later, company.NOW)
    again = ask(send, number=STRANGER, note="again")
    assert again == first | {"joined": True}
    assert (case_of(engine, STRANGER).note, case_of(engine, STRANGER).tries) == ("again", 1)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "number"),
        ({"number": "hello"}, "number"),
        ({"number": "12"}, "number"),
        ({"number": STRANGER, "did": "74950000000"}, "did"),
        ({"number": STRANGER, "operator": "999"}, "operator"),
        ({"number": STRANGER, "at": "2026-11-18T10:29:59Z"}, "at"),
        ({"number": STRANGER, "at": "2028-01-01T00:00:00Z"}, "at"),
        ({"number": STRANGER, "at": "2026-11-20T10:00:00"}, "at"),
        ({"number": STRANGER, "when": "now"}, "when"),
    ],
)
def test_what_is_wrong_is_named(
    send: Send, engine: Engine, body: dict[str, Any], name: str
) -> None:
    assert [place for place, _ in said(send("POST", PATH, body))] == [name]
    with reading(engine) as session:
        assert get_case(session, 1) is None


def test_whom_nobody_may_call(send: Send, engine: Engine) -> None:
    with writing(engine) as session:
        block(session, [Blocked("+79160000001", "spam", "boss", company.NOW)])
        opt_number_out(session, "+79160000002", "boss", "", company.NOW)
    for number, code in (
        ("+79160000001", "blocked"),
        ("+79160000002", "opted_out"),
        ("+18765551234", "refused"),  # Jamaica
        ("+78095551234", "refused"),
        ("+881612345678", "refused"),
    ):
        answer = send("POST", PATH, {"number": number})
        assert answer.status_code == 409, answer.text
        (error,) = answer.get_json()["errors"]
        assert (error["name"], error["code"]) == ("number", code)
        assert answer.get_json()["detail"] == error["detail"]
    with reading(engine) as session:
        assert get_case(session, 1) is None


def test_a_request_that_comes_twice_asks_once(send: Send, engine: Engine) -> None:
    body = {"number": STRANGER, "note": "one"}
    first = send("POST", PATH, body, **{"Idempotency-Key": "crm-17"})
    again = send("POST", PATH, body, **{"Idempotency-Key": "crm-17"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert again.get_json()["joined"] is False
    assert case_of(engine, STRANGER).missed == 1
    other = send("POST", PATH, body | {"note": "two"}, **{"Idempotency-Key": "crm-17"})
    assert [name for name, _ in said(other)] == ["Idempotency-Key"]
    bad = send("POST", PATH, body, **{"Idempotency-Key": "x" * 201})
    assert [name for name, _ in said(bad)] == ["Idempotency-Key"]
    assert ask(send, **body)["joined"] is True


def test_a_refused_request_keeps_no_key(send: Send, engine: Engine) -> None:
    headers = {"Idempotency-Key": "crm-18"}
    past = (company.NOW - timedelta(hours=1)).isoformat()
    assert send("POST", PATH, {"number": STRANGER, "at": past}, **headers).status_code == 422
    assert send("POST", PATH, {"number": STRANGER}, **headers).status_code == 201


def test_a_token_needs_the_scope(app: Flask, engine: Engine) -> None:
    client = app.test_client()
    for scope, status in ((Scope.CALLBACKS_READ, 403), (Scope.CALLBACKS_WRITE, 201)):
        headers = {"Authorization": f"Bearer {company.a_token(engine, scope)}"}
        answer = client.post(f"/api/v1{PATH}", headers=headers, json={"number": STRANGER})
        assert answer.status_code == status


def test_the_moment_is_kept_exactly(send: Send, engine: Engine) -> None:
    ask(send, number=STRANGER, at="2026-12-31T15:59:59.5Z")
    assert case_of(engine, STRANGER).promised_at == datetime.fromisoformat(
        "2026-12-31T15:59:59.500+00:00"
    )


def test_a_time_in_the_clients_night_is_refused_with_the_next_possible(send: Send) -> None:
    answer = send("POST", PATH, {"number": STRANGER, "at": "2026-12-31T23:59:59Z"})
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert (error["in"], error["name"]) == ("json", "at")
    assert "Choose 1 Jan 2027, 05:00" in error["detail"]
