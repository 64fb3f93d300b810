"""Calendars of groups and operators."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("owner_kind"),
        _text("owner"),
        _text("title"),
        _text("place", nullable=True),
        _text("url", nullable=True),
        _text("zone", nullable=True),
        _number("layer"),
        _text("takes"),
        _number("enabled"),
        _text("body"),
        _text("etag", nullable=True),
        _text("modified", nullable=True),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.Column("complaints", sa.JSON(), nullable=False),
        _at("fetched_at"),
        _at("changed_at"),
        _at("next_at"),
        _number("attempt"),
        _number("failures"),
        _at("failing_since", nullable=True),
        _text("fault", nullable=True),
        _text("detail", nullable=True),
        _at("alerted_at", nullable=True),
        _at("created_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sqlite_autoincrement=True,
    )
    for columns in (("owner_kind", "owner"), ("enabled", "next_at")):
        name = op.f(f"ix_calendar_feed_{'_'.join(columns)}")
        op.create_index(name, "calendar_feed", list(columns))


def downgrade() -> None:
    """Drop it."""
    op.drop_table("calendar_feed")
