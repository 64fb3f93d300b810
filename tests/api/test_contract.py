"""The API keeps to its own document, whatever is asked of it: schemathesis, on both databases."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import hypothesis
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sqlalchemy import Engine

from telephony.accounts import Scope
from telephony.calendars import Use
from telephony.configfile import COMMAND_LINE, Data, change, find
from telephony.domain.callback.cases import Ending, ended
from telephony.domain.callback.results import Why
from telephony.domain.duty import Absence, AbsenceKind, OneOff
from telephony.domain.duty.calendars import Complaint, Flaw
from telephony.sounds import convert, keep
from telephony.store.attempts import NewAttempt, add_attempt
from telephony.store.calendars import Copy, Owner, get_feed, note_failure
from telephony.store.cases import JoinedCall, join_calls, opt_number_out, stop_dialling
from telephony.store.engine import writing
from telephony.store.shares import Share, add_share
from telephony.subscriptions import Found
from telephony.subscriptions import keep as keep_calendar
from tests.api import company
from tests.databases import missed
from tests.databases.telling import tell_everybody
from tests.repo.files import read, section
from tests.unit.calendars import calendar
from tests.unit.test_sounds import wav
from web.api.base import LIMITS
from web.limits import Limits
from web.problems import MEDIA_TYPE

DUTY = calendar("UID:1\nDTSTART:20261119T060000Z\nDTEND:20261119T150000Z\nSUMMARY:101")
EXAMPLES = 25
# The paths of the seven kinds of entries are made by the same functions.
ALIKE = 6
LISTS = {
    f"GET /api/v1/{name}"
    for name in (
        "announcements",
        "blocklist",
        "calendars",
        "calls",
        "cases",
        "clients",
        "deliveries",
        "duty/links",
        "duty/warnings",
        "events",
        "notices",
        "operators",
        "opt-outs",
        "setup/changes",
        "webhooks",
    )
}
OPERATIONS = 108
_SPANS = ("/explain", "/duty", "/callback-figures")


@pytest.fixture
def headers(app: Flask, engine: Engine) -> dict[str, str]:
    """Give the headers of a request with all scopes; errors are answered, not raised."""
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.extensions[LIMITS] = Limits(10**9)
    return {"Authorization": f"Bearer {company.a_token(engine, *Scope)}"}


def _schema(app: Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
def test_the_api_keeps_to_its_document(
    app: Flask, headers: dict[str, str], mode: GenerationMode
) -> None:
    asked: dict[str, set[int]] = {}
    for result in _schema(app).get_all_operations():
        operation = result.ok()

        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        @hypothesis.settings(
            max_examples=ALIKE if "/setup/" in operation.path else EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: schemathesis.Case[Any]) -> None:
            # An empty list is nothing in an address, so nothing would be wrong with it.
            hypothesis.assume([] not in (case.query or {}).values())
            # Whether a name, a number or a span will do is more than a schema can say.
            judged = case.method != "GET" or case.operation.path.endswith(_SPANS)
            excluded: list[Any] = [positive_data_acceptance] if judged else []
            response = case.call_and_validate(headers=headers, excluded_checks=excluded)
            named = f"{case.method} {case.operation.path}"
            asked.setdefault(named, set()).add(response.status_code)

        ask()
    assert len(asked) == OPERATIONS
    # 401: what is made up may be the token, too.
    known = {200, 201, 202, 204, 400, 401, 404, 409, 422}
    assert all(codes <= known for codes in asked.values()), asked
    if mode is GenerationMode.POSITIVE:
        assert all(200 in codes for named, codes in asked.items() if named in LISTS), asked
    else:
        assert {path for path, codes in asked.items() if 422 in codes} >= LISTS, asked


REAL: dict[str, list[dict[str, Any]]] = {
    "/api/v1/calls/{call_id}": [{"call_id": call.call_id} for call in company.calls()],
    "/api/v1/operators/{extension}": [{"extension": one} for one in ("101", "102")],
    "/api/v1/clients.csv": [{}],
    "/api/v1/clients/{client_id}": [{"client_id": 1}],
    "/api/v1/setup": [{}],
    "/api/v1/setup/changes": [{}],
    "/api/v1/callback-rules": [{}],
    "/api/v1/callback-stop": [{}],
    "/api/v1/callback-figures": [{}],
    "/api/v1/cases": [{}],
    "/api/v1/cases.csv": [{}],
    "/api/v1/cases/{case_id}": [{"case_id": 1}, {"case_id": 2}],
    "/api/v1/opt-outs": [{}],
    "/api/v1/setup/operators/{key}": [{"key": "101"}],
    "/api/v1/setup/groups/{key}": [{"key": "sales"}],
    "/api/v1/setup/dids/{key}": [{"key": company.DID}],
    "/api/v1/switches": [{}],
    "/api/v1/calendars": [{}],
    "/api/v1/calendars/{calendar_id}": [{"calendar_id": 1}, {"calendar_id": 2}],
    "/api/v1/duty": [{}],
    "/api/v1/duty/now": [{}],
    "/api/v1/duty/warnings": [{}],
    "/api/v1/duty/links": [{}],
    "/api/v1/notices": [{}],
    "/api/v1/notices/{notice_id}": [{"notice_id": 1}],
    "/api/v1/webhooks": [{}],
    "/api/v1/webhooks/{webhook_id}": [{"webhook_id": 1}],
    "/api/v1/deliveries": [{}],
    "/api/v1/announcements": [{}],
    "/api/v1/announcements/{name}": [{"name": "welcome"}],
    "/api/v1/announcements/{name}/sound": [{"name": "welcome"}],
}


def _entitle(data: Data) -> None:
    find(data, "dids", company.DID)["title"] = company.HOSTILE


def _bring(engine: Engine) -> int:
    """Store calendars of both kinds, one of them failing, a link and an announcement.

    The set-up is changed once: return the version.
    """
    done = change(engine, COMMAND_LINE, _entitle, now=company.NOW)
    now = company.NOW
    tried, _ = missed.add(
        engine,
        missed.a_case(company.CALLER, now, client_name=company.HOSTILE, client_id=1),
        ended(missed.a_case("+74950000001", now), Ending.BY_HAND, now, "admin", company.HOSTILE),
    )
    away = Absence("101", datetime(2026, 11, 20), datetime(2026, 11, 21), "UTC", AbsenceKind.SICK)  # noqa: DTZ001
    duty = OneOff("102", datetime(2026, 11, 20), datetime(2026, 11, 21), 2)  # noqa: DTZ001
    complaint = Complaint(Flaw.UNKNOWN_NAME, company.HOSTILE, "Zoe", company.NOW)
    with writing(engine) as session:
        for owner, copy in (
            (Owner.GROUP, Copy("", (duty,), (), (complaint,))),
            (Owner.OPERATOR, Copy("", (), (away,))),
        ):
            use = Use(owner, {Owner.GROUP: "sales", Owner.OPERATOR: "101"}[owner])
            key = keep_calendar(session, Found(use, None, None, "duty.ics", copy), company.NOW)
        failing = get_feed(session, key)
        assert failing is not None
        note_failure(
            session, failing, fault="status", detail="404", now=company.NOW, next_at=company.NOW
        )
        share = Share(0, Owner.GROUP, "sales", True, "ru", "admin", company.NOW, company.NOW)
        add_share(session, "hash", share)
        join_calls(session, [JoinedCall("1.1", tried, now, Why.WAITING, company.DID)])
        new = NewAttempt(company.CALLER, "+7900", "101", company.DID, tried)
        add_attempt(session, new, now, timedelta(seconds=15))
        opt_number_out(session, "+74950000002", "admin", company.HOSTILE, now)
        stop_dialling(session, "admin", company.HOSTILE, now)
        keep(session, "welcome", company.HOSTILE, convert(wav(0.3)), company.NOW)
        tell_everybody(session, now, company.HOSTILE)
    return done.version


@pytest.mark.parametrize("path", REAL)
def test_what_there_is_has_the_shape_that_the_document_says(
    app: Flask, engine: Engine, headers: dict[str, str], path: str
) -> None:
    _bring(engine)
    operation = _schema(app)[path]["GET"]
    assert REAL[path]
    for values in REAL[path]:
        case = operation.Case(path_parameters=values)
        assert case.call_and_validate(headers=headers).status_code == 200, values


NOTICE = {
    "events": ["callback.near", "callback.overdue"],
    "recipients": [{"address": "anna@example.com", "language": "ru"}],
}
CALENDAR = {"owner_kind": "operator", "owner": "101", "file": DUTY, "enabled": True}
# The version that the change of `_bring` made.
MADE = "made"
FILE = f"name,phones\nNew,+74990000001\nOther,{company.CALLER}\n"
PEOPLE = [{"extension": one, "name": one} for one in ("101", "102")]
QUESTION = {"did": company.DID, "number": company.CALLER}
RIGHT: list[tuple[str, str, dict[str, Any], Any]] = [
    ("POST", "/clients/import", {}, FILE),
    ("POST", "/explain", {}, QUESTION | {"setup": {"operators": PEOPLE}}),
    (
        "POST",
        "/explain",
        {},
        QUESTION
        | {
            "at": "2026-11-19T09:00:00Z",
            "key": "-",
            "change": {"section": "dids", "key": company.DID, "entry": {"group": "sales"}},
        },
    ),
    ("POST", "/setup/changes/{version}/undo", {"version": MADE}, None),
    ("PUT", "/switches/pauses/{extension}", {"extension": "101"}, {"kind": "lunch"}),
    ("PUT", "/switches/pauses/{extension}", {"extension": "102"}, {"kind": None}),
    ("PUT", "/callback-rules", {}, {"rules": {"preset": "ru", "greetings": {"ru": "@welcome"}}}),
    ("POST", "/cases/{case_id}/claim", {"case_id": 1}, {"operator": "102"}),
    ("POST", "/cases/{case_id}/schedule", {"case_id": 1}, {"at": "2026-11-19T09:00:00Z"}),
    ("POST", "/cases/bulk-close", {}, {"ids": [1, 2, 3], "ending": "by_hand"}),
    ("POST", "/cases/{case_id}/close", {"case_id": 1}, {"ending": "opted_out", "note": "x"}),
    ("POST", "/opt-outs", {}, {"number": company.CALLER}),
    ("DELETE", "/opt-outs/{number}", {"number": "+74950000002"}, None),
    ("PUT", "/callback-stop", {}, {"stopped": False}),
    ("PUT", "/callback-stop", {}, {"stopped": True, "reason": "x"}),
    ("PUT", "/switches/closed", {}, {"closed": True}),
    ("PUT", "/switches/closed/{did}", {"did": company.DID}, {"closed": False}),
    ("POST", "/calendars", {}, CALENDAR),
    ("PATCH", "/calendars/{calendar_id}", {"calendar_id": 1}, {"enabled": True}),
    ("PUT", "/calendars/{calendar_id}/file", {"calendar_id": 1}, {"file": DUTY}),
    ("POST", "/calendars/{calendar_id}/renew", {"calendar_id": 1}, None),
    ("DELETE", "/calendars/{calendar_id}", {"calendar_id": 1}, None),
    ("POST", "/duty/links", {}, {"owner_kind": "group", "owner": "sales", "language": "ru"}),
    ("DELETE", "/duty/links/{link_id}", {"link_id": 1}, None),
    ("POST", "/notices", {}, NOTICE),
    ("PUT", "/notices/{notice_id}", {"notice_id": 1}, NOTICE | {"did": company.DID}),
    ("DELETE", "/notices/{notice_id}", {"notice_id": 1}, None),
    ("POST", "/webhooks", {}, {"url": "https://8.8.8.8/x"}),
    ("POST", "/webhooks", {}, {"url": "https://8.8.8.8/x", "form": "zammad"}),
    ("PATCH", "/webhooks/{webhook_id}", {"webhook_id": 1}, {"enabled": False}),
    ("PATCH", "/webhooks/{webhook_id}", {"webhook_id": 3}, {"enabled": True}),
    ("POST", "/webhooks/{webhook_id}/test", {"webhook_id": 1}, None),
    ("DELETE", "/webhooks/{webhook_id}", {"webhook_id": 1}, None),
    ("POST", "/deliveries/{delivery_id}/retry", {"delivery_id": 1}, None),
    ("POST", "/announcements", {}, {"name": "other", "title": "x", "file": wav(0.2)}),
    ("PATCH", "/announcements/{name}", {"name": "welcome"}, {"title": "x", "file": wav(0.2)}),
    ("DELETE", "/announcements/{name}", {"name": "welcome"}, None),
]


@pytest.mark.parametrize(("method", "path", "values", "body"), RIGHT)
def test_what_is_right_is_taken_and_answered_as_the_document_says(
    app: Flask,
    engine: Engine,
    headers: dict[str, str],
    method: str,
    path: str,
    values: dict[str, Any],
    body: Any,
) -> None:
    made = _bring(engine)
    values = {name: made if value is MADE else value for name, value in values.items()}
    operation = _schema(app)[f"/api/v1{path}"][method]
    sent = {} if body is None else {"body": body}
    if path.startswith("/announcements") and body is not None:
        sent["media_type"] = "multipart/form-data"
    if isinstance(body, str):
        sent["media_type"] = "text/csv"
    case = operation.Case(path_parameters=values, **sent)
    assert case.call_and_validate(headers=headers).status_code in (200, 201, 202, 204)


def test_every_status_of_the_documents_is_in_both(app: Flask) -> None:
    client = app.test_client()
    paths = client.get("/api/v1/openapi.json").get_json()["paths"]
    described = {
        code
        for methods in paths.values()
        for name, one in methods.items()
        if name != "parameters"
        for code in one["responses"]
    }
    told = re.findall(r"^\| ([0-9]{3}) \|", section(read("docs/api.md"), "Errors"), re.M)
    assert described - {"200", "201", "202", "204", "default"} == set(told)


def test_other_methods_and_large_bodies_are_refused_as_described(
    app: Flask, headers: dict[str, str]
) -> None:
    client = app.test_client()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = client.open("/api/v1/calls", method=method, headers=headers)
        assert (answer.status_code, answer.mimetype) == (405, MEDIA_TYPE), method
        assert "GET" in answer.headers["Allow"]
    answer = client.get("/api/v1/calls", headers=headers, data={"q": "9" * 1_100_000})
    assert (answer.status_code, answer.mimetype) == (413, MEDIA_TYPE)


def test_the_checks_are_those_that_matter() -> None:
    load_all_checks()
    names = {check.__name__ for check in CHECKS.get_all()}
    assert {
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    } <= names
