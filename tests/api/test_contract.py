"""The API keeps to its own document, whatever is asked of it: schemathesis, on both databases."""

from __future__ import annotations

from typing import Any

import hypothesis
import schemathesis
from flask import Flask
from hypothesis import HealthCheck
from schemathesis.checks import CHECKS, load_all_checks
from sqlalchemy import Engine

from telephony.accounts import Scope
from tests.api import company
from web.api.base import LIMITS
from web.api.limits import Limits

EXAMPLES = 40


def test_the_api_keeps_to_its_document(app: Flask, engine: Engine) -> None:
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.extensions[LIMITS] = Limits(10**9)
    token = company.a_token(engine, *Scope)
    headers = {"Authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    asked: dict[str, set[int]] = {}
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: schemathesis.Case[Any]) -> None:
            response = case.call_and_validate(headers=headers)
            asked.setdefault(case.operation.path, set()).add(response.status_code)

        ask()
    assert len(asked) == 8
    assert all(codes <= {200, 404, 422} for codes in asked.values()), asked
    assert all(200 in codes for path, codes in asked.items() if "{" not in path), asked


def test_the_checks_are_those_that_matter() -> None:
    load_all_checks()
    names = {check.__name__ for check in CHECKS.get_all()}
    assert {
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    } <= names
