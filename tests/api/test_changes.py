"""The history of the set-up by the API, and taking changes back: on both databases."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import Engine

from telephony.accounts import Scope
from telephony.clients import Written, save_client
from telephony.store.engine import writing
from tests.api import company
from tests.api.conftest import Send, noted, page, said
from tests.api.test_setup import stored

BORIS = "/setup/operators/102"


def rename(send: Send, name: str) -> dict[str, Any]:
    entry = send("GET", BORIS).get_json()["entry"] | {"name": name}
    answer = send("PUT", BORIS, {"entry": entry})
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def test_the_history_newest_first(app: Flask, send: Send, engine: Engine) -> None:
    assert send("GET", "/setup/changes").get_json() == {"items": [], "total": 0}
    made = [rename(send, name)["version"] for name in ("One", "Two", "Three")]
    found = send("GET", "/setup/changes").get_json()
    assert [one["version"] for one in found["items"]] == made[::-1]
    assert found["total"] == 3
    newest = found["items"][0]
    assert newest["at"] == company.NOW.isoformat()
    assert newest["undid"] is None
    assert newest["differences"] == [
        {
            "what": "operator",
            "key": "102",
            "action": "changed",
            "fields": [{"name": "name", "old": "Two", "new": "Three"}],
        }
    ]
    assert newest["actor"] in page(app, engine, "/changes")
    part = send("GET", "/setup/changes?limit=1&offset=1").get_json()
    assert part == {"items": [found["items"][1]], "total": 3}


def test_a_change_is_tried_and_taken_back_with_later_ones(send: Send, engine: Engine) -> None:
    before = stored(engine)
    first = rename(send, "One")["version"]
    last = rename(send, "Two")["version"]
    path = f"/setup/changes/{first}/undo"
    tried = send("POST", f"{path}?dry_run=true").get_json()
    assert (tried["applied"], tried["version"]) == (False, last)
    assert tried["differences"][0]["fields"] == [{"name": "name", "old": "Two", "new": "Boris"}]
    assert stored(engine) != before
    done = send("POST", f"{path}?expected={last}")
    assert done.status_code == 200, done.text
    body = done.get_json()
    assert (body["applied"], body["differences"]) == (True, tried["differences"])
    assert stored(engine) == before
    newest = send("GET", "/setup/changes?limit=1").get_json()["items"][0]
    assert (newest["version"], newest["undid"]) == (body["version"], first)
    assert noted(engine, "setup")[-1][2]["token"] == "test"
    # Taken back itself.
    again = send("POST", f"/setup/changes/{body['version']}/undo").get_json()
    assert again["differences"][0]["fields"] == [{"name": "name", "old": "Boris", "new": "Two"}]


def test_there_was_nothing_to_take_back(send: Send) -> None:
    first = rename(send, "One")["version"]
    rename(send, "Boris")
    body = send("POST", f"/setup/changes/{first}/undo").get_json()
    assert (body["applied"], body["differences"]) == (False, [])


def test_who_was_slower_and_what_is_not_there(send: Send, engine: Engine) -> None:
    first = rename(send, "One")["version"]
    rename(send, "Two")
    seen = stored(engine)
    said(send("POST", f"/setup/changes/{first}/undo?expected={first}"), 409)
    said(send("POST", f"/setup/changes/{first}/undo?expected={first}&dry_run=true"), 409)
    for version in (0, 999, 10**30):
        said(send("POST", f"/setup/changes/{version}/undo"), 404)
    assert [name for name, _ in said(send("POST", f"/setup/changes/{first}/undo?expected=x"))] == [
        "expected"
    ]
    assert stored(engine) == seen


def test_what_cannot_be_taken_back_is_said_as_the_set_up_says_it(
    send: Send, engine: Engine
) -> None:
    made = send("PUT", "/setup/operators/109", {"entry": {"name": "Vera"}}).get_json()["version"]
    with writing(engine) as session:
        wanted = Written("Novel", ["+74990000001"], manager="109")
        assert save_client(session, wanted, "RU").wrong == ()
    answer = send("POST", f"/setup/changes/{made}/undo")
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert (error["code"], error["value"]) == ("has_clients", "109")


def test_taking_back_is_writing(app: Flask, engine: Engine) -> None:
    headers = {"Authorization": f"Bearer {company.a_token(engine, Scope.SETUP_READ)}"}
    client = app.test_client()
    assert client.get("/api/v1/setup/changes", headers=headers).status_code == 200
    assert client.post("/api/v1/setup/changes/1/undo", headers=headers).status_code == 403
