"""Finding calls by a number or a client: all that is asked of a call stands in the index."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = ("number", "tail", "client_id")
_FACETS = ["started_at", "id", "did", "direction", "disposition"]


def upgrade() -> None:
    """Make the wider indexes in place of the old."""
    if op.get_bind().dialect.name == "sqlite":
        # With its usual 2 MB of cache SQLite would sort millions of entries on the disk.
        op.execute("PRAGMA cache_size = -262144")
    for column in _COLUMNS:
        op.drop_index(op.f(f"ix_call_{column}_started_at_id"), "call")
        op.create_index(op.f("_".join(("ix_call", column, *_FACETS))), "call", [column, *_FACETS])


def downgrade() -> None:
    """Make the old indexes again."""
    for column in _COLUMNS:
        op.drop_index("_".join(("ix_call", column, *_FACETS)), "call")
        op.create_index(
            op.f(f"ix_call_{column}_started_at_id"), "call", [column, "started_at", "id"]
        )
