"""The second step: switching it on, codes that count once, recovery codes, its limit."""

from __future__ import annotations

import re

import pyotp
from sqlalchemy import select

from telephony.accounts.signin import TRIES
from telephony.store.accounts import panel_user, recovery_code
from telephony.store.engine import reading
from tests.panel.people import PASSWORD, Browser, Panel


def _switch_on(panel: Panel, browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Switch it on as a person would and return the app and the recovery codes."""
    page = browser.get("/profile/second-step").text
    secret = re.search(r'translate="no">([A-Z2-7]{32})<', page)
    assert secret
    assert 'src="data:image/svg+xml;base64,' in page
    totp = pyotp.TOTP(secret[1])
    assert browser.send("/profile/second-step", code="000000", password=PASSWORD).status_code == 422
    code = totp.at(panel.clock.now())
    done = browser.send("/profile/second-step", code=code, password=PASSWORD)
    codes = re.findall(r"<li><code>([a-z0-9]{5}-[a-z0-9]{5})</code>", done.text)
    assert len(set(codes)) == 10
    return totp, codes


def _enter(browser: Browser, code: str) -> int:
    return browser.send("/sign-in/code", code=code).status_code


def test_signing_in_with_a_code(panel: Panel) -> None:
    here, elsewhere = panel.signed_in("admin"), panel.signed_in("admin")
    totp, _ = _switch_on(panel, here)
    assert elsewhere.get("/users").status_code == 302
    panel.clock.pass_(seconds=30)
    browser = panel.browser()
    answer = browser.sign_in("admin", next="/users")
    assert answer.headers["Location"] == "/sign-in/code?next=/users"
    # Half signed in opens nothing.
    assert browser.get("/users").status_code == 302
    assert _enter(browser, "123456") == 401
    code = totp.at(panel.clock.now())
    assert browser.send("/sign-in/code?next=/users", code=code).headers["Location"] == "/users"
    assert browser.get("/users").status_code == 200
    # The same code, in the same half minute, elsewhere: refused.
    thief = panel.browser()
    thief.sign_in("admin")
    assert _enter(thief, code) == 401
    panel.clock.pass_(seconds=30)
    assert _enter(thief, totp.at(panel.clock.now())) == 302


def test_a_recovery_code_counts_once(panel: Panel) -> None:
    _, codes = _switch_on(panel, panel.signed_in("admin"))
    for status in (302, 401):
        browser = panel.browser()
        browser.sign_in("admin")
        assert _enter(browser, codes[0].upper().replace("-", " ")) == status
    assert "8 recovery codes left" in _with_code(panel, codes[1]).get("/profile").text


def _with_code(panel: Panel, code: str) -> Browser:
    browser = panel.browser()
    browser.sign_in("admin")
    assert _enter(browser, code) == 302
    return browser


def test_the_eleventh_wrong_code_is_refused_and_so_is_the_right_one(panel: Panel) -> None:
    totp, _ = _switch_on(panel, panel.signed_in("admin"))
    panel.clock.pass_(seconds=30)
    for number in range(TRIES):
        browser = panel.browser(f"198.51.100.{number}")
        browser.sign_in("admin")
        assert _enter(browser, "000000") == 401
    browser = panel.browser()
    browser.sign_in("admin")
    assert _enter(browser, totp.at(panel.clock.now())) == 429


def test_the_time_for_the_code_runs_out(quick_panel: Panel) -> None:
    totp, _ = _switch_on(quick_panel, quick_panel.signed_in("admin"))
    browser = quick_panel.browser()
    browser.sign_in("admin")
    token = browser.token("/sign-in/code")
    quick_panel.clock.pass_(minutes=6)
    code = totp.at(quick_panel.clock.now())
    answer = browser.post("/sign-in/code", csrf_token=token, code=code)
    assert answer.headers["Location"] == "/sign-in"
    assert browser.get("/users").status_code == 302


def test_nothing_of_it_is_stored_in_the_open(quick_panel: Panel) -> None:
    totp, codes = _switch_on(quick_panel, quick_panel.signed_in("admin"))
    with reading(quick_panel.engine) as session:
        stored = session.execute(select(panel_user.c.totp_secret)).scalars().all()
        hashes = session.execute(select(recovery_code.c.hash)).scalars().all()
    assert not any(totp.secret in (text or "") for text in stored)
    assert len(hashes) == 10
    assert not set(codes) & set(hashes)


def test_switching_on_needs_the_password(quick_panel: Panel) -> None:
    browser = quick_panel.signed_in("oper")
    secret = re.search(r'translate="no">([A-Z2-7]{32})<', browser.get("/profile/second-step").text)
    assert secret
    code = pyotp.TOTP(secret[1]).at(quick_panel.clock.now())
    assert "Enter your password." in browser.send("/profile/second-step", code=code).text
    answer = browser.send("/profile/second-step", code=code, password="wrong")
    assert answer.status_code == 422
    assert "This is not your password." in answer.text
    assert quick_panel.browser().sign_in("oper").headers["Location"] == "/"


def test_switching_off_and_new_codes_need_the_password(quick_panel: Panel) -> None:
    browser = quick_panel.signed_in("oper")
    _switch_on(quick_panel, browser)
    for page in ("/profile/second-step/codes", "/profile/second-step/off"):
        assert "This is not your password." in browser.send(page, password="wrong").text
    codes = browser.send("/profile/second-step/codes", password=PASSWORD)
    assert len(re.findall(r"<li><code>", codes.text)) == 10
    assert browser.send("/profile/second-step/off", password=PASSWORD).status_code == 302
    assert quick_panel.browser().sign_in("oper").headers["Location"] == "/"


def test_the_password_there_is_limited_too(quick_panel: Panel) -> None:
    browser = quick_panel.signed_in("oper")
    _switch_on(quick_panel, browser)
    for _ in range(TRIES):
        browser.send("/profile/second-step/off", password="wrong")
    answer = browser.send("/profile/second-step/off", password=PASSWORD)
    assert "Too many wrong attempts" in answer.text
