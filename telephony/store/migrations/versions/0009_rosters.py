"""Rosters of layers: rotations, one-off shifts, overrides, swaps; and who is away."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES = ("rotation", "one_off", "roster_override", "swap", "absence")


def _own(name: str, *columns: sa.Column[Any], by: str = "group_name") -> None:
    """Make a table of entries in the admin's order, most of them of a group."""
    grouped = by == "group_name"
    head: list[sa.Column[Any]] = [sa.Column("id", sa.Integer(), nullable=False)]
    keys: list[sa.Constraint] = [sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}"))]
    if grouped:
        head.append(sa.Column("group_name", sa.Text(), nullable=False))
        keys.append(
            sa.ForeignKeyConstraint(
                ["group_name"], ["operator_group.name"],
                name=op.f(f"fk_{name}_group_name_operator_group"),
            )
        )  # fmt: skip
    for column in columns:
        if column.info.get("operator"):
            keys.append(
                sa.ForeignKeyConstraint(
                    [column.name], ["operator.extension"],
                    name=op.f(f"fk_{name}_{column.name}_operator"),
                )
            )  # fmt: skip
    op.create_table(
        name, *head, *columns, sa.Column("position", sa.Integer(), nullable=False), *keys
    )
    indexed = ["group_name", "position"] if grouped else [by]
    op.create_index(op.f(f"ix_{name}_{'_'.join(indexed)}"), name, indexed)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _operator(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable, info={"operator": True})


def _layer() -> sa.Column[Any]:
    return sa.Column("layer", sa.Integer(), server_default="0", nullable=False)


def upgrade() -> None:
    """Make the tables, and the columns that shifts have more."""
    for name in ("cover", "since", "until"):
        op.add_column("shift", _text(name, nullable=True))
    op.add_column("shift", _layer())
    _own(
        "rotation",
        sa.Column("turns", sa.JSON(), nullable=False),
        _text("first"),
        sa.Column("length", sa.Integer(), nullable=False),
        _text("handover"),
        _text("start_time"),
        _text("end_time"),
        _text("days"),
        _text("lunch_start", nullable=True),
        _text("lunch_end", nullable=True),
        _operator("cover", nullable=True),
        _text("until", nullable=True),
        _layer(),
    )
    _own("one_off", _operator("operator"), _text("start_at"), _text("end_at"), _layer())
    _own(
        "roster_override",
        sa.Column("operators", sa.JSON(), nullable=False),
        _text("start_at"),
        _text("end_at"),
        sa.Column("instead_of", sa.JSON(), nullable=True),
    )
    _own("swap", _operator("one"), _operator("other"), _text("start_at"), _text("end_at"))
    _own(
        "absence",
        _operator("operator"),
        _text("start_at"),
        _text("end_at"),
        _text("zone"),
        _text("kind"),
        _operator("cover", nullable=True),
        by="operator",
    )


def downgrade() -> None:
    """Drop it all; weekly shifts stay."""
    for name in _TABLES:
        op.drop_table(name)
    with op.batch_alter_table("shift") as table:
        for name in ("cover", "since", "until", "layer"):
            table.drop_column(name)
