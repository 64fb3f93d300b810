"""Whose cases somebody sees and acts on: an operator their own, and those of their groups."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from telephony.accounts import Role, User
from telephony.callbacks.asking import Refusal, RefusedError
from telephony.domain.callback.cases import Case
from telephony.domain.setup import Setup
from telephony.store.case_lists import Right
from telephony.store.cases import open_cases


def right_of(user: User, setup: Setup, now: datetime) -> Right | None:
    """Return what an operator may see; None for those who see all.

    An operator without an extension sees none.
    """
    if user.role is not Role.OPERATOR:
        return None
    if not user.extension:
        return Right("")
    groups = (
        name for name, group in setup.groups.items() if user.extension in group.timeline.at(now)
    )
    return Right(user.extension, frozenset(groups))


def leads(user: User) -> bool:
    """Tell whether somebody gives cases to others, and takes them back from them."""
    return user.role is not Role.OPERATOR


def is_taken(case: Case, user: User, now: datetime) -> bool:
    """Tell whether a colleague has claimed a case for the time being, which an operator respects.

    A case that waits for its manager is no such case: whoever is at hand may take it.
    """
    if leads(user) or not case.open or case.claimed_by in (None, user.extension):
        return False
    return case.for_now(now) == case.claimed_by


def check_theirs(session: Session, number: str, user: User, setup: Setup, now: datetime) -> None:
    """Raise RefusedError for a number whose open case a colleague has, or another group.

    For whoever comes by a number: there is no page to be kept from them.
    """
    case = open_cases(session, [number]).get(number)
    if case is None:
        return
    right = right_of(user, setup, now)
    if right is not None and not right.sees(case):
        raise RefusedError(Refusal.NOT_THEIRS)
    if is_taken(case, user, now):
        raise RefusedError(Refusal.TAKEN)
