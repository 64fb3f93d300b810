"""The API reads and changes the set-up, by the panel's checks, and explains: on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.accounts import Scope
from telephony.configfile import as_data
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.store.audit import list_audit
from telephony.store.engine import reading, writing
from telephony.store.live import replace_operator_states
from telephony.store.setup import load_setup
from tests.api import company
from tests.api.conftest import Send

ENTRIES: dict[str, tuple[str, dict[str, Any]]] = {
    "trunks": ("city", {"template": "8{national}"}),
    "hours": ("office", {"zone": "Europe/Moscow", "country": "RU"}),
    "mailboxes": ("12", {"name": "Night"}),
    "operators": ("109", {"name": "Vera", "mobile": "+79001110109", "trunk": "city"}),
    "groups": (
        "night",
        {
            "zone": "Europe/Moscow",
            "hours": "office",
            "shifts": [{"operator": "109", "days": "daily", "start": "20:00", "end": "08:00"}],
        },
    ),
    "dids": ("74957654321", {"group": "night", "closed": {"action": "end"}}),
    "absences": ("109", {"entries": [{"from": "2026-12-24", "to": "2026-12-31"}]}),
}


def stored(engine: Engine) -> Any:
    with reading(engine) as session:
        return as_data(load_setup(session))


def errors(response: TestResponse, code: int = 422) -> list[dict[str, str]]:
    assert response.status_code == code, response.text
    assert response.mimetype == "application/problem+json"
    found: list[dict[str, str]] = json.loads(response.text).get("errors", [])
    return found


def test_differences_do_not_tell_a_pin(send: Send, engine: Engine) -> None:
    path = "/setup/mailboxes/12"
    send("PUT", path, {"entry": {"name": "Night", "pin": "7391"}})
    done = send("PUT", path, {"entry": {"name": "Night", "pin": "2846"}}).get_json()
    assert done["differences"][0]["fields"] == [{"name": "pin", "old": "••••", "new": "••••"}]
    assert stored(engine)["mailboxes"][0]["pin"] == "2846"


def test_every_kind_of_entry_is_put_read_and_deleted(send: Send, engine: Engine) -> None:
    before = stored(engine)
    for section, (key, entry) in ENTRIES.items():
        path = f"/setup/{section}/{key}"
        errors(send("GET", path), 404)
        made = send("PUT", path, {"entry": entry})
        assert made.status_code == 200, made.text
        body = made.get_json()
        assert body["applied"] is True
        assert [one["action"] for one in body["differences"]] == ["added"]
        shown = send("GET", path).get_json()
        assert shown["key"] == key
        assert shown in send("GET", f"/setup/{section}").get_json()["items"]
        again = send("PUT", path, {"entry": entry, "version": shown["version"]}).get_json()
        assert (again["applied"], again["differences"]) == (False, [])
    with reading(engine) as session:
        line = list_audit(session, limit=1, offset=0)[0][0]
    assert (line.action, line.target, line.details["token"]) == (
        "setup.added",
        "absences of 109",
        "test",
    )
    for section, (key, _) in reversed(ENTRIES.items()):
        if section == "absences":
            continue
        gone = send("DELETE", f"/setup/{section}/{key}")
        assert (gone.status_code, gone.get_data()) == (204, b""), gone.text
        errors(send("DELETE", f"/setup/{section}/{key}"), 404)
    # Absences went with their operator.
    assert stored(engine) == before


def test_the_whole_set_up_is_read_tried_and_replaced(send: Send, engine: Engine) -> None:
    whole = send("GET", "/setup").get_json()
    assert whole["setup"] == stored(engine)
    changed = whole["setup"] | {"dids": []}
    tried = send("PUT", "/setup?dry_run=true", {"setup": changed}).get_json()
    assert tried["applied"] is False
    assert [(one["what"], one["action"]) for one in tried["differences"]] == [("did", "removed")]
    assert stored(engine) == whole["setup"]
    done = send("PUT", "/setup", {"setup": changed, "version": whole["version"]})
    assert done.get_json()["applied"] is True
    assert stored(engine)["dids"] == []
    errors(send("PUT", "/setup", {"setup": whole["setup"], "version": whole["version"]}), 409)
    assert stored(engine)["dids"] == []


def test_who_was_slower_is_told(send: Send, engine: Engine) -> None:
    seen = send("GET", "/setup/operators/102").get_json()
    entry = seen["entry"]
    assert send("PUT", "/setup/operators/102", {"entry": entry | {"name": "Theirs"}}).status_code
    mine = {"entry": entry | {"name": "Mine"}, "version": seen["version"]}
    errors(send("PUT", "/setup/operators/102", mine), 409)
    errors(send("DELETE", f"/setup/operators/102?version={seen['version']}"), 409)
    names = [one["name"] for one in stored(engine)["operators"]]
    assert "Theirs" in names
    assert "Mine" not in names
    new = {"entry": {"name": "New"}, "version": "0" * 32}
    errors(send("PUT", "/setup/operators/199", new), 409)


@pytest.mark.parametrize(
    ("path", "entry", "wrong"),
    [
        ("operators/1", {"name": "x"}, [("operators[2].extension", "1", "extension")]),
        ("operators/101", {"name": "x", "mobile": "12"}, [("operators[0].mobile", "12", "mobile")]),
        ("operators/101", {"name": ["x"]}, [("operators[0].name", "", "not_one_value")]),
        ("dids/74951234567", {"group": "no"}, [("dids[0].group", "no", "no_group")]),
        ("dids/74951234567", {}, [("dids[0].group", "", "missing")]),
        ("trunks/x", {"template": "rm"}, [("trunks[0].template", "rm", "template")]),
        ("hours/x", {"zone": "Mars"}, [("hours[0].zone", "Mars", "zone")]),
        (
            "groups/sales",
            {"zone": "UTC", "shifts": [{"operator": "7", "days": "x", "start": 1, "end": None}]},
            [
                ("groups[0].shifts[0].end", "", "missing"),
                ("groups[0].shifts[0].days", "x", "days"),
                ("groups[0].shifts[0].operator", "7", "extension"),
                ("groups[0].shifts[0].start", "1", "time"),
            ],
        ),
        ("absences/999", {"entries": [{"from": "x"}]}, None),
    ],
)
def test_each_error_has_its_place_value_code_and_words(
    send: Send, engine: Engine, path: str, entry: dict[str, Any], wrong: Any
) -> None:
    before = stored(engine)
    for language in ("en", "ru"):
        answer = send("PUT", f"/setup/{path}", {"entry": entry}, **{"Accept-Language": language})
        found = errors(answer)
        if wrong is not None:
            told = {(one["name"], one["value"], one["code"]) for one in found}
            assert told >= {one for one in wrong if one[2] not in ("extension", "missing")}, told
        assert all(one["detail"] for one in found)
    assert stored(engine) == before


def test_what_others_need_is_not_deleted(send: Send, engine: Engine) -> None:
    before = stored(engine)
    assert {one["code"] for one in errors(send("DELETE", "/setup/groups/sales"))} == {"no_group"}
    assert {one["code"] for one in errors(send("DELETE", "/setup/operators/101"))} == {
        "has_clients"
    }
    assert stored(engine) == before


def test_an_entry_gets_another_name_and_what_names_it_follows(send: Send, engine: Engine) -> None:
    (group,) = [one for one in stored(engine)["groups"] if one["name"] == "sales"]
    answer = send("PUT", "/setup/groups/sales", {"entry": group | {"name": "Продажи"}})
    assert answer.status_code == 200, answer.text
    assert ["group", "Продажи", "changed"] in [
        [one["what"], one["key"], one["action"]] for one in answer.get_json()["differences"]
    ]
    after = stored(engine)
    assert "sales" not in [one["name"] for one in after["groups"]]
    assert {one["group"] for one in after["dids"] if one["number"] == company.DID} == {"Продажи"}
    assert send("PUT", "/setup/groups/sales", {"entry": group | {"name": "b"}}).status_code == 404


def test_an_extension_stays_as_it_is(send: Send, engine: Engine) -> None:
    before = stored(engine)
    answer = send("PUT", "/setup/operators/101", {"entry": {"extension": "201", "name": "Anna"}})
    assert answer.status_code == 422
    assert errors(answer)[0]["name"] == "entry.extension"
    assert stored(engine) == before


def test_reading_is_not_writing(app: Flask, engine: Engine) -> None:
    token = company.a_token(engine, Scope.SETUP_READ)
    client = app.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/setup", headers=headers).status_code == 200
    for method, path in (("PUT", "/setup"), ("DELETE", "/setup/dids/74951234567")):
        answer = client.open(f"/api/v1{path}", method=method, headers=headers, json={"setup": {}})
        assert answer.status_code == 403


def test_explain_gives_the_live_decision(send: Send, engine: Engine) -> None:
    with writing(engine) as session:
        busy = OperatorState("101", "INUSE", OperatorActivity.BUSY, 1)
        replace_operator_states(session, [busy])
    path = f"/explain?did={company.DID}&number=8 (900) 111-22-33"
    now = send("GET", path).get_json()
    assert (now["phones"], now["number"]) == ("seen", company.CALLER)
    assert "busy" in {line["reason"] for line in now["trace"]}
    later = send("GET", f"{path}&at=2026-11-18T11:30:00Z").get_json()
    assert later["phones"] == "free"
    assert "busy" not in {line["reason"] for line in later["trace"]}
    assert later["plan"][0]["targets"][0]["operator"] == "101"
    russian = send("GET", path, **{"Accept-Language": "ru"}).get_json()
    assert russian["trace"][0]["words"].startswith("Набранный номер")
    (error,) = errors(send("GET", f"/explain?did={company.DID}&number=12"))
    assert (error["in"], error["name"]) == ("query", "number")
