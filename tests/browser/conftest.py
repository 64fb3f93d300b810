"""One Chromium for all tests here."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.panel import Panel, open_panel
from tests.lab.axe import ensure_axe
from tests.lab.browser import Chrome, open_chrome
from tests.lab.cache import default_cache
from tests.lab.chromium import ensure_chromium


@pytest.fixture(scope="session")
def axe_source() -> str:
    """Give axe-core."""
    return ensure_axe(default_cache(), print)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chrome(axe_source: str) -> AsyncIterator[Chrome]:
    """Give a running Chromium; each test opens windows of its own."""
    async with open_chrome(ensure_chromium(default_cache(), print), axe_source) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def panel(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Panel]:
    """Give the panel, with the records of calls that were made on a real Asterisk."""
    async with open_panel(tmp_path_factory.mktemp("panel")) as opened:
        yield opened
