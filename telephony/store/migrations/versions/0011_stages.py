"""A client's stage, and the sales manager beside the account manager."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "client", sa.Column("stage", sa.Text(), nullable=False, server_default="customer")
    )
    # Not by rebuilding the table on SQLite, which would copy a million clients; either database
    # takes a new column with its reference.
    op.execute(
        "ALTER TABLE client ADD COLUMN sales_manager TEXT "
        "CONSTRAINT fk_client_sales_manager REFERENCES operator (extension)"
    )
    op.create_index(op.f("ix_client_sales_manager"), "client", ["sales_manager"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_client_sales_manager", "client")
    with op.batch_alter_table("client") as table:
        table.drop_constraint("fk_client_sales_manager", type_="foreignkey")
        table.drop_column("sales_manager")
        table.drop_column("stage")
