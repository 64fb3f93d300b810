"""What every page of the panel tells of callbacks: how many wait, and whether all is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import g

from telephony.accounts import Role
from telephony.store.case_lists import count_urgent
from telephony.store.cases import stopped
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.cases.limits import right_of
from web.rights import optional_user
from web.services import services


@dataclass(frozen=True, slots=True)
class Stop:
    """The kill switch that is on: since when, by whom and why."""

    since: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How many cases are open and overdue, as far as the reader sees them; `stop` while all
    callbacks are stopped.
    """

    open: int = 0
    overdue: int = 0
    stop: Stop | None = None


def standing() -> Standing:
    """Return what is to be told to whoever is signed in, read once for a page."""
    known: Standing | None = g.get("callbacks_standing")
    if known is None:
        known = g.callbacks_standing = _read()
    return known


def may_dial() -> bool:
    """Tell whether the reader has a phone that a click can ring."""
    user = optional_user()
    return user is not None and bool(user.extension) and not user.password_handed


def _read() -> Standing:
    user = optional_user()
    if user is None or user.password_handed:
        return Standing()
    offer = services()
    now = offer.now()
    with reading(offer.engine) as session:
        right = None
        if user.role is Role.OPERATOR:
            right = right_of(user, load_setup(session), now)
        every, overdue = count_urgent(session, right, now)
        stop = stopped(session)
    return Standing(every, overdue, None if stop is None else Stop(*stop))
