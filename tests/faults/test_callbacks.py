"""Callbacks while parts are killed: never two at once, never one lost, never one off the rules."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.callback_stage import CLIENTS, CallbackStage, killings, open_callback_stage
from tests.lab.asterisk_tree import AsteriskTree
from tests.lab.cache import default_cache
from tests.lab.postgres import Postgres, ensure_postgres
from tests.lab.redis import RedisTree

# Half of them on each database. `make test` has a few, `make test-faults` all.
KILLS = int(os.environ.get("TEST_KILLS", "200"))


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One PostgreSQL for the module."""
    with Postgres(ensure_postgres(default_cache(), print), tmp_path_factory.mktemp("pg")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
async def place(
    request: pytest.FixtureRequest, tree: AsteriskTree, redis_tree: RedisTree, tmp_path: Path
) -> AsyncIterator[CallbackStage]:
    """Give the company, all parts running, on each database."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create_database("callbacks")
    async with open_callback_stage(tmp_path, tree, redis_tree, url) as opened:
        yield opened


@pytest.mark.timeout(60 + 90 * KILLS)
async def test_killed_at_random_moments_every_promise_is_kept_or_told(
    place: CallbackStage,
) -> None:
    await place.miss(CLIENTS[0])
    await place.settled(30)
    (case,) = place.cases()
    assert (case.ending, case.kept) == ("called_back", True)
    await killings(place, seed=5, times=KILLS // 2)
    assert place.clicked, "somebody clicked, and it was not refused each time"
