"""What goes on in the queues: who waits, and who could take the call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from telephony.domain.duty import Presence
from telephony.domain.live import LiveCall, OperatorActivity
from telephony.domain.setup import Group, Setup
from telephony.store.tables import moment
from web.duty import OnDuty


@dataclass(frozen=True, slots=True)
class QueueNow:
    """A group's queue at one moment. `longest` is the longest wait in seconds, None without one.

    Each of those `on_duty` is one of `free`, `busy` (or ringing), `paused` and `gone` (the phone is
    not connected), or of none while nothing is known of the phone.
    """

    group: Group
    waiting: int
    longest: float | None
    on_duty: int
    free: int
    busy: int
    paused: int
    gone: int


def queues_now(
    setup: Setup, calls: Iterable[LiveCall], people: Iterable[OnDuty], now: datetime
) -> list[QueueNow]:
    """Return the groups' queues by the groups' names; `now` is aware."""
    since: dict[str, list[datetime]] = {}
    for call in calls:
        if call.queue:
            began = call.started_at if call.queued_at is None else call.queued_at
            since.setdefault(call.queue, []).append(moment(began))
    everybody = list(people)
    found = []
    for name, group in sorted(setup.groups.items()):
        if group.queue is None:
            continue
        waits = since.get(group.queue.pbx_name, [])
        doing = [one.state for one in everybody if one.groups.get(name) is Presence.ON_SHIFT]
        found.append(
            QueueNow(
                group,
                len(waits),
                max(0.0, (now - min(waits)).total_seconds()) if waits else None,
                len(doing),
                doing.count(OperatorActivity.FREE),
                doing.count(OperatorActivity.BUSY) + doing.count(OperatorActivity.RINGING),
                doing.count(OperatorActivity.PAUSED),
                doing.count(OperatorActivity.AWAY),
            )
        )
    return found
