"""The PBX's switches, and what was asked of them."""

import sqlalchemy as sa
from alembic import op

from telephony.store.tables import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "switch",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("since", UtcDateTime(), nullable=True),
        sa.Column("asked", sa.Text(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("taken_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_switch")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("switch")
