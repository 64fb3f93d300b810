"""One office per test: Asterisk, phones and the real `dutyline run`, of one part or of all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.demo.stage import Stage, open_stage, wait_until
from tests.lab.asterisk_tree import AsteriskTree, ensure_asterisk
from tests.lab.cache import default_cache
from tests.lab.redis import RedisTree, ensure_redis


@pytest.fixture(scope="session")
def tree() -> AsteriskTree:
    """Give the lab's Asterisk."""
    return ensure_asterisk(default_cache(), print)


@pytest.fixture(scope="session")
def redis_tree() -> RedisTree:
    """Give the lab's Redis."""
    return ensure_redis(default_cache(), print)


@pytest.fixture
async def stage(tree: AsteriskTree, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give an open office with a listener; its service's log is printed when the test fails."""
    async with _logged(tmp_path, tree) as opened:
        yield opened


@pytest.fixture
async def whole_stage(
    tree: AsteriskTree, redis_tree: RedisTree, tmp_path: Path
) -> AsyncIterator[Stage]:
    """Give an open office in which every part runs and is ready."""
    async with _logged(tmp_path, tree, redis_tree) as opened:
        await wait_until(opened.service.is_ready, "every part is ready")
        yield opened


@asynccontextmanager
async def _logged(
    folder: Path, tree: AsteriskTree, redis: RedisTree | None = None
) -> AsyncIterator[Stage]:
    async with open_stage(folder, tree, print, redis=redis) as opened:
        try:
            yield opened
        finally:
            print(await asyncio.to_thread(opened.service.last_words))
