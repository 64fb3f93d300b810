"""One call to a number at a time, and clients who do not wait for the time agreed."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_LIVE = sa.text("state IN ('wanted', 'claimed', 'sent')")


def upgrade() -> None:
    """Add both. Of two tries under way to one number one goes on: its case's, or the newer one.

    How the other ends is not waited for; its record, when it comes, is kept as any call's.
    """
    op.add_column(
        "missed_case",
        sa.Column("hurried", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.execute(
        """
        UPDATE callback_attempt SET state = 'done', ended = 'unknown', cause = 'second_to_number',
            ended_at = lease_until
        WHERE state IN ('wanted', 'claimed', 'sent') AND id NOT IN (
            SELECT COALESCE(
                MAX(CASE WHEN c.state = 'dialling' THEN a.id END), MAX(a.id)
            )
            FROM callback_attempt a LEFT JOIN missed_case c ON c.id = a.case_id
            WHERE a.state IN ('wanted', 'claimed', 'sent')
            GROUP BY a.number
        )
        """
    )
    op.create_index(
        "uq_callback_attempt_number",
        "callback_attempt",
        ["number"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_index("uq_callback_attempt_number", table_name="callback_attempt")
    op.drop_column("missed_case", "hurried")
