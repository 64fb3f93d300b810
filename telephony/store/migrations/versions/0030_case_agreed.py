"""When a time was agreed with a client, and the deadline that had been broken by then."""

import sqlalchemy as sa
from alembic import op

from telephony.store.tables import UtcDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of times agreed before nobody knows when that was."""
    op.add_column("missed_case", sa.Column("agreed_at", UtcDateTime(), nullable=True))
    op.add_column("missed_case", sa.Column("broken_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("missed_case", "broken_at")
    op.drop_column("missed_case", "agreed_at")
