"""The callback button in a page of another origin, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy import Engine

from telephony.domain.callback.cases import Case, Source
from telephony.store.cases import open_cases
from telephony.store.engine import open_engine, reading, writing
from telephony.store.sites import Site, add_site
from tests.browser.guide import LOGIN, guided
from tests.browser.panel import sign_in
from tests.browser.shop import shop
from tests.lab.browser import LANGUAGES, Chrome

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORDS = {
    "en": ("Call me back", "Your phone number", "Call me", "Thank you|We call you now"),
    "ru": ("Перезвоните мне", "Ваш телефон", "Жду звонка", "Спасибо|Звоним вам"),
}


class Company:
    """A panel, and its database."""

    def __init__(self, url: str, engine: Engine) -> None:
        self.url = url
        self.engine = engine

    def add(self, key: str, *origins: str) -> None:
        now = datetime.now(UTC)
        site = Site(key, "A <i>shop</i>", origins, "", "", True, 600, 500, 300, now)
        with writing(self.engine) as session:
            add_site(session, site)

    def case(self, number: str) -> Case | None:
        with reading(self.engine) as session:
            return open_cases(session, [number]).get(number)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Give a company with a panel."""
    place: Path = tmp_path_factory.mktemp("widget")
    with guided(place) as url:
        engine = open_engine(f"sqlite:///{place / 'guide.db'}")
        yield Company(url, engine)
        engine.dispose()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("screen", ["desktop", "phone"])
async def test_a_visitor_asks_for_a_call(
    chrome: Chrome, office: Company, language: str, screen: str
) -> None:
    opens, label, send, thanks = WORDS[language]
    local = f"9{len(language)}{'1' if screen == 'phone' else '2'}{'3' if language == 'ru' else '4'}"
    number = f"+7916000{local}"
    key = f"{language}-{screen}"
    with shop(office.url, key, language) as origin:
        office.add(key, origin)
        async with chrome.visitor(base_url=origin, screen=screen, language=language) as visitor:
            page = visitor.page
            await page.goto("/")
            button = page.get_by_role("button", name=opens)
            await button.press("Enter")
            field = page.get_by_label(label)
            await expect(field).to_be_focused()
            await page.keyboard.press("Escape")
            await expect(field).to_be_hidden()
            await expect(button).to_be_focused()
            await button.click()
            await expect(button).to_have_attribute("aria-expanded", "true")
            assert await visitor.violations() == []
            assert await visitor.sticking_out() == []
            await page.get_by_role("button", name=send, exact=True).click()
            await expect(field).to_have_attribute("aria-invalid", "true")
            assert await visitor.violations() == []
            await field.fill(f"8 (916) 000-{local[:2]}-{local[2:]}")
            await field.press("Enter")
            said = page.get_by_role("status").filter(has_text=_either(thanks))
            await said.wait_for()
            assert await visitor.violations() == []
            assert await page.context.cookies() == []
            visitor.assert_quiet()
    case = office.case(number)
    assert case is not None
    assert (case.source, case.note) == (Source.FORM, "A <i>shop</i>")


async def test_a_number_that_is_never_called_is_said_to_be_wrong(
    chrome: Chrome, office: Company
) -> None:
    with shop(office.url, "wrong") as origin:
        office.add("wrong", origin)
        async with chrome.visitor(base_url=origin) as visitor:
            visitor.expected = {422}
            page = visitor.page
            await page.goto("/")
            await page.get_by_role("button", name="Call me back").click()
            field = page.get_by_label("Your phone number")
            await field.fill("+1 876 555 1234")
            await field.press("Enter")
            await page.get_by_text("We cannot call this number").wait_for()
            await expect(field).to_be_focused()
            # A second try does a second proof.
            await field.fill("+7 916 111 22 33")
            await field.press("Enter")
            await page.get_by_text("Thank you").or_(page.get_by_text("We call you now")).wait_for()
            visitor.assert_quiet()
    assert office.case("+79161112233") is not None


async def test_a_page_of_another_origin_gets_nothing(chrome: Chrome, office: Company) -> None:
    with shop(office.url, "foreign") as origin:
        office.add("foreign", "https://shop.example")
        async with chrome.visitor(base_url=origin) as visitor:
            page = visitor.page
            await page.goto("/")
            await page.get_by_role("button", name="Call me back").click()
            field = page.get_by_label("Your phone number")
            await field.fill("+7 916 444 55 66")
            await field.press("Enter")
            await page.get_by_text("That did not work").wait_for()
    assert any("CORS policy" in problem for problem in visitor.problems)
    assert office.case("+79164445566") is None


async def test_the_preview_in_the_panel_sends_nothing(chrome: Chrome, office: Company) -> None:
    office.add("preview", "https://shop.example")
    async with chrome.visitor(base_url=office.url) as visitor:
        page = visitor.page
        await sign_in(page, LOGIN)
        await page.goto("/sites/preview")
        await page.get_by_role("button", name="Call me back").click()
        await page.get_by_label("Your phone number").fill("+7 916 777 88 99")
        await page.get_by_role("button", name="Call me", exact=True).click()
        await page.get_by_text("This is a preview").wait_for()
        assert await visitor.violations() == []
        visitor.assert_quiet()
    assert office.case("+79167778899") is None


def _either(words: str) -> re.Pattern[str]:
    return re.compile(words)
