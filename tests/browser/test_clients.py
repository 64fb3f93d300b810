"""A client is added, found, changed by a file and blocked, by somebody at a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.panel import Panel
from tests.browser.widths import cut_off
from tests.lab.browser import Chrome, Scheme, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Numbers of this test alone: others count the clients of the demo.
LOOKS: list[tuple[str, Scheme, str, str]] = [
    ("desktop", "light", "en", "55511"),
    ("phone", "dark", "ru", "55522"),
]


async def sound(visitor: Visitor) -> None:
    """Check the page as it is: axe, the console, and that nothing is cut off."""
    assert [str(one) for one in await visitor.violations()] == []
    assert await cut_off(visitor) == []


async def send(page: Page) -> None:
    """Send the form of the page by its main button, with the keyboard."""
    button = page.locator("main form[method=post] button[type=submit]").last
    async with page.expect_navigation():
        await button.focus()
        await page.keyboard.press("Enter")


async def found(page: Page, what: str) -> str:
    """Return what the list of clients shows for a search."""
    await page.goto("/clients")
    await page.keyboard.press("/")
    await page.keyboard.type(what)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/clients?*q=*")
    await page.wait_for_load_state("networkidle")
    return re.sub(r"\s+", " ", await page.locator("#list").inner_text())


@pytest.mark.parametrize(("screen", "scheme", "language", "digits"), LOOKS)
async def test_from_nothing_to_a_blocked_number(
    chrome: Chrome,
    panel: Panel,
    tmp_path: Path,
    screen: str,
    scheme: Scheme,
    language: str,
    digits: str,
) -> None:
    name, file = f"Kuznetsov {digits}", tmp_path / "clients.csv"
    async with panel.visitor(
        chrome, "lead", screen=screen, scheme=scheme, language=language
    ) as visitor:
        visitor.expected = {422}
        page = visitor.page
        # What is wrong stands beside its field, and what was typed stays.
        await page.goto("/clients/new")
        await page.locator("#name").fill(name)
        await page.locator("#phone-1").fill("12")
        await page.locator("#phone-2").fill("8 900 111-22-33")
        await page.locator("input[name=stage][value=lead]").check()
        await page.locator("#sales_manager").select_option("103")
        await send(page)
        await expect(page.locator("#phone-1-error")).to_be_visible()
        await expect(page.locator("#phone-2-error a")).to_have_text("Romashka LLC")
        await expect(page.locator("#name")).to_have_value(name)
        await sound(visitor)
        await page.locator("#phone-1").fill(f"8 (900) {digits[:3]}-{digits[3:]}-01")
        await page.locator("#phone-2").fill("")
        await send(page)
        await page.wait_for_url(re.compile(r"/clients/\d+$"))
        await sound(visitor)
        address = page.url
        for typed in (
            f"8 900 {digits}01",
            f"+7 (900) {digits[:3]} {digits[3:]} 01",
            f"{digits}01",
            f"kuzn {digits}",
        ):
            assert name in await found(page, typed), typed
        # A file: what it would change is looked at first.
        file.write_text(
            f"name,phones,vip\n{name} Jr,+7900{digits}01|+7900{digits}02,yes\nbroken,1,no\n",
            encoding="utf-8",
        )
        await page.goto("/clients/import")
        await page.locator("#file").set_input_files(file)
        await send(page)
        await expect(page.locator("main .notice-bad")).to_be_visible()
        await sound(visitor)
        text = file.read_text(encoding="utf-8").replace("broken,1,no\n", "")
        file.write_text(text, encoding="utf-8")
        await page.goto("/clients/import")
        await page.locator("#file").set_input_files(file)
        await send(page)
        assert f"{name} → {name} Jr" in await page.locator("main").inner_text()
        await sound(visitor)
        await send(page)
        await page.wait_for_url("**/clients")
        await page.goto(address)
        await expect(page.locator("h1")).to_have_text(f"{name} Jr")
        # Blocked from the client's page, which asks first.
        await page.locator(f'a[href="/blocked/new?number=%2B7900{digits}02"]').click()
        await page.wait_for_url("**/blocked/new*")
        await expect(page.locator("main .notice-warn a")).to_have_text(f"{name} Jr")
        await sound(visitor)
        await page.locator("#reason").fill("a test")
        await send(page)
        await page.wait_for_url("**/blocked")
        await expect(page.locator("#list")).to_contain_text(f"{name} Jr")
        await sound(visitor)
        # And nothing is left of it.
        await page.locator("#list a.btn").first.click()
        await page.wait_for_url("**/delete")
        await send(page)
        await page.wait_for_url("**/blocked")
        await page.goto(f"{address}/delete")
        await sound(visitor)
        await send(page)
        await page.wait_for_url("**/clients")
        assert name not in await page.locator("#list").inner_text()
        visitor.assert_quiet()


async def test_an_operator_looks_only(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, "anna") as visitor:
        visitor.expected = {403}
        await visitor.page.goto("/clients")
        assert await visitor.page.locator('a[href="/clients/new"]').count() == 0
        answer = await visitor.page.goto("/blocked")
        assert answer is not None
        assert answer.status == 403
        visitor.assert_quiet()
