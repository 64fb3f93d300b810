"""Bringing a database to the shape that this version of Dutyline needs.

Alembic, without a configuration file. Whoever migrates holds a lock from before it looks at the
database's revision until the commit, so several processes may do so at once.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from telephony.store.engine import StoreError, connected_for_writing, open_engine, reason

_LOCK = 0x6475_7479  # any number of ours for PostgreSQL's advisory lock: "duty"
_WAIT_MS = 120_000


def migrate(url: str) -> list[str]:
    """Run the migrations that are missing, all or none; return their revisions in order.

    Raises StoreError for a database that cannot be opened, was made by a newer Dutyline, or in
    which a migration failed.
    """
    # Rebuilding a table on SQLite drops the old one, so its references are checked at the end.
    engine = open_engine(url, foreign_keys=False, busy_ms=_WAIT_MS)
    config = _config()
    try:
        with connected_for_writing(engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            missing = _missing(MigrationContext.configure(connection).get_current_revision())
            config.attributes["connection"] = connection
            if missing:
                command.upgrade(config, "head")
            if connection.dialect.name == "sqlite":
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise StoreError(f"a migration left {len(broken)} references to nothing")
    except SQLAlchemyError as error:
        raise StoreError(f"the database could not be migrated: {reason(error)}") from error
    finally:
        engine.dispose()
    return missing


def pending(url: str) -> list[str]:
    """Return the revisions that the database lacks, in order; raises StoreError like `migrate`."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return _missing(MigrationContext.configure(connection).get_current_revision())
    except SQLAlchemyError as error:
        raise StoreError(f"the database's revision cannot be read: {reason(error)}") from error
    finally:
        engine.dispose()


def head() -> str:
    """Return the revision that this version of Dutyline needs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise StoreError("Dutyline's migrations are missing from this installation")
    return found


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "telephony.store:migrations")
    return config


def _missing(current: str | None) -> list[str]:
    scripts = ScriptDirectory.from_config(_config())
    known = [script.revision for script in scripts.walk_revisions()][::-1]
    if current is None:
        return known
    if current not in known:
        raise StoreError(
            f"the database has revision {current}, which this Dutyline does not know: "
            "it was migrated by a newer version"
        )
    return known[known.index(current) + 1 :]
