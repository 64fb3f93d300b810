"""The tables of calls, and those that calls are found by."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from telephony.store.tables import BigKey, Json, UtcDateTime, metadata

# Compared by bytes on PostgreSQL too, so that a prefix is a range of an ordinary index.
Digits = Text().with_variant(Text(collation="C"), "postgresql")

# What a list of calls may be narrowed by besides a number or a client: in the same index, so that
# no row of `call`, which is wide, is read before it is known to be wanted.
_FACETS = ("started_at", "id", "did", "direction", "disposition")


def facets_index(column: str) -> str:
    """Return the name of the index by which calls are found by a column."""
    return "_".join(("ix_call", column, *_FACETS))


# No foreign key to clients or operators: they come and go, what happened stays.
call = Table(
    "call",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("call_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("did", Text, nullable=False),
    Column("number", Digits, nullable=False),
    Column("client_id", Integer),
    Column("client_name", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("wait_ms", BigInteger, nullable=False),
    Column("ring_ms", BigInteger, nullable=False),
    Column("talk_ms", BigInteger, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("abandoned_in", Text),
    Column("answered_by", Text),
    Column("talked_last", Text),
    Column("answered_on", Text),
    Column("hung_up_by", Text, nullable=False),
    Column("fallback", Text),
    Column("decided_ms", Float),
    Column("plan", Json),
    Column("trace", Json),
    Column("direction", Text, nullable=False, server_default="in"),
    Column("placed_by", Text),
    Column("hold_ms", BigInteger, nullable=False, server_default="0"),
    Column("source", Text, nullable=False, server_default="events"),
    Column("moments", Json),
    # The number backwards: its last digits are found as a range of an index.
    Column("tail", Digits, nullable=False, server_default=""),
    UniqueConstraint("call_id"),
    Index(None, "started_at", "id"),
    Index(None, "number", *_FACETS),
    Index(None, "tail", *_FACETS),
    Index(None, "client_id", *_FACETS),
    Index(None, "direction", "disposition", "started_at", "id"),
    Index(None, "did", "direction", "disposition", "started_at", "id"),
)

call_leg = Table(
    "call_leg",
    metadata,
    Column("call_id", Text, ForeignKey("call.call_id", ondelete="CASCADE"), primary_key=True),
    Column("uniqueid", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("operator", Text),
    Column("address", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("rang_at", UtcDateTime),
    Column("ring_ms", BigInteger, nullable=False),
    Column("talk_ms", BigInteger, nullable=False),
    Column("cause", Integer, nullable=False),
    Column("tech_cause", Integer, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("hold_ms", BigInteger, nullable=False, server_default="0"),
    Column("talks", Json),
    Column("holds", Json),
)

# An operator takes part in a call that they placed or answered, or that reached a phone of theirs.
# Every column is in the key: the table is an index from which one operator's calls are read.
call_operator = Table(
    "call_operator",
    metadata,
    Column("extension", Text, primary_key=True),
    Column("started_at", UtcDateTime, primary_key=True),
    Column("call_key", BigKey, ForeignKey("call.id", ondelete="CASCADE"), primary_key=True),
    Column("did", Text, primary_key=True),
    Column("direction", Text, primary_key=True),
    Column("disposition", Text, primary_key=True),
    Index(None, "call_key"),
    sqlite_with_rowid=False,
)

# How many calls began on a day (UTC), kept with the calls: totals and far pages cost a few rows.
# `scope` is "" (all), "did:<number>" or "operator:<extension>"; an operator's calls are counted by
# the month, under its first day.
call_count = Table(
    "call_count",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("direction", Text, primary_key=True),
    Column("disposition", Text, primary_key=True),
    Column("calls", Integer, nullable=False),
    sqlite_with_rowid=False,
)
