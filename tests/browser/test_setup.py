"""Setting up in a real Chromium: from nothing by keyboard only, and a what-if."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page

from tests.browser.panel import Panel
from tests.demo import company
from tests.lab.browser import Chrome

pytestmark = pytest.mark.asyncio(loop_scope="session")

_MOST_TABS = 120


async def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on an element; AssertionError when it never gets there."""
    for _ in range(_MOST_TABS):
        await page.keyboard.press("Tab")
        if await page.evaluate("one => document.activeElement.matches(one)", selector):
            return
    raise AssertionError(f"no Tab leads to {selector} on {page.url}")


async def _type_in(page: Page, name: str, text: str) -> None:
    await _tab_to(page, f"[name='{name}']")
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.type(text)


async def _enter(page: Page, selector: str) -> None:
    """Press Enter on a link or a button and wait for the page that comes."""
    await _tab_to(page, selector)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def _save(page: Page) -> None:
    """Press Enter in a field, which saves the form."""
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def test_an_admin_sets_up_from_nothing_by_keyboard_only(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, "chief") as visitor:
        page = visitor.page
        await page.goto("/setup")
        await _enter(page, ".setup-steps a[href='/setup/operators']")
        await _enter(page, "a[href='/setup/operators/new']")
        await _type_in(page, "extension", "180")
        await _type_in(page, "name", "Keyboard Kate")
        await _type_in(page, "mobile", "8 (900) 180-00-00")
        await _save(page)
        assert re.search("/setup/operators$", page.url)
        await page.get_by_text("Keyboard Kate").wait_for()

        await _enter(page, ".tabs a[href='/setup/groups']")
        await _enter(page, "a[href='/setup/groups/new']")
        await _type_in(page, "name", "Keyboards")
        await _type_in(page, "zone", "Europe/Moscow")
        await _save(page)
        await page.get_by_text("Keyboards").first.wait_for()

        await page.goto("/numbers")
        await _enter(page, "a[href='/numbers/new']")
        await _type_in(page, "number", "+74951800000")
        await _type_in(page, "title", "Keys")
        await _tab_to(page, "[name=group]")
        await page.keyboard.type("Keyboards")
        await _type_in(page, "greeting", "hello-world")
        await _save(page)
        await page.get_by_text("Keys", exact=True).wait_for()

        await page.goto("/explain")
        await _type_in(page, "did", "74951800000")
        await _save(page)
        said = await page.locator(".why").inner_text()
        assert "belongs to group Keyboards" in said
        assert await visitor.violations() == []


async def test_a_what_if_saves_nothing_and_marks_what_differs(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, "chief") as visitor:
        page = visitor.page
        await page.goto("/setup/operators/edit/101")
        await page.locator("[name=mobile]").fill("")
        await page.locator("[name='try-number']").fill(company.ROMASHKA)
        async with page.expect_navigation():
            await page.locator("button[name=try]").click()
        plans = page.locator(".side-by-side .plan")
        assert await plans.count() == 2
        before, after = await plans.nth(0).inner_text(), await plans.nth(1).inner_text()
        assert "mobile" in before
        assert "mobile" not in after
        assert await plans.nth(0).locator(".differs").count() == 1
        assert await page.locator("[name=mobile]").input_value() == ""
        assert await visitor.violations() == []
        await page.goto("/setup/operators/edit/101")
        assert await page.locator("[name=mobile]").input_value() == company.MOBILE
