"""The leg that a live call began with, by which a listener that starts anew can follow it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; of calls that go on now the leg is not known."""
    op.add_column("live_call", sa.Column("channel", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("live_call") as table:
        table.drop_column("channel")
