"""Pauses and “closed now” as people see them and ask for them: for the panel and the API.

The PBX does what is asked, and until it tells so nothing is shown as done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from telephony.domain.pauses import (
    CLOSED_STATE,
    OFF,
    STATE_OF,
    PauseKind,
    closed_device,
    closed_now,
    pause_device,
    pause_of,
)
from telephony.store.audit import Note
from telephony.store.setup import load_setup
from telephony.store.switches import Switch, ask_switch

BACK = "back"


class UnknownError(LookupError):
    """There is no such operator or DID."""


@dataclass(frozen=True, slots=True)
class Pause:
    """An operator's pause, None for none; `asked` is what comes while it is `pending`."""

    kind: PauseKind | None
    since: datetime | None
    pending: bool
    asked: PauseKind | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Closing:
    """Whether somebody closed a DID, or all of them; `asked` is what comes while `pending`."""

    closed: bool
    since: datetime | None
    pending: bool
    asked: bool | None
    problem: str | None


def pause_seen(switches: Mapping[str, Switch], extension: str) -> Pause:
    """Return an operator's pause as the PBX told it last."""
    one = switches.get(pause_device(extension), Switch(""))

    def kind(state: str | None) -> PauseKind | None:
        return pause_of({pause_device(extension): state or ""}, extension)

    return Pause(kind(one.state), one.since, one.pending, kind(one.asked), one.problem)


def closing_seen(switches: Mapping[str, Switch], did: str | None = None) -> Closing:
    """Return whether a DID (digits) is closed by its own switch; without one, whether all are."""
    one = switches.get(closed_device(did), Switch(""))

    def closed(state: str) -> bool:
        return closed_now({closed_device(): state}, "")

    asked = None if one.asked is None else closed(one.asked)
    return Closing(closed(one.state), one.since, one.pending, asked, one.problem)


def ask_pause(
    session: Session, extension: str, kind: PauseKind | None, now: datetime, note: Note
) -> None:
    """Ask the PBX to begin an operator's pause, or to end it (None); raise UnknownError."""
    if extension not in load_setup(session).operators:
        raise UnknownError(extension)
    state = OFF if kind is None else STATE_OF[kind]
    ask_switch(session, pause_device(extension), state, now)
    note(session, "operator.paused", extension, pause=BACK if kind is None else kind.value)


def ask_closing(
    session: Session, did: str | None, now: datetime, note: Note, *, closed: bool
) -> None:
    """Ask the PBX to close, or open again, a DID or all of them (None); raise UnknownError."""
    if did is not None and did not in load_setup(session).dids:
        raise UnknownError(did)
    ask_switch(session, closed_device(did), CLOSED_STATE if closed else OFF, now)
    note(session, "switch.closed" if closed else "switch.open", did or "*")
