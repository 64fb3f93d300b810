"""The API over a small company, on both databases."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.accounts import Role, Scope
from telephony.store.audit import list_audit
from telephony.store.engine import reading
from tests.api import company
from tests.databases.conftest import (
    database_url,
    engine,
    migrated,
    migrated_name,
    postgres,
    shared_engine,
)

__all__ = ["database_url", "engine", "migrated", "migrated_name", "postgres", "shared_engine"]

Get = Callable[..., TestResponse]
Send = Callable[..., TestResponse]


@pytest.fixture
def app(engine: Engine, tmp_path: Path) -> Flask:
    """Give the application over the company."""
    company.fill(engine)
    return company.application(engine, tmp_path)


def asking(app: Flask, engine: Engine) -> Get:
    """Return a function that asks the API with a token of all scopes."""
    client = app.test_client()
    token = company.a_token(engine, *Scope)

    def ask(path: str, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get(f"/api/v1{path}", headers=sent)

    return ask


@pytest.fixture
def get(app: Flask, engine: Engine) -> Get:
    """Give a function that asks the API over a company of the test's own."""
    return asking(app, engine)


@pytest.fixture
def send(app: Flask, engine: Engine) -> Send:
    """Give a function that sends a JSON body, or a form, with a token of all scopes."""
    client = app.test_client()
    token = company.a_token(engine, *Scope)

    def ask(
        method: str,
        path: str,
        body: Any = None,
        *,
        form: dict[str, Any] | None = None,
        **headers: str,
    ) -> TestResponse:
        sent = {"Authorization": f"Bearer {token}"} | headers
        return client.open(f"/api/v1{path}", method=method, headers=sent, json=body, data=form)

    return ask


@pytest.fixture(scope="module")
def read(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Get:
    """Give the same over a company that the tests of a module share: nothing is written."""
    company.fill(shared_engine)
    app = company.application(shared_engine, tmp_path_factory.mktemp("shared"))
    return asking(app, shared_engine)


def said(response: TestResponse, code: int = 422) -> list[tuple[str, str]]:
    """Return the names and details of what a problem document says is wrong."""
    assert response.status_code == code, response.text
    assert response.mimetype == "application/problem+json"
    return [(one["name"], one["detail"]) for one in json.loads(response.text).get("errors", [])]


def noted(engine: Engine, area: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (action, target, details) of the audit log's lines of an area, oldest first."""
    with reading(engine) as session:
        lines, _ = list_audit(session, limit=50, offset=0)
    return [
        (line.action, line.target, line.details)
        for line in reversed(lines)
        if line.action.startswith(f"{area}.")
    ]


def page(app: Flask, engine: Engine, path: str) -> str:
    """Return a page of the panel as a supervisor sees it."""
    client = app.test_client()
    user = company.a_user(engine, Role.SUPERVISOR)
    with client.session_transaction() as cookie:
        cookie["token"] = company.sign_in(app, engine, user)
    return client.get(path).text
