"""The forms' values for whose a calendar is, and the words for what it brings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from telephony.domain.duty import Absence
from telephony.domain.setup import Setup
from telephony.store.calendars import Copy, Owner
from telephony.subscriptions import is_known, upcoming
from web.calendaring import kind_words, owner_words


@dataclass(frozen=True, slots=True)
class Brought:
    """One shift or absence of a calendar: who or why, from when to when."""

    words: str
    start: datetime
    end: datetime


def owner_key(kind: Owner, owner: str) -> str:
    """Return an owner as one value of a form."""
    return f"{kind.value}:{owner}"


def owner_of(setup: Setup, key: str) -> tuple[Owner, str] | None:
    """Return the owner that a form's value means; None when there is no such one."""
    kind, _, owner = key.partition(":")
    if kind not in set(Owner) or not is_known(setup, Owner(kind), owner):
        return None
    return Owner(kind), owner


def owners(setup: Setup) -> list[tuple[str, str]]:
    """Return (value, words) of everybody who may have a calendar: groups, then operators."""
    known = [(Owner.GROUP, name) for name in sorted(setup.groups)]
    known += [(Owner.OPERATOR, extension) for extension in sorted(setup.operators)]
    return [(owner_key(kind, owner), owner_words(setup, kind, owner)) for kind, owner in known]


def brought(setup: Setup, copy: Copy, now: datetime) -> list[Brought]:
    """Return what a calendar brings in the next 14 days, by time."""
    return [
        Brought(
            kind_words(one.kind)
            if isinstance(one, Absence)
            else owner_words(setup, Owner.OPERATOR, one.operator),
            one.start.replace(tzinfo=UTC),
            one.end.replace(tzinfo=UTC),
        )
        for one in upcoming(copy, now)
    ]
