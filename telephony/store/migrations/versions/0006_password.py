"""Which passwords were handed out by somebody else: they are changed at the first sign-in."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column: passwords of before are left alone."""
    op.add_column(
        "panel_user",
        sa.Column("password_handed", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("panel_user") as table:
        table.drop_column("password_handed")
