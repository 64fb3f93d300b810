"""What goes on now, for every process that is not the listener: rows that the writer keeps.

`live_call` holds the calls that have not ended, `operator_state` what each extension does,
`process_status` that a process runs, and how it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Float, Integer, Row, Table, Text, delete, select
from sqlalchemy.orm import Session

from telephony.domain.live import LiveCall, OperatorActivity, OperatorState, reachable
from telephony.domain.orders import LINE_DIGITS
from telephony.domain.record import Direction
from telephony.domain.setup import Setup
from telephony.store.codec import decision_from_json, plan_to_json, trace_to_json
from telephony.store.tables import (
    Json,
    UtcDateTime,
    metadata,
    microseconds,
    moment,
    optional_microseconds,
    optional_moment,
    upsert,
)

# `phase` is domain.call.Phase; `ringing` and `talking` are arrays of extensions (of numbers where
# no operator is known); `since` is when the phase began; `queue` is the queue of ours in which the
# caller waits, empty for none, `queued_at` since when.
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
    Column("answered_by", Text),
    Column("ringing", Json, nullable=False),
    Column("talking", Json, nullable=False),
    Column("on_hold", Integer, nullable=False, server_default="0"),
    Column("plan", Json),
    Column("trace", Json),
    Column("decided_ms", Float),
    Column("channel", Text, nullable=False, server_default=""),
    Column("queue", Text, nullable=False, server_default=""),
    Column("queued_at", UtcDateTime),
)

# `device_state` is Asterisk's word; `state` is free, ringing, busy, paused, away (not registered)
# or unknown; `since` is when `state` began; `pause` is why no queue rings the phone, or empty.
operator_state = Table(
    "operator_state",
    metadata,
    Column("extension", Text, primary_key=True),
    Column("device_state", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("call_id", Text),
    Column("pause", Text, nullable=False, server_default=""),
)

# `name` is listener, relay, worker-now, worker-bulk or web, of a second one that runs at the same
# time with -2 behind it, and so on; `ready` is 0 or 1; `problem` is a code of why not; `figures`
# maps names of metrics to numbers; a row not renewed for 15 s is of a process that is gone.
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

# A row that was not renewed for this long is of a process that is gone, or hangs.
STALE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Process:
    """A process of Dutyline as it told last, at `renewed_at`. Times are aware.

    `problem` is a code of why it is not `ready`; `figures` maps names of metrics to numbers.
    """

    name: str
    pid: int
    host: str
    version: str
    started_at: datetime
    renewed_at: datetime
    ready: bool
    problem: str | None = None
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """What it is one of: `worker-bulk` of `worker-bulk-2`."""
        return part_of(self.name)

    def is_alive(self, now: datetime) -> bool:
        """Tell whether it told of itself lately; `now` is aware."""
        return now - self.renewed_at < STALE


def part_of(name: str) -> str:
    """Return the part that a process of this name is one of."""
    part, _, number = name.rpartition("-")
    return part if part and number.isdigit() else name


def save_live_calls(session: Session, calls: Sequence[LiveCall]) -> None:
    """Insert or overwrite live calls; one that is older than what is stored is ignored."""
    if calls:
        session.execute(
            upsert(session, live_call, key=("call_id",), newer="revision"),
            [_call_values(call) for call in calls],
        )


def delete_live_calls(session: Session, call_ids: Sequence[str]) -> None:
    """Delete the live calls of these ids; ids that are not there are fine."""
    if call_ids:
        session.execute(delete(live_call).where(live_call.c.call_id.in_(list(call_ids))))


def replace_live_calls(session: Session, calls: Sequence[LiveCall]) -> None:
    """Make these the only live calls: what an earlier process left behind goes."""
    session.execute(delete(live_call))
    save_live_calls(session, calls)


def find_live_calls(session: Session, call_ids: Sequence[str]) -> list[LiveCall]:
    """Return the live calls of these ids, as far as they are there."""
    if not call_ids:
        return []
    rows = session.execute(select(live_call).where(live_call.c.call_id.in_(list(call_ids))))
    return [_call(row) for row in rows]


def has_live_call(session: Session, number: str) -> bool:
    """Tell whether somebody with this number (E.164) is on the line now, whoever called whom.

    By the digits by which the dialplan compares: whom it would refuse rings no operator.
    """
    query = select(live_call.c.call_id).where(live_call.c.number.like(f"%{number[-LINE_DIGITS:]}"))
    return session.execute(query.limit(1)).first() is not None


def list_live_calls(session: Session) -> list[LiveCall]:
    """Return all live calls, the one that began first first."""
    rows = session.execute(select(live_call).order_by(live_call.c.started_at, live_call.c.call_id))
    return [_call(row) for row in rows]


def save_operator_states(session: Session, states: Sequence[OperatorState]) -> None:
    """Insert or overwrite what operators do."""
    if states:
        session.execute(
            upsert(session, operator_state, key=("extension",)),
            [_state_values(state) for state in states],
        )


def replace_operator_states(session: Session, states: Sequence[OperatorState]) -> None:
    """Make these the only operators' states."""
    session.execute(delete(operator_state))
    save_operator_states(session, states)


def list_operator_states(session: Session) -> list[OperatorState]:
    """Return what every operator does, by extension."""
    rows = session.execute(select(operator_state).order_by(operator_state.c.extension))
    return [
        OperatorState(
            extension=row.extension,
            device_state=row.device_state,
            state=OperatorActivity(row.state),
            since=microseconds(row.since),
            call_id=row.call_id,
            pause=row.pause,
        )
        for row in rows
    ]


def reachable_now(session: Session, setup: Setup) -> dict[str, bool]:
    """Return extension → whether there is a phone to ring, by what was seen of phones last."""
    states = {one.extension: one.state for one in list_operator_states(session)}
    return reachable(setup.operators.values(), states)


def save_process(session: Session, process: Process) -> None:
    """Insert or overwrite what a process tells of itself."""
    session.execute(
        upsert(session, process_status, key=("name",)),
        {
            "name": process.name,
            "pid": process.pid,
            "host": process.host,
            "version": process.version,
            "started_at": process.started_at,
            "renewed_at": process.renewed_at,
            "ready": int(process.ready),
            "problem": process.problem,
            "figures": dict(process.figures),
        },
    )


def delete_processes(session: Session, names: Sequence[str]) -> None:
    """Delete what processes of these names told."""
    if names:
        session.execute(delete(process_status).where(process_status.c.name.in_(list(names))))


def list_processes(session: Session) -> list[Process]:
    """Return every process that ever told of itself, by name."""
    rows = session.execute(select(process_status).order_by(process_status.c.name))
    return [
        Process(
            name=row.name,
            pid=row.pid,
            host=row.host,
            version=row.version,
            started_at=row.started_at,
            renewed_at=row.renewed_at,
            ready=bool(row.ready),
            problem=row.problem,
            figures=row.figures,
        )
        for row in rows
    ]


def _call_values(call: LiveCall) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "revision": call.revision,
        "direction": call.direction.value,
        "did": call.did,
        "number": call.number,
        "client_id": call.client_id,
        "client_name": call.client_name,
        "placed_by": call.placed_by,
        "phase": str(call.phase),
        "since": moment(call.since),
        "started_at": moment(call.started_at),
        "answered_at": optional_moment(call.answered_at),
        "answered_by": call.answered_by,
        "ringing": list(call.ringing),
        "talking": list(call.talking),
        "on_hold": call.on_hold,
        "plan": plan_to_json(call.decision),
        "trace": trace_to_json(call.decision),
        "decided_ms": call.decided_ms,
        "channel": call.channel,
        "queue": call.queue,
        "queued_at": optional_moment(call.queued_at),
    }


def _call(row: Row[Any]) -> LiveCall:
    return LiveCall(
        call_id=row.call_id,
        revision=row.revision,
        direction=Direction(row.direction),
        did=row.did,
        number=row.number,
        client_id=row.client_id,
        client_name=row.client_name,
        placed_by=row.placed_by,
        phase=row.phase,
        since=microseconds(row.since),
        started_at=microseconds(row.started_at),
        answered_at=optional_microseconds(row.answered_at),
        answered_by=row.answered_by,
        ringing=tuple(row.ringing),
        talking=tuple(row.talking),
        on_hold=row.on_hold,
        decision=decision_from_json(row.plan, row.trace),
        decided_ms=row.decided_ms,
        channel=row.channel,
        queue=row.queue,
        queued_at=optional_microseconds(row.queued_at),
    )


def _state_values(state: OperatorState) -> dict[str, Any]:
    return {
        "extension": state.extension,
        "device_state": state.device_state,
        "state": state.state.value,
        "since": moment(state.since),
        "call_id": state.call_id,
        "pause": state.pause,
    }
