"""Calls made on the real Asterisk, found and read in the panel."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page

from telephony.domain.record import CallRecord
from telephony.words import LANGUAGES, say_checked
from tests.browser.panel import EVIL, EVIL_NAME, PAYLOAD, Panel
from tests.demo import company
from tests.lab.browser import Chrome
from web.i18n import unbroken_phone

pytestmark = pytest.mark.asyncio(loop_scope="session")


def of(panel: Panel, number: str) -> CallRecord:
    """Return the record of the call from a number."""
    (found,) = [record for record in panel.records if record.number == number]
    return found


async def find(page: Page, what: str) -> None:
    """Type into the search box of the calls and wait until the list is the one asked for."""
    await page.goto("/calls")
    await page.keyboard.press("/")
    await page.keyboard.type(what)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/calls?*q=*")
    await page.wait_for_load_state("networkidle")


async def rows(page: Page) -> list[str]:
    """Return the texts of the list's rows."""
    return await page.locator("main table tbody tr").all_inner_texts()


async def text_of(page: Page) -> str:
    """Return what the page says, in one line."""
    return re.sub(r"\s+", " ", await page.locator("main").inner_text())


@pytest.mark.parametrize(
    "typed", ["8 (900) 111-22-33", "+7 900 111 22 33", "9001112233", "Romashka"]
)
async def test_the_call_just_made_is_found_however_its_number_is_typed(
    chrome: Chrome, panel: Panel, typed: str
) -> None:
    async with panel.visitor(chrome, "lead") as visitor:
        await find(visitor.page, typed)
        (row,) = await rows(visitor.page)
        assert "Romashka LLC" in row
        visitor.assert_quiet()


async def test_its_trace_is_read_in_both_languages(chrome: Chrome, panel: Panel) -> None:
    decision = of(panel, company.ROMASHKA).decision
    assert decision is not None
    async with panel.visitor(chrome, "lead") as visitor:
        page = visitor.page
        await find(page, "8 900 1112233")
        await page.locator("main table tbody tr a").first.click()
        await page.wait_for_url("**/calls/*")
        address = page.url
        for language in LANGUAGES:
            await page.goto("/profile")
            await page.locator("select[name=language]").select_option(language)
            async with page.expect_navigation():
                await page.locator("select[name=language]").press("Enter")
                await page.locator("main form button.btn-primary[type=submit]").first.click()
            await page.goto(address)
            assert await page.locator("html").get_attribute("lang") == language
            shown = await text_of(page)
            for line in decision.trace:
                with panel.app.test_request_context():
                    sentence = re.sub(r"\s+", " ", say_checked(line, language, unbroken_phone))
                rule, _, became = sentence.partition(": ")
                assert rule in shown
                assert became in shown
        visitor.assert_quiet()


async def test_nothing_that_a_caller_or_a_client_is_called_runs(
    chrome: Chrome, panel: Panel
) -> None:
    async with panel.visitor(chrome, "chief") as visitor:
        page = visitor.page
        await page.goto("/calls")
        assert len(await rows(page)) == len(panel.records)
        assert EVIL_NAME in await text_of(page)
        await find(page, PAYLOAD)
        assert PAYLOAD in await page.locator("#search").input_value()
        for record in panel.records:
            await page.goto(f"/calls/{record.call_id}")
            assert await page.evaluate("() => window.ran === undefined")
            assert PAYLOAD not in record.number
        await page.goto(f"/calls/{of(panel, EVIL).call_id}")
        shown = await text_of(page)
        assert EVIL_NAME in shown
        await page.goto("/clients")
        assert EVIL_NAME in await text_of(page)
        assert await page.evaluate("() => window.ran === undefined")
        visitor.assert_quiet()


async def test_an_operator_sees_only_calls_in_which_they_took_part(
    chrome: Chrome, panel: Panel
) -> None:
    async with panel.visitor(chrome, "anna") as visitor:
        page = visitor.page
        await page.goto("/calls")
        (row,) = await rows(page)
        assert "Romashka LLC" in row
        visitor.expected = {404}
        answer = await page.goto(f"/calls/{of(panel, EVIL).call_id}")
        assert answer is not None
        assert answer.status == 404
        visitor.assert_quiet()
