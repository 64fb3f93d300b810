"""Why an operator takes no calls from queues."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "operator_state", sa.Column("pause", sa.Text(), server_default="", nullable=False)
    )


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("operator_state") as table:
        table.drop_column("pause")
