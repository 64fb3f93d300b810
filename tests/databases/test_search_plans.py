"""How SQLite finds calls: by the index meant for it, and without reading a row of `call`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from telephony.domain.record import Direction, Disposition
from telephony.store.call_tables import call, facets_index
from telephony.store.engine import open_engine, reading
from telephony.store.indexed import IndexedBy
from telephony.store.migrations import migrate
from telephony.store.search import Filter, find_page

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
MORE = Filter(
    since=SINCE,
    until=SINCE + timedelta(days=30),
    did="74951234567",
    disposition=Disposition.ANSWERED,
    direction=Direction.IN,
)
BY: dict[str, tuple[Filter, str]] = {
    "number": (Filter(number="+79001112233"), "number"),
    "head": (Filter(head="+790011"), "number"),
    "tail": (Filter(tail="2233"), "tail"),
    "client": (Filter(client_id=2), "client_id"),
    "clients": (Filter(clients=(1, 3)), "client_id"),
    "no client": (Filter(clients=()), "client_id"),
}


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An empty database: SQLite's planner has no statistics in a full one either."""
    folder: Path = tmp_path_factory.mktemp("plans")
    url = f"sqlite:///{folder / 'd.db'}"
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


def _plans(engine: Engine, where: Filter, offset: int) -> list[str]:
    """Return what SQLite says of reading `call` for a page."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    with reading(engine) as session:
        find_page(session, where, 50, offset)
    event.remove(engine, "before_cursor_execute", note)
    found = []
    with engine.connect() as connection:
        for statement, values in asked:
            if "FROM call" in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                found += [row[3] for row in rows if " call " in row[3]]
    return found


@pytest.mark.parametrize("offset", [0, 5000])
@pytest.mark.parametrize("more", [Filter(), MORE, replace(MORE, involving="101")])
@pytest.mark.parametrize("by", BY)
def test_no_row_is_read(sqlite: Engine, by: str, more: Filter, offset: int) -> None:
    one, column = BY[by]
    given = {name: value for name in Filter.__slots__ if (value := getattr(one, name)) is not None}
    plans = _plans(sqlite, replace(more, **given), offset)
    assert plans
    for plan in plans:
        assert f"SEARCH call USING COVERING INDEX {facets_index(column)} " in plan


def test_tables_of_different_indexes_are_different_queries(sqlite: Engine) -> None:
    """SQLAlchemy keeps compiled statements: one must not be taken for the other."""
    tables = [IndexedBy(call, facets_index(column)) for column in ("number", "tail")]
    keys = [select(table.c.id)._generate_cache_key() for table in tables]
    assert keys[0] is not None
    assert keys[0] != keys[1]
    with pytest.raises(ValueError, match="no index"):
        IndexedBy(call, "ix_call_of_no_such_column")
