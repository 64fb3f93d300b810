"""The relay and the workers on PostgreSQL, which is stopped under them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.relay_stage import RelayStage, open_relay_stage
from tests.lab.cache import default_cache
from tests.lab.postgres import Postgres, ensure_postgres


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One PostgreSQL for the module."""
    with Postgres(ensure_postgres(default_cache(), print), tmp_path_factory.mktemp("pg")) as server:
        yield server


@pytest.fixture(scope="module")
def stage(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayStage]:
    """Give running parts on PostgreSQL, shared by the tests of this module."""
    url = postgres.create_database("relay")
    with open_relay_stage(tmp_path_factory.mktemp("relay"), url) as opened:
        yield opened


def test_facts_arrive_signed_once_and_soon(stage: RelayStage) -> None:
    stage.tell_and_measure(8)


def test_postgresql_stopped_and_started(stage: RelayStage, postgres: Postgres) -> None:
    told = stage.tell(8)
    postgres.stop()
    stage.wait("the relay noticed", lambda: "relay.database_fails" in stage.logs())
    postgres.start()
    told += stage.tell(4)
    stage.wait_delivered(told)
    stage.wait("the relay is well again", lambda: "relay.database_back" in stage.logs())
