"""Every route of the panel: who may open it, and that nothing changes without a CSRF token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from telephony.accounts import Role
from tests.panel.people import Panel
from web.rights import access_of, safe_next
from web.security import POLICY

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
LOGINS = {Role.ADMIN: "admin", Role.SUPERVISOR: "boss", Role.OPERATOR: "oper"}


def _address(panel: Panel, rule: Rule) -> str:
    """Return an address of a rule, its arguments filled in with something."""
    values = {name: _filled(rule, name) for name in rule.arguments}
    with panel.app.test_request_context():
        adapter = panel.app.url_map.bind("localhost")
        return adapter.build(rule.endpoint, values, method=next(iter(rule.methods or {"GET"})))


def _filled(rule: Rule, name: str) -> Any:
    kind = type(rule._converters[name]).__name__
    return 1 if kind == "IntegerConverter" else "panel.css" if name == "filename" else "1"


def _rules(app: Flask) -> list[Rule]:
    rules = list(app.url_map.iter_rules())
    assert len(rules) > 25
    return rules


def _methods(rule: Rule) -> Iterator[str]:
    yield from sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def _view(panel: Panel, rule: Rule) -> Callable[..., Any]:
    view: Callable[..., Any] = panel.app.view_functions[rule.endpoint]
    return view


def test_every_view_declares_who_may_open_it(quick_panel: Panel) -> None:
    undeclared = [
        rule.endpoint
        for rule in _rules(quick_panel.app)
        if access_of(_view(quick_panel, rule)) is None
    ]
    assert undeclared == []


def test_a_view_that_declares_nothing_is_closed(quick_panel: Panel) -> None:
    quick_panel.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert quick_panel.signed_in("admin").get("/forgotten").status_code == 403


def test_visitors_are_sent_to_the_sign_in_page(quick_panel: Panel) -> None:
    browser = quick_panel.browser()
    token = browser.token()
    seen = 0
    for rule in _rules(quick_panel.app):
        access = access_of(_view(quick_panel, rule))
        assert access is not None
        if access.public:
            continue
        for method in _methods(rule):
            answer = browser.client.open(
                _address(quick_panel, rule), method=method, headers={"X-CSRFToken": token}
            )
            if access.scope is not None:
                assert answer.status_code == 401, (rule.rule, answer.status_code)
            else:
                assert answer.status_code == 302, (rule.rule, answer.status_code)
                assert answer.headers["Location"].startswith("/sign-in"), rule.rule
            seen += 1
    assert seen > 20


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.OPERATOR])
def test_others_get_403_on_every_page_that_is_not_theirs(quick_panel: Panel, role: Role) -> None:
    browser = quick_panel.signed_in(LOGINS[role])
    token = browser.token("/profile")
    refused = 0
    for rule in _rules(quick_panel.app):
        access = access_of(_view(quick_panel, rule))
        assert access is not None
        if access.public or access.scope is not None or role in access.roles:
            continue
        for method in _methods(rule):
            answer = browser.client.open(
                _address(quick_panel, rule),
                method=method,
                headers={"X-CSRFToken": token, "Accept-Language": "en"},
            )
            assert answer.status_code == 403, (rule.rule, method)
            assert "This page is not for your role" in answer.text
            refused += 1
    assert refused >= 8


def test_nothing_changes_without_a_csrf_token(quick_panel: Panel) -> None:
    browser = quick_panel.signed_in("admin")
    tried = 0
    for rule in _rules(quick_panel.app):
        access = access_of(_view(quick_panel, rule))
        assert access is not None
        for method in sorted(UNSAFE & (rule.methods or set())):
            assert access.scope is None, "a token of the API reads only"
            for headers in ({}, {"X-CSRFToken": "wrong"}):
                answer = browser.client.open(
                    _address(quick_panel, rule),
                    method=method,
                    headers={"Accept-Language": "en", **headers},
                )
                assert answer.status_code == 400, (rule.rule, method, answer.status_code)
                assert "This form is out of date" in answer.text
            tried += 1
    assert tried >= 10


@pytest.mark.parametrize("language", ["en", "ru"])
def test_an_admin_opens_every_page_and_its_headers_are_strict(
    quick_panel: Panel, language: str
) -> None:
    browser = quick_panel.signed_in("admin", address="127.0.0.1", language=language)
    opened = 0
    for rule in _rules(quick_panel.app):
        access = access_of(_view(quick_panel, rule))
        assert access is not None
        if "GET" not in (rule.methods or set()) or access.scope is not None:
            continue
        path = _address(quick_panel, rule)
        answer = browser.get(path)
        # 404: of a call or a client that this database does not have.
        assert answer.status_code in (200, 302, 404, 503), (path, answer.status_code)
        assert answer.status_code != 503 or path == "/readyz"
        assert answer.headers["Content-Security-Policy"] == POLICY, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        if answer.mimetype == "text/html" and answer.status_code == 200:
            assert f'<html lang="{language}"' in answer.text
            for forbidden in (" style=", "<style", " onclick=", "javascript:"):
                assert forbidden not in answer.text, (path, forbidden)
            opened += 1
    assert opened >= 12
    assert "unsafe" not in POLICY


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        ("/users?page=2", "/users?page=2"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/a\nb", "/"),
        ("users", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_after_signing_in_one_stays_on_this_site(
    quick_panel: Panel, target: str | None, leads: str
) -> None:
    with quick_panel.app.test_request_context():
        assert safe_next(target) == leads
