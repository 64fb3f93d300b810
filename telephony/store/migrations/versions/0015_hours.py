"""Opening hours, trunks, and what an admin sets for a DID."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and add the columns: rows without them mean what they meant."""
    op.create_table(
        "hours",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("openings", sa.JSON(), nullable=False),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_hours")),
    )
    op.create_table(
        "trunk",
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_trunk")),
    )
    op.add_column("operator", sa.Column("trunk", sa.Text(), nullable=True))
    op.add_column("operator_group", sa.Column("hours", sa.Text(), nullable=True))
    op.add_column("did", sa.Column("rules", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take them away, with what was set."""
    op.drop_column("did", "rules")
    op.drop_column("operator_group", "hours")
    op.drop_column("operator", "trunk")
    op.drop_table("trunk")
    op.drop_table("hours")
