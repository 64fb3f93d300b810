"""An operator's pause as a page shows it, and who may change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from telephony.accounts import Role, User
from telephony.domain.pauses import PauseKind, pause_device, pause_of
from telephony.store.switches import Switch


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
    one = switches.get(pause_device(extension), Switch(""))
    seen = pause_of({pause_device(extension): one.state}, extension)
    asked = None
    if one.asked is not None:
        wanted = pause_of({pause_device(extension): one.asked}, extension)
        asked = wanted.value if wanted else ""
    return Pausing(seen, asked, one.problem, may_pause(user, extension))


def may_pause(user: User, extension: str) -> bool:
    """Tell whether a user may set an operator's pause: one's own, a supervisor anybody's."""
    return user.role is not Role.OPERATOR or user.extension == extension
