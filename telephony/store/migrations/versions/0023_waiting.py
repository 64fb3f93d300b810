"""The queue in which the caller of a live call waits."""

import sqlalchemy as sa
from alembic import op

from telephony.store.tables import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns: of calls that go on meanwhile the queue is not known."""
    op.add_column("live_call", sa.Column("queue", sa.Text(), nullable=False, server_default=""))
    op.add_column("live_call", sa.Column("queued_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("live_call", "queued_at")
    op.drop_column("live_call", "queue")
