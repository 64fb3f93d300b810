"""What goes on now, for every process that is not the listener: rows that the writer keeps.

`live_call` holds the calls that have not ended, `operator_state` what each extension does,
`process_status` that a process runs, and how it is.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from telephony.store.tables import Json, UtcDateTime, metadata

# `phase` is domain.call.Phase; `ringing` and `talking` are arrays of extensions (of numbers where
# no operator is known); `since` is when the phase began.
live_call = Table(
    "live_call",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("direction", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("client_id", Integer),
    Column("client_name", Text, nullable=False),
    Column("placed_by", Text),
    Column("phase", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("ringing", Json, nullable=False),
    Column("talking", Json, nullable=False),
    Column("on_hold", Integer, nullable=False, server_default="0"),
)

# `device_state` is Asterisk's word; `state` is free, ringing, busy, away (not registered) or
# unknown; `since` is when `state` began.
operator_state = Table(
    "operator_state",
    metadata,
    Column("extension", Text, primary_key=True),
    Column("device_state", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("call_id", Text),
)

# `name` is listener, relay, worker-now, worker-bulk or web; `ready` is 0 or 1; `problem` is a code
# of why not; `figures` maps names of metrics to numbers; a row not renewed for 15 s is of a process
# that is gone.
process_status = Table(
    "process_status",
    metadata,
    Column("name", Text, primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("renewed_at", UtcDateTime, nullable=False),
    Column("ready", Integer, nullable=False),
    Column("problem", Text),
    Column("figures", Json, nullable=False),
)
