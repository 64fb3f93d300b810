"""Missed calls under one's hands: by the keyboard, while the list renews itself."""

from __future__ import annotations

import pytest

from tests.browser.panel import Panel
from tests.browser.test_moving_about import renewed
from tests.lab.browser import Chrome

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_is_ticked_and_focused_stays_while_the_list_renews_itself(
    chrome: Chrome, panel: Panel
) -> None:
    async with panel.visitor(chrome, "lead") as visitor:
        page = visitor.page
        await page.goto("/missed?view=open")
        boxes = page.locator("main .cases input[type=checkbox]")
        chosen = [await boxes.nth(place).get_attribute("id") for place in (0, 2)]
        for one in chosen:
            await page.locator(f"#{one}").focus()
            await page.keyboard.press("Space")
        asked = await renewed(page)
        assert asked.url.endswith("/missed?view=open")
        ticked = await page.locator("main .cases input:checked").evaluate_all(
            "all => all.map(one => one.id)"
        )
        assert ticked == chosen
        assert await page.evaluate("() => document.activeElement.id") == chosen[-1]
        await page.locator("#bulk button").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/missed/close?*")
        # Another test may have left this user's language at Russian.
        assert " 2 " in await page.locator("h1").inner_text()
        assert await visitor.violations() == []
        visitor.assert_quiet()


async def test_everybody_sees_at_once_that_callbacks_are_stopped(
    chrome: Chrome, panel: Panel
) -> None:
    async with (
        panel.visitor(chrome, "anna") as operator,
        panel.visitor(chrome, "lead", address="192.0.2.2") as lead,
    ):
        await operator.page.goto("/")
        page = lead.page
        await page.goto("/missed/stop")
        await page.locator("#reason").fill("too many calls")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/missed")
        assert await lead.violations() == []
        stopped = operator.page.locator("#callbacks-stopped .notice")
        await stopped.wait_for(timeout=15_000)
        assert "too many calls" in await stopped.inner_text()
        await page.locator("#callbacks-stopped button").click()
        await stopped.wait_for(state="detached", timeout=15_000)
        operator.assert_quiet()
        lead.assert_quiet()


async def test_a_number_that_is_clicked_may_be_refused_in_words(
    chrome: Chrome, panel: Panel
) -> None:
    async with panel.visitor(chrome, "chief") as visitor:
        page = visitor.page
        await page.goto("/missed/stop")
        await page.locator("#reason").fill("a test")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/missed")
        await page.goto("/clients")
        await page.locator("button.dial").first.focus()
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert page.url.endswith("/clients")
        said = page.locator("main .notice-warn")
        assert "All callbacks are stopped." in await said.inner_text()
        await page.locator("#callbacks-stopped button").click()
        await page.wait_for_url("**/missed")
        visitor.assert_quiet()
