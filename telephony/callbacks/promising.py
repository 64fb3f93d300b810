"""What whoever asks for a call is told: at once, soon, or when we open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from telephony.callbacks.asking import Desk
from telephony.callbacks.dispatching import waiting_callers
from telephony.callbacks.standing import is_watched, standing_for
from telephony.domain.callback.dispatch import free_operators
from telephony.domain.callback.quiet import quiet_over
from telephony.domain.callback.rules import Automatic
from telephony.store.attempts import live_attempts
from telephony.store.live import list_operator_states


class Soon(StrEnum):
    """When a call is to be expected."""

    NOW = "now"  # somebody is free
    SOON = "soon"  # we are open, and everybody is busy
    CLOSED = "closed"  # when we open
    QUIET = "quiet"  # it is late, or early, where they are


@dataclass(frozen=True, slots=True)
class Expected:
    """When a call is to be expected; `at` is the moment of CLOSED and QUIET, if any."""

    soon: Soon
    at: datetime | None = None


def expected(session: Session, desk: Desk, number: str, did: str, now: datetime) -> Expected:
    """Return when whoever asks now is called.

    It comes from the hours, the place of the number and the operators alone: nothing in it tells
    whether the number is known, or how often it was called.
    """
    setup = desk.setup
    standing = standing_for(session, setup, desk.country, number, did, now)
    if standing.never_opens:
        return Expected(Soon.CLOSED)
    opens = standing.opens_at or now
    quiet = quiet_over(setup.callbacks.quiet, standing.zones, opens)
    if quiet is None or quiet > now:
        return Expected(Soon.QUIET if standing.opens_at is None else Soon.CLOSED, quiet)
    by_itself = setup.callbacks.automatic is not Automatic.NOBODY
    if not by_itself or standing.stopped or not is_watched(session, now):
        return Expected(Soon.SOON)
    taken = {one.operator for one in live_attempts(session)}
    known = setup.dids.get(did)
    group = known.group if known else setup.default_group
    free = [
        one
        for one in free_operators(setup, list_operator_states(session), now, taken)
        if group is None or group in one.groups
    ]
    waiting = waiting_callers(session, setup).get(group or "", ())
    return Expected(Soon.NOW if len(free) > len(waiting) else Soon.SOON)
