"""What holds on every page: axe, the console, the security policy, a phone's width."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.browser.pages import LEAD_AWAY, addresses, visit, with_parts
from tests.browser.panel import Panel
from tests.browser.states import NAMES, states
from tests.browser.widths import cut_off
from tests.lab.browser import LANGUAGES, SCHEMES, Chrome, Scheme

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pages(chrome: Chrome, panel: Panel) -> dict[str, str]:
    """Give address → name of every page that an admin may open."""
    async with panel.visitor(chrome, "chief") as visitor:
        return await panel.pages(visitor.page)


async def test_each_kind_of_page_is_linked_from_another(
    panel: Panel, pages: dict[str, str]
) -> None:
    assert with_parts(panel.app) - set(pages.values()) == set()


async def test_only_the_known_pages_lead_elsewhere(chrome: Chrome, panel: Panel) -> None:
    away: set[str] = set()
    async with panel.visitor(chrome, "chief") as visitor:
        for path in addresses(panel.app):
            await visitor.page.goto(path)
            if urlsplit(visitor.page.url).path != path:
                away.add(path)
    assert away == LEAD_AWAY


@pytest.mark.parametrize(
    ("scheme", "language", "screen"), [("light", "ru", "phone"), ("dark", "en", "desktop")]
)
async def test_states_that_no_address_leads_to(
    chrome: Chrome, panel: Panel, scheme: Scheme, language: str, screen: str
) -> None:
    problems: list[str] = []
    seen: list[str] = []
    async for name, visitor in states(
        panel, chrome, scheme=scheme, language=language, screen=screen
    ):
        seen.append(name)
        found = [*await visitor.violations(), *visitor.problems]
        visitor.problems.clear()
        if name != "phone menu":  # which closes when there is room beside the page
            found += await cut_off(visitor)
        problems += [f"{name}: {one}" for one in found]
    assert sorted(seen) == sorted(NAMES)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("scheme", "language"), [("light", "ru"), ("dark", "en")])
async def test_axe_finds_nothing_serious_and_the_console_is_quiet(
    chrome: Chrome, panel: Panel, pages: dict[str, str], scheme: Scheme, language: str
) -> None:
    problems: list[str] = []
    async with panel.visitor(chrome, "chief", scheme=scheme, language=language) as visitor:
        page = visitor.page
        for path in pages:
            await visit(page, path)
            problems += [f"{path}: {found}" for found in await visitor.violations()]
            problems += [f"{path}: {found}" for found in visitor.problems]
            visitor.problems.clear()
            if await page.locator("html").get_attribute("lang") != language:
                problems.append(f"{path}: is not in {language}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_nothing_sticks_out_or_is_cut_off_at_any_width(
    chrome: Chrome, panel: Panel, pages: dict[str, str], language: str
) -> None:
    problems: list[str] = []
    async with panel.visitor(chrome, "chief", screen="phone", language=language) as visitor:
        for path in pages:
            await visit(visitor.page, path)
            problems += [f"{path}: {found}" for found in await cut_off(visitor)]
    assert not problems, "\n".join(problems)


async def test_a_call_takes_two_lines_on_a_phone(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, "chief", screen="phone") as visitor:
        page = visitor.page
        await page.goto("/calls")
        heights = await page.locator("main .calls tbody tr").evaluate_all(
            "rows => rows.map(row => row.getBoundingClientRect().height)"
        )
        assert len(heights) == len(panel.records)
        assert max(heights) < 90
        # The periods stand in one line, whatever must be scrolled for it.
        tops = await page.locator(".quick-one").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().top)"
        )
        assert len(set(tops)) == 1
        row = page.locator("main .calls tbody tr").first
        assert "inbound" in await row.inner_text()


async def test_what_an_operator_sees_is_as_sound(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, "anna", screen="phone", scheme="dark") as visitor:
        for path in ("/", "/calls", "/clients", "/operators", "/profile"):
            answer = await visitor.page.goto(path)
            assert answer is not None
            assert answer.status == 200, path
            assert await visitor.violations() == [], path
            assert await visitor.sticking_out() == [], path
        visitor.assert_quiet()


@pytest.mark.parametrize("path", ["/sign-in", "/no/such/page"])
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_pages_of_visitors(chrome: Chrome, panel: Panel, path: str, scheme: Scheme) -> None:
    async with panel.visitor(chrome, screen="phone", scheme=scheme) as visitor:
        visitor.expected = {404}
        await visitor.page.goto(path)
        assert await visitor.violations() == []
        assert await visitor.sticking_out() == []
        visitor.assert_quiet()


async def test_the_typeface_comes_once_and_is_used(chrome: Chrome, panel: Panel) -> None:
    async with panel.visitor(chrome, language="ru") as visitor:
        page = visitor.page
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url) if "woff2" in one.url else None)
        await page.goto("/sign-in")
        loaded = """async () => (await document.fonts.ready, [...document.fonts])
            .filter(face => face.status === "loaded").map(face => face.family)"""
        assert await page.evaluate(loaded) == ["Inter", "Inter"]
        assert len(asked) == len(set(asked)) == 2
        assert all(address.startswith(panel.url) for address in asked)
        visitor.assert_quiet()
