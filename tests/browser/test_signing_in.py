"""Signing in: by keyboard, too often, and what an operator cannot open."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from telephony.accounts import Role
from tests.browser.pages import address
from tests.browser.panel import PASSWORD, USERS, Panel, sign_in
from tests.lab.browser import Chrome
from tests.panel.rights_table import closed_to

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_by_keyboard_alone(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome) as visitor:
        page = visitor.page
        visitor.expected = {401}
        await page.goto("/sign-in")
        # The first field has the focus.
        await page.keyboard.type("lead")
        await page.keyboard.press("Tab")
        await page.keyboard.type("wrong password")
        await page.keyboard.press("Enter")
        await page.locator(".field-error").wait_for()
        # After a wrong password the focus is where it is typed again.
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.locator("nav").wait_for()
        # The first thing that Tab reaches leads past the menu; then the menu, entry by entry.
        await page.keyboard.press("Tab")
        assert await _focused(page, "el => el.getAttribute('href')") == "#main"
        wanted = await page.locator("nav a").last.get_attribute("href")
        for _ in range(20):
            await page.keyboard.press("Tab")
            if await _focused(page, "el => el.getAttribute('href')") == wanted:
                break
        outline = "el => getComputedStyle(el).outlineStyle + getComputedStyle(el).boxShadow"
        assert await _focused(page, outline) != "nonenone", "the focus can be seen"
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**{wanted}")
        visitor.assert_quiet()


async def _focused(page: Page, script: str) -> object:
    """Evaluate something on the element that has the focus."""
    return await page.evaluate(f"() => ({script})(document.activeElement)")


async def test_the_eleventh_wrong_password_is_refused_and_then_the_right_one_too(
    chrome: Chrome, panel: Panel
) -> None:
    async with panel.visitor(chrome, address="192.0.2.11") as visitor:
        visitor.expected = {401, 429}
        answers = [
            await sign_in(visitor.page, "victim", f"wrong password {number}")
            for number in range(11)
        ]
        assert answers == [401] * 10 + [429]
        assert await sign_in(visitor.page, "victim") == 429
        visitor.assert_quiet()
    # Others, elsewhere, are not locked out with them.
    async with panel.visitor(chrome, "lead", address="192.0.2.12") as visitor:
        await visitor.page.locator("nav").wait_for()


async def test_an_operator_cannot_open_an_admins_page(chrome: Chrome, panel: Panel) -> None:
    assert USERS["anna"][0] is Role.OPERATOR
    closed = {name for name, method in closed_to(Role.OPERATOR) if method == "GET"}
    async with panel.visitor(chrome, "chief") as visitor:
        # `/users/1` and the like: addresses that there are.
        pages = await panel.pages(visitor.page)
    paths = [path for path, name in pages.items() if name in closed]
    # Downloads are no pages, and of some things there is none: nobody gets as far as to see that.
    paths += [address(panel.app, name) for name in closed - {pages[path] for path in paths}]
    async with panel.visitor(chrome, "anna") as visitor:
        visitor.expected = {403}
        for path in paths:
            answer = await visitor.page.goto(path)
            assert answer is not None
            assert answer.status == 403, path
            offered = await visitor.page.locator("nav a").evaluate_all(
                "links => links.map(link => link.getAttribute('href'))"
            )
            assert path not in offered
        visitor.assert_quiet()
