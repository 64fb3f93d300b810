"""The PBX's switches (pauses, “closed now”) as they were seen last, and what was asked of them.

A request is answered by what the PBX then tells, or by a `problem`; it is never tried twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Table, Text, insert, select, update
from sqlalchemy.orm import Session

from telephony.domain.pauses import SWITCH, SWITCH_STATES
from telephony.store.tables import UtcDateTime, metadata

# `state` is Asterisk's word, empty when it was never seen; `asked` is the state that somebody asked
# for and that did not come yet; `taken_at` is when the listener took the request; `problem` is a
# Problem: why the last request came to nothing.
switch = Table(
    "switch",
    metadata,
    Column("device", Text, primary_key=True),
    Column("state", Text, nullable=False, server_default=""),
    Column("since", UtcDateTime),
    Column("asked", Text),
    Column("asked_at", UtcDateTime),
    Column("taken_at", UtcDateTime),
    Column("problem", Text),
)

# Nobody took a request; the PBX did not tell of the change.
NOT_TAKEN, NOT_TOLD = "not_taken", "not_told"
# A request that waited longer than this is not done any more: it may have been thought better of.
WAITS = timedelta(seconds=10)
TELLS = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch. `pending` until the PBX tells of what was `asked`; times are aware."""

    device: str
    state: str = ""
    since: datetime | None = None
    asked: str | None = None
    asked_at: datetime | None = None
    problem: str | None = None

    @property
    def pending(self) -> bool:
        """Whether what was asked for is still to come."""
        return self.asked is not None


def ask_switch(session: Session, device: str, state: str, now: datetime) -> None:
    """Ask for a switch to be set; a request that was not done yet is forgotten.

    Raises ValueError for a device that is no switch of ours or a state that is none of its own.
    """
    if not SWITCH.fullmatch(device) or state not in SWITCH_STATES:
        raise ValueError(f"{device} is no switch, or {state} none of its states")
    values = {"asked": state, "asked_at": now, "taken_at": None, "problem": None}
    _save(session, device, values)


def find_switches(session: Session) -> dict[str, Switch]:
    """Return every switch that was ever seen or asked for, by device."""
    columns = [switch.c[name] for name in Switch.__slots__]
    return {row["device"]: Switch(**row) for row in session.execute(select(*columns)).mappings()}


def waiting_switches(session: Session) -> bool:
    """Tell whether requests are open."""
    query = select(switch.c.device).where(switch.c.asked.is_not(None)).limit(1)
    return session.execute(query).first() is not None


def take_switches(session: Session, now: datetime) -> list[tuple[str, str]]:
    """Return (device, state) of the requests that are to be done now, each once.

    Those that are too old, and those of which the PBX did not tell, become problems.
    """
    open_ = switch.c.asked.is_not(None)
    fresh = switch.c.taken_at.is_(None)
    for late, problem in (
        (fresh & (switch.c.asked_at < now - WAITS), NOT_TAKEN),
        (switch.c.taken_at < now - TELLS, NOT_TOLD),
    ):
        session.execute(
            update(switch).where(open_, late).values(asked=None, taken_at=None, problem=problem)
        )
    taken = session.execute(
        update(switch)
        .where(open_, fresh)
        .values(taken_at=now)
        .returning(switch.c.device, switch.c.asked)
    ).all()
    # Of a state that it is in already the PBX tells nothing.
    session.execute(
        update(switch)
        .where(switch.c.asked == switch.c.state, switch.c.taken_at == now)
        .values(asked=None, taken_at=None)
    )
    return [(row.device, row.asked) for row in taken]


def save_switches(session: Session, states: Mapping[str, str], now: datetime) -> None:
    """Write what the PBX told of switches; a request that this answers is done."""
    for device, state in states.items():
        known = session.execute(select(switch).where(switch.c.device == device)).first()
        if known is None or known.state != state:
            _save(session, device, {"state": state, "since": now})
        if known is not None and known.asked == state:
            session.execute(
                update(switch)
                .where(switch.c.device == device)
                .values(asked=None, taken_at=None, problem=None)
            )


def _save(session: Session, device: str, values: dict[str, Any]) -> None:
    """Change a switch's row; the first time it is made."""
    done = session.execute(
        update(switch).where(switch.c.device == device).values(values).returning(switch.c.device)
    ).first()
    if done is None:
        session.execute(insert(switch).values(device=device, **values))
