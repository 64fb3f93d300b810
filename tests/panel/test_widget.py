"""The button on other web sites: who may ask, how often, and what is told; on both databases."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from altcha import Challenge, Payload, solve_challenge
from werkzeug.test import TestResponse

from telephony.domain.blocklist import Blocked
from telephony.domain.callback.cases import Case, Source
from telephony.domain.hours import Hours, Opening
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.store.blocklist import block
from telephony.store.cases import open_cases, opt_number_out
from telephony.store.engine import reading, writing
from telephony.store.live import Process, replace_operator_states, save_process
from telephony.store.setup import replace_setup
from telephony.store.sites import Counted, Site, add_site, count_lately, save_site
from tests.databases.samples import a_setup
from tests.panel.people import START, Panel

ORIGIN = "https://shop.example"
KEY = "Key_1"
NUMBER = "+79161234567"
LANDLINE = "+74957654321"  # in Moscow, where mobiles may be anywhere in Russia
SITE = Site(KEY, "Shop", (ORIGIN, "https://www.shop.example"), "", "", True, 60, 5, 3, START)


class Page:
    """A page of a web site in somebody's browser."""

    def __init__(self, panel: Panel, address: str = "192.0.2.7", origin: str | None = ORIGIN):
        self.client = panel.app.test_client()
        self.address = address
        self.headers = {} if origin is None else {"Origin": origin}

    def open(self, path: str, method: str = "GET", **more: Any) -> TestResponse:
        headers = {**self.headers, **more.pop("headers", {})}
        base = {"REMOTE_ADDR": self.address}
        path = f"/widget/{path}"
        return self.client.open(path, method=method, headers=headers, environ_base=base, **more)

    def proof(self, key: str = KEY) -> str:
        answer = self.open(f"{key}/challenge")
        assert answer.status_code == 200, answer.text
        challenge = Challenge.from_dict(answer.get_json())
        solution = solve_challenge(challenge)
        assert solution is not None
        return Payload(challenge, solution).to_base64()

    def ask(self, number: str = NUMBER, proof: str | None = None, **more: Any) -> TestResponse:
        body = {"number": number, "proof": self.proof() if proof is None else proof, **more}
        return self.open(f"{KEY}/request", "POST", json=body)


@pytest.fixture
def page(panel: Panel) -> Page:
    """Give a page of a site with the button."""
    set_up(panel)
    return Page(panel)


@pytest.fixture
def quick_page(quick_panel: Panel) -> Page:
    """Give the same on SQLite."""
    set_up(quick_panel)
    return Page(quick_panel)


def set_up(panel: Panel) -> None:
    with writing(panel.engine) as session:
        replace_setup(session, a_setup())
        add_site(session, SITE)


def change(panel: Panel, **changes: Any) -> None:
    with writing(panel.engine) as session:
        assert save_site(session, replace(SITE, **changes))


def found(panel: Panel, number: str = NUMBER) -> Case | None:
    with reading(panel.engine) as session:
        return open_cases(session, [number]).get(number)


def test_a_visitor_asks_and_is_called(panel: Panel, page: Page) -> None:
    answer = page.ask("8 (495) 765-43-21", name="Ivan\u202e <b>")
    assert (answer.status_code, answer.get_json()) == (200, {"when": "soon", "at": None})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    case = found(panel, LANDLINE)
    assert case is not None
    assert (case.source, case.due_at, case.client_name) == (Source.FORM, START, "Ivan <b>")
    assert case.note == "Shop"
    with reading(panel.engine) as session:
        assert count_lately(session, START, 7) == {(KEY, Counted.TAKEN): 1}


def test_a_proof_holds_once_for_its_site_and_ten_minutes(panel: Panel, page: Page) -> None:
    with writing(panel.engine) as session:
        add_site(session, replace(SITE, key="other"))
    proof = page.proof()
    assert page.ask(proof=proof).status_code == 200
    again = page.ask("+79161234568", proof)
    assert (again.status_code, again.get_json()) == (403, {"error": "proof"})
    assert page.ask(proof=page.proof("other")).status_code == 403
    late = page.proof()
    panel.clock.pass_(minutes=10)
    assert page.ask(proof=late).status_code == 403
    case = found(panel)
    assert case is not None
    assert case.missed == 1


def _forged(proof: str, **parameters: Any) -> str:
    payload = json.loads(base64.b64decode(proof))
    payload["challenge"]["parameters"].update(parameters)
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_no_other_proof_will_do(quick_panel: Panel, quick_page: Page) -> None:
    page, good = quick_page, quick_page.proof()
    until = int((START + timedelta(days=9)).timestamp())
    payload = json.loads(base64.b64decode(good))
    payload["solution"]["derivedKey"] = "00" * 32
    wrong = base64.b64encode(json.dumps(payload).encode()).decode()
    payload["solution"] = {"counter": 10**30, "derivedKey": None}
    odd = base64.b64encode(json.dumps(payload).encode()).decode()
    for proof in (
        "",
        "x",
        "é",
        "bnVsbA==",
        "e30=",
        base64.b64encode(b"[" * 2000).decode(),
        _forged(good, cost=10**9),
        _forged(good, data={"site": KEY, "until": until}),
        _forged(good, data=None),
        _forged(good, keyPrefix="", keySignature=None),
        _forged(good, nonce=1),
        wrong,
        odd,
    ):
        assert page.ask(proof=proof).status_code == 403, proof[:60]
    assert found(quick_panel) is None
    assert page.ask(proof=good).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://evil.example",
        "http://shop.example",
        "https://shop.example.evil.example",
        "https://shop.example:8443",
        "https://SHOP.example",
        "https://shop.example/",
        "",
    ],
)
def test_another_origin_gets_nothing(quick_panel: Panel, origin: str | None) -> None:
    set_up(quick_panel)
    proof = Page(quick_panel).proof()
    page = Page(quick_panel, origin=origin)
    for answer in (
        page.open(f"{KEY}/challenge"),
        page.open(f"{KEY}/request", "OPTIONS"),
        page.ask(proof=proof),
    ):
        assert (answer.status_code, answer.get_json()) == (403, {"error": "origin"})
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert found(quick_panel) is None


def test_a_preflight_is_answered(quick_page: Page) -> None:
    headers = {"Access-Control-Request-Method": "POST"}
    for place, method in (("request", "POST"), ("challenge", "GET")):
        answer = quick_page.open(f"{KEY}/{place}", "OPTIONS", headers=headers)
        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Allow-Methods"] == method
        assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"


def test_a_site_that_is_off_is_none(quick_panel: Panel, quick_page: Page) -> None:
    change(quick_panel, enabled=False)
    for place, method in (
        (".js", "GET"),
        ("/challenge", "GET"),
        ("/request", "POST"),
        ("/request", "OPTIONS"),
    ):
        answers = [quick_page.open(f"{key}{place}", method) for key in (KEY, "none", "x" * 900)]
        assert {one.status_code for one in answers} == {404}
        assert len({one.data for one in answers}) == 1
        assert len({tuple(one.headers) for one in answers}) == 1
        assert "Access-Control-Allow-Origin" not in answers[0].headers


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"number": 1, "proof": ""}', "application/json", 400),
        (b'{"number": "\xff"}', "application/json", 400),
        (b"[" * 4000, "application/json", 400),
        (b'{"number": "' + b"9" * 5000 + b'"}', "application/json", 413),
    ],
)
def test_odd_bodies(quick_page: Page, body: bytes, kind: str, status: int) -> None:
    answer = quick_page.open(f"{KEY}/request", "POST", data=body, content_type=kind)
    assert answer.status_code == status


def test_a_robot_that_fills_in_everything_is_told_what_it_wants(
    quick_panel: Panel, quick_page: Page
) -> None:
    answer = quick_page.ask(proof="x", website="https://spam.example")
    assert (answer.status_code, answer.get_json()["when"]) == (200, "soon")
    assert found(quick_panel) is None


@pytest.mark.parametrize(
    "number", ["hello", "", "12", "+18765551234", "+78095551234", "+881612345678", "9" * 41, "112"]
)
def test_numbers_that_are_never_called(quick_panel: Panel, quick_page: Page, number: str) -> None:
    answer = quick_page.ask(number)
    assert (answer.status_code, answer.get_json()) == (422, {"error": "number"})
    with reading(quick_panel.engine) as session:
        assert count_lately(session, START, 1) == {(KEY, Counted.REFUSED): 1}
        assert open_cases(session, [number]) == {}


def test_no_answer_tells_whether_a_number_is_known(panel: Panel, page: Page) -> None:
    blocked, unwilling, waiting = "+79160000001", "+79160000002", "+79160000003"
    with writing(panel.engine) as session:
        block(session, [Blocked(blocked, "spam", "boss", START)])
        opt_number_out(session, unwilling, "boss", "", START)
    page.ask(waiting)
    answers = [page.ask(one) for one in (blocked, unwilling, waiting, NUMBER)]
    assert {one.status_code for one in answers} == {200}
    assert len({one.data for one in answers}) == 1
    assert found(panel, blocked) is None
    assert found(panel, unwilling) is None


def test_limits_by_address_number_and_site(panel: Panel) -> None:
    set_up(panel)
    change(panel, address_hour=2, number_hour=1, site_hour=4)
    page, other = Page(panel, "2001:db8::1"), Page(panel, "2001:db8::ffff")
    assert page.ask("+79160000001").status_code == 200
    assert other.ask("+79160000002").status_code == 200
    answer = page.ask("+79160000003")
    assert (answer.status_code, answer.get_json()) == (429, {"error": "too_many"})
    assert answer.headers["Retry-After"] == "3601"
    assert found(panel, "+79160000003") is None
    # Of a number nobody is told how often it was asked for.
    far = Page(panel, "2001:db8:0:1::1")
    assert far.ask("+79160000001").status_code == 200
    case = found(panel, "+79160000001")
    assert case is not None
    assert case.missed == 1
    assert far.ask("+79160000004").status_code == 200
    assert Page(panel, "198.51.100.1").ask("+79160000005").status_code == 429
    panel.clock.pass_(minutes=61)
    assert page.ask("+79160000003").status_code == 200


def test_an_address_asks_sixty_times_a_minute(quick_page: Page) -> None:
    answers = [quick_page.open(f"{KEY}/challenge") for _ in range(61)]
    assert {one.status_code for one in answers[:60]} == {200}
    assert answers[60].status_code == 429
    assert answers[60].headers["Access-Control-Allow-Origin"] == ORIGIN


def test_a_forwarded_address_is_not_believed_without_a_proxy(quick_panel: Panel) -> None:
    set_up(quick_panel)
    change(quick_panel, address_hour=1)
    page = Page(quick_panel)
    for nth, status in ((1, 200), (2, 429)):
        page.headers["X-Forwarded-For"] = f"203.0.113.{nth}"
        assert page.ask(f"+7916000000{nth}").status_code == status


def test_when_the_call_comes(panel: Panel, page: Page) -> None:
    with writing(panel.engine) as session:
        save_process(session, Process("listener", 1, "pbx", "1", START, START, ready=True))
        states = [OperatorState("101", "NOT_INUSE", OperatorActivity.FREE, 0)]
        replace_operator_states(session, states)
    assert page.ask(LANDLINE).get_json() == {"when": "now", "at": None}
    panel.clock.pass_(minutes=5)  # and nobody has heard of the listener since
    assert page.ask(LANDLINE).get_json() == {"when": "soon", "at": None}
    panel.clock.pass_(hours=11)  # 23:05 in Moscow
    told = page.ask(LANDLINE).get_json()
    assert told == {"when": "quiet", "at": "2026-11-25T05:00:00+00:00"}


def test_when_we_open(quick_panel: Panel) -> None:
    hours = Hours("office", "Europe/Moscow", (Opening(frozenset({1, 2, 3}), time(15), time(18)),))
    setup = a_setup()
    did = replace(setup.dids["74951234567"], hours="office")
    with writing(quick_panel.engine) as session:
        replace_setup(session, replace(setup, dids={did.number: did}, hours={"office": hours}))
        add_site(session, replace(SITE, did=did.number))
    told = Page(quick_panel).ask(LANDLINE).get_json()
    assert told == {"when": "closed", "at": "2026-11-24T12:00:00+00:00"}


def test_the_script(quick_panel: Panel, quick_page: Page) -> None:
    change(quick_panel, title="</script><script>alert(1)</script>", language="ru")
    answer = quick_page.open(f"{KEY}.js")
    assert answer.status_code == 200
    assert answer.content_type == "text/javascript; charset=utf-8"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in answer.headers
    assert "</script>" not in answer.text
    assert '"key": "Key_1"' in answer.text
    assert "@site@" not in answer.text
    assert ".innerHTML" not in answer.text
    assert len(answer.data) < 20_000
    again = quick_page.open(f"{KEY}.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
