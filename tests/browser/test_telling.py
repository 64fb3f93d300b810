"""An admin sets up who is told of what, with the mouse: errors, a secret, questions, deletion."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.guide import DID, LOGIN, guided
from tests.browser.panel import sign_in
from tests.lab.browser import LANGUAGES, Chrome, Scheme

pytestmark = pytest.mark.asyncio(loop_scope="session")
LOOKS: dict[str, tuple[str, Scheme]] = {"en": ("desktop", "light"), "ru": ("phone", "dark")}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a panel in which nobody is told of anything, and without a mail server."""
    with guided(tmp_path_factory.mktemp("telling")) as address:
        yield address


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_is_told_is_set_up_and_deleted(chrome: Chrome, url: str, language: str) -> None:
    screen, scheme = LOOKS[language]
    async with chrome.visitor(
        base_url=url, screen=screen, language=language, scheme=scheme
    ) as visitor:
        page = visitor.page
        visitor.expected = {422}

        async def sound() -> None:
            assert await visitor.violations() == [], page.url
            assert await visitor.sticking_out() == [], page.url

        await sign_in(page, LOGIN)
        await page.goto("/notices")
        assert await page.locator(".empty-state").count() == 3
        await sound()
        await page.locator('.empty-state a[href="/notices/new"]').click()
        await page.locator("form.card button[type=submit]").click()
        assert await page.locator(".field-error").count() == 2
        await sound()
        for event in ("callback.near", "callback.overdue"):
            await page.locator(f'[name=events][value="{event}"]').check()
        await page.locator("#addresses_ru").fill("anna@example.com\nlead@example.com")
        await page.locator("#did").select_option(DID)
        await page.locator("form.card button[type=submit]").click()
        await page.locator("text=lead@example.com").wait_for()
        await sound()
        await page.locator('a[href="/notices/webhooks/new"]').click()
        await page.locator("#url").fill("https://10.0.0.1/hush")
        await page.locator("form.card button[type=submit]").click()
        await page.locator("#url-error").wait_for()
        await page.locator("#url").fill("https://8.8.8.8/hush")
        await page.locator("form.card button[type=submit]").click()
        await page.locator(".secret code").wait_for()
        await sound()

        await page.goto("/notices")
        await page.locator('a[href^="/notices/webhooks/"]:not([href$=new])').click()
        await page.locator('[data-dialog="pause"]').click()
        await sound()
        await page.locator("dialog[open] button[type=submit]").click()
        await page.locator(".notice-warn").wait_for()
        for back in ('a[href^="/notices/webhooks/"]:not([href$=new])', 'td a[href^="/notices/"]'):
            await page.goto("/notices")
            await page.locator(back).first.click()
            await page.locator('[data-dialog="delete"]').click()
            await page.locator("dialog[open] button[type=submit]").click()
            await page.locator(".notice-good").wait_for()
        assert await page.locator(".empty-state").count() == 3
        visitor.assert_quiet()
