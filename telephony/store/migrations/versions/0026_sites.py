"""Web sites with a callback button, what is counted of them, and requests that may come twice."""

import sqlalchemy as sa
from alembic import op

from telephony.store.tables import BigKey, Json, UtcDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "callback_site",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("origins", Json, nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("site_hour", sa.Integer(), nullable=False),
        sa.Column("address_hour", sa.Integer(), nullable=False),
        sa.Column("number_hour", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_callback_site")),
    )
    op.create_table(
        "callback_form_try",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_callback_form_try")),
    )
    op.create_index("ix_callback_form_try_since", "callback_form_try", ["since"])
    op.create_table(
        "callback_form_proof",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_callback_form_proof")),
    )
    op.create_index("ix_callback_form_proof_until", "callback_form_proof", ["until"])
    op.create_table(
        "callback_site_day",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"],
            ["callback_site.key"],
            name=op.f("fk_callback_site_day_site"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("site", "day", "kind", name=op.f("pk_callback_site_day")),
    )
    op.create_table(
        "callback_request",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("case_id", BigKey, nullable=False),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_callback_request")),
    )
    op.create_index("ix_callback_request_at", "callback_request", ["at"])


def downgrade() -> None:
    """Drop them."""
    for name in (
        "callback_request",
        "callback_site_day",
        "callback_form_proof",
        "callback_form_try",
        "callback_site",
    ):
        op.drop_table(name)
