"""Who of us was the last to talk in a call."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: of calls without it whoever answered counts."""
    op.add_column("call", sa.Column("talked_last", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("call", "talked_last")
