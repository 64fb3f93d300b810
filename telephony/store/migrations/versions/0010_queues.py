"""Queues of the groups."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "group_queue",
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("ring_seconds", sa.Integer(), nullable=False),
        sa.Column("wrapup_seconds", sa.Integer(), nullable=False),
        sa.Column("max_wait_seconds", sa.Integer(), nullable=False),
        sa.Column("music", sa.Text(), nullable=False),
        sa.Column("announce_position", sa.Boolean(), nullable=False),
        sa.Column("announce_wait", sa.Boolean(), nullable=False),
        sa.Column("announce_seconds", sa.Integer(), nullable=False),
        sa.Column("callback", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_name"],
            ["operator_group.name"],
            name=op.f("fk_group_queue_group_name_operator_group"),
        ),
        sa.PrimaryKeyConstraint("group_name", name=op.f("pk_group_queue")),
        sa.UniqueConstraint("name", name=op.f("uq_group_queue_name")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("group_queue")
