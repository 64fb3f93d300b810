"""Missed cases with their calls and tries, who is not to be called, and the kill switch."""

import sqlalchemy as sa
from alembic import op

from telephony.store.call_tables import Digits
from telephony.store.tables import BigKey, UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('open', 'dialling')")
_LIVE = sa.text("state IN ('wanted', 'claimed', 'sent')")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "missed_case",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("number", Digits, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("client_name", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("origin_at", UtcDateTime(), nullable=False),
        sa.Column("last_missed_at", UtcDateTime(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("promised_at", UtcDateTime(), nullable=True),
        sa.Column("anyone_at", UtcDateTime(), nullable=True),
        sa.Column("sla_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("attention", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("last", sa.Text(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("told", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_missed_case")),
    )
    for name, *columns in (
        ("ix_missed_case_state_due_at", "state", "due_at"),
        ("ix_missed_case_state_sla_at", "state", "sla_at", "id"),
        ("ix_missed_case_state_expires_at", "state", "expires_at"),
        ("ix_missed_case_number_opened_at", "number", "opened_at"),
        ("ix_missed_case_client_id_opened_at", "client_id", "opened_at"),
        ("ix_missed_case_opened_at", "opened_at"),
        ("ix_missed_case_ended_at", "ended_at"),
        ("ix_missed_case_state_ended_at", "state", "ended_at", "id"),
    ):
        op.create_index(name, "missed_case", columns)
    op.create_index(
        "uq_missed_case_open",
        "missed_case",
        ["number"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "case_call",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("case_id", BigKey, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["missed_case.id"],
            name=op.f("fk_case_call_case_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_case_call")),
    )
    op.create_index("ix_case_call_case_id_at", "case_call", ["case_id", "at"])
    op.create_table(
        "callback_attempt",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("case_id", BigKey, nullable=True),
        sa.Column("number", Digits, nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("uniqueid", sa.Text(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("talk_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["missed_case.id"],
            name=op.f("fk_callback_attempt_case_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_attempt")),
        sqlite_autoincrement=True,
    )
    for name, *columns in (
        ("ix_callback_attempt_case_id_id", "case_id", "id"),
        ("ix_callback_attempt_state_lease_until", "state", "lease_until"),
        ("ix_callback_attempt_number_sent_at", "number", "sent_at"),
        ("ix_callback_attempt_prefix_sent_at", "prefix", "sent_at"),
        ("ix_callback_attempt_sent_at", "sent_at"),
    ):
        op.create_index(name, "callback_attempt", columns)
    for column in ("case_id", "operator"):
        op.create_index(
            f"uq_callback_attempt_{column.removesuffix('_id')}",
            "callback_attempt",
            [column],
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        )
    op.create_table(
        "opt_out",
        sa.Column("number", Digits, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_opt_out")),
    )
    op.create_table(
        "callback_stop",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("stopped_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_stop")),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("callback_stop", "opt_out", "callback_attempt", "case_call", "missed_case"):
        op.drop_table(name)
