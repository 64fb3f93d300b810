"""What goes on now: calls that have not ended, and what each operator does.

Times (`at`, `since` …) are microseconds since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from telephony.domain.record import Context, Direction
from telephony.domain.routing import Decision
from telephony.domain.setup import Operator


class OperatorActivity(StrEnum):
    """What an operator does, as far as the phone tells."""

    FREE = "free"
    RINGING = "ringing"
    BUSY = "busy"
    PAUSED = "paused"
    AWAY = "away"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call that has not ended. `phase` is a `domain.call.Phase`, `since` when it began.

    `ringing` and `talking` are extensions (numbers where no operator is known); `on_hold` counts
    the parties on hold; `answered_by` is the extension that answered first. `decision` and
    `decided_ms` are kept so that a listener that is started in mid-call can record them, `channel`,
    the leg it began with, so that it can follow the call when that leg has gone. `queue` is the
    queue of ours in which the caller waits since `queued_at`, also while it rings somebody. Of two
    versions the one with the greater `revision` is the later one.
    """

    call_id: str
    revision: int
    direction: Direction
    did: str
    number: str
    client_id: int | None
    client_name: str
    placed_by: str | None
    phase: str
    since: int
    started_at: int
    answered_at: int | None = None
    answered_by: str | None = None
    ringing: tuple[str, ...] = ()
    talking: tuple[str, ...] = ()
    on_hold: int = 0
    decision: Decision | None = None
    decided_ms: float | None = None
    channel: str = ""
    queue: str = ""
    queued_at: int | None = None


@dataclass(frozen=True, slots=True)
class OperatorState:
    """What one extension does since `since`; `device_state` is Asterisk's word for it.

    `call_id` is the call it rings for or talks in, None when it is in none that is followed.
    `pause` is why no queue rings it, in words of `membership.pause_now`; empty when queues do.
    """

    extension: str
    device_state: str
    state: OperatorActivity
    since: int
    call_id: str | None = None
    pause: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an earlier process had told when it was last seen, at `seen_at` (None: there is none).

    Its calls may have ended since.
    """

    calls: tuple[LiveCall, ...] = ()
    operators: tuple[OperatorState, ...] = ()
    seen_at: int | None = None


_BY_DEVICE = {
    "NOT_INUSE": OperatorActivity.FREE,
    "RINGING": OperatorActivity.RINGING,
    "INUSE": OperatorActivity.BUSY,
    "RINGINUSE": OperatorActivity.BUSY,
    "BUSY": OperatorActivity.BUSY,
    "ONHOLD": OperatorActivity.BUSY,
    "UNAVAILABLE": OperatorActivity.AWAY,
}


def activity(device_state: str, paused: bool = False) -> OperatorActivity:
    """Return what an operator does whose phone is in a device state of Asterisk.

    Who is `paused` in all queues and has a free phone makes a pause.
    """
    doing = _BY_DEVICE.get(device_state, OperatorActivity.UNKNOWN)
    return OperatorActivity.PAUSED if paused and doing is OperatorActivity.FREE else doing


def recalled(context: Context, known: LiveCall) -> Context:
    """Return a call's context with what another process had told of the call."""
    return replace(
        context,
        number=known.number or None,
        client_id=known.client_id,
        client_name=known.client_name,
        did=known.did,
        answered_at=known.answered_at,
        answered_by=known.answered_by,
        decision=known.decision,
        decided_ms=known.decided_ms,
        queue=known.queue,
        queued_at=known.queued_at,
    )


def reachable(
    operators: Iterable[Operator], states: Mapping[str, OperatorActivity]
) -> dict[str, bool]:
    """Return extension → whether there is a phone to ring: a mobile, or a desk phone that is not
    known to be gone. `states` maps extensions to what was seen of them last.
    """
    return {
        one.extension: one.mobile is not None
        or states.get(one.extension) is not OperatorActivity.AWAY
        for one in operators
    }
