"""The API over a small company, on both databases."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.accounts import Scope
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


@pytest.fixture(scope="module")
def read(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Get:
    """Give the same over a company that the tests of a module share: nothing is written."""
    company.fill(shared_engine)
    app = company.application(shared_engine, tmp_path_factory.mktemp("shared"))
    return asking(app, shared_engine)
