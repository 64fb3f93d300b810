"""Migrations give exactly the tables that the code means, whoever runs them at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from telephony.store.directory import current_version
from telephony.store.engine import StoreError, connected_for_writing, open_engine, reading
from telephony.store.migrations import head, migrate, pending
from telephony.store.schema import metadata

ROOT = Path(__file__).resolve().parents[2]


def test_migrating_gives_exactly_the_metadata(database_url: str) -> None:
    missing = pending(database_url)
    assert missing
    assert missing[-1] == head()
    assert migrate(database_url) == missing
    assert pending(database_url) == []
    assert migrate(database_url) == []
    engine = open_engine(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert set(metadata.tables) < set(inspect(connection).get_table_names())
    with reading(engine) as session:
        assert current_version(session) == (0, 0)
    engine.dispose()


def test_ids_of_clients_are_never_given_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    migrate(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        ddl = connection.execute(
            text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'client'")
        ).scalar_one()
    assert "AUTOINCREMENT" in ddl
    engine.dispose()


def test_processes_that_migrate_at_once_do_no_harm(database_url: str) -> None:
    missing = pending(database_url)
    code = "import sys; from telephony.store.migrations import migrate; print(migrate(sys.argv[1]))"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, database_url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert sorted(out.strip() for out, _ in said) == sorted(["[]", "[]", str(missing)])
    assert pending(database_url) == []


def test_a_newer_database_is_left_alone(database_url: str) -> None:
    migrate(database_url)
    engine = open_engine(database_url)
    with connected_for_writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    engine.dispose()
    with pytest.raises(StoreError, match="newer"):
        migrate(database_url)
    with pytest.raises(StoreError, match="newer"):
        pending(database_url)
