"""How Dutyline is, out of what its processes told: pure, for the page, /readyz and /metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telephony.store.live import Process
from web.health.reading import Found

# The parts a whole installation runs. The two workers may be one machine's or several'.
PARTS = ("listener", "relay", "worker-now", "worker-bulk", "web")

# A fact that waited this long was not handed over as it should have been.
BACKLOG = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class PartState:
    """One part: whether it is ready, a code of what is wrong (also of one that is ready all the
    same), and what it told last.
    """

    name: str
    ready: bool
    problem: str | None
    process: Process | None


def look_at(processes: Sequence[Process], now: datetime) -> list[PartState]:
    """Return the state of every part, those of the list first.

    A part that never ran, or stopped telling, is `gone`.
    """
    told = {process.name: process for process in processes}
    names = [*PARTS, *sorted(set(told) - set(PARTS))]
    return [_state(name, told.get(name), now) for name in names]


def readiness(found: Found, now: datetime) -> dict[str, str]:
    """Return what is behind, as part → problem; empty when all is ready."""
    behind = {
        part.name: part.problem or "not_ready"
        for part in look_at(found.processes, now)
        if not part.ready and part.name in PARTS
    }
    if found.oldest_fact is not None and now - found.oldest_fact > BACKLOG:
        behind.setdefault("relay", "backlog")
    return behind


def _state(name: str, process: Process | None, now: datetime) -> PartState:
    if process is None or not process.is_alive(now):
        return PartState(name, False, "gone", process)
    problem = process.problem or (None if process.ready else "not_ready")
    return PartState(name, process.ready, problem, process)
