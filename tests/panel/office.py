"""The company of tests/api in the panel, with somebody of each role signed in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from telephony.accounts import Role
from tests.api import company

SignIn = Callable[..., FlaskClient]


class Office:
    """The panel over the company; `browser` signs somebody in."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        company.fill(engine)
        self.engine = engine
        self.app: Flask = company.application(engine, folder)

    def browser(
        self, role: Role = Role.SUPERVISOR, extension: str | None = None, language: str = "en"
    ) -> FlaskClient:
        """Return a browser in which somebody of this role is signed in."""
        user = company.a_user(self.engine, role, extension, language)
        token = company.sign_in(self.app, self.engine, user)
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie["token"] = token
        return client
