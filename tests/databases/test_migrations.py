"""Migrations give exactly the tables that the code means, whoever runs them at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from telephony.store.directory import current_version
from telephony.store.engine import StoreError, connected_for_writing, open_engine, reading
from telephony.store.migrations import _config, head, migrate, pending
from telephony.store.notices import Notice, Recipient, list_notices
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


def _leave_at(url: str, revision: str) -> None:
    """Bring a database to a revision of before, or back to it."""
    engine = open_engine(url, foreign_keys=False)
    with connected_for_writing(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        current = MigrationContext.configure(connection).get_current_revision()
        (command.downgrade if current else command.upgrade)(config, revision)
    engine.dispose()


def test_a_notice_keeps_its_event_and_its_recipients(database_url: str) -> None:
    _leave_at(database_url, "0026")
    engine = open_engine(database_url)
    with connected_for_writing(engine) as connection:
        for table, values in (
            (
                "notice (id, event, zone, created_at)",
                "1, 'callback.near', 'UTC', CURRENT_TIMESTAMP",
            ),
            ("notice_recipient (notice_id, address, language)", "1, 'a@example.com', 'ru'"),
        ):
            connection.execute(text(f"INSERT INTO {table} VALUES ({values})"))
    assert migrate(database_url)[0] == "0027"
    with reading(engine) as session:
        (rule,) = list_notices(session)
    people = (Recipient("a@example.com", "ru"),)
    assert rule == Notice(1, ("callback.near",), None, "UTC", people)
    _leave_at(database_url, "0026")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT event FROM notice")).scalar_one() == "callback.near"
    engine.dispose()


def test_of_two_tries_to_one_number_one_goes_on(database_url: str) -> None:
    _leave_at(database_url, "0028")
    engine = open_engine(database_url)
    then = "'2026-11-20 10:00:00'"
    columns = "number, state, source, why, did, client_name, priority, opened_at, origin_at, "
    columns += "last_missed_at, missed, tries, misses, note"
    tried = "number, prefix, did, first, operator, mobile, asked_by, fence, lease_until, "
    tried += "created_at, talk_ms, state, case_id"
    with connected_for_writing(engine) as connection:
        for number, state in (("+74951112233", "dialling"), ("+74951112244", "closed")):
            values = f"'{number}', '{state}', 'missed', 'nobody', '', '', 0, {then}, {then}, "
            values += f"{then}, 1, 0, 0, ''"
            connection.execute(text(f"INSERT INTO missed_case ({columns}) VALUES ({values})"))
        rows = connection.execute(text("SELECT number, id FROM missed_case"))
        keys = {row.number: row.id for row in rows}
        for number, operator, state, case in (
            ("+74951112233", "101", "sent", keys["+74951112233"]),
            ("+74951112233", "102", "sent", "NULL"),  # a click
            ("+74951112244", "103", "sent", keys["+74951112244"]),
            ("+74951112244", "104", "claimed", "NULL"),
            ("+74951112255", "105", "sent", "NULL"),
            ("+74951112255", "106", "done", "NULL"),
        ):
            values = f"'{number}', '+7495', '', 'operator', '{operator}', 0, '', 1, {then}, "
            values += f"{then}, 0, '{state}', {case}"
            connection.execute(text(f"INSERT INTO callback_attempt ({tried}) VALUES ({values})"))
    assert migrate(database_url)[0] == "0029"
    live = "SELECT operator FROM callback_attempt WHERE state <> 'done' ORDER BY operator"
    with engine.connect() as connection:
        assert connection.execute(text(live)).scalars().all() == ["101", "104", "105"]
        ended = "SELECT operator, ended FROM callback_attempt WHERE ended IS NOT NULL ORDER BY 1"
        found = [tuple(row) for row in connection.execute(text(ended))]
        assert found == [("102", "unknown"), ("103", "unknown")]
        hurried = connection.execute(text("SELECT hurried FROM missed_case")).scalars()
        assert not any(hurried)
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
