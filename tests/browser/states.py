"""What pages look like after something was done: states that no address alone leads to."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pyotp
from playwright.async_api import Page

from tests.browser.panel import PASSWORD, Panel, sign_in
from tests.lab.browser import SCREENS, Chrome, Visitor

# The states that must come, so that none is left out unseen.
NAMES = (
    "sign-in error",
    "sign-in code",
    "code error",
    "form error",
    "shown password",
    "made token",
    "token error",
    "list with paging",
    "list without hits",
    "open dialog",
    "keyboard help",
    "phone menu",
    "second step",
    "recovery codes",
    "new recovery codes",
    "second step off",
)

State = tuple[str, Visitor]


async def states(panel: Panel, chrome: Chrome, **look: Any) -> AsyncIterator[State]:
    """Bring a visitor into each state in turn; `look` is for `Panel.visitor`."""
    async with panel.visitor(chrome, **look) as visitor:
        visitor.expected = {401}
        await sign_in(visitor.page, "nobody", "wrong password")
        await visitor.page.locator(".field-error").wait_for()
        yield "sign-in error", visitor
    async with panel.visitor(chrome, "chief", **look) as visitor:
        visitor.expected = {422}
        async for state in _of_an_admin(visitor):
            yield state
    async for state in _of_the_second_step(panel, chrome, look):
        yield state


async def _of_an_admin(visitor: Visitor) -> AsyncIterator[State]:
    page = visitor.page
    await page.goto("/users/new")
    await _send(page)
    await page.locator(".field-error").first.wait_for()
    yield "form error", visitor
    await page.goto("/users/new")
    await page.locator("#login").fill(f"new.{secrets.token_hex(4)}")
    await page.locator("#name").fill("Somebody New")
    await _send(page)
    await page.locator(".secret code").wait_for()
    yield "shown password", visitor
    await page.goto("/tokens/new")
    await _send(page)
    await page.locator(".field-error").first.wait_for()
    yield "token error", visitor
    await page.locator("#name").fill("CRM")
    await page.locator("input[name=scopes]").first.check()
    await _send(page)
    await page.locator(".secret code").wait_for()
    yield "made token", visitor
    await _open(page, "/tokens")
    await page.locator("[data-dialog^=revoke]").first.click()
    await page.locator("dialog[open]").wait_for()
    yield "open dialog", visitor
    await _open(page, "/audit")
    await page.locator(".paging-pages").wait_for()
    yield "list with paging", visitor
    await page.goto("/calls?q=nobody+is+called+so")
    await page.locator(".empty-state").wait_for()
    yield "list without hits", visitor
    await page.keyboard.press("?")
    await page.locator("#help[open]").wait_for()
    yield "keyboard help", visitor
    await _open(page, "/")
    before = page.viewport_size
    await page.set_viewport_size(dict(zip(("width", "height"), SCREENS["phone"], strict=True)))  # type: ignore[arg-type]
    await page.locator("#menu-button").click()
    await page.locator("#menu-close").wait_for()
    yield "phone menu", visitor
    assert before is not None
    await page.set_viewport_size(before)


async def _of_the_second_step(
    panel: Panel, chrome: Chrome, look: dict[str, Any]
) -> AsyncIterator[State]:
    async with panel.visitor(chrome, "steps", **look) as visitor:
        page = visitor.page
        visitor.expected = {401, 422}
        await _open(page, "/profile/second-step")
        yield "second step", visitor
        totp = pyotp.TOTP(await page.locator(".secret code").inner_text())
        await page.locator("#code").fill(totp.at(datetime.now(UTC)))
        await page.locator("#password").fill(PASSWORD)
        await _send(page)
        await page.locator(".codes").wait_for()
        yield "recovery codes", visitor
        async with panel.visitor(chrome, **look) as elsewhere:
            elsewhere.expected = {401}
            await sign_in(elsewhere.page, "steps")
            assert urlsplit(elsewhere.page.url).path == "/sign-in/code"
            yield "sign-in code", elsewhere
            await elsewhere.page.locator("#code").fill("000000")
            await elsewhere.page.locator("main form button.btn-primary").first.click()
            await elsewhere.page.locator(".field-error").wait_for()
            yield "code error", elsewhere
        await _open(page, "/profile/second-step/codes")
        yield "new recovery codes", visitor
        await _open(page, "/profile/second-step/off")
        yield "second step off", visitor
        await page.locator("#password").fill(PASSWORD)
        await _send(page)
        await page.wait_for_url("**/profile")


async def _open(page: Page, path: str) -> None:
    """Open a page that must be there, not where it redirects to."""
    await page.goto(path)
    assert urlsplit(page.url).path == path, f"{path} leads to {page.url}"


async def _send(page: Page) -> None:
    """Send the page's form and wait for what comes."""
    async with page.expect_navigation():
        await page.locator("main form .form-actions button[type=submit]").click()
