"""The tables of callbacks: cases, the calls that belong to them, the tries, and who is left out."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, false, text

from telephony.store.call_tables import Digits
from telephony.store.tables import BigKey, UtcDateTime, metadata

_OPEN = text("state IN ('open', 'dialling')")
_LIVE = text("state IN ('wanted', 'claimed', 'sent')")

# The columns are those of domain.callback.cases.Case; `told` is up to which notice was sent: near,
# overdue, or empty. One open case to a number, whatever else happens.
missed_case = Table(
    "missed_case",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("number", Digits, nullable=False),
    Column("state", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("group_name", Text),
    Column("client_id", Integer),
    Column("client_name", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("owner", Text),
    Column("claimed_by", Text),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("origin_at", UtcDateTime, nullable=False),
    Column("last_missed_at", UtcDateTime, nullable=False),
    Column("missed", Integer, nullable=False),
    Column("due_at", UtcDateTime),
    Column("promised_at", UtcDateTime),
    Column("hurried", Boolean, nullable=False, server_default=false()),
    Column("agreed_at", UtcDateTime),
    Column("broken_at", UtcDateTime),
    Column("anyone_at", UtcDateTime),
    Column("sla_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("attention", Text),
    Column("tries", Integer, nullable=False),
    Column("misses", Integer, nullable=False),
    Column("last", Text),
    Column("ended_at", UtcDateTime),
    Column("ending", Text),
    Column("ended_by", Text),
    Column("note", Text, nullable=False),
    Column("call_id", Text),
    Column("told", Text, nullable=False, server_default=""),
    Index(None, "state", "due_at"),
    Index("ix_missed_case_state_sla_at", "state", "sla_at", "id"),
    Index("ix_missed_case_state_expires_at", "state", "expires_at"),
    Index(None, "number", "opened_at"),
    Index(None, "client_id", "opened_at"),
    Index(None, "opened_at"),
    Index(None, "ended_at"),
    Index("ix_missed_case_state_ended_at", "state", "ended_at", "id"),
    Index("uq_missed_case_open", "number", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

# The missed calls of a case, each once; `why` as the case's.
case_call = Table(
    "case_call",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("case_id", ForeignKey("missed_case.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("why", Text, nullable=False),
    Column("did", Text, nullable=False),
    Index(None, "case_id", "at"),
)

# One try to call back, or (without a case) a call that somebody asked for by a click. `first` is
# whose phone rings first; `operator` is called, or kept free for a client who is called first;
# `prefix` is dialling.prefix_of the number; `asked_by` is who clicked, empty when nobody did. Of a
# case, of a number and of an operator, one try at a time.
callback_attempt = Table(
    "callback_attempt",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("case_id", ForeignKey("missed_case.id", ondelete="CASCADE")),
    Column("number", Digits, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("first", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("mobile", Integer, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("uniqueid", Text),
    Column("ended_at", UtcDateTime),
    Column("ended", Text),
    Column("cause", Text),
    Column("talk_ms", Integer, nullable=False),
    Index(None, "case_id", "id"),
    Index(None, "state", "lease_until"),
    Index(None, "number", "sent_at"),
    Index(None, "prefix", "sent_at"),
    Index(None, "sent_at"),
    Index(
        "uq_callback_attempt_case", "case_id", unique=True,
        sqlite_where=_LIVE, postgresql_where=_LIVE,
    ),
    Index(
        "uq_callback_attempt_number", "number", unique=True,
        sqlite_where=_LIVE, postgresql_where=_LIVE,
    ),
    Index(
        "uq_callback_attempt_operator", "operator", unique=True,
        sqlite_where=_LIVE, postgresql_where=_LIVE,
    ),
    sqlite_autoincrement=True,
)  # fmt: skip

# Numbers that asked not to be called.
opt_out = Table(
    "opt_out",
    metadata,
    Column("number", Digits, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

# The kill switch: while its one row is there, nothing is dialled.
callback_stop = Table(
    "callback_stop",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("stopped_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
