"""Notices that no address alone leads to: numbers closed by hand, a slot that is gone, queues."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from telephony.domain.live import LiveCall
from telephony.domain.pauses import CLOSED_STATE, closed_device
from telephony.domain.record import Direction
from telephony.store.engine import open_engine, writing
from telephony.store.live import save_live_calls
from telephony.store.switches import save_switches
from telephony.store.tables import microseconds
from tests.browser.guide import CLIENT, DID, LOGIN, guided
from tests.browser.panel import sign_in
from tests.lab.browser import LANGUAGES, SCHEMES, Chrome, Scheme

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a panel with a number that is closed by hand and a caller who waits."""
    place = tmp_path_factory.mktemp("notices")
    with guided(place) as address:
        engine = open_engine(f"sqlite:///{place / 'guide.db'}")
        now = datetime.now(UTC)
        began = microseconds(now - timedelta(minutes=2))
        with writing(engine) as session:
            save_switches(session, {closed_device(DID): CLOSED_STATE}, now)
            call = LiveCall(
                "pbx-1.1", 1, Direction.IN, DID, CLIENT, None, "", None, "waiting", began, began,
                queue="dutyline-sales", queued_at=began,
            )  # fmt: skip
            save_live_calls(session, [call])
        engine.dispose()
        yield address


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("screen", ["phone", "desktop"])
async def test_notices_are_sound(
    chrome: Chrome, url: str, scheme: Scheme, language: str, screen: str
) -> None:
    sunday = datetime.now(UTC).date() + timedelta(days=13 - datetime.now(UTC).weekday())
    gone = f"/duty/groups/sales/slot?operator=101&start={sunday}T06:00Z&end={sunday}T14:00Z"
    async with chrome.visitor(
        base_url=url, screen=screen, language=language, scheme=scheme
    ) as visitor:
        page = visitor.page
        await sign_in(page, LOGIN)
        for path, mark in (
            ("/", ".notice a[href='/closed']"),
            (gone, ".notice-bad"),
            ("/queues", "#now-title"),
        ):
            await page.goto(path)
            await page.locator(mark).wait_for()
            assert await visitor.violations() == [], path
            assert await visitor.sticking_out() == [], path
        visitor.assert_quiet()
