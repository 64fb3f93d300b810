"""Operators with their part in each group and what their phones do, at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from telephony.domain.duty import Presence
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.domain.setup import Operator, Setup
from telephony.store.live import list_processes


@dataclass(frozen=True, slots=True)
class OnDuty:
    """An operator; `groups` maps the groups whose roster names them to where it puts them now.

    `since` is in µs since the epoch; None while nothing is known of the phone. `pause` is why no
    queue rings it, empty when queues do.
    """

    operator: Operator
    groups: Mapping[str, Presence]
    state: OperatorActivity = OperatorActivity.UNKNOWN
    since: int | None = None
    call_id: str | None = None
    pause: str = ""

    @property
    def on_shift(self) -> bool:
        """Whether some group has them on duty now."""
        return Presence.ON_SHIFT in self.groups.values()


def everybody(setup: Setup, states: Iterable[OperatorState], now: datetime) -> list[OnDuty]:
    """Return every operator by extension, as things are at `now` (aware)."""
    known = {one.extension: one for one in states}
    found: dict[str, dict[str, Presence]] = {extension: {} for extension in setup.operators}
    for group in setup.groups.values():
        for extension, presence in group.timeline.at(now).items():
            if extension in found:
                found[extension][group.name] = presence
    everyone = []
    for extension, operator in sorted(setup.operators.items()):
        state = known.get(extension)
        if state is None:
            everyone.append(OnDuty(operator, found[extension]))
        else:
            everyone.append(
                OnDuty(
                    operator,
                    found[extension],
                    state.state,
                    state.since,
                    state.call_id,
                    state.pause,
                )
            )
    return everyone


def listening(session: Session, now: datetime) -> bool:
    """Tell whether the listener keeps the live state up to date."""
    return any(
        one.name == "listener" and one.ready and one.is_alive(now)
        for one in list_processes(session)
    )
