"""The API reads and puts the rules of callbacks, by the panel's checks: on both databases."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.accounts import Scope
from telephony.domain.callback.rules import PRESETS, Automatic, CallbackRules, Caps
from telephony.store.audit import list_audit
from telephony.store.callback_rules import load_callback_rules
from telephony.store.engine import reading
from tests.api import company
from tests.api.conftest import Send

RULES = "/callback-rules"


def stored(engine: Engine) -> CallbackRules:
    with reading(engine) as session:
        return load_callback_rules(session)


def errors(response: TestResponse) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.text
    assert response.mimetype == "application/problem+json"
    return [(one["name"], one["code"]) for one in json.loads(response.text)["errors"]]


def test_what_is_given_can_be_put_again(send: Send, engine: Engine) -> None:
    given = send("GET", RULES).get_json()
    assert given["rules"]["caps"]["hour"] == Caps().hour
    assert given["rules"]["client_key"] is False
    again = send("PUT", RULES, given).get_json()
    assert (again["applied"], again["differences"]) == (False, [])
    rules: dict[str, Any] = given["rules"]
    rules |= {"automatic": "asked", "caps": rules["caps"] | {"hour": 60}, "client_key": True}
    done = send("PUT", RULES, given).get_json()
    assert done["applied"] is True
    assert done["differences"] == [
        {
            "what": "callback rules",
            "key": "",
            "action": "changed",
            "fields": [
                {"name": "automatic", "old": "", "new": "asked"},
                {"name": "caps.hour", "old": "", "new": "60"},
                {"name": "client_key", "old": "", "new": "true"},
            ],
        }
    ]
    assert stored(engine) == CallbackRules(
        automatic=Automatic.ASKED, caps=Caps(hour=60), client_key=True
    )
    assert send("GET", RULES).get_json()["rules"] == rules
    with reading(engine) as session:
        line = list_audit(session, limit=1, offset=0)[0][0]
    assert (line.action, line.target) == ("setup.changed", "callback rules")
    assert line.details["token"] == "test"


def test_a_preset_and_what_is_not_sent(send: Send, engine: Engine) -> None:
    would = send("PUT", f"{RULES}?dry_run=true", {"rules": {"preset": "ru"}}).get_json()
    assert would["applied"] is False
    assert would["differences"]
    assert stored(engine) == CallbackRules()
    send("PUT", RULES, {"rules": {"preset": "ru"}})
    assert stored(engine) == PRESETS["ru"]
    given = send("GET", RULES).get_json()["rules"]
    assert given["quiet"]["days"] == "sat,sun"
    send("PUT", RULES, {"rules": {}})
    assert stored(engine) == CallbackRules()


def test_what_is_wrong_is_told_by_its_place(send: Send, engine: Engine) -> None:
    wrong = {
        "sla_minutes": 0,
        "quiet": {"start": 21},
        "greetings": {"ru": "@gone"},
        "regions": ["XX"],
        "types": ["premium_rate"],
        "moon": "full",
    }
    assert sorted(errors(send("PUT", RULES, {"rules": wrong}))) == [
        ("callbacks.greetings.ru", "no_announcement"),
        ("callbacks.moon", "unknown_key"),
        ("callbacks.quiet.start", "time"),
        ("callbacks.regions[0]", "called_country"),
        ("callbacks.sla_minutes", "number"),
        ("callbacks.types[0]", "one_of"),
    ]
    assert stored(engine) == CallbackRules()


def test_a_change_made_meanwhile_is_not_overwritten(send: Send, engine: Engine) -> None:
    version = send("GET", RULES).get_json()["version"]
    assert send("PUT", RULES, {"rules": {"sla_minutes": 15}}).status_code == 200
    late = send("PUT", RULES, {"rules": {"sla_minutes": 20}, "version": version})
    assert late.status_code == 409
    assert stored(engine).sla_minutes == 15


def test_the_whole_set_up_has_them_too(send: Send, engine: Engine) -> None:
    send("PUT", RULES, {"rules": {"sla_minutes": 15}})
    setup = send("GET", "/setup").get_json()["setup"]
    assert setup["callbacks"] == {"sla_minutes": "15"}
    assert send("PUT", "/setup", {"setup": setup}).get_json()["applied"] is False
    del setup["callbacks"]
    assert send("PUT", "/setup", {"setup": setup}).status_code == 200
    assert stored(engine) == CallbackRules()


def test_rights(app: Flask, engine: Engine) -> None:
    client = app.test_client()
    token = company.a_token(engine, Scope.SETUP_READ)
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get(f"/api/v1{RULES}", headers=headers).status_code == 200
    answer = client.put(f"/api/v1{RULES}", headers=headers, json={"rules": {}})
    assert answer.status_code == 403
    assert client.get(f"/api/v1{RULES}").status_code == 401
