"""Opening a database: what is refused, and how transactions begin."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from telephony.store import engine as engine_module
from telephony.store.calls import count_calls, save_call
from telephony.store.engine import StoreError, open_engine, reading, writing
from tests.databases.samples import a_record
from tests.lab.ports import free_port
from tests.lab.postgres import Postgres


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://root:secret@localhost/x", "not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:////no/such/folder/x.db", "does not exist"),
        ("nonsense", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_url_that_is_not_supported_is_refused(url: str, why: str) -> None:
    with pytest.raises(StoreError, match=why) as caught:
        open_engine(url)
    assert "secret" not in str(caught.value)


def test_an_unreachable_server_is_told_without_its_password() -> None:
    with pytest.raises(StoreError, match="cannot open") as caught:
        open_engine(f"postgresql://me:secret@127.0.0.1:{free_port()}/x")
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "text.db"
    file.write_text("hello, this is text and no database " * 100)
    with pytest.raises(StoreError, match="not a database"):
        open_engine(f"sqlite:///{file}")


def test_a_server_too_old_is_refused(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_POSTGRESQL", 990000)
    with pytest.raises(StoreError, match="too old"):
        open_engine(postgres.url)


def test_sqlite_is_set_up(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'd.db'}")
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 1, "busy_timeout": 5000,
                     "foreign_keys": 1}  # fmt: skip
    engine.dispose()


def test_a_reader_sees_one_snapshot(engine: Engine) -> None:
    with reading(engine) as session:
        assert count_calls(session) == 0
        with writing(engine) as other:
            save_call(other, a_record())
        assert count_calls(session) == 0
    with reading(engine) as session:
        assert count_calls(session) == 1


def test_writers_wait_for_each_other(engine: Engine) -> None:
    def write(first: int) -> None:
        try:
            for number in range(first, first + 25):
                with writing(engine) as session:
                    # Reading first is what makes a deferred transaction fail on SQLite.
                    count_calls(session)
                    save_call(session, a_record(number))
        except SQLAlchemyError as error:
            failed.append(error)

    failed: list[Exception] = []
    threads = [threading.Thread(target=write, args=(base,)) for base in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    with reading(engine) as session:
        assert count_calls(session) == 100


def test_a_reading_session_cannot_write_on_postgresql(postgres: Postgres) -> None:
    engine = open_engine(postgres.url)
    with (
        pytest.raises(SQLAlchemyError, match="read-only"),
        reading(engine) as session,
    ):
        session.execute(text("CREATE TABLE x (y int)"))
    engine.dispose()
