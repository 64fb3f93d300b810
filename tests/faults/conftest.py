"""One office per test: Asterisk, phones and the real `dutyline run`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.demo.stage import Stage, open_stage
from tests.lab.asterisk_tree import AsteriskTree, ensure_asterisk
from tests.lab.cache import default_cache


@pytest.fixture(scope="session")
def tree() -> AsteriskTree:
    """Give the lab's Asterisk."""
    return ensure_asterisk(default_cache(), print)


@pytest.fixture
async def stage(tree: AsteriskTree, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give an open office; its service's log is printed when the test fails."""
    async with open_stage(tmp_path, tree, print) as opened:
        try:
            yield opened
        finally:
            print(await asyncio.to_thread(opened.service.last_words))
