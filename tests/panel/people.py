"""Somebody with a browser, for tests: signs in, follows forms, has an address of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.accounts import Role
from telephony.accounts.users import make_user
from telephony.settings import Settings
from telephony.store.engine import writing
from tests.api.company import QUICK
from tests.api.templates import share_templates
from web import create_app

PASSWORD = "correct horse battery"
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

_TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')


@dataclass
class Clock:
    """The panel's clock, moved by hand."""

    at: datetime = START

    def now(self) -> datetime:
        """Return the moment it shows."""
        return self.at

    def pass_(self, **time: float) -> None:
        """Move it on."""
        self.at += timedelta(**time)


@dataclass
class Browser:
    """A client with an address; `sign_in` and `send` fill in the CSRF token as a browser would."""

    client: FlaskClient
    address: str = "192.0.2.1"
    headers: dict[str, str] = field(default_factory=lambda: {"Accept-Language": "en"})

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(
            path,
            headers={**self.headers, **kwargs.pop("headers", {})},
            environ_base={"REMOTE_ADDR": self.address},
            **kwargs,
        )

    def post(self, path: str, **data: Any) -> TestResponse:
        """Send a form without looking at the page first, and so without its token."""
        return self.client.post(
            path, data=data, headers=self.headers, environ_base={"REMOTE_ADDR": self.address}
        )

    def token(self, page: str = "/sign-in") -> str:
        """Return the CSRF token of a page."""
        found = _TOKEN.search(self.get(page, follow_redirects=True).text)
        assert found, f"{page} has no form"
        return unescape(found[1])

    def send(self, path: str, page: str | None = None, **data: Any) -> TestResponse:
        """Send a form with the token of its page."""
        return self.post(path, csrf_token=self.token(page or path), **data)

    def sign_in(self, login: str, password: str = PASSWORD, **data: Any) -> TestResponse:
        """Fill in the sign-in page."""
        return self.send("/sign-in", login=login, password=password, **data)


@dataclass(frozen=True)
class Panel:
    """An application with its clock; `browser` gives fresh browsers."""

    app: Flask
    engine: Engine
    clock: Clock

    def browser(self, address: str = "192.0.2.1", language: str = "en") -> Browser:
        """Return a browser without cookies."""
        return Browser(self.app.test_client(), address, {"Accept-Language": language})

    def signed_in(self, login: str, **kwargs: Any) -> Browser:
        """Return a browser in which this user is signed in."""
        browser = self.browser(**kwargs)
        answer = browser.sign_in(login)
        assert answer.status_code == 302, answer.text
        return browser

    def add(self, login: str, role: Role, extension: str | None = None) -> int:
        """Add a user with the usual password."""
        with writing(self.engine) as session:
            return make_user(
                session, login, login.title(), role, extension, QUICK.hash(PASSWORD), START
            )


def open_panel(settings: Settings, engine: Engine) -> Panel:
    """Return a panel on this database with an admin, a supervisor and an operator (101)."""
    clock = Clock()
    app = create_app(settings, engine, now=clock.now, passwords=QUICK)
    share_templates(app)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    panel = Panel(app, engine, clock)
    panel.add("admin", Role.ADMIN)
    panel.add("boss", Role.SUPERVISOR)
    panel.add("oper", Role.OPERATOR, "101")
    return panel
