"""The way to the database: SQLite in a file, or PostgreSQL 15 and later.

Reads begin deferred and see one snapshot; writes take SQLite's write lock at once, because a
transaction that turns from reading to writing fails there despite the busy timeout.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.orm import Session

_WRITE = "dutyline_write"
_POSTGRESQL = 150000
_SQLITE = (3, 35, 0)


class StoreError(Exception):
    """The database cannot be used; the message says why and never holds the password."""


def open_engine(
    url: str, *, check: bool = True, foreign_keys: bool = True, busy_ms: int = 5000
) -> Engine:
    """Return an engine for `sqlite:///file` or `postgresql://user:password@host/name`.

    With `check` it connects once, so that a wrong URL is told now. `busy_ms` is how long SQLite
    waits for another's write lock. Raises StoreError for a URL that is not supported and, with
    `check`, for a database that is unreachable or too old.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, hide_parameters=True)
        _prepare_sqlite(engine, foreign_keys=foreign_keys, busy_ms=busy_ms)
    else:
        # A dead peer is noticed in half a minute; the server may be restarted between two uses.
        usual = {
            "application_name": "dutyline",
            "connect_timeout": 5,
            "keepalives_idle": 20,
            "keepalives_interval": 5,
            "keepalives_count": 2,
            "tcp_user_timeout": 30000,
        }
        chosen = {name: value for name, value in usual.items() if name not in parsed.query}
        engine = create_engine(
            parsed, connect_args=chosen, pool_pre_ping=True, hide_parameters=True
        )
        event.listen(engine, "connect", _check_postgresql)
    if check:
        try:
            with engine.connect():
                pass
        except (SQLAlchemyError, OSError) as error:
            engine.dispose()
            raise StoreError(f"cannot open {shown(engine.url)}: {reason(error)}") from None
        except StoreError:
            engine.dispose()
            raise
    return engine


def shown(url: URL) -> str:
    """Return a database's URL without its password."""
    return url.render_as_string(hide_password=True)


def reason(error: BaseException) -> str:
    """Return what a database error says in one line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split()) or type(cause).__name__


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Yield a session whose statements all see one snapshot; nothing is written."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    with Session(engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Yield a session whose work is committed at the end, or undone by an exception."""
    with Session(engine.execution_options(**{_WRITE: True})) as session, session.begin():
        yield session


@contextmanager
def connected_for_writing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a write transaction, committed at the end: for migrations."""
    with engine.execution_options(**{_WRITE: True}).begin() as connection:
        yield connection


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(
            "the database's URL cannot be read: it looks like sqlite:////path/to/file or "
            "postgresql://user:password@host/name"
        ) from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if not parsed.database or parsed.database == ":memory:":
            raise StoreError("SQLite needs a file: sqlite:////path/to/file")
        folder = Path(parsed.database).parent
        if not parsed.database.startswith("file:") and not folder.is_dir():
            raise StoreError(f"the folder of the SQLite file does not exist: {folder}")
        if sqlite3.sqlite_version_info < _SQLITE:
            raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 is needed")
        return parsed
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    raise StoreError(
        f"{parsed.drivername} is not supported: use sqlite:////path/to/file or "
        "postgresql://user:password@host/name"
    )


def _prepare_sqlite(engine: Engine, *, foreign_keys: bool, busy_ms: int) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        connection.execute(f"PRAGMA busy_timeout = {busy_ms:d}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        write = connection.get_execution_options().get(_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN DEFERRED")


def _check_postgresql(connection: Any, _record: Any) -> None:
    version = connection.info.server_version
    if version < _POSTGRESQL:
        raise StoreError(f"PostgreSQL {version // 10000} is too old: 15 or later is needed")


# What a pause may heal. All else is taken for the fault of what was written.
OUTAGE = (SQLAlchemyError, StoreError, OSError, MemoryError)


def is_poison(error: Exception) -> bool:
    """Tell whether an error is what was written's own fault: another try would fail again."""
    if isinstance(error, DataError | IntegrityError):
        return True
    if isinstance(error, StatementError) and error.orig is not None:
        # A value that could not be bound, rather than an answer of the database.
        return type(error) is StatementError
    return not isinstance(error, OUTAGE)
