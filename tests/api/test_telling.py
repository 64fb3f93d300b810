"""Notices, webhooks and what did not arrive by the API, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from telephony.store.engine import writing
from tests.api import company
from tests.api.conftest import Get, Send, noted, said
from tests.databases.telling import tell_everybody

NOTICE: dict[str, Any] = {
    "events": ["callback.overdue", "callback.near"],
    "recipients": [{"address": "anna@example.com", "language": "ru"}],
    "did": f"+{company.DID}",
    "zone": "Europe/Moscow",
}
HOOK = {"url": "https://8.8.8.8/hush", "events": ["callback.alarm", "call.missed"]}


def test_a_notice_is_added_stated_anew_and_deleted(engine: Engine, get: Get, send: Send) -> None:
    made = send("POST", "/notices", NOTICE)
    assert made.status_code == 201
    first = {**NOTICE, "id": 1, "events": ["callback.near", "callback.overdue"], "did": company.DID}
    assert made.get_json() == first
    assert get("/notices").get_json() == {"items": [first], "total": 1}
    anew = {"events": ["callback.alarm"], "recipients": NOTICE["recipients"]}
    answer = send("PUT", "/notices/1", anew)
    assert answer.get_json() == {**anew, "id": 1, "did": None, "zone": "UTC"}
    assert get("/notices/1").get_json() == answer.get_json()
    without = send("POST", "/notices/1/test")
    assert without.status_code == 409
    assert "DUTYLINE_SMTP_HOST" in without.get_json()["detail"]
    assert send("DELETE", "/notices/1").status_code == 204
    assert get("/notices/1").status_code == 404
    lines = noted(engine, "notice")
    assert [action for action, _, _ in lines] == [
        "notice.added", "notice.changed", "notice.removed",
    ]  # fmt: skip
    assert all(details["token"] == "test" for _, _, details in lines)


@pytest.mark.parametrize(
    ("more", "name", "words"),
    [
        ({"events": []}, "events", "Choose at least one."),
        ({"events": ["call.ended"]}, "events", "Must be one of"),
        ({"events": ["duty.gap"]}, "did", "belong to no number"),
        ({"did": "12"}, "did", "This is not a number of 3 to 15 digits."),
        ({"zone": "Mars"}, "zone", "Choose one of those listed."),
        ({"recipients": []}, "recipients", "Enter at least one address."),
        (
            {"recipients": [{"address": "anna", "language": "ru"}]},
            "recipients",
            "anna is not an e-mail address.",
        ),
    ],
)
def test_what_is_wrong_with_a_notice(
    get: Get, send: Send, more: dict[str, Any], name: str, words: str
) -> None:
    ((found, detail),) = said(send("POST", "/notices", {**NOTICE, **more}))
    assert found == name
    assert words in detail
    assert get("/notices").get_json()["total"] == 0


def test_a_webhook_shows_its_secret_once_and_its_address_never(
    app: Flask, engine: Engine, get: Get, send: Send
) -> None:
    made = send("POST", "/webhooks", HOOK)
    assert made.status_code == 201
    hook = made.get_json()
    assert hook.pop("secret").startswith("whsec_")
    assert hook == {
        "id": 1,
        "form": "standard",
        "events": ["call.missed", "callback.alarm"],
        "place": "https://8.8.8.8",
        "enabled": True,
        "problem": None,
        "failing_since": None,
        "created_at": hook["created_at"],
    }
    assert get("/webhooks/1").get_json() == hook
    assert get("/webhooks").get_json() == {"items": [hook], "total": 1}
    paused = send("PATCH", "/webhooks/1", {"enabled": False, "events": ["call.missed"]})
    assert paused.get_json() == {**hook, "enabled": False, "events": ["call.missed"]}
    moved = send("PATCH", "/webhooks/1", {"enabled": True, "url": "https://1.1.1.1:8443/x"})
    assert (moved.get_json()["enabled"], moved.get_json()["place"]) == (
        True, "https://1.1.1.1:8443",
    )  # fmt: skip
    assert send("DELETE", "/webhooks/1").status_code == 204
    assert [action for action, _, _ in noted(engine, "webhook")] == [
        f"webhook.{done}"
        for done in ("added", "changed", "paused", "changed", "enabled", "removed")
    ]
    assert "hush" not in str(noted(engine, "webhook"))


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("more", "name", "words"),
    [
        ({"url": "https://127.0.0.1/"}, "url", "an address that is not public"),
        ({"url": "http://8.8.8.8/"}, "url", "use https"),
        ({"url": ""}, "url", "must begin with https://"),
        ({"events": []}, "events", "Choose at least one."),
    ],
)
def test_what_is_wrong_with_a_webhook(
    get: Get, send: Send, method: str, more: dict[str, Any], name: str, words: str
) -> None:
    send("POST", "/webhooks", HOOK)
    before = get("/webhooks").get_json()
    path, body = ("/webhooks", HOOK) if method == "POST" else ("/webhooks/1", {})
    ((found, detail),) = said(send(method, path, {**body, **more}))
    assert found == name
    assert words in detail
    assert get("/webhooks").get_json() == before


def test_what_did_not_arrive_is_listed_and_sent_again(engine: Engine, get: Get, send: Send) -> None:
    with writing(engine) as session:
        tell_everybody(session, company.NOW, "it answered 550")
    found = get("/deliveries", Accept_Language="ru").get_json()
    assert found["total"] == 3
    waiting, gone, anna = found["items"]
    assert (waiting["state"], waiting["tries"], waiting["wanted"]) == ("waiting", 1, True)
    assert waiting["next_at"] is not None
    assert (gone["receiver"], gone["wanted"], gone["way"]) == (None, False, "webhook")
    assert (anna["receiver"], anna["way"], anna["state"]) == ("anna@example.com", "mail", "parked")
    assert (anna["words"], anna["why"]) == ("Обратный звонок просрочен", "получатель ответил 550")
    assert get("/deliveries?limit=1&offset=2").get_json()["items"][0]["id"] == anna["id"]
    again = send("POST", f"/deliveries/{anna['id']}/retry")
    assert again.get_json()["state"] == "waiting"
    assert send("POST", f"/deliveries/{anna['id']}/retry").status_code == 409
    assert send("POST", f"/deliveries/{10**30}/retry").status_code == 404
    paused = get("/webhooks", Accept_Language="ru").get_json()["items"]
    assert [one["problem"] for one in paused] == [
        None,
        None,
        "получатель отказался от событий (410)",
    ]
    assert [one["failing_since"] is None for one in paused] == [False, True, True]
