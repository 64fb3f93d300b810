"""What all tables share: the metadata, the column types, and how times are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Integer, MetaData, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import Table
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TURN_OF = "turn"
_TURN = 0x7475_726E  # any number of ours for PostgreSQL's advisory lock: "turn"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, kept as UTC with its microseconds; comes back aware, in UTC.

    Raises ValueError for a naive datetime: it does not say which moment it means.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the value as the driver wants it: UTC, and naive for SQLite."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime is no moment: {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored moment, aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# The biggest ids that PostgreSQL keeps in a column that is Integer, and in one that is BigKey.
BIGGEST_KEY, BIGGEST_BIG_KEY = 2**31 - 1, 2**63 - 1
BigKey = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers INTEGER keys only
Json = JSON(none_as_null=True)


def moment(microseconds: int) -> datetime:
    """Return the aware UTC datetime of microseconds since the epoch; OverflowError beyond 9999."""
    return _EPOCH + microseconds * _MICROSECOND


def optional_moment(microseconds: int | None) -> datetime | None:
    """Return `moment` of a time that may be missing."""
    return None if microseconds is None else moment(microseconds)


def microseconds(at: datetime) -> int:
    """Return the microseconds since the epoch of an aware datetime, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def optional_microseconds(at: datetime | None) -> int | None:
    """Return `microseconds` of a time that may be missing."""
    return None if at is None else microseconds(at)


def upsert(
    session: Session, table: Table, *, key: tuple[str, ...], newer: str | None = None
) -> Any:
    """Return an INSERT that overwrites the row of the same `key`, on either database.

    With `newer` a row is only overwritten by one whose column of that name is at least as great.
    """
    made = insert_or_ignore(session, table, key=None)
    new = made.excluded
    return made.on_conflict_do_update(
        index_elements=key,
        set_={
            column.name: new[column.name]
            for column in table.columns
            if column.name not in key and column is not table.autoincrement_column
        },
        where=None if newer is None else new[newer] >= table.c[newer],
    )


def insert_or_ignore(session: Session, table: Table, *, key: tuple[str, ...] | None) -> Any:
    """Return an INSERT that leaves the row of the same `key` alone; a bare one without `key`."""
    dialect = session.get_bind().dialect.name
    made = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    return made if key is None else made.on_conflict_do_nothing(index_elements=key)


def insert_all(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows that number themselves, in `id`, and return their ids in the same order.

    Not for a table whose ids must never come again (AUTOINCREMENT).
    """
    if not rows:
        return []
    if session.get_bind().dialect.name != "sqlite":
        made = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        return list(session.execute(made, rows).scalars())
    # SQLite has no RETURNING in order, but one writer, and would count on from the greatest, too.
    last = session.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
    keys = list(range(last + 1, last + 1 + len(rows)))
    session.execute(
        insert(table), [{**row, "id": key} for row, key in zip(rows, keys, strict=True)]
    )
    return keys


def in_turn(session: Session) -> None:
    """Let no other transaction that asks for its turn go on before this one ends.

    For whoever writes calls or facts: counts of calls are kept by differences, and whoever reads
    facts by growing ids must never see a greater one first. SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name != "postgresql" or _has_turn(session):
        return
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TURN})
    # A savepoint that is rolled back would give up what was taken in it.
    if not session.in_nested_transaction():
        session.info[_TURN_OF] = session.get_transaction()


def _has_turn(session: Session) -> bool:
    mine = session.get_transaction()
    return mine is not None and session.info.get(_TURN_OF) is mine
