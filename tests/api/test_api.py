"""The API: lists, filters, one thing, errors, scopes and limits."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.accounts import Role, Scope
from telephony.store.engine import writing
from telephony.store.outbox import Fact, add_facts
from tests.api import company
from tests.api.conftest import Get, said
from web.api.base import LIMITS
from web.limits import Limits


def _ids(response: TestResponse) -> list[str]:
    assert response.status_code == 200, response.text
    assert response.json is not None
    return [one["call_id"].partition(".")[2] for one in response.json["items"]]


def _problem(response: TestResponse, code: int) -> dict[str, object]:
    assert response.status_code == code, response.text
    assert response.mimetype == "application/problem+json"
    body: dict[str, object] = json.loads(response.text)
    assert body["status"] == code
    assert body["title"]
    assert body["detail"]
    return body


def test_a_list_has_items_and_a_total(read: Get) -> None:
    first = read("/calls?limit=3")
    assert _ids(first) == ["5", "4", "3"]
    assert first.json is not None
    assert first.json["total"] == 125
    assert first.headers["Cache-Control"] == "no-store"
    assert _ids(read("/calls?limit=2&offset=3")) == ["2", "1"]
    assert _ids(read("/calls?limit=2&offset=500")) == []
    assert len(_ids(read("/calls?order=asc&limit=500"))) == 125


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("direction=out", ["4"]),
        ("disposition=lost", ["3"]),
        ("number=8 (900) 111-22-33&direction=in", ["1"]),
        ("number=%2B7495765", ["2"]),
        ("number=4321", ["2"]),
        ("number=((", []),
        ("number=102", ["5"]),
        ("q=ромаш&direction=out", ["4"]),
        ("q=7654321", ["2"]),
        ("q=script alert", ["2"]),
        ("q=102&direction=internal", ["5"]),
        ("q=nobody", []),
        ("q=!!!", []),
        ("operator=102", ["5", "4", "1"]),
        ("client_id=2", ["2"]),
        ("did=%2B74951234567&since=2026-11-18T09:35:00Z", ["3", "2"]),
        ("since=2026-11-18T12:50:00 03:00&until=2026-11-18T10:05:00Z", ["4", "3"]),
        ("since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z&disposition=abandoned", ["2"]),
    ],
)
def test_calls_are_filtered(read: Get, query: str, wanted: list[str]) -> None:
    assert _ids(read(f"/calls?{query}")) == wanted


@pytest.mark.parametrize("tongue", ["en", "ru"])
def test_one_call_tells_everything_in_words(read: Get, tongue: str) -> None:
    response = read("/calls/pbx-1795000000.1", Accept_Language=tongue)
    body = response.json
    assert body is not None
    assert response.headers["Content-Language"] == tongue
    assert [leg["operator"] for leg in body["legs"]] == ["101", "102"]
    assert len(body["legs"][1]["holds"]) == 1
    said = {
        "en": (
            "Client: Ромашка",
            "Boris put the call on hold",
            "desk phone: Анна (101), 20\u00a0s",
        ),
        "ru": ("Клиент: Ромашка", "Boris: удержание", "настольный телефон: Анна (101), 20\u00a0с"),
    }[tongue]
    assert (
        body["trace"][1]["words"],
        body["moments"][0]["words"],
        body["plan"][0]["words"],
    ) == said
    assert body["started_at"] == "2026-11-18T09:30:00+00:00"


def test_a_call_without_a_decision(read: Get) -> None:
    body = read("/calls/pbx-1795000000.3").json
    assert body is not None
    assert (body["plan"], body["trace"], body["source"]) == (None, None, "queue_log")


def test_live_calls_and_operators(read: Get) -> None:
    (live,) = read("/live/calls").get_json()["items"]
    assert (live["phase"], live["talking"]) == ("talking", ["101"])
    assert live["queue"] == "support"
    assert datetime.fromisoformat(live["queued_at"]) > datetime.fromisoformat(live["started_at"])
    body = read("/operators?sort=name&order=desc").get_json()
    assert [one["extension"] for one in body["items"]] == ["101", "102"]
    assert body["items"][0]["state"] == "busy"
    assert body["items"][0]["groups"] == [{"group": "sales", "presence": "lunch"}]
    assert read("/operators?group=other").get_json() == {"items": [], "total": 0}
    assert read("/operators/102").get_json()["state"] == "free"


def test_clients(read: Get) -> None:
    body = read("/clients?limit=2").get_json()
    assert (len(body["items"]), body["total"]) == (2, 72)
    for text in ("ромаш", "89001112233", "1112233"):
        (one,) = read(f"/clients?q={text}").get_json()["items"]
        assert one["name"] == "Ромашка"
    assert read("/clients?q=ООО вектор").get_json()["total"] == 70
    assert read("/clients?manager=102").get_json()["total"] == 1
    assert read("/clients?q=...").get_json()["total"] == 0
    assert read("/clients/1").get_json()["notes"] == "Звонить после 10:00"


def test_events_are_read_on_and_none_is_missed(get: Get, engine: Engine) -> None:
    seen: list[str] = []
    after = 0
    while True:
        body = get(f"/events?after={after}&limit=40").get_json()
        seen += [one["key"] for one in body["items"]]
        if not body["items"]:
            break
        after = body["next"]
    assert len(seen) == len(set(seen)) == 126
    assert get(f"/events?after={after}").get_json() == {"items": [], "total": 0, "next": after}
    with writing(engine) as session:
        add_facts(session, [Fact("call.started", "call.started:y", {})], company.NOW)
    (new,) = get(f"/events?after={after}").get_json()["items"]
    assert new["key"] == "call.started:y"
    assert get("/events?kind=call.started").get_json()["total"] == 2


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/calls?limit=0", "limit"),
        ("/calls?limit=501", "limit"),
        ("/calls?offset=-1", "offset"),
        ("/calls?sort=talk_ms;drop", "sort"),
        ("/calls?order=random", "order"),
        ("/calls?operater=101", "operater"),
        ("/calls?since=2026-11-18T09:00:00", "since"),
        ("/calls?q=a%00b", "q"),
        ("/calls?client_id=99999999999999999999", "client_id"),
        ("/operators?sort=endpoint", "sort"),
        ("/events?after=x", "after"),
        ("/calls/pbx-1795000000.1?x=1", "x"),
    ],
)
def test_wrong_parameters_are_named(read: Get, path: str, name: str) -> None:
    errors = _problem(read(path), 422)["errors"]
    assert isinstance(errors, list)
    assert [(one["in"], one["name"]) for one in errors] == [("query", name)]


@pytest.mark.parametrize(
    "path",
    [
        "/calls/no.such",
        "/calls/a%00b",
        "/calls/..%2F..%2Fetc",
        "/clients/999",
        "/clients/99999999999999999999999",
        "/operators/999",
        "/nothing",
    ],
)
def test_what_is_not_there(read: Get, path: str) -> None:
    _problem(read(path), 404)


def test_every_path_needs_its_scope(app: Flask, engine: Engine) -> None:
    client = app.test_client()
    needed = {
        ("GET", "/calls"): Scope.CALLS_READ,
        ("GET", "/calls/pbx-1795000000.1"): Scope.CALLS_READ,
        ("GET", "/live/calls"): Scope.CALLS_READ,
        ("GET", "/clients"): Scope.CLIENTS_READ,
        ("POST", "/clients"): Scope.CLIENTS_WRITE,
        ("GET", "/clients/1"): Scope.CLIENTS_READ,
        ("PUT", "/clients/1"): Scope.CLIENTS_WRITE,
        ("PATCH", "/clients/1"): Scope.CLIENTS_WRITE,
        ("DELETE", "/clients/99"): Scope.CLIENTS_WRITE,
        ("GET", "/clients.csv"): Scope.CLIENTS_READ,
        ("POST", "/clients/import"): Scope.CLIENTS_WRITE,
        ("GET", "/blocklist"): Scope.BLOCKLIST_READ,
        ("POST", "/blocklist"): Scope.BLOCKLIST_WRITE,
        ("GET", "/blocklist/99"): Scope.BLOCKLIST_READ,
        ("PUT", "/blocklist/99"): Scope.BLOCKLIST_WRITE,
        ("DELETE", "/blocklist/99"): Scope.BLOCKLIST_WRITE,
        ("GET", "/operators"): Scope.OPERATORS_READ,
        ("GET", "/operators/101"): Scope.OPERATORS_READ,
        ("GET", "/callback-rules"): Scope.SETUP_READ,
        ("PUT", "/callback-rules"): Scope.SETUP_WRITE,
        ("GET", "/switches"): Scope.SWITCHES_READ,
        ("PUT", "/switches/pauses/99"): Scope.SWITCHES_WRITE,
        ("PUT", "/switches/closed"): Scope.SWITCHES_WRITE,
        ("PUT", "/switches/closed/99"): Scope.SWITCHES_WRITE,
        ("GET", "/explain?did=74951234567"): Scope.SETUP_READ,
        ("POST", "/explain"): Scope.SETUP_READ,
        ("GET", "/setup"): Scope.SETUP_READ,
        ("PUT", "/setup"): Scope.SETUP_WRITE,
        ("GET", "/setup/changes"): Scope.SETUP_READ,
        ("POST", "/setup/changes/99/undo"): Scope.SETUP_WRITE,
        ("GET", "/calendars"): Scope.SETUP_READ,
        ("POST", "/calendars"): Scope.SETUP_WRITE,
        ("GET", "/calendars/99"): Scope.SETUP_READ,
        ("PATCH", "/calendars/99"): Scope.SETUP_WRITE,
        ("DELETE", "/calendars/99"): Scope.SETUP_WRITE,
        ("PUT", "/calendars/99/file"): Scope.SETUP_WRITE,
        ("POST", "/calendars/99/renew"): Scope.SETUP_WRITE,
        ("GET", "/duty"): Scope.OPERATORS_READ,
        ("GET", "/duty/now"): Scope.OPERATORS_READ,
        ("GET", "/duty/warnings"): Scope.OPERATORS_READ,
        ("GET", "/duty/links"): Scope.SETUP_READ,
        ("POST", "/duty/links"): Scope.SETUP_WRITE,
        ("DELETE", "/duty/links/99"): Scope.SETUP_WRITE,
        ("GET", "/announcements"): Scope.SETUP_READ,
        ("POST", "/announcements"): Scope.SETUP_WRITE,
        ("GET", "/announcements/99"): Scope.SETUP_READ,
        ("GET", "/announcements/99/sound"): Scope.SETUP_READ,
        ("PATCH", "/announcements/99"): Scope.SETUP_WRITE,
        ("DELETE", "/announcements/99"): Scope.SETUP_WRITE,
        ("GET", "/notices"): Scope.NOTICES_READ,
        ("POST", "/notices"): Scope.NOTICES_WRITE,
        ("GET", "/notices/99"): Scope.NOTICES_READ,
        ("PUT", "/notices/99"): Scope.NOTICES_WRITE,
        ("DELETE", "/notices/99"): Scope.NOTICES_WRITE,
        ("POST", "/notices/99/test"): Scope.NOTICES_WRITE,
        ("GET", "/webhooks"): Scope.NOTICES_READ,
        ("POST", "/webhooks"): Scope.NOTICES_WRITE,
        ("GET", "/webhooks/99"): Scope.NOTICES_READ,
        ("PATCH", "/webhooks/99"): Scope.NOTICES_WRITE,
        ("DELETE", "/webhooks/99"): Scope.NOTICES_WRITE,
        ("POST", "/webhooks/99/test"): Scope.NOTICES_WRITE,
        ("GET", "/deliveries"): Scope.NOTICES_READ,
        ("POST", "/deliveries/99/retry"): Scope.NOTICES_WRITE,
        ("GET", "/events"): Scope.EVENTS_READ,
        ("GET", "/cases"): Scope.CALLBACKS_READ,
        ("GET", "/cases.csv"): Scope.CALLBACKS_READ,
        ("GET", "/callback-figures"): Scope.CALLBACKS_READ,
        ("GET", "/cases/99"): Scope.CALLBACKS_READ,
        ("POST", "/cases/99/claim"): Scope.CALLBACKS_WRITE,
        ("POST", "/cases/99/call"): Scope.CALLBACKS_WRITE,
        ("POST", "/cases/99/schedule"): Scope.CALLBACKS_WRITE,
        ("POST", "/cases/99/close"): Scope.CALLBACKS_WRITE,
        ("POST", "/cases/bulk-close"): Scope.CALLBACKS_WRITE,
        ("POST", "/calls/click"): Scope.CALLBACKS_WRITE,
        ("GET", "/callback-stop"): Scope.CALLBACKS_READ,
        ("PUT", "/callback-stop"): Scope.CALLBACKS_WRITE,
        ("GET", "/opt-outs"): Scope.CALLBACKS_READ,
        ("POST", "/opt-outs"): Scope.CALLBACKS_WRITE,
        ("DELETE", "/opt-outs/+79000000099"): Scope.CALLBACKS_WRITE,
        ("POST", "/callback-requests"): Scope.CALLBACKS_WRITE,
    }
    for section in ("operators", "groups", "dids", "hours", "trunks", "mailboxes", "absences"):
        needed["GET", f"/setup/{section}"] = needed["GET", f"/setup/{section}/99"] = (
            Scope.SETUP_READ
        )
        needed["PUT", f"/setup/{section}/99"] = Scope.SETUP_WRITE
        needed["DELETE", f"/setup/{section}/99"] = Scope.SETUP_WRITE
    with app.test_request_context():
        documented = client.get("/api/v1/openapi.json").get_json()["paths"]
    assert sum(len(set(one) - {"parameters"}) for one in documented.values()) == len(needed)
    tokens = {scope: company.a_token(engine, scope) for scope in Scope}
    for (method, path), wanted in needed.items():
        refused = client.open(f"/api/v1{path}", method=method)
        _problem(refused, 401)
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        guess = {"Authorization": "Bearer dl_guess"}
        wrong = client.open(f"/api/v1{path}", method=method, headers=guess)
        _problem(wrong, 401)
        for scope, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            response = client.open(f"/api/v1{path}", method=method, headers=headers)
            # Nothing is sent with it, and there is no thing of number 99.
            allowed = {"GET": {200, 404}, "DELETE": {404}}
            codes = allowed.get(method, {200, 404, 422}) if scope is wanted else {403}
            assert response.status_code in codes, (method, path, scope)


def test_a_cookie_opens_nothing(app: Flask, engine: Engine) -> None:
    client = app.test_client()
    user = company.a_user(engine, Role.ADMIN)
    with client.session_transaction() as cookie:
        cookie["token"] = company.sign_in(app, engine, user)
    _problem(client.get("/api/v1/calls"), 401)


def test_other_methods_and_other_media(app: Flask, get: Get) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        refused = app.test_client().open("/api/v1/calls", method=method, data="{}")
        _problem(refused, 405)
        assert "GET" in refused.headers["Allow"]
    _problem(get("/calls", Accept="text/html"), 406)
    assert get("/calls?limit=1", Accept="*/*").status_code == 200


def test_a_token_has_a_rate(app: Flask, get: Get) -> None:
    app.extensions[LIMITS] = Limits(3)
    assert [get("/live/calls").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = get("/live/calls")
    _problem(refused, 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_the_rate_is_by_the_minute_and_by_token() -> None:
    now = [0.0]
    limits = Limits(2, clock=lambda: now[0] + 1000)
    assert [limits.wait(1), limits.wait(1), limits.wait(1), limits.wait(2)] == [
        None,
        None,
        60,
        None,
    ]
    now[0] = 59.4
    assert limits.wait(1) == 1
    now[0] = 60
    assert limits.wait(1) is None


def test_a_failing_database_is_a_problem(app: Flask, get: Get, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE live_call")
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    response = get("/live/calls")
    assert response.status_code in (500, 503)
    _problem(response, response.status_code)


def test_the_reference_page_shows_every_path(app: Flask) -> None:
    client = app.test_client()
    paths = client.get("/api/v1/openapi.json").get_json()["paths"]
    page = client.get("/api/v1/")
    assert page.status_code == 200
    for path in paths:
        assert path in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/calls?q=x%0A",
        "/calls?did=74951234567%0A",
        "/clients?q=x%0A",
        "/blocklist?q=x%0A",
        "/operators?group=sales%0A",
        "/events?kind=call.ended%0A",
        "/duty?group=sales%0A",
        "/explain?did=74951234567%0A",
    ],
)
def test_a_line_end_is_no_part_of_a_parameter(read: Get, path: str) -> None:
    words = [words for _, words in said(read(path))]
    assert words == ["String does not match expected pattern."]
