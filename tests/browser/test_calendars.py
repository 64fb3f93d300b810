"""A calendar is added, looked at and used, and a link made, with the keyboard alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.panel import Panel
from tests.lab.browser import Chrome
from tests.unit.calendars import calendar

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _press(page: Page, name: str) -> None:
    """Go to a button or link by Tab, as somebody without a mouse does, and press it."""
    wanted = page.get_by_role("button", name=name, exact=True).or_(
        page.get_by_role("link", name=name, exact=True)
    )
    handle = await wanted.first.element_handle()
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await page.evaluate("one => document.activeElement === one", handle):
            await page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab does not lead to {name}")


async def test_a_file_becomes_duty_and_duty_a_link(chrome: Chrome, panel: Panel) -> None:
    day = datetime.now(UTC) + timedelta(days=3)
    text = calendar(
        f"UID:1\nDTSTART:{day:%Y%m%d}T010000Z\nDTEND:{day:%Y%m%d}T020000Z\nSUMMARY:Anna",
        f"UID:2\nDTSTART:{day:%Y%m%d}T030000Z\nDTEND:{day:%Y%m%d}T040000Z\nSUMMARY:Zoe",
    )
    async with panel.visitor(chrome, "lead") as visitor:
        page = visitor.page
        await page.goto("/calendars")
        await _press(page, "Add a calendar")
        await page.wait_for_url("**/calendars/new")
        await page.get_by_label("Whose calendar").select_option(label="Group managers")
        await page.get_by_label("Or a file").set_input_files(
            {"name": "duty.ics", "mimeType": "text/calendar", "buffer": text.encode()}
        )
        await _press(page, "Read it")
        await expect(page.get_by_role("heading", name="duty.ics")).to_be_visible()
        await expect(page.get_by_text("names no operator")).to_be_visible()
        await expect(page.get_by_role("cell", name="Anna (101)")).to_be_visible()
        await _press(page, "Use it")
        await expect(page.get_by_text("Duty comes from it now.")).to_be_visible()
        await page.goto("/calendars")
        await _press(page, "Links to duty")
        await page.wait_for_url("**/calendars/links")
        await page.get_by_label("Whose duty").select_option(label="Group managers")
        await _press(page, "Make a link")
        link = await page.locator(".secret code").inner_text()
        answer = httpx.get(link)
        assert answer.status_code == 200
        assert f"{day:%Y%m%d}T010000Z" in answer.text
        await page.goto("/calendars")
        await page.get_by_role("link", name="duty.ics").click()
        await _press(page, "Delete")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        await dialog.get_by_role("button", name="Delete").click()
        await expect(page.get_by_text("The calendar is deleted.")).to_be_visible()
        await page.goto("/calendars/links")
        mine = page.locator(".plain-list li", has_text="Group managers")
        await mine.get_by_role("button").click()
        await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        await expect(page.get_by_text("The link is revoked.")).to_be_visible()
        assert httpx.get(link).status_code == 404
        visitor.assert_quiet()
