"""Finding calls: their operators, counts by day, numbers backwards; words of clients' names."""

import re
import sqlite3
from typing import cast

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_DIGITS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BATCH = 5000


def upgrade() -> None:
    """Make them, and fill them from the calls and clients that are there."""
    _numbers()
    op.create_table(
        "call_operator",
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("call_key", _KEY, nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_key"], ["call.id"], name=op.f("fk_call_operator_call_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "extension",
            "started_at",
            "call_key",
            "did",
            "direction",
            "disposition",
            name=op.f("pk_call_operator"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "call_count",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "scope", "day", "direction", "disposition", name=op.f("pk_call_count")
        ),
        sqlite_with_rowid=False,
    )
    _fill_calls()
    op.create_index(op.f("ix_call_operator_call_key"), "call_operator", ["call_key"])
    op.create_index(op.f("ix_client_name_id"), "client", ["name", "id"])
    op.create_table(
        "client_word",
        sa.Column("word", _DIGITS, nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_client_word_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("word", "client_id", name=op.f("pk_client_word")),
        sqlite_with_rowid=False,
    )
    _fill_words()
    op.create_index(op.f("ix_client_word_client_id"), "client_word", ["client_id"])


def downgrade() -> None:
    """Drop them."""
    for table in ("client_word", "call_count", "call_operator"):
        op.drop_table(table)
    op.drop_index("ix_client_name_id", "client")
    for name in (
        "ix_call_did_direction_disposition_started_at_id",
        "ix_call_direction_disposition_started_at_id",
        "ix_call_client_id_started_at_id",
        "ix_call_tail_started_at_id",
        "ix_call_number_started_at_id",
    ):
        op.drop_index(name, "call")
    op.drop_column("call", "tail")
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE call ALTER COLUMN number TYPE text COLLATE "default"')
    op.create_index("ix_call_did_started_at", "call", ["did", "started_at"])
    op.create_index("ix_call_number_started_at", "call", ["number", "started_at"])


def _numbers() -> None:
    op.add_column("call", sa.Column("tail", _DIGITS, server_default="", nullable=False))
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        # With its usual 2 MB of cache SQLite would write millions of rows to the disk many times.
        op.execute("PRAGMA cache_size = -262144")
        driver = cast(sqlite3.Connection, bind.connection.driver_connection)
        driver.create_function("reverse", 1, lambda text: text[::-1], deterministic=True)
    else:
        op.execute('ALTER TABLE call ALTER COLUMN number TYPE text COLLATE "C"')
    op.execute("UPDATE call SET tail = reverse(number)")
    op.drop_index(op.f("ix_call_did_started_at"), "call")
    op.drop_index(op.f("ix_call_number_started_at"), "call")
    for column in ("number", "tail", "client_id"):
        op.create_index(
            op.f(f"ix_call_{column}_started_at_id"), "call", [column, "started_at", "id"]
        )
    op.create_index(
        op.f("ix_call_direction_disposition_started_at_id"),
        "call",
        ["direction", "disposition", "started_at", "id"],
    )
    op.create_index(
        op.f("ix_call_did_direction_disposition_started_at_id"),
        "call",
        ["did", "direction", "disposition", "started_at", "id"],
    )


def _fill_calls() -> None:
    op.execute("""
        INSERT INTO call_operator
            (extension, started_at, call_key, did, direction, disposition)
        SELECT part.extension, c.started_at, c.id, c.did, c.direction, c.disposition
        FROM (
            SELECT call_id, operator AS extension FROM call_leg
                WHERE operator IS NOT NULL AND outcome <> 'unreachable'
            UNION SELECT call_id, answered_by FROM call WHERE answered_by IS NOT NULL
            UNION SELECT call_id, placed_by FROM call WHERE placed_by IS NOT NULL
        ) AS part JOIN call AS c ON c.call_id = part.call_id
        ORDER BY part.extension, c.started_at, c.id
    """)
    # SQLite keeps times as text and days as text; PostgreSQL both as what they are.
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        day, month = "substr(started_at, 1, 10)", "substr(started_at, 1, 7) || '-01'"
    else:
        utc = "started_at AT TIME ZONE 'UTC'"
        day, month = f"({utc})::date", f"date_trunc('month', {utc})::date"
    for scope, begin, table in (
        ("''", day, "call"),
        ("'did:' || did", day, "call"),
        ("'operator:' || extension", month, "call_operator"),
    ):
        op.execute(
            "INSERT INTO call_count (scope, day, direction, disposition, calls) "  # noqa: S608
            f"SELECT {scope}, {begin}, direction, disposition, count(*) FROM {table} "
            "GROUP BY 1, 2, 3, 4"
        )


def _fill_words() -> None:
    """Write the words of every client's name as `store.names.words` makes them."""
    bind = op.get_bind()
    client = sa.table("client", sa.column("id", sa.Integer), sa.column("name", sa.Text))
    word = sa.table("client_word", sa.column("word", sa.Text), sa.column("client_id", sa.Integer))
    last = 0
    while True:
        query = sa.select(client).where(client.c.id > last).order_by(client.c.id).limit(_BATCH)
        rows = bind.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        found = [
            {"word": each, "client_id": row.id}
            for row in rows
            for each in sorted(set(re.findall(r"\w+", row.name.casefold())))
        ]
        if found:
            bind.execute(sa.insert(word), found)
