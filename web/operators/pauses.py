"""An operator's pause as a page shows it, and who may change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from telephony.accounts import Role, User
from telephony.domain.pauses import PauseKind
from telephony.store.switches import Switch
from telephony.switches import pause_seen


@dataclass(frozen=True, slots=True)
class Pausing:
    """An operator's pause as the page shows it; `asked` is a kind, or empty for none any more.

    `may` tells whether who looks may change it.
    """

    kind: PauseKind | None
    asked: str | None
    problem: str | None
    may: bool


def pausing(switches: Mapping[str, Switch], extension: str, user: User) -> Pausing:
    """Return an operator's pause, for a user's eyes."""
    seen = pause_seen(switches, extension)
    asked = (seen.asked.value if seen.asked else "") if seen.pending else None
    return Pausing(seen.kind, asked, seen.problem, may_pause(user, extension))


def may_pause(user: User, extension: str) -> bool:
    """Tell whether a user may set an operator's pause: one's own, a supervisor anybody's."""
    return user.role is not Role.OPERATOR or user.extension == extension
