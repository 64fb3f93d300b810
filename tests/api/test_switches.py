"""Pauses and “closed now” by the API, asked of the PBX as in the panel: on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from telephony.accounts import Scope
from telephony.domain.pauses import STATE_OF, closed_device, pause_device
from telephony.store.engine import reading, writing
from telephony.store.switches import WAITS, find_switches, save_switches, take_switches
from tests.api import company
from tests.api.conftest import Send, noted, page, said

ALL, ONE = "/switches/closed", f"/switches/closed/{company.DID}"


def asked(engine: Engine) -> dict[str, str | None]:
    with reading(engine) as session:
        return {device: one.asked for device, one in find_switches(session).items()}


def pause(send: Send, extension: str) -> dict[str, Any]:
    """Return a pause as the list has it."""
    found = send("GET", "/switches").get_json()["pauses"]
    (one,) = [each for each in found if each["extension"] == extension]
    return dict(one)


@pytest.mark.parametrize("kind", [kind.value for kind in STATE_OF])
def test_a_pause_is_asked_for_and_done_when_the_pbx_says_so(
    send: Send, engine: Engine, kind: str
) -> None:
    never = {"since": None, "pending": False, "asked": None, "problem": None}
    assert pause(send, "101") == {"extension": "101", "kind": None} | never
    answer = send("PUT", "/switches/pauses/101", {"kind": kind})
    assert answer.status_code == 202, answer.text
    assert answer.get_json() == pause(send, "101")
    assert answer.get_json() == {
        "extension": "101",
        "kind": None,
        "since": None,
        "pending": True,
        "asked": kind,
        "problem": None,
    }
    (state,) = [state for each, state in STATE_OF.items() if each.value == kind]
    assert asked(engine) == {pause_device("101"): state}
    with writing(engine) as session:
        save_switches(session, {pause_device("101"): state}, company.NOW)
    assert pause(send, "101") == {
        "extension": "101",
        "kind": kind,
        "since": "2026-11-18T10:30:00+00:00",
        "pending": False,
        "asked": None,
        "problem": None,
    }
    back = send("PUT", "/switches/pauses/101", {"kind": None}).get_json()
    assert (back["kind"], back["pending"], back["asked"]) == (kind, True, None)
    assert asked(engine) == {pause_device("101"): "NOT_INUSE"}
    assert noted(engine, "operator") == [
        ("operator.paused", "101", {"pause": kind, "token": "test"}),
        ("operator.paused", "101", {"pause": "back", "token": "test"}),
    ]


def test_closing_all_dids_and_one(app: Flask, send: Send, engine: Engine) -> None:
    everything = send("PUT", ALL, {"closed": True})
    assert everything.status_code == 202
    assert everything.get_json() == {
        "did": None,
        "closed": False,
        "since": None,
        "pending": True,
        "asked": True,
        "problem": None,
    }
    one = send("PUT", ONE, {"closed": True}).get_json()
    assert (one["did"], one["asked"]) == (company.DID, True)
    with writing(engine) as session:
        save_switches(session, {closed_device(company.DID): "INUSE"}, company.NOW)
    shown = send("GET", "/switches").get_json()
    assert (shown["closed"]["closed"], shown["closed"]["pending"]) == (False, True)
    (did,) = shown["dids"]
    assert (did["closed"], did["pending"]) == (True, False)
    assert "Open again" in page(app, engine, "/closed")
    assert send("PUT", ONE, {"closed": False}).get_json()["asked"] is False
    assert asked(engine) == {closed_device(): "INUSE", closed_device(company.DID): "NOT_INUSE"}
    assert [(action, target) for action, target, _ in noted(engine, "switch")] == [
        ("switch.closed", "*"),
        ("switch.closed", company.DID),
        ("switch.open", company.DID),
    ]


def test_a_request_that_came_to_nothing_is_told(send: Send, engine: Engine) -> None:
    assert send("GET", "/switches").get_json()["live"] is False
    send("PUT", "/switches/pauses/102", {"kind": "lunch"})
    with writing(engine) as session:
        assert take_switches(session, company.NOW + 2 * WAITS) == []
    found = pause(send, "102")
    assert (found["pending"], found["problem"]) == (False, "not_taken")


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/switches/pauses/101", {"kind": "holiday"}, "kind"),
        ("/switches/pauses/101", {"kind": "back"}, "kind"),
        ("/switches/pauses/101", {}, "kind"),
        ("/switches/pauses/101", {"kind": None, "x": 1}, "x"),
        (ALL, {"closed": None}, "closed"),
        (ALL, {"closed": "yes"}, "closed"),
        (ONE, {}, "closed"),
    ],
)
def test_what_cannot_be_asked(send: Send, engine: Engine, path: str, body: Any, name: str) -> None:
    assert [place for place, _ in said(send("PUT", path, body))] == [name]
    assert asked(engine) == {}
    assert noted(engine, "operator") == noted(engine, "switch") == []


def test_nobody_and_no_number(send: Send, engine: Engine) -> None:
    said(send("PUT", "/switches/pauses/999", {"kind": "lunch"}), 404)
    said(send("PUT", "/switches/closed/74950000000", {"closed": True}), 404)
    assert asked(engine) == {}


def test_a_wallboard_reads_and_a_phone_system_switches(app: Flask, engine: Engine) -> None:
    client = app.test_client()

    def status(method: str, path: str, scope: Scope) -> int:
        headers = {"Authorization": f"Bearer {company.a_token(engine, scope)}"}
        body = {"kind": None} if method == "PUT" else None
        return client.open(f"/api/v1{path}", method=method, headers=headers, json=body).status_code

    assert status("GET", "/switches", Scope.SWITCHES_READ) == 200
    assert status("PUT", "/switches/pauses/101", Scope.SWITCHES_READ) == 403
    assert status("PUT", "/switches/pauses/101", Scope.SWITCHES_WRITE) == 202
    assert status("PUT", "/switches/pauses/101", Scope.SETUP_WRITE) == 403
