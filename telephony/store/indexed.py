"""A table that is read by an index of its own choice, where the planner would choose badly."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, TableClause, column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal


class IndexedBy(TableClause):
    """A table for FROM: on SQLite with INDEXED BY, elsewhere as it is.

    SQLite has no statistics of ours and guesses. SQLAlchemy's own hints (`with_hint`) do not get
    into SQLite's SQL, and it does not say so. A query that cannot use the index fails.
    """

    _traverse_internals = [  # noqa: RUF012
        *TableClause._traverse_internals,
        ("index", InternalTraversal.dp_string),
    ]

    def __init__(self, table: Table, index: str) -> None:
        """`index` must be an index of the table."""
        super().__init__(table.name, *(column(each.name, each.type) for each in table.columns))
        self.index = index
        if index not in {each.name for each in table.indexes}:
            raise ValueError(f"{table.name} has no index {index}")


@compiles(IndexedBy, "sqlite")
def _on_sqlite(element: IndexedBy, compiler: Any, **how: Any) -> str:
    name: str = compiler.visit_table(element, **how)
    if not how.get("asfrom"):
        return name
    return f"{name} INDEXED BY {compiler.preparer.quote(element.index)}"
