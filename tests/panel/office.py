"""The company of tests/api in the panel, with somebody of each role signed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

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


def post(browser: FlaskClient, path: str, **data: object) -> TestResponse:
    """Send a form with the token of a page, and open the page that it leads to."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', browser.get("/missed").text)
    assert found is not None
    form = {"csrf_token": unescape(found[1]), **data}
    return browser.post(path, data=form, follow_redirects=True)


def said(answer: TestResponse) -> str:
    """Return what a page's messages say."""
    notices = re.findall(r'<div class="notice notice-\w+".*?</div>\s*</div>', answer.text, re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", " ".join(notices))))
