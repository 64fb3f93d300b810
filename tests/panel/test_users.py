"""Users, API tokens, profile and the audit log."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from telephony.accounts import Role, Scope, find_token
from telephony.accounts.passwords import digest
from telephony.store.accounts import api_token, find_user
from telephony.store.audit import list_audit
from telephony.store.engine import reading
from tests.panel.people import PASSWORD, Panel


def _id(panel: Panel, login: str) -> int:
    with reading(panel.engine) as session:
        user = find_user(session, login)
    assert user is not None
    return user.id


def _actions(panel: Panel) -> list[tuple[str, str, str, str]]:
    with reading(panel.engine) as session:
        entries, _ = list_audit(session, limit=100, offset=0)
    return [(one.actor, one.action, one.target, one.address) for one in entries]


def test_adding_a_user(panel: Panel) -> None:
    admin = panel.signed_in("admin", address="192.0.2.50")
    fields = {"login": " Vera.P ", "name": "  Vera   P ", "role": "operator", "extension": "103"}
    page = admin.send("/users/new", **fields)
    assert page.status_code == 200
    password = re.search(r'translate="no">([a-z0-9-]{23})<', page.text)
    assert password
    vera = panel.browser()
    assert vera.sign_in("vera.p", password[1]).status_code == 302
    with reading(panel.engine) as session:
        user = find_user(session, "vera.p")
    assert user is not None
    assert (user.name, user.role, user.extension) == ("Vera P", Role.OPERATOR, "103")
    assert ("admin", "user.added", "vera.p", "192.0.2.50") in _actions(panel)
    again = admin.send("/users/new", **fields)
    assert again.status_code == 422
    assert "This login is taken" in again.text
    wrong = admin.send("/users/new", login="x y", name="X", role="operator", extension="12a")
    assert "An extension has 2 to 10 digits." in wrong.text or "Use 2 to 60" in wrong.text
    assert 'aria-invalid="true"' in wrong.text


def test_another_role_signs_out_and_takes_effect(panel: Panel) -> None:
    oper = panel.signed_in("oper")
    admin = panel.signed_in("admin")
    page = f"/users/{_id(panel, 'oper')}"
    fields = {"name": "Oper", "role": "supervisor", "extension": "101"}
    assert admin.send(page, **fields).status_code == 302
    assert oper.get("/profile").status_code == 302
    assert panel.signed_in("oper").get("/health").status_code == 200
    assert "Nothing was changed." in admin.get(admin.send(page, **fields).headers["Location"]).text


def test_the_last_admin_stays(panel: Panel) -> None:
    admin = panel.signed_in("admin")
    page = f"/users/{_id(panel, 'admin')}"
    fields = {"name": "Admin", "role": "operator", "extension": ""}
    answer = admin.send(page, **fields)
    assert answer.status_code == 422
    assert "last active administrator" in answer.text
    admin.send(f"{page}/active", page, active="0")
    assert "last active administrator" in admin.get(page).text
    panel.add("second", Role.ADMIN)
    assert admin.send(page, **fields).status_code == 302
    assert admin.get("/users").status_code == 302
    second = panel.signed_in("second")
    own = f"/users/{_id(panel, 'second')}"
    second.send(f"{own}/active", own, active="0")
    assert second.get("/users").status_code == 200


def test_a_new_password_by_an_admin(panel: Panel) -> None:
    oper, admin = panel.signed_in("oper"), panel.signed_in("admin")
    page = f"/users/{_id(panel, 'oper')}"
    answer = admin.send(f"{page}/password", page)
    password = re.search(r'translate="no">([a-z0-9-]{23})<', answer.text)
    assert password
    assert oper.get("/profile").status_code == 302
    assert panel.browser().sign_in("oper").status_code == 401
    assert panel.browser().sign_in("oper", password[1]).status_code == 302


def test_the_list_has_pages_and_a_search(quick_panel: Panel) -> None:
    for number in range(120):
        quick_panel.add(f"agent{number:03}", Role.OPERATOR, str(500 + number))
    admin = quick_panel.signed_in("admin")
    first, third = admin.get("/users").text, admin.get("/users?page=3").text
    assert "1–50 of 123" in first
    assert "101–123 of 123" in third
    assert 'aria-current="page"' in third
    found = admin.get("/users?q=AGENT00").text
    assert "1–10 of 10" in found
    assert "1–1 of 1" in admin.get("/users?q=555").text
    assert "Nobody matches" in admin.get("/users?q=zzz").text
    for page in ("0", "-1", "x", "99999999999999999999"):
        assert admin.get(f"/users?page={page}").status_code == 200
    assert admin.get("/users/9999").status_code == 404


def test_a_name_is_only_text(quick_panel: Panel) -> None:
    admin = quick_panel.signed_in("admin")
    name = "<img src=x onerror=alert(1)>"
    assert admin.send("/users/new", login="eve", name=name, role="operator").status_code == 200
    assert "<img src=x" not in admin.get("/users").text
    assert "&lt;img src=x" in admin.get("/users").text


def test_tokens(panel: Panel) -> None:
    admin = panel.signed_in("admin")
    assert "Choose at least one." in admin.send("/tokens/new", name="CRM", days="30").text
    scopes = ["calls:read", "events:read"]
    page = admin.send("/tokens/new", name="CRM", scopes=scopes, days="30").text
    found = re.search(r'translate="no">(dl_[\w-]{43})<', page)
    assert found
    token = found[1]
    assert token not in admin.get("/tokens").text
    now = panel.clock.now()
    with reading(panel.engine) as session:
        known = find_token(session, token, now)
        stored = session.execute(select(api_token)).mappings().one()
        assert find_token(session, token + "x", now) is None
        assert find_token(session, "", now) is None
    assert known is not None
    assert known.scopes == {Scope.CALLS_READ, Scope.EVENTS_READ}
    assert known.name == "CRM"
    assert stored["hash"] == digest(token)
    assert token not in str(dict(stored))

    def works() -> bool:
        with reading(panel.engine) as session:
            return find_token(session, token, panel.clock.now()) is not None

    panel.add("second", Role.ADMIN)
    second = panel.signed_in("second")
    maker = f"/users/{_id(panel, 'admin')}"
    assert "1 API token that they made stops working." in second.get(maker).text
    second.send(f"{maker}/active", maker, active="0")
    assert not works()
    second.send(f"{maker}/active", maker, active="1")
    assert works()
    said = "1 API token that they made works only while they are an administrator."
    assert said in second.get(maker).text
    for role, good in (("supervisor", False), ("operator", False), ("admin", True)):
        second.send(maker, name="Admin", role=role, extension="")
        assert works() is good, role
        assert ("its maker is no administrator" in second.get("/tokens").text) is not good
    second.send(f"/tokens/{known.id}/revoke", "/tokens")
    assert not works()
    assert "revoked" in second.get("/tokens").text
    actions = [action for _, action, *_ in _actions(panel)]
    assert {"token.added", "token.revoked", "user.disabled", "user.enabled"} <= set(actions)


def test_a_token_expires(quick_panel: Panel) -> None:
    admin = quick_panel.signed_in("admin")
    page = admin.send("/tokens/new", name="short", scopes=["calls:read"], days="30").text
    token = page.partition('translate="no">')[2].partition("<")[0]
    for days, valid in ((29, True), (2, False)):
        quick_panel.clock.pass_(days=days)
        with reading(quick_panel.engine) as session:
            assert (find_token(session, token, quick_panel.clock.now()) is not None) is valid


def test_the_audit_log_says_who_did_what_from_where(panel: Panel) -> None:
    panel.browser("198.51.100.3").sign_in("oper", "wrong")
    admin = panel.signed_in("admin", address="192.0.2.50")
    page = admin.get("/audit").text
    assert "wrong password" in page
    assert "198.51.100.3" in page
    assert "192.0.2.50" in page
    filtered = admin.get("/audit?actor=oper&action=signin.refused").text
    assert "198.51.100.3" in filtered
    assert "192.0.2.50" not in filtered
    assert "Nothing found" in admin.get("/audit?actor=nobody").text
    # What was typed for an unknown login may be a password: it stands nowhere.
    panel.browser().sign_in("my secret password", "x")
    assert "my secret password" not in admin.get("/audit").text


@pytest.mark.parametrize(("language", "word"), [("ru", "Профиль"), ("en", "Profile")])
def test_the_profile_decides_language_zone_and_colours(
    quick_panel: Panel, language: str, word: str
) -> None:
    other = "en" if language == "ru" else "ru"
    browser = quick_panel.signed_in("oper", language=other)
    answer = browser.send(
        "/profile", name="Oper", language=language, zone="Asia/Vladivostok", theme="dark"
    )
    assert answer.status_code == 302
    page = browser.get("/profile").text
    assert f'<html lang="{language}" data-bs-theme="dark">' in page
    assert f'class="page-title" tabindex="-1">{word}' in page
    admin = quick_panel.signed_in("admin", language=language)
    admin.send("/profile", name="Admin", language="", zone="Asia/Vladivostok", theme="system")
    assert "19:00:00" in admin.get("/audit").text
    assert browser.send("/profile/theme", "/profile", theme="light").status_code == 302
    assert 'data-bs-theme="light"' in browser.get("/profile").text
    assert browser.send("/profile/theme", "/profile", theme="pink").status_code == 400
    for wrong in ({"zone": "Mars/Olympus"}, {"language": "xx"}, {"theme": "pink"}):
        fields = {"name": "O", "language": "", "zone": "", "theme": "system"} | wrong
        assert browser.send("/profile", **fields).status_code == 422


def test_the_browser_decides_where_the_user_did_not(quick_panel: Panel) -> None:
    admin = quick_panel.browser(language="ru")
    admin.sign_in("admin", zone="Asia/Tokyo")
    page = admin.get("/audit").text
    assert "18:00:00" in page
    assert 'lang="ru"' in page
    elsewhere = quick_panel.browser()
    elsewhere.sign_in("admin", zone="Nonsense/Zone")
    assert "09:00:00" in elsewhere.get("/audit").text


def test_visitors_choose_a_language(quick_panel: Panel) -> None:
    browser = quick_panel.browser()
    assert 'lang="en"' in browser.get("/sign-in").text
    assert browser.send("/language", "/sign-in", language="ru", next="/sign-in").status_code == 302
    assert "Войти" in browser.get("/sign-in").text
    assert browser.send("/language", "/sign-in", language="xx").status_code == 400


def test_signing_out_elsewhere(quick_panel: Panel) -> None:
    here, elsewhere = quick_panel.signed_in("oper"), quick_panel.signed_in("oper")
    assert here.send("/profile/sign-out-elsewhere", "/profile").status_code == 302
    assert here.get("/profile").status_code == 200
    assert elsewhere.get("/profile").status_code == 302
    assert PASSWORD not in here.get("/profile").text
