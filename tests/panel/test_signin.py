"""Signing in: the password, the limits, the session and its end."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from argon2 import PasswordHasher
from flask import request
from sqlalchemy import select
from werkzeug.test import TestResponse

from telephony.accounts.passwords import Passwords, digest
from telephony.accounts.signin import (
    ABSOLUTE,
    ADDRESS_TRIES,
    IDLE,
    TRIES,
    WINDOW,
    Refused,
    Visitor,
    sign_in,
)
from telephony.store.accounts import count_try, find_user, panel_session, panel_user
from telephony.store.engine import reading, writing
from tests.api.company import QUICK
from tests.panel.conftest import settings_in
from tests.panel.people import PASSWORD, START, Panel
from web import create_app
from web.assets import LIST
from web.rights import public
from web.sessions import RENEWAL

WEB = LIST.parent


def _wrong(panel: Panel, times: int, login: str = "oper", address: str = "192.0.2.9") -> None:
    browser = panel.browser(address)
    for _ in range(times):
        assert browser.sign_in(login, "wrong").status_code == 401


def _cookie(answer: TestResponse) -> str:
    (header,) = [h for h in answer.headers.getlist("Set-Cookie") if h.startswith("dutyline=")]
    return header


def test_signing_in_and_out(panel: Panel) -> None:
    browser = panel.browser()
    assert browser.get("/users").headers["Location"] == "/sign-in?next=/users"
    before = _cookie(browser.get("/sign-in"))
    answer = browser.sign_in("  Admin ", next="/users")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/users"
    cookie = _cookie(answer)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert cookie.split(";")[0] != before.split(";")[0]
    assert browser.get("/users").status_code == 200
    stolen = panel.browser()
    stolen.client.set_cookie("dutyline", cookie.split(";")[0].partition("=")[2])
    assert stolen.get("/users").status_code == 200
    assert browser.send("/sign-out", "/profile").status_code == 302
    # The row is gone: the old cookie opens nothing, wherever it is.
    assert browser.get("/users").status_code == 302
    assert stolen.get("/users").status_code == 302


def test_a_cookie_from_before_is_not_kept(quick_panel: Panel) -> None:
    """Session fixation: what an attacker put into the browser does not become the session."""
    browser = quick_panel.browser()
    planted = _cookie(browser.get("/sign-in")).split(";")[0].partition("=")[2]
    browser.sign_in("admin")
    other = quick_panel.browser()
    other.client.set_cookie("dutyline", planted)
    assert other.get("/users").status_code == 302


def test_unknown_users_and_wrong_passwords_look_the_same(quick_panel: Panel) -> None:
    pages = []
    for login in ("admin", "nobody"):
        answer = quick_panel.browser().sign_in(login, "wrong")
        assert answer.status_code == 401
        assert "Login or password is wrong." in answer.text
        pages.append(answer.text.replace(f'value="{login}"', "").partition("<body")[2])
    assert pages[0].count("\n") == pages[1].count("\n")


def test_a_hash_is_computed_for_unknown_users_too() -> None:
    class Counting(PasswordHasher):
        checked = 0

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            Counting.checked += 1
            return super().verify(hash, password)

    passwords = Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1))
    assert not passwords.fits("anything", None)
    assert Counting.checked == 1
    kept = passwords.hash("anything")
    assert passwords.fits("anything", kept)
    assert not passwords.fits("anything else", kept)
    assert not passwords.fits("anything", "no hash")


def test_the_eleventh_wrong_password_of_an_account_is_refused(panel: Panel) -> None:
    for number in range(TRIES):
        answer = panel.browser(f"198.51.100.{number}").sign_in("oper", "wrong")
        assert answer.status_code == 401
    panel.clock.pass_(minutes=5)
    for password in ("wrong", PASSWORD):
        answer = panel.browser("203.0.113.5").sign_in("oper", password)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 601
        assert "for 10 minutes" in answer.text or "for 11 minutes" in answer.text
    # Others go on signing in, also from the address that was told so.
    assert panel.browser("203.0.113.5").sign_in("boss").status_code == 302
    panel.clock.pass_(seconds=WINDOW.total_seconds())
    assert panel.browser("203.0.113.5").sign_in("oper").status_code == 302


def _guess(panel: Panel, addresses: Iterable[str]) -> list[int]:
    """Try a wrong password of another account from each address; return the answers."""
    found = [
        sign_in(panel.engine, QUICK, f"guess{number}", "wrong", Visitor(address), START)
        for number, address in enumerate(addresses)
    ]
    assert all(isinstance(one, Refused) for one in found)
    return [one.retry_after for one in found if isinstance(one, Refused)]


def test_a_hundred_wrong_passwords_from_an_address_are_enough(panel: Panel) -> None:
    assert not any(_guess(panel, ["198.51.100.7"] * ADDRESS_TRIES))
    answer = panel.browser("198.51.100.7").sign_in("admin")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert panel.browser("198.51.100.8").sign_in("admin").status_code == 302


def test_ten_typing_errors_of_ten_people_shut_no_office_out(panel: Panel) -> None:
    assert not any(_guess(panel, ["198.51.100.7"] * TRIES * 2))
    assert panel.browser("198.51.100.7").sign_in("boss").status_code == 302


def test_the_addresses_of_one_ipv6_network_are_one(quick_panel: Panel) -> None:
    many = [f"2001:db8:1:2::{number:x}" for number in range(ADDRESS_TRIES)]
    assert not any(_guess(quick_panel, many))
    assert quick_panel.browser("2001:db8:1:2:ffff::1").sign_in("boss").status_code == 429
    assert quick_panel.browser("2001:db8:1:3::1").sign_in("boss").status_code == 302
    mapped = ["::ffff:198.51.100.9"] * ADDRESS_TRIES
    assert not any(_guess(quick_panel, mapped))
    assert quick_panel.browser("198.51.100.9").sign_in("boss").status_code == 429
    assert quick_panel.browser("::ffff:198.51.100.10").sign_in("boss").status_code == 302


def test_a_success_clears_the_account_but_not_the_address(panel: Panel) -> None:
    _guess(panel, ["192.0.2.9"] * (ADDRESS_TRIES - 1))
    _wrong(panel, TRIES - 1, address="192.0.2.77")
    assert panel.browser("192.0.2.9").sign_in("oper").status_code == 302
    _wrong(panel, 1, address="192.0.2.77")
    # 99 from this address stand, though it was right once: one more, then no more.
    _wrong(panel, 1, login="boss")
    assert panel.browser("192.0.2.9").sign_in("boss", "wrong").status_code == 429


def test_many_successes_from_one_office_are_fine(quick_panel: Panel) -> None:
    for _ in range(TRIES + 5):
        assert quick_panel.browser().sign_in("oper").status_code == 302


def test_tries_at_the_same_moment_are_all_counted(panel: Panel) -> None:
    counts: list[int] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        with writing(panel.engine) as session:
            counts.append(count_try(session, "account", "x", panel.clock.now(), WINDOW)[0])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(1, 9))


def test_sessions_end_after_idleness_and_after_a_week(panel: Panel) -> None:
    idle = panel.signed_in("oper")
    busy = panel.signed_in("boss")
    for _ in range(int(ABSOLUTE / timedelta(hours=6)) - 1):
        panel.clock.pass_(hours=6)
        assert busy.get("/health").status_code == 200
    assert idle.get("/profile").status_code == 302
    panel.clock.pass_(hours=6)
    assert busy.get("/health").status_code == 302
    assert timedelta(hours=6) < IDLE


def test_a_page_that_renews_itself_does_not_prolong_the_session(quick_panel: Panel) -> None:
    browser = quick_panel.signed_in("boss")
    for path, hours in (("/", 5), ("/operators", 5), ("/health", 1)):
        quick_panel.clock.pass_(hours=hours)
        assert browser.get(path, headers={"X-Renewal": "1"}).status_code == 200
    quick_panel.clock.pass_(hours=1)
    answer = browser.get("/", headers={"X-Renewal": "1", "HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in"
    assert timedelta(hours=12) == IDLE


def test_every_page_that_renews_itself_says_so_when_it_asks(quick_panel: Panel) -> None:
    for template in (WEB / "templates").rglob("*.html"):
        made_by_hand = 'hx-trigger="every' in template.read_text(encoding="utf-8")
        assert made_by_hand is (template.name == "ui.html"), template
    browser = quick_panel.signed_in("boss")
    for path in ("/", "/operators", "/health"):
        page = browser.get(path).text
        assert page.count('hx-trigger="every') == 1
        assert f"""hx-headers='{{"{RENEWAL}": "1"}}'""" in page


def test_a_user_who_is_disabled_is_out_at_once(panel: Panel) -> None:
    oper = panel.signed_in("oper")
    admin = panel.signed_in("admin")
    with reading(panel.engine) as session:
        user = find_user(session, "oper")
    assert user is not None
    page = f"/users/{user.id}"
    assert admin.send(f"{page}/active", page, active="0").status_code == 302
    assert oper.get("/profile").status_code == 302
    assert panel.browser().sign_in("oper").status_code == 401
    assert admin.send(f"{page}/active", page, active="1").status_code == 302
    assert panel.browser().sign_in("oper").status_code == 302


def test_a_new_password_ends_the_other_sessions_and_renews_the_cookie(panel: Panel) -> None:
    here, elsewhere = panel.signed_in("oper"), panel.signed_in("oper")
    fields = {"present": PASSWORD, "password": "a much better one", "again": "a much better one"}
    wrong = here.send("/profile/password", **{**fields, "present": "wrong"})
    assert wrong.status_code == 422
    assert "This is not your password." in wrong.text
    assert (
        "The two are not the same."
        in here.send("/profile/password", **{**fields, "again": "another one here"}).text
    )
    assert (
        "Use at least 10 characters."
        in here.send("/profile/password", present=PASSWORD, password="short1", again="short1").text
    )
    answer = here.send("/profile/password", **fields)
    assert answer.status_code == 302
    assert _cookie(answer)
    assert here.get("/profile").status_code == 200
    assert elsewhere.get("/profile").status_code == 302
    assert panel.browser().sign_in("oper").status_code == 401
    assert panel.browser().sign_in("oper", "a much better one").status_code == 302


def test_an_old_hash_is_made_anew_at_sign_in(quick_panel: Panel) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    with writing(quick_panel.engine) as session:
        session.execute(panel_user.update().values(password_hash=old))
    assert quick_panel.browser().sign_in("oper").status_code == 302
    with reading(quick_panel.engine) as session:
        user = find_user(session, "oper")
        other = find_user(session, "boss")
    assert user is not None
    assert other is not None
    assert user.password_hash != old
    assert other.password_hash == old


def test_the_database_holds_no_token_of_a_session(quick_panel: Panel) -> None:
    browser = quick_panel.signed_in("admin")
    with browser.client.session_transaction() as cookie:
        token = cookie["token"]
    with reading(quick_panel.engine) as session:
        (row,) = session.execute(select(panel_session)).mappings()
    assert row["id"] == digest(token)
    assert token not in str(row)


def test_the_first_run_says_how_to_make_a_user(quick_panel: Panel) -> None:
    hint = "dutyline users add NAME --role admin"
    assert hint not in quick_panel.browser().get("/sign-in").text
    with writing(quick_panel.engine) as session:
        session.execute(panel_user.delete())
    assert hint in quick_panel.browser().get("/sign-in").text


def test_with_https_the_cookie_is_secure(quick_panel: Panel, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, DUTYLINE_WEB_URL="https://calls.example.com")
    app = create_app(settings, quick_panel.engine)
    answer = app.test_client().get("/sign-in", base_url="https://calls.example.com")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-dutyline=")
    assert "Secure" in cookie
    assert answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(("hops", "address"), [(0, "127.0.0.1"), (1, "203.0.113.9")])
def test_forwarded_addresses_count_only_when_told(
    quick_panel: Panel, tmp_path: Path, hops: int, address: str
) -> None:
    settings = settings_in(tmp_path, DUTYLINE_WEB_PROXIES=str(hops))
    app = create_app(settings, quick_panel.engine)
    app.add_url_rule("/whence", "whence", public(lambda: request.remote_addr or ""))
    headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
    assert app.test_client().get("/whence", headers=headers).text == address
