"""What a change of the set-up took along: calendars and links."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: of changes before it nothing was kept."""
    op.add_column("setup_revision", sa.Column("aside", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("setup_revision", "aside")
