"""The queues of the groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text, UniqueConstraint, select
from sqlalchemy.orm import Session

from telephony.domain.queueing import QueueSettings, Strategy
from telephony.store.tables import metadata

# `strategy` is a domain.queueing.Strategy; the columns are those of QueueSettings.
group_queue = Table(
    "group_queue",
    metadata,
    Column("group_name", ForeignKey("operator_group.name"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("ring_seconds", Integer, nullable=False),
    Column("wrapup_seconds", Integer, nullable=False),
    Column("max_wait_seconds", Integer, nullable=False),
    Column("music", Text, nullable=False),
    Column("announce_position", Boolean, nullable=False),
    Column("announce_wait", Boolean, nullable=False),
    Column("announce_seconds", Integer, nullable=False),
    Column("callback", Boolean, nullable=False),
    UniqueConstraint("name"),
)


def load_queues(session: Session) -> dict[str, QueueSettings]:
    """Return group → its queue, for groups that have one."""
    found = {}
    for row in session.execute(select(group_queue)).mappings():
        values = {name: value for name, value in row.items() if name != "group_name"}
        values["strategy"] = Strategy(values["strategy"])
        found[row["group_name"]] = QueueSettings(**values)
    return found


def queue_values(queues: Mapping[str, QueueSettings]) -> list[dict[str, Any]]:
    """Return the rows of queues, given by group."""
    return [{"group_name": group, **asdict(queue)} for group, queue in queues.items()]
