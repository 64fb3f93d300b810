"""Both databases: a test that takes `database_url` or `engine` runs once on each."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from telephony.store.engine import connected_for_writing, open_engine
from telephony.store.migrations import migrate
from tests.lab.cache import default_cache
from tests.lab.postgres import Postgres, ensure_postgres

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One PostgreSQL for all tests; whoever stops it starts it again."""
    with Postgres(ensure_postgres(default_cache(), print), tmp_path_factory.mktemp("pg")) as server:
        yield server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Give the bytes of a migrated SQLite file."""
    path = tmp_path_factory.mktemp("migrated") / "dutyline.db"
    migrate(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture(scope="session")
def migrated_name(postgres: Postgres) -> str:
    """Give the name of a migrated database in PostgreSQL, to be copied."""
    migrate(postgres.create_database("migrated"))
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty database; for `engine` one copied from a migrated one."""
    ready = "engine" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "dutyline.db"
        if ready:
            path.write_bytes(request.getfixturevalue("migrated"))
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"test_{next(_numbers)}"
    template = request.getfixturevalue("migrated_name") if ready else "template1"
    yield server.create_database(name, template)
    server.drop_database(name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give an engine for a migrated database."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Give an engine for a migrated database that the tests of a module share."""
    name = f"shared_{next(_numbers)}"
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('shared') / 'dutyline.db'}"
    else:
        url = request.getfixturevalue("postgres").create_database(name)
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()
    if request.param == "postgresql":
        request.getfixturevalue("postgres").drop_database(name)


@pytest.fixture
def emptied(shared_engine: Engine) -> Engine:
    """Give the module's database with no rows in the tables of calls and what follows from them."""
    tables = ["delivery", "outbox", "lane", "webhook", "notice_recipient", "notice", "call"]
    tables += ["calendar_feed"]
    with connected_for_writing(shared_engine) as connection:
        if shared_engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        else:
            for table in tables:
                connection.exec_driver_sql(f"DELETE FROM {table}")
            connection.exec_driver_sql("DELETE FROM sqlite_sequence")
    return shared_engine
