"""The time zone of a client, where it is another than their number tells."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; empty means that the number tells."""
    op.add_column("client", sa.Column("zone", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("client", "zone")
