"""Missed calls by the API, by the panel's own rules: on both databases."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from telephony.accounts import Scope
from telephony.domain.callback.cases import Ending, ended
from telephony.domain.callback.results import Why
from telephony.store.attempts import live_attempts
from telephony.store.cases import JoinedCall, join_calls
from telephony.store.engine import reading, writing
from tests.api import company
from tests.api.conftest import Send, noted, said
from tests.databases.missed import a_case, add, does, listen

NOW = company.NOW
LANDLINE = "+74957654321"
# It is late in the evening there.
KAMCHATKA = "+74152300001"


def code(answer: Any) -> str:
    """Return the code with which something was refused."""
    assert answer.status_code == 409, answer.text
    (error,) = answer.get_json()["errors"]
    assert error["detail"] == answer.get_json()["detail"]
    return str(error["code"])


def test_the_list_and_one_case(send: Send, engine: Engine) -> None:
    late, soon = add(
        engine,
        a_case(LANDLINE, NOW, -5, owner="101", client_id=2),
        a_case(company.CALLER, NOW, 5, claimed_by="102", group=None, client_name="The orchid"),
    )
    (over,) = add(engine, ended(a_case("+74950000001", NOW), Ending.BY_HAND, NOW, "boss", "done"))
    for query, wanted in (
        ("", [late, soon]),
        ("?view=overdue", [late]),
        ("?view=mine&me=102", [soon]),
        ("?view=closed", [over]),
        ("?view=closed&until=2026-11-01T00:00:00Z", []),
        ("?number=8 900 111-22-33", [soon]),
        ("?number=4321", [late]),
        ("?number=x", []),
        ("?name=orchid", [soon]),
        ("?client_id=2&operator=101", [late]),
        ("?limit=1&offset=1", [soon]),
    ):
        found = send("GET", f"/cases{query}").get_json()
        assert [one["id"] for one in found["items"]] == wanted, query
    assert send("GET", "/cases?limit=1").get_json()["total"] == 2
    assert said(send("GET", "/cases?views=open"))[0][0] == "views"
    with writing(engine) as session:
        join_calls(
            session, [JoinedCall("1.1", late, NOW - timedelta(minutes=15), Why.NOBODY, company.DID)]
        )
    one = send("GET", f"/cases/{late}").get_json()
    assert (one["number"], one["state"], one["why"]) == (LANDLINE, "open", "ringing")
    assert one["calls"] == [
        {"call_id": "1.1", "at": "2026-11-18T10:15:00+00:00", "why": "nobody", "did": company.DID}
    ]
    assert one["attempts"] == []
    for missing in ("999", str(2**63), "x"):
        assert send("GET", f"/cases/{missing}").status_code == 404


def test_the_file(send: Send, engine: Engine) -> None:
    add(engine, a_case(LANDLINE, NOW, 5, client_name="=1+1"))
    head, line = csv.reader(io.StringIO(send("GET", "/cases.csv").text.lstrip("\ufeff")))
    assert dict(zip(head, line, strict=True))["Client"] == "'=1+1"
    assert len(send("GET", "/cases.csv?view=closed").text.splitlines()) == 1


def test_a_call_is_ordered_or_refused_with_a_code(send: Send, engine: Engine) -> None:
    one, two = add(engine, a_case(LANDLINE, NOW, 5), a_case("+74950000002", NOW, 5))
    assert code(send("POST", f"/cases/{one}/call", {"extension": "101"})) == "not_listening"
    listen(engine, NOW)
    assert code(send("POST", f"/cases/{one}/call", {})) == "no_operator"
    busy = send("POST", f"/cases/{one}/call", {"extension": "101"})
    assert code(busy) == "on_a_call"
    assert busy.get_json()["detail"] == "The operator is on a call."
    does(engine, NOW, "101")
    answer = send("POST", f"/cases/{one}/call", {"extension": "101"})
    assert answer.status_code == 202
    assert answer.get_json()["state"] == "dialling"
    (attempt,) = answer.get_json()["attempts"]
    assert (attempt["operator"], attempt["state"], attempt["first"]) == (
        "101",
        "wanted",
        "operator",
    )
    assert code(send("POST", f"/cases/{one}/call", {"extension": "102"})) == "under_way"
    assert code(send("POST", f"/cases/{two}/call", {"extension": "101"})) == "busy"
    assert send("POST", "/cases/999/call", {}).status_code == 404
    assert noted(engine, "callback") == [
        ("callback.called", LANDLINE, {"case": one, "extension": "101", "token": "test"})
    ]


def test_a_click(send: Send, engine: Engine) -> None:
    listen(engine, NOW)
    does(engine, NOW, "101")
    add(engine, a_case(KAMCHATKA, NOW))
    click = "/calls/click"
    assert said(send("POST", click, {"number": "x", "extension": "101"}))[0][0] == "number"
    stranger = {"number": "+74950000009", "extension": "101"}
    assert code(send("POST", click, stranger)) == "unknown_number"
    quiet = send("POST", click, {"number": KAMCHATKA, "extension": "101"}, Accept="*/*")
    assert code(quiet) == "quiet"
    assert quiet.get_json()["errors"][0]["until"] == "2026-11-18T20:00:00Z"
    answer = send("POST", click, {"number": "8 495 765-43-21", "extension": "101"})
    assert answer.status_code == 202
    assert answer.get_json() == {"number": LANDLINE, "extension": "101"}
    with reading(engine) as session:
        (attempt,) = live_attempts(session)
    assert (attempt.number, attempt.case_id) == (LANDLINE, None)


def test_a_case_is_claimed_agreed_on_and_closed(send: Send, engine: Engine) -> None:
    (key,) = add(engine, a_case(LANDLINE, NOW, 5))
    assert (
        send("POST", f"/cases/{key}/claim", {"operator": "102"}).get_json()["claimed_by"] == "102"
    )
    assert send("POST", f"/cases/{key}/claim", {"operator": None}).get_json()["claimed_by"] is None
    assert said(send("POST", f"/cases/{key}/claim", {"operator": "999"}))[0][0] == "operator"
    later = send("POST", f"/cases/{key}/schedule", {"at": "2026-11-19T10:00:00+03:00"})
    assert later.get_json()["promised_at"] == "2026-11-19T07:00:00+00:00"
    assert code(send("POST", f"/cases/{key}/schedule", {"at": "2026-11-17T10:00:00Z"})) == "past"
    assert code(send("POST", f"/cases/{key}/schedule", {"at": "2029-11-17T10:00:00Z"})) == "too_far"
    close = f"/cases/{key}/close"
    assert said(send("POST", close, {"ending": "expired"}))[0][0] == "ending"
    done = send("POST", close, {"ending": "by_hand", "note": "by mail"}).get_json()
    assert (done["state"], done["ending"], done["note"]) == ("closed", "by_hand", "by mail")
    assert code(send("POST", close, {"ending": "by_hand"})) == "over"
    assert [action for action, *_ in noted(engine, "callback")] == [
        "callback.claimed",
        "callback.returned",
        "callback.scheduled",
        "callback.closed",
    ]


def test_many_are_closed_at_once(send: Send, engine: Engine) -> None:
    keys = add(engine, *(a_case(f"+7495000000{nth}", NOW) for nth in range(3)))
    body = {"ids": [*keys[:2], keys[0], 999], "ending": "duplicate"}
    answer = send("POST", "/cases/bulk-close", body).get_json()
    assert answer["closed"] == keys[:2]
    assert [(one["id"], one["code"]) for one in answer["refused"]] == [(999, "gone")]
    assert [one["id"] for one in send("GET", "/cases").get_json()["items"]] == keys[2:]
    assert said(send("POST", "/cases/bulk-close", {"ids": [], "ending": "by_hand"}))[0][0] == "ids"


def test_everything_is_stopped_and_goes_on(send: Send, engine: Engine) -> None:
    (key,) = add(engine, a_case(LANDLINE, NOW, 5))
    listen(engine, NOW)
    does(engine, NOW, "101")
    assert send("GET", "/callback-stop").get_json()["stopped"] is False
    assert said(send("PUT", "/callback-stop", {"stopped": True}))[0][0] == "reason"
    stop = send("PUT", "/callback-stop", {"stopped": True, "reason": "fraud"}).get_json()
    assert (stop["stopped"], stop["reason"], stop["since"]) == (
        True,
        "fraud",
        "2026-11-18T10:30:00+00:00",
    )
    assert code(send("POST", f"/cases/{key}/call", {"extension": "101"})) == "stopped"
    assert send("PUT", "/callback-stop", {"stopped": False}).get_json()["stopped"] is False
    assert [action for action, *_ in noted(engine, "callbacks")] == [
        "callbacks.stopped",
        "callbacks.resumed",
    ]


def test_numbers_that_are_not_called(send: Send, engine: Engine) -> None:
    (key,) = add(engine, a_case(LANDLINE, NOW, 5))
    body = {"number": "8 495 765 43 21", "note": "by letter"}
    added = send("POST", "/opt-outs", body)
    assert added.status_code == 201
    assert added.get_json()["number"] == LANDLINE
    assert send("GET", f"/cases/{key}").get_json()["ending"] == "opted_out"
    assert send("POST", "/opt-outs", {"number": LANDLINE}).get_json()["note"] == "by letter"
    assert send("GET", "/opt-outs?number=%2B7495").get_json()["total"] == 1
    assert send("GET", "/opt-outs?number=%2B7900").get_json()["total"] == 0
    assert said(send("POST", "/opt-outs", {"number": "x"}))[0][0] == "number"
    listen(engine, NOW)
    does(engine, NOW, "101")
    click = {"number": LANDLINE, "extension": "101"}
    assert code(send("POST", "/calls/click", click)) == "opted_out"
    assert send("DELETE", f"/opt-outs/{LANDLINE}").status_code == 204
    assert send("DELETE", f"/opt-outs/{LANDLINE}").status_code == 404
    assert [action for action, *_ in noted(engine, "optout")] == ["optout.added", "optout.removed"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/cases/1/call"), ("POST", "/calls/click"), ("PUT", "/callback-stop")],
)
def test_a_token_that_reads_changes_nothing(
    app: Flask, engine: Engine, method: str, path: str
) -> None:
    token = company.a_token(engine, Scope.CALLBACKS_READ, Scope.CALLS_READ)
    headers = {"Authorization": f"Bearer {token}"}
    answer = app.test_client().open(f"/api/v1{path}", method=method, headers=headers, json={})
    assert answer.status_code == 403


def test_figures(send: Send, engine: Engine) -> None:
    over = a_case("+74950000001", NOW, client_id=2)
    reached = over.opened_at + timedelta(minutes=5)
    add(
        engine,
        a_case(LANDLINE, NOW, -5, owner="101"),
        a_case(company.CALLER, NOW, 5, claimed_by="102", group=None, did=""),
        ended(over, Ending.CALLED_BACK, reached, "102"),
        a_case("+74950000003", NOW, opened_at=NOW - timedelta(days=8)),
    )
    path = "/callback-figures"
    found = send("GET", path).get_json()
    assert (found["since"], found["until"]) == (
        "2026-11-11T10:30:00+00:00",
        "2026-11-18T10:30:00+00:00",
    )
    total = found["total"]
    assert [total[name] for name in ("cases", "to_call", "reached", "recovered", "waiting")] == [
        3, 3, 1, 1, 2,
    ]  # fmt: skip
    assert [total[name] for name in ("kept", "broken", "called_back")] == [1, 1, 1]
    assert [total[name] for name in ("median_seconds", "p90_seconds")] == [300.0, 300.0]
    assert (total["tries"], total["dialled"]) == ([], 0)
    assert [(one["key"], one["cases"]) for one in found["items"]] == [
        (company.DID, 2),
        (None, 1),
    ]
    for query, wanted in (
        ("by=hour&zone=Europe/Moscow", {"13": 3}),
        ("by=operator", {"101": 1, "102": 2}),
        ("by=group", {"sales": 2, None: 1}),
        ("by=day&since=2026-11-01T00:00:00Z", {"2026-11-10": 1, "2026-11-18": 3}),
        ("by=why&operator=101", {"ringing": 1}),
        (f"by=source&did={company.DID}&group=sales", {"missed": 2}),
    ):
        items = send("GET", f"{path}?{query}").get_json()["items"]
        assert {one["key"]: one["cases"] for one in items} == wanted, query
    assert send("GET", f"{path}?within=4").get_json()["total"]["recovered"] == 0
    for query, name in (
        ("zone=Mars/Olympus", "zone"),
        ("since=2026-01-01T00:00:00Z", "until"),
        ("since=2026-11-19T00:00:00Z", "until"),
        ("within=0", "within"),
        ("by=colour", "by"),
        ("did=x", "did"),
    ):
        assert said(send("GET", f"{path}?{query}"))[0][0] == name, query
