"""A notice tells of several events."""

import sqlalchemy as sa
from alembic import op

from telephony.store.tables import Json

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_RULES = sa.table(
    "notice", sa.column("id", sa.Integer), sa.column("event", sa.Text), sa.column("events", Json)
)


def upgrade() -> None:
    """Make a list of each rule's event, which stays beside it for older processes."""
    op.add_column("notice", sa.Column("events", Json, server_default="[]", nullable=False))
    bind = op.get_bind()
    for key, event in bind.execute(sa.select(_RULES.c.id, _RULES.c.event)).all():
        bind.execute(sa.update(_RULES).where(_RULES.c.id == key).values(events=[event]))


def downgrade() -> None:
    """Leave to each rule the first of its events."""
    op.drop_column("notice", "events")
