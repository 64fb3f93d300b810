"""What an admin decides about callbacks."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table: without a row all is as usual."""
    op.create_table(
        "callback_rules",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_rules")),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("callback_rules")
