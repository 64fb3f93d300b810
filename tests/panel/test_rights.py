"""Every route of the panel: who may open it, and that nothing changes without a CSRF token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, Rule

from telephony.accounts import Role, Scope
from tests.panel.people import Panel
from tests.panel.rights_table import PUBLIC, RIGHTS, Right, closed_to
from web.rights import Access, access_of, safe_next
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
    if rule.defaults and name in rule.defaults:
        return rule.defaults[name]
    converter = rule._converters[name]
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    kind = type(converter).__name__
    return 1 if kind == "IntegerConverter" else "panel.css" if name == "filename" else "1"


def _rules(app: Flask) -> list[Rule]:
    rules = list(app.url_map.iter_rules())
    assert len(rules) > 25
    return rules


def _methods(rule: Rule) -> Iterator[str]:
    yield from sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def _places(app: Flask) -> Iterator[tuple[Rule, str, Right]]:
    """Yield each rule with a method of it and who may, by the table written by hand."""
    for rule in _rules(app):
        for method in _methods(rule):
            yield rule, method, RIGHTS[rule.endpoint, method]


def _said(access: Access | None) -> Right | None:
    """Return what a view declares, in the table's terms."""
    if access is None:
        return None
    return PUBLIC if access.public else access.scope or access.roles


def test_every_route_has_a_line_in_the_table_and_declares_just_that(quick_panel: Panel) -> None:
    app = quick_panel.app
    routes = {(rule.endpoint, method) for rule in _rules(app) for method in _methods(rule)}
    assert routes == set(RIGHTS)
    declared = {
        (endpoint, method): _said(access_of(app.view_functions[endpoint]))
        for endpoint, method in routes
    }
    assert declared == RIGHTS


def test_a_view_that_declares_nothing_is_closed(quick_panel: Panel) -> None:
    quick_panel.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert quick_panel.signed_in("admin").get("/forgotten").status_code == 403


def test_visitors_are_sent_to_the_sign_in_page(quick_panel: Panel) -> None:
    browser = quick_panel.browser()
    token = browser.token()
    seen = 0
    for rule, method, right in _places(quick_panel.app):
        if right == PUBLIC:
            continue
        answer = browser.client.open(
            _address(quick_panel, rule), method=method, headers={"X-CSRFToken": token}
        )
        if isinstance(right, Scope):
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
    closed = set(closed_to(role))
    for rule, method, _ in _places(quick_panel.app):
        if (rule.endpoint, method) not in closed:
            continue
        answer = browser.client.open(
            _address(quick_panel, rule),
            method=method,
            headers={"X-CSRFToken": token, "Accept-Language": "en"},
        )
        assert answer.status_code == 403, (rule.rule, method)
        assert "This page is not for your role" in answer.text
        closed.discard((rule.endpoint, method))
    assert closed == set()


@pytest.mark.parametrize("role", list(Role))
def test_everybody_opens_what_is_theirs(quick_panel: Panel, role: Role) -> None:
    browser = quick_panel.signed_in(LOGINS[role])
    for rule, method, right in _places(quick_panel.app):
        if method == "GET" and isinstance(right, frozenset) and role in right:
            # 404: of a call or a client that this database does not have; 302: no second step.
            answer = browser.get(_address(quick_panel, rule))
            assert answer.status_code in (200, 302, 404), (rule.rule, answer.status_code)
            assert not answer.headers.get("Location", "").startswith("/sign-in"), rule.rule


def test_nothing_changes_without_a_csrf_token(quick_panel: Panel) -> None:
    browser = quick_panel.signed_in("admin")
    tried = 0
    for rule in _rules(quick_panel.app):
        for method in sorted(UNSAFE & (rule.methods or set())):
            if RIGHTS[rule.endpoint, method] in set(Scope):
                # The API looks at no cookie, and so at no token of a form.
                answer = browser.client.open(_address(quick_panel, rule), method=method)
                assert answer.status_code == 401, rule.rule
                continue
            if rule.endpoint == "widget.ask_for_call":
                # Looks at no cookie either; there is no such site.
                assert (
                    browser.client.open(_address(quick_panel, rule), method=method).status_code
                    == 404
                )
                continue
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
    for rule, method, right in _places(quick_panel.app):
        if method != "GET" or isinstance(right, Scope):
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
