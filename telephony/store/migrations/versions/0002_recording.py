"""Directions, holds, moments and sources of calls; live calls, operators and processes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what this version records; what is there already is of inbound calls."""
    call = (
        sa.Column("direction", sa.Text(), server_default="in", nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=True),
        sa.Column("hold_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("source", sa.Text(), server_default="events", nullable=False),
        sa.Column("moments", sa.JSON(), nullable=True),
    )
    leg = (
        sa.Column("ended_at", _moment(), nullable=True),
        sa.Column("hold_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("talks", sa.JSON(), nullable=True),
        sa.Column("holds", sa.JSON(), nullable=True),
    )
    for table, columns in (("call", call), ("call_leg", leg)):
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "live_call",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("client_name", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("since", _moment(), nullable=False),
        sa.Column("started_at", _moment(), nullable=False),
        sa.Column("answered_at", _moment(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("ringing", sa.JSON(), nullable=False),
        sa.Column("talking", sa.JSON(), nullable=False),
        sa.Column("on_hold", sa.Integer(), server_default="0", nullable=False),
        sa.Column("plan", sa.JSON(), nullable=True),
        sa.Column("trace", sa.JSON(), nullable=True),
        sa.Column("decided_ms", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_live_call")),
    )
    op.create_table(
        "operator_state",
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("device_state", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", _moment(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("extension", name=op.f("pk_operator_state")),
    )
    op.create_table(
        "process_status",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", _moment(), nullable=False),
        sa.Column("renewed_at", _moment(), nullable=False),
        sa.Column("ready", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_process_status")),
    )
    op.create_table(
        "log_cursor",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", _moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_log_cursor")),
    )


def downgrade() -> None:
    """Drop what was added."""
    for table in ("log_cursor", "process_status", "operator_state", "live_call"):
        op.drop_table(table)
    for name in ("holds", "talks", "hold_ms", "ended_at"):
        op.drop_column("call_leg", name)
    for name in ("moments", "source", "hold_ms", "placed_by", "direction"):
        op.drop_column("call", name)
