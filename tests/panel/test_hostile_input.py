"""Whatever is typed into an address or a form, nothing fails: on both databases."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from telephony.accounts import Role
from telephony.accounts.users import make_user
from telephony.store.accounts import find_user, get_user
from telephony.store.engine import reading, writing
from tests.api.company import QUICK
from tests.panel.people import PASSWORD, START, Panel

LISTS = (
    "/calls",
    "/clients",
    "/blocked",
    "/users",
    "/tokens",
    "/audit",
    "/operators",
    "/notices",
    "/calls/export.csv",
    "/clients/export.csv",
    "/blocked/export.csv",
)
ARGUMENTS = ("page", "q", "from", "to", "did", "operator", "disposition", "manager", "next")
HOSTILE = ("-1", "0", "9" * 30, "9" * 5000, "NaN", "a\x00b", "٣", "²", "0001-01-01", "%", "\\")
IN_FORMS = ("a\x00b", "\ud7ff\u202e", "9" * 30, "x" * 100_000, "'\"><script>")


@pytest.mark.parametrize("path", LISTS)
def test_addresses(panel: Panel, path: str) -> None:
    browser = panel.signed_in("admin")
    for value in (*map(quote, HOSTILE), "%ff%fe", "1&page=2&q=3&page[]=4"):
        query = "&".join(f"{name}={value}" for name in ARGUMENTS)
        with browser.get(f"{path}?{query}") as answer:
            assert answer.status_code == 200, value[:40]
            assert answer.get_data()


@pytest.mark.parametrize("value", IN_FORMS)
def test_forms(panel: Panel, value: str) -> None:
    admin = panel.signed_in("admin")
    with reading(panel.engine) as session:
        boss = find_user(session, "boss")
    assert boss is not None
    token = admin.token("/profile")
    forms: dict[str, dict[str, str]] = {
        "/users/new": {"login": "new", "name": "New", "role": "operator", "extension": "199"},
        f"/users/{boss.id}": {"name": "Boss", "role": "supervisor", "extension": "105"},
        "/tokens/new": {"name": "CRM", "scopes": "calls:read", "days": "30"},
        "/notices/new": {
            "events": "callback.near",
            "addresses_en": "a@example.com",
            "addresses_ru": "",
            "did": "",
            "zone": "UTC",
        },
        "/notices/webhooks/new": {"url": "", "form": "standard", "events": "call.ended"},
        "/profile": {"name": "Admin", "language": "en", "zone": "UTC", "theme": "dark"},
        "/profile/theme": {"theme": "dark", "next": "/"},
        "/profile/second-step": {"code": "123456", "password": PASSWORD},
        "/language": {"language": "en", "next": "/"},
    }
    for path, fields in forms.items():
        for name in fields:
            answer = admin.post(path, csrf_token=token, **{**fields, name: value})
            assert answer.status_code < 500, (path, name)
            assert answer.headers.get("Location", "/").startswith("/")
    for name in ("login", "password", "zone", "next"):
        filled = {"login": "boss", "password": PASSWORD, "zone": "", "next": "", name: value}
        answer = panel.browser().send("/sign-in", **filled)
        assert answer.status_code < 500, name
        assert answer.headers.get("Location", "/").startswith("/")


def test_fields_that_a_form_does_not_have_change_nothing(panel: Panel) -> None:
    browser = panel.signed_in("oper")
    with reading(panel.engine) as session:
        before = find_user(session, "oper")
    assert before is not None
    sent = {"name": "Oper", "language": "", "zone": "", "theme": "system"}
    more = {"role": "admin", "extension": "102", "login": "admin", "active": "0", "id": "1"}
    assert browser.send("/profile", **sent, **more).status_code == 302
    with reading(panel.engine) as session:
        assert get_user(session, before.id) == before


def test_a_password_that_was_handed_out_is_changed_first(panel: Panel) -> None:
    with writing(panel.engine) as session:
        hashed = QUICK.hash(PASSWORD)
        make_user(session, "fresh", "Fresh", Role.ADMIN, None, hashed, START, handed=True)
    browser = panel.signed_in("fresh")
    for path in ("/", "/calls", "/users", "/profile"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/profile/password")
    fragment = browser.get("/calls", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (403, "/profile/password")
    page = browser.get("/profile/password")
    assert "Choose a password of your own" in page.text
    same = {"present": PASSWORD, "password": PASSWORD, "again": PASSWORD}
    assert browser.send("/profile/password", **same).status_code == 422
    other = {"present": PASSWORD, "password": "my own long one", "again": "my own long one"}
    assert browser.send("/profile/password", **other).status_code == 302
    assert browser.get("/users").status_code == 200
    assert "Choose a password of your own" not in browser.get("/profile/password").text


def test_a_user_whom_an_admin_adds_or_resets_has_a_handed_password(panel: Panel) -> None:
    admin = panel.signed_in("admin")
    admin.send("/users/new", login="anna", name="Anna", role="operator", extension="103")
    with reading(panel.engine) as session:
        anna, boss = find_user(session, "anna"), find_user(session, "boss")
    assert anna is not None
    assert anna.password_handed
    assert boss is not None
    assert not boss.password_handed
    admin.send(f"/users/{boss.id}/password", page=f"/users/{boss.id}")
    with reading(panel.engine) as session:
        again = find_user(session, "boss")
    assert again is not None
    assert again.password_handed
