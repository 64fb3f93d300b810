"""The start: calls, outbox, clients, operators, groups, DIDs and the directory's version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _big_key() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables and the one version row."""
    _calls()
    _operators()
    _clients()


def downgrade() -> None:
    """Drop everything."""
    for table in (
        "directory_change",
        "directory_version",
        "client_phone",
        "client",
        "did",
        "shift",
        "operator_group",
        "operator",
        "outbox",
        "call_leg",
        "call",
    ):
        op.drop_table(table)


def _calls() -> None:
    op.create_table(
        "call",
        sa.Column("id", _big_key(), autoincrement=True, nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("client_name", sa.Text(), nullable=False),
        sa.Column("started_at", _moment(), nullable=False),
        sa.Column("answered_at", _moment(), nullable=True),
        sa.Column("ended_at", _moment(), nullable=False),
        sa.Column("wait_ms", sa.BigInteger(), nullable=False),
        sa.Column("ring_ms", sa.BigInteger(), nullable=False),
        sa.Column("talk_ms", sa.BigInteger(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("abandoned_in", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_on", sa.Text(), nullable=True),
        sa.Column("hung_up_by", sa.Text(), nullable=False),
        sa.Column("fallback", sa.Text(), nullable=True),
        sa.Column("decided_ms", sa.Float(), nullable=True),
        sa.Column("plan", sa.JSON(), nullable=True),
        sa.Column("trace", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint("call_id", name=op.f("uq_call_call_id")),
    )
    op.create_index(op.f("ix_call_did_started_at"), "call", ["did", "started_at"])
    op.create_index(op.f("ix_call_number_started_at"), "call", ["number", "started_at"])
    op.create_index(op.f("ix_call_started_at_id"), "call", ["started_at", "id"])
    op.create_table(
        "call_leg",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("uniqueid", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("rang_at", _moment(), nullable=True),
        sa.Column("ring_ms", sa.BigInteger(), nullable=False),
        sa.Column("talk_ms", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Integer(), nullable=False),
        sa.Column("tech_cause", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.call_id"], name=op.f("fk_call_leg_call_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "uniqueid", name=op.f("pk_call_leg")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _big_key(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("done_at", _moment(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", _moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index(op.f("ix_outbox_done_at_id"), "outbox", ["done_at", "id"])


def _operators() -> None:
    op.create_table(
        "operator",
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=True),
        sa.Column("deputy", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["deputy"], ["operator.extension"], name=op.f("fk_operator_deputy")
        ),
        sa.PrimaryKeyConstraint("extension", name=op.f("pk_operator")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_operator_endpoint")),
    )
    op.create_table(
        "operator_group",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_operator_group")),
    )
    op.create_table(
        "shift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("start_time", sa.Text(), nullable=False),
        sa.Column("end_time", sa.Text(), nullable=False),
        sa.Column("lunch_start", sa.Text(), nullable=True),
        sa.Column("lunch_end", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_name"], ["operator_group.name"], name=op.f("fk_shift_group_name")
        ),
        sa.ForeignKeyConstraint(
            ["operator"], ["operator.extension"], name=op.f("fk_shift_operator")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
    )
    op.create_index(op.f("ix_shift_group_name_position"), "shift", ["group_name", "position"])
    op.create_table(
        "did",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("desk_seconds", sa.Integer(), nullable=False),
        sa.Column("mobile_seconds", sa.Integer(), nullable=False),
        sa.Column("duty_seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_name"], ["operator_group.name"], name=op.f("fk_did_group_name")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_did")),
    )


def _clients() -> None:
    op.create_table(
        "client",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("manager", sa.Text(), nullable=True),
        sa.Column("deputy", sa.Text(), nullable=True),
        sa.Column("vip", sa.Boolean(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["deputy"], ["operator.extension"], name=op.f("fk_client_deputy")),
        sa.ForeignKeyConstraint(
            ["manager"], ["operator.extension"], name=op.f("fk_client_manager")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_client_manager"), "client", ["manager"])
    op.create_table(
        "client_phone",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_client_phone_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_client_phone")),
    )
    op.create_index(op.f("ix_client_phone_client_id"), "client_phone", ["client_id"])
    op.create_table(
        "directory_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("setup_version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_version")),
    )
    op.create_table(
        "directory_change",
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_directory_change")),
    )
    op.create_index(
        op.f("ix_directory_change_version_client_id"), "directory_change", ["version", "client_id"]
    )
    op.execute("INSERT INTO directory_version (id, version, setup_version) VALUES (1, 0, 0)")
