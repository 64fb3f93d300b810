"""Going back, the menu of a telephone, keys, and pages that renew themselves under one's hands."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, Request

from tests.browser.panel import Panel
from tests.lab.browser import Chrome

pytestmark = pytest.mark.asyncio(loop_scope="session")

_PLACE = "() => document.activeElement.closest('#menu') ? 'menu' : document.activeElement.tagName"


async def renewed(page: Page) -> Request:
    """Wait until a part of the page was asked for anew and put into its place."""
    mark = "() => document.querySelector('[data-quiet]').dataset.seen = '1'"
    await page.evaluate(mark)
    async with page.expect_request(lambda one: "x-renewal" in one.headers) as asked:
        pass
    await page.wait_for_function("() => !document.querySelector('[data-quiet]').dataset.seen")
    return await asked.value


async def test_the_menu_of_a_telephone_works_after_going_back(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, "lead", screen="phone") as visitor:
        page = visitor.page
        await page.goto("/calls")
        await page.locator("#search").fill("2233")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/calls?*q=2233*")
        await page.wait_for_load_state("networkidle")
        await page.go_back()
        await page.wait_for_url("**/calls")
        # The page as that address has it: the box, the list and the scripts.
        await page.wait_for_function("() => document.querySelector('#search').value === ''")
        await page.wait_for_load_state("networkidle")
        assert await page.locator("main tbody tr").count() == len(panel.records)
        await page.locator("#menu-button").click()
        await page.wait_for_function("() => document.body.classList.contains('menu-open')")
        assert await page.locator("#menu-button").get_attribute("aria-expanded") == "true"
        visitor.assert_quiet()


async def test_tab_stays_within_the_open_menu(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, "chief", screen="phone") as visitor:
        page = visitor.page
        await page.goto("/users")
        await page.locator("#menu-button").click()
        assert await page.evaluate(_PLACE) == "menu"
        entries = await page.locator("#menu a, #menu button").count()
        for _ in range(entries):
            await page.keyboard.press("Tab")
            # After the last entry comes the browser's own window, which is the body to the page.
            assert await page.evaluate(_PLACE) in ("menu", "BODY")
        await page.keyboard.press("Escape")
        assert not await page.evaluate("() => document.body.classList.contains('menu-open')")
        await page.locator("#menu-button").click()
        await page.locator("#menu-close").click()
        assert await page.evaluate("() => document.activeElement.id") == "menu-button"
        assert await page.locator("[inert]").count() == 0
        # Widened while it is open: nothing stays out of reach.
        await page.locator("#menu-button").click()
        assert await page.locator("[inert]").count() > 0
        await page.set_viewport_size({"width": 1280, "height": 800})
        await page.wait_for_function("() => !document.querySelector('[inert]')")
        visitor.assert_quiet()


@pytest.mark.parametrize("key", ["/", "."])
async def test_the_key_of_the_slash_searches_in_any_layout(
    chrome: Chrome, panel: Panel, key: str
) -> None:
    async with panel.visitor(chrome, "lead") as visitor:
        page = visitor.page
        await page.goto("/calls")
        pressed = "key => document.dispatchEvent(new KeyboardEvent('keydown', %s))"
        await page.evaluate(pressed % "{key, code: 'Slash', bubbles: true}", key)
        assert await page.evaluate("() => document.activeElement.id") == "search"


async def test_a_renewal_keeps_the_focus_and_says_what_it_is(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, "lead") as visitor:
        page = visitor.page
        await page.goto("/operators")
        links = page.locator("#now a[href^='/operators/']")
        assert await links.count() > 2
        await links.nth(2).focus()
        focused = "() => document.activeElement.outerHTML"
        before = await page.evaluate(focused)
        await renewed(page)
        assert await page.evaluate(focused) == before
        assert await page.evaluate("() => document.activeElement.closest('#now') !== null")
        visitor.assert_quiet()


async def test_a_renewal_closes_nothing_that_is_open(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, "lead") as visitor:
        page = visitor.page
        await page.goto("/health")
        folded = page.locator("details.part-figures")
        assert await folded.count() > 1
        await folded.nth(1).locator("summary").click()
        await renewed(page)
        opened = await folded.evaluate_all("all => all.map(one => one.open)")
        assert [place for place, is_open in enumerate(opened) if is_open] == [1]
        tag = await page.evaluate("() => document.activeElement.tagName")
        assert tag == "SUMMARY"
        visitor.assert_quiet()


async def test_a_renewal_leaves_selected_text_alone(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, "lead") as visitor:
        page = visitor.page
        await page.goto("/")
        asked: list[str] = []
        page.on(
            "request", lambda one: asked.append(one.url) if "x-renewal" in one.headers else None
        )
        choose = "() => getSelection().selectAllChildren(document.querySelector('#now .tile-name'))"
        await page.evaluate(choose)
        skipped = """() => new Promise(done => document.addEventListener(
            "htmx:beforeRequest", event => setTimeout(() => done(event.defaultPrevented))))"""
        assert await page.evaluate(skipped)
        assert asked == []
        assert await page.evaluate("() => String(getSelection())") != ""
