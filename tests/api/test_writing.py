"""The API changes clients and the block list, by the panel's own rules: on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from telephony.accounts import Scope
from telephony.domain.directory import Stage
from telephony.store.audit import AuditEntry, list_audit
from telephony.store.blocklist import load_blocklist
from telephony.store.clients import ClientData, get_clients
from telephony.store.directory import changes_since, current_version
from telephony.store.engine import reading
from tests.api import company
from tests.api.conftest import Send, said

NEW = {
    "name": " Новый ",
    "phones": ["8 (900) 555-66-77", "+4930123456", "89005556677"],
    "stage": "lead",
    "sales_manager": "102",
}


def stored(engine: Engine, client_id: int) -> ClientData | None:
    with reading(engine) as session:
        return get_clients(session, [client_id]).get(client_id)


def newest(engine: Engine) -> AuditEntry:
    with reading(engine) as session:
        return list_audit(session, limit=1, offset=0)[0][0]


def test_a_client_is_added_replaced_patched_and_deleted(send: Send, engine: Engine) -> None:
    with reading(engine) as session:
        before = current_version(session).version
    made = send("POST", "/clients", NEW)
    assert made.status_code == 201, made.text
    body = made.get_json()
    client_id = body["id"]
    assert body == send("GET", f"/clients/{client_id}").get_json()
    assert stored(engine, client_id) == ClientData(
        "Новый", ("+4930123456", "+79005556677"), stage=Stage.LEAD, sales_manager="102"
    )
    with reading(engine) as session:
        _, (change,), _ = changes_since(session, before)
    assert change.client.assignment.manager == "102"
    line = newest(engine)
    assert (line.action, line.target, line.details["token"]) == ("client.added", "Новый", "test")
    assert line.user_id is not None

    path = f"/clients/{client_id}"
    patched = send("PATCH", path, {"vip": True, "notes": "n", "version": body["version"]})
    assert patched.status_code == 200, patched.text
    assert patched.get_json()["version"] > body["version"]
    assert patched.get_json()["stage"] == "lead"
    details = newest(engine).details
    assert details["vip"] == {"old": False, "new": True}
    assert "phones" not in details

    assert said(send("PATCH", path, {"zone": "Mars/Olympus"}))[0][0] == "zone"
    for zone in ("Asia/Vladivostok", None):
        assert send("PATCH", path, {"zone": zone}).get_json()["zone"] == zone
    details = newest(engine).details
    assert details["zone"] == {"old": "Asia/Vladivostok", "new": None}

    replaced = send("PUT", path, {"name": "Other", "phones": ["+4930123456"]})
    assert replaced.status_code == 200
    assert stored(engine, client_id) == ClientData("Other", ("+4930123456",))

    assert said(send("DELETE", f"{path}?version=1"), 409) == []
    gone = send("DELETE", f"{path}?version={replaced.get_json()['version']}")
    assert (gone.status_code, gone.get_data()) == (204, b"")
    assert stored(engine, client_id) is None
    assert newest(engine).action == "client.deleted"
    for method, sent in (("PUT", NEW), ("PATCH", {"vip": True}), ("DELETE", None), ("GET", None)):
        said(send(method, path, sent), 404)
        said(send(method, f"/clients/{10**30}", sent), 404)


def test_somebody_else_was_quicker(send: Send, engine: Engine) -> None:
    version = send("GET", "/clients/1").get_json()["version"]
    before = stored(engine, 1)
    assert send("PATCH", "/clients/1", {"notes": "theirs"}).status_code == 200
    for method, body in (("PATCH", {"notes": "mine"}), ("PUT", NEW)):
        said(send(method, "/clients/1", {**body, "version": version}), 409)
    now = stored(engine, 1)
    assert before is not None
    assert now is not None
    assert now.notes == "theirs"
    assert now.name == before.name


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"name": " "}, [("name", "Enter a name.")]),
        ({"name": "a\x00b"}, [("name", "It contains a control character: U+0000")]),
        ({"name": "a\ud800"}, [("name", "It contains a control character: U+D800")]),
        ({"phones": []}, [("phones", "Enter at least one number.")]),
        ({"phones": ["12"]}, [("phones", "12: This is not a telephone number.")]),
        (
            {"phones": ["8 900 111 22 33"]},
            [("phones", "+79001112233: This number belongs to another client: 1")],
        ),
        ({"manager": "999"}, [("manager", "No operator has this extension.")]),
        ({"stage": "cold"}, [("stage", "Must be one of: lead, customer.")]),
        ({"vip": "yes"}, [("vip", "Not a valid boolean.")]),
        ({"vip": 1}, [("vip", "Not a valid boolean.")]),
        ({"version": "1"}, [("version", "Not a valid integer.")]),
        ({"boss": "101"}, [("boss", "Unknown field.")]),
        ({"b\ud800": 1}, [("b?", "Unknown field.")]),
        ({"notes": "x" * 2001}, [("notes", "Use at most 2000 characters.")]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_wrong_is_named(
    send: Send, engine: Engine, change: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    with reading(engine) as session:
        before = current_version(session)
    assert said(send("POST", "/clients", {**NEW, **change})) == wrong
    assert said(send("PATCH", "/clients/2", change)) == wrong
    with reading(engine) as session:
        assert current_version(session) == before


def test_what_is_no_json_and_what_is_missing(app: Flask, send: Send, engine: Engine) -> None:
    client = app.test_client()
    headers = {"Authorization": f"Bearer {company.a_token(engine, *Scope)}"}
    for data in ("{", '{"a": ', "\xff", "[" * 100_000):
        answer = client.post(
            "/api/v1/clients", headers=headers, data=data, content_type="application/json"
        )
        assert said(answer, 400) in ([], [("", "Invalid JSON body.")])
    missing = client.post("/api/v1/clients", headers=headers, data="name=x")
    assert {name for name, _ in said(missing)} == {"name", "phones"}
    assert said(send("POST", "/clients", [1])) == [("_schema", "Invalid input type.")]
    russian = send("POST", "/clients", {**NEW, "name": ""}, **{"Accept-Language": "ru"})
    assert said(russian) == [("name", "Введите имя.")]


def test_the_block_list_is_read_and_changed(send: Send, engine: Engine) -> None:
    made = send("POST", "/blocklist", {"pattern": "8 (495) 111-22-33", "reason": " spam "})
    assert made.status_code == 201, made.text
    line = made.get_json()
    assert (line["pattern"], line["reason"], line["added_by"]) == ("+74951112233", "spam", "test")
    assert (line["until"], line["counts"]) == (None, True)
    path = f"/blocklist/{line['id']}"
    assert send("GET", path).get_json() == line
    later = {"reason": "ads", "until": "2026-12-01T00:00:00+03:00"}
    changed = send("PUT", path, later)
    assert changed.status_code == 200
    assert changed.get_json()["until"] == "2026-11-30T21:00:00+00:00"
    entry = newest(engine)
    assert entry.action == "blocked.changed"
    assert entry.details["reason"] == {"old": "spam", "new": "ads"}
    for pattern in ("+4420*", "hidden"):
        assert send("POST", "/blocklist", {"pattern": pattern, "reason": "x"}).status_code == 201
    listed = send("GET", "/blocklist?limit=2").get_json()
    assert listed["total"] == 3
    assert [one["pattern"] for one in listed["items"]] == ["hidden", "+4420*"]
    assert send("GET", "/blocklist?q=ADS").get_json()["total"] == 1
    assert send("DELETE", path).status_code == 204
    assert newest(engine).action == "blocked.removed"
    with reading(engine) as session:
        assert len(load_blocklist(session).lines) == 2
    for method, body in (("GET", None), ("PUT", later), ("DELETE", None)):
        said(send(method, path, body), 404)
        said(send(method, f"/blocklist/{10**30}", body), 404)


def test_a_line_that_cannot_be(send: Send, engine: Engine) -> None:
    assert send("POST", "/blocklist", {"pattern": "900", "reason": "x"}).status_code == 201
    for body, wrong in (
        (
            {"pattern": "12", "reason": "x"},
            [("pattern", "12 is neither a number nor a beginning such as +7900*.")],
        ),
        ({"pattern": "901", "reason": ""}, [("reason", "Say why.")]),
        ({"pattern": "900", "reason": "y"}, [("pattern", "900 stands on the list already: x")]),
        (
            {"pattern": "901", "reason": "x", "until": "2020-01-01T00:00:00Z"},
            [("until", "This is over already.")],
        ),
        (
            {"pattern": "8 900 111 22 33", "reason": "x"},
            [("pattern", "Clients have such numbers: send even_clients to block them, too.")],
        ),
        ({"reason": "x"}, [("pattern", "Missing data for required field.")]),
    ):
        assert said(send("POST", "/blocklist", body)) == wrong
    with reading(engine) as session:
        assert len(load_blocklist(session).lines) == 1
    sure = {"pattern": "+7900*", "reason": "x", "even_clients": True}
    assert send("POST", "/blocklist", sure).status_code == 201
    first = send("GET", "/blocklist").get_json()["items"][-1]["id"]
    assert said(send("PUT", f"/blocklist/{first}", {"reason": "x" * 201})) == [
        ("reason", "Use at most 200 characters.")
    ]
