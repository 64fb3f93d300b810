"""Rosters in a browser: set up from nothing, changed at night from a telephone, by keyboard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Locator, Page
from sqlalchemy import Engine, update

from telephony.configfile import Author, Data, Entry, change, find, load_data
from telephony.domain.duty import day_span
from telephony.settings import read_settings
from telephony.store.accounts import panel_user
from telephony.store.engine import open_engine, reading, writing
from tests.browser.panel import Panel
from tests.lab.browser import Chrome

pytestmark = pytest.mark.asyncio(loop_scope="session")

ZONE = "Europe/Moscow"
_numbers = itertools.count(1)
NIGHT = {"operator": "104", "days": "daily", "start": "20:00", "end": "08:00"}
DAY = {"operator": "105", "days": "daily", "start": "08:00", "end": "20:00"}


@pytest.fixture(scope="module")
def engine(panel: Panel) -> Iterator[Engine]:
    """Give the panel's database."""
    engine = open_engine(read_settings(panel.stage.service.environment).database_url)
    with writing(engine) as session:  # other tests may have chosen a language in the profile
        session.execute(update(panel_user).values(language=None))
    yield engine
    engine.dispose()


def add_group(engine: Engine, *shifts: Entry) -> str:
    """Add a group of a test's own; return its name."""
    name = f"crew {next(_numbers)}"

    def edit(data: Data) -> None:
        data["groups"].append({"name": name, "zone": ZONE, "shifts": [dict(one) for one in shifts]})

    assert change(engine, Author("lead"), edit, now=datetime.now(UTC)).errors == []
    return name


def entries(engine: Engine, group: str, kind: str) -> list[Entry]:
    """Return what is in a group's roster now."""
    with reading(engine) as session:
        data, _ = load_data(session)
    found: list[Entry] = find(data, "groups", group).get(kind, [])
    return found


async def send(page: Page, button: Locator) -> None:
    """Press a button that sends a form, and wait for the page that comes."""
    async with page.expect_navigation():
        await button.click()


async def box_of(row: Locator) -> tuple[float, float, float]:
    """Return left edge, width and middle of a row's height."""
    box = await row.bounding_box()
    assert box is not None
    return box["x"], box["width"], box["y"] + box["height"] / 2


async def drag(page: Page, begin: tuple[float, float], end: float) -> None:
    """Draw with the mouse from a point to another one at the same height."""
    x, y = begin
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move((x + end) / 2, y, steps=3)
    await page.mouse.move(end, y, steps=3)
    async with page.expect_navigation():
        await page.mouse.up()


async def test_an_admin_sets_up_a_roster_from_nothing(
    chrome: Chrome, panel: Panel, engine: Engine
) -> None:
    group = add_group(engine)
    async with panel.visitor(chrome, "chief") as visitor:
        page = visitor.page
        await page.goto("/duty")
        await page.get_by_role("link", name=group, exact=True).click()
        await page.locator(".grid-name-bad").wait_for()
        # Draw Gleb's Tuesday from 10:00 to 16:00.
        left, width, y = await box_of(page.locator("[data-operator='104']"))
        hour = width / 7 / 24
        await drag(page, (left + 34 * hour, y), left + 40 * hour)
        assert await page.locator("#operator").input_value() == "104"
        assert await page.locator("#start").input_value() == "10:00"
        assert await page.locator("#end").input_value() == "16:00"
        assert await page.locator("input[name=days]:checked").evaluate_all(
            "boxes => boxes.map(box => box.value)"
        ) == ["tue"]
        await page.locator("input[name=days][value=wed]").check()
        await page.locator("#lunch_start").fill("17:00")
        await page.locator("#lunch_end").fill("18:00")
        visitor.expected = {422}
        await send(page, page.get_by_role("button", name="Save"))
        assert "within the shift" in await page.locator("#lunch_start-error").inner_text()
        await page.locator("#lunch_start").fill("12:00")
        await page.locator("#lunch_end").fill("12:30")
        await send(page, page.get_by_role("button", name="Save"))
        await page.get_by_text("Saved.").wait_for()
        shift = {"operator": "104", "days": "tue,wed", "start": "10:00", "end": "16:00"}
        assert entries(engine, group, "shifts") == [{**shift, "lunch": "12:00-12:30"}]
        # Pull its end from 16:00 to 19:00.
        bar = page.locator("[data-operator='104'] a.slot rect").first
        x, length, y = await box_of(bar)
        await drag(page, (x + length - 3, y), x + length + 3 * hour)
        assert await page.locator("#end").input_value() == "19:00"
        await send(page, page.get_by_role("button", name="Save"))
        assert entries(engine, group, "shifts")[0]["end"] == "19:00"
        # Turns of nights, by the form.
        await page.get_by_role("link", name="New rotation").click()
        await page.get_by_label("Turn 1, operator 1").select_option("105")
        await page.get_by_label("Turn 2, operator 1").select_option("106")
        await page.locator("#length").fill("1")
        await page.locator("#start").fill("19:00")
        await page.locator("#end").fill("10:00")
        await send(page, page.get_by_role("button", name="Save"))
        (rotation,) = entries(engine, group, "rotations")
        assert rotation["turns"] == ["105", "106"]
        assert await page.locator("[data-operator='106'] a.slot").count() > 0
        # And back again.
        await send(page, page.get_by_role("button", name="Undo"))
        await page.get_by_text("Taken back.").wait_for()
        assert entries(engine, group, "rotations") == []
        assert await visitor.violations() == []
        visitor.assert_quiet()


async def test_an_override_at_night_from_a_telephone(
    chrome: Chrome, panel: Panel, engine: Engine
) -> None:
    noon = {"operator": "106", "days": "daily", "start": "12:00", "end": "13:00"}
    group = add_group(engine, NIGHT, DAY, noon)
    async with panel.visitor(
        chrome, "lead", screen="phone", language="ru", scheme="dark"
    ) as visitor:
        page = visitor.page
        await page.goto(f"/duty/groups/{group}")
        assert not await page.locator("#week-grid").is_visible()
        tonight = page.locator(".agenda-today .agenda-link").last
        assert "Gleb" in await tonight.inner_text()
        # Two clicks: the slot, and who takes it.
        await tonight.click()
        await page.locator(".takers").first.wait_for()
        assert await visitor.sticking_out() == []
        assert await visitor.violations() == []
        await send(page, page.locator("button[name=take][value='106']"))
        await page.get_by_text("Дежурит Reception.").wait_for()
        (override,) = entries(engine, group, "overrides")
        assert (override["operators"], override["instead_of"]) == (["106"], ["104"])
        today = datetime.now(ZoneInfo(ZONE)).date()
        assert override["start"] == f"{today} 20:00"
        assert override["end"] == f"{today + timedelta(days=1)} 08:00"
        assert "Reception" in await page.locator(".agenda-today .agenda-link").last.inner_text()
        # The same two clicks swap.
        await page.locator(".agenda-today .agenda-link", has_text="Dina").click()
        await send(page, page.locator("button[name=swap]", has_text="Reception").first)
        assert len(entries(engine, group, "swaps")) == 2
        assert await visitor.sticking_out() == []
        visitor.assert_quiet()


async def test_everything_by_keyboard_alone(chrome: Chrome, panel: Panel, engine: Engine) -> None:
    group = add_group(engine, DAY)
    async with panel.visitor(chrome, "lead") as visitor:
        page = visitor.page
        await page.goto(f"/duty/groups/{group}?with=106")
        row = page.locator("[data-operator='106']")
        cursor = row.locator(".cursor-box")
        await tab_to(page, cursor)
        for key in ("PageUp",) * 7 + ("ArrowLeft",) * 48:
            await page.keyboard.press(key)  # to the beginning of the week, whatever day it is
        for key in ("ArrowRight",) * 40 + ("Shift+ArrowRight",) * 3 + ("PageDown",):
            await page.keyboard.press(key)
        words = await page.locator(".grid-said").inner_text()
        assert words.startswith("Reception: Tue, 20:00"), words
        assert words.rstrip().endswith("22:30"), words
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        query = parse_qs(urlsplit(page.url).query)
        assert query["operator"] == ["106"]
        once = page.get_by_role("link", name="Only once")
        await tab_to(page, once)
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        await tab_to(page, page.get_by_role("button", name="Save"))
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        (made,) = entries(engine, group, "one_offs")
        assert (made["operator"], made["start"][11:], made["end"][11:]) == ("106", "20:00", "22:30")
        # The bar that came: an hour longer, then given to somebody else, then undone.
        bar = page.locator("[data-operator='106'] a.slot").first
        await tab_to(page, bar)
        await page.keyboard.press("Shift+ArrowRight")
        await page.keyboard.press("Shift+ArrowRight")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        await tab_to(page, page.get_by_role("button", name="Save"))
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert entries(engine, group, "one_offs")[0]["end"][11:] == "23:30"
        await tab_to(page, page.locator("[data-operator='106'] a.slot").first)
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        await tab_to(page, page.locator("button[name=take][value='105']"))
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert entries(engine, group, "overrides")[0]["operators"] == ["105"]
        await tab_to(page, page.get_by_role("button", name="Undo"))
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert entries(engine, group, "overrides") == []
        visitor.assert_quiet()


async def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus."""
    await wanted.wait_for(state="attached")
    for _ in range(200):
        if await wanted.evaluate("element => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")


async def test_without_scripts_the_forms_do_it_all(
    chrome: Chrome, panel: Panel, engine: Engine
) -> None:
    group = add_group(engine, DAY)
    async with panel.visitor(chrome, "lead") as visitor:
        page = visitor.page
        await page.route(
            "**/*.js*", lambda route: route.fulfill(body="", content_type="text/javascript")
        )
        await page.goto(f"/duty/groups/{group}")
        await page.get_by_role("link", name="New weekly shift").click()
        await page.locator("#operator").select_option("104")
        await page.locator("#start").fill("20:00")
        await page.locator("#end").fill("08:00")
        await send(page, page.get_by_role("button", name="Save"))
        await send(page, page.get_by_role("button", name="Remove: Gleb"))
        assert len(entries(engine, group, "shifts")) == 1
        await send(page, page.get_by_role("button", name="Undo"))
        assert len(entries(engine, group, "shifts")) == 2
        visitor.assert_quiet()


async def test_the_grid_follows_the_clocks_of_the_zone(
    chrome: Chrome, panel: Panel, engine: Engine
) -> None:
    """On the day of 25 hours an hour is narrower, and what is drawn means what the axis says."""
    name = f"late {next(_numbers)}"

    def edit(data: Data) -> None:
        data["groups"].append({"name": name, "zone": "Europe/Berlin"})

    assert change(engine, Author("lead"), edit, now=datetime.now(UTC)).errors == []
    async with panel.visitor(chrome, "chief") as visitor:
        page = visitor.page
        await page.goto(f"/duty/groups/{name}?week=2026-10-19")
        assert "25 h" in await page.locator(".grid-hours").inner_text()
        left, width, y = await box_of(page.locator("[data-operator='104']"))
        sunday = day_span(datetime(2026, 10, 25, tzinfo=UTC).date(), "Europe/Berlin")
        hours = (sunday.end - sunday.start) / timedelta(hours=1)
        begin = left + width * (6 + 13 / hours) / 7  # 13 hours after midnight it is 12:00
        await drag(page, (begin, y), begin + width / 7 * 4 / hours)
        assert await page.locator("#start").input_value() == "12:00"
        assert await page.locator("#end").input_value() == "16:00"
        visitor.assert_quiet()
