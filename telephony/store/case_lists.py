"""Cases as lists show them: filters, pages and totals, however many cases are over by now.

Those that are open are few: all of them are read by the index of their state. Those that are over
are read by when they ended, so whoever asks for them gives a span, or a number or a client.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from telephony.domain.callback.cases import Case, CaseState, Source
from telephony.domain.callback.results import Why
from telephony.store.attempts import Attempt, attempt_of_row
from telephony.store.case_tables import callback_attempt, missed_case, opt_out
from telephony.store.cases import case_of
from telephony.store.indexed import IndexedBy

_PART = 500
_AFTER_DIGITS = ":"  # the character after 9


class View(StrEnum):
    """Which cases: the first five are views of those that are open."""

    OPEN = "open"
    MINE = "mine"
    OVERDUE = "overdue"
    ATTENTION = "attention"
    PROMISED = "promised"
    CLOSED = "closed"
    SUPPRESSED = "suppressed"

    @property
    def over(self) -> bool:
        """Whether it is one of cases that have ended."""
        return self in (View.CLOSED, View.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class Right:
    """What an operator may see: their own cases and those of their groups.

    Of groups that are none, a case is everybody's who is in some group.
    """

    extension: str
    groups: frozenset[str] = frozenset()

    def sees(self, case: Case) -> bool:
        """Tell whether they may see, and act on, a case."""
        if self.extension and self.extension in (case.owner, case.claimed_by):
            return True
        return bool(self.groups) if case.group is None else case.group in self.groups


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases: those of the view that fit every field given.

    `me` is whose MINE are. `number` is E.164, `tail` the last digits of one, `name` a part of the
    client's name. `since` ≤ end < `until` counts for cases that are over. `operator` owns or has
    claimed it. `right` is what whoever asks may see, not their wish.
    """

    view: View = View.OPEN
    me: str = ""
    did: str | None = None
    group: str | None = None
    operator: str | None = None
    why: Why | None = None
    source: Source | None = None
    number: str | None = None
    tail: str | None = None
    name: str | None = None
    client_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    right: Right | None = None


@dataclass(frozen=True, slots=True)
class CasePage:
    """A page of cases, and how many there are in all."""

    items: tuple[Case, ...]
    total: int


_BY_NUMBER = IndexedBy(missed_case, "ix_missed_case_number_opened_at")
_BY_CLIENT = IndexedBy(missed_case, "ix_missed_case_client_id_opened_at")
_BY_END = IndexedBy(missed_case, "ix_missed_case_state_ended_at")
_BY_DEADLINE = IndexedBy(missed_case, "ix_missed_case_state_sla_at")


def find_cases(
    session: Session, where: CaseFilter, now: datetime, limit: int = 50, offset: int = 0
) -> CasePage:
    """Return a page of cases and their exact number: open ones the most urgent first, by priority
    and then by what was promised; those that are over the latest first.

    The session must see one snapshot (`reading`), or total and page may differ.
    """
    table = _by_index(where)
    wanted = _conditions(table, where, now)
    total = session.execute(select(func.count()).select_from(table).where(*wanted)).scalar_one()
    if not limit or offset >= total:
        return CasePage((), total)
    # The keys alone first: they stand in the index.
    keys = select(table.c.id).where(*wanted).order_by(*_order(table, where)).limit(limit)
    found = session.execute(keys.offset(offset)).scalars().all()
    by_key = get_cases(session, found)
    return CasePage(tuple(by_key[key] for key in found), total)


def every_case(session: Session, where: CaseFilter, now: datetime, most: int) -> Iterator[Case]:
    """Yield the first `most` cases that fit, in the list's order, a part in memory at a time."""
    table = _by_index(where)
    keys = select(table.c.id).where(*_conditions(table, where, now))
    found = session.execute(keys.order_by(*_order(table, where)).limit(most)).scalars().all()
    for begin in range(0, len(found), _PART):
        part = found[begin : begin + _PART]
        by_key = get_cases(session, part)
        yield from (by_key[key] for key in part)


def count_urgent(session: Session, right: Right | None, now: datetime) -> tuple[int, int]:
    """Return how many cases somebody sees are open, and how many of them are overdue."""
    table = _BY_DEADLINE
    wanted = _conditions(table, CaseFilter(right=right), now)
    query = select(func.count(), func.count().filter(table.c.sla_at <= now)).select_from(table)
    every, overdue = session.execute(query.where(*wanted)).one()
    return every, overdue


def count_views(session: Session, where: CaseFilter, now: datetime) -> dict[View, int]:
    """Return how many cases each view of open ones has of those that fit the other fields."""
    views = [view for view in View if not view.over]
    table = _by_index(replace(where, view=View.OPEN))
    wanted = _conditions(table, replace(where, view=View.OPEN), now)
    counts = [
        func.count().filter(*_of_view(table, replace(where, view=view), now)) for view in views
    ]
    row = session.execute(select(*counts).select_from(table).where(*wanted)).one()
    return dict(zip(views, row, strict=True))


def cases_of_client(
    session: Session,
    client_id: int,
    numbers: Collection[str],
    limit: int,
    right: Right | None = None,
) -> list[Case]:
    """Return the latest cases of a client: theirs by name, and those of their numbers."""
    found: dict[int, Case] = {}
    ways: list[tuple[IndexedBy, ColumnElement[bool]]] = [
        (_BY_CLIENT, _BY_CLIENT.c.client_id == client_id)
    ]
    if numbers:
        ways.append((_BY_NUMBER, _BY_NUMBER.c.number.in_(list(numbers))))
    for table, mine in ways:
        wanted = [mine, *_seen(table, right)]
        query = select(table).where(*wanted).order_by(table.c.opened_at.desc()).limit(limit)
        found |= {row.id: case_of(row) for row in session.execute(query)}
    return sorted(found.values(), key=lambda one: (one.opened_at, one.id), reverse=True)[:limit]


def get_cases(session: Session, keys: Collection[int]) -> dict[int, Case]:
    """Return those of the cases that there are, by id.

    At most as many as a statement takes parameters.
    """
    rows = session.execute(select(missed_case).where(missed_case.c.id.in_(list(keys))))
    return {row.id: case_of(row) for row in rows}


def has_case(session: Session, number: str) -> bool:
    """Tell whether a number has a case, also one that is over."""
    query = select(_BY_NUMBER.c.id).where(_BY_NUMBER.c.number == number)
    return bool(session.execute(select(query.exists())).scalar_one())


def attempts_of_numbers(session: Session, numbers: Collection[str], limit: int) -> list[Attempt]:
    """Return the latest tries to call these numbers that were sent, newest first."""
    if not numbers:
        return []
    query = select(callback_attempt).where(
        callback_attempt.c.number.in_(list(numbers)), callback_attempt.c.sent_at.is_not(None)
    )
    rows = session.execute(query.order_by(callback_attempt.c.sent_at.desc()).limit(limit))
    return [attempt_of_row(row) for row in rows]


@dataclass(frozen=True, slots=True)
class OptOut:
    """A number that asked not to be called; since when, by whom noted, and why."""

    number: str
    at: datetime
    added_by: str
    note: str


def list_opt_outs(
    session: Session, limit: int, offset: int, head: str = ""
) -> tuple[list[OptOut], int]:
    """Return a page of the numbers that are not to be called, the latest first, and how many there
    are; `head` is how a number begins.
    """
    c = opt_out.c
    wanted: list[ColumnElement[bool]] = []
    if head:
        wanted = [c.number >= head, c.number < head + _AFTER_DIGITS]
    total = session.execute(select(func.count()).select_from(opt_out).where(*wanted)).scalar_one()
    query = select(opt_out).where(*wanted).order_by(c.at.desc(), c.number)
    rows = session.execute(query.limit(limit).offset(offset))
    return [OptOut(row.number, row.at, row.added_by, row.note) for row in rows], total


def opt_out_of(session: Session, number: str) -> OptOut | None:
    """Return what is known of a number that is not to be called; None when it may be."""
    row = session.execute(select(opt_out).where(opt_out.c.number == number)).one_or_none()
    return None if row is None else OptOut(row.number, row.at, row.added_by, row.note)


def _by_index(where: CaseFilter) -> IndexedBy:
    if where.number is not None:
        return _BY_NUMBER
    if where.client_id is not None:
        return _BY_CLIENT
    return _BY_END if where.view.over else _BY_DEADLINE


def _conditions(table: Any, where: CaseFilter, now: datetime) -> list[ColumnElement[bool]]:
    c = table.c
    wanted = [*_of_view(table, where, now), *_seen(table, where.right)]
    for column, value in (
        (c.did, where.did),
        (c.group_name, where.group),
        (c.why, where.why),
        (c.source, where.source),
        (c.number, where.number),
        (c.client_id, where.client_id),
    ):
        if value is not None:
            wanted.append(column == (value.value if isinstance(value, StrEnum) else value))
    if where.tail is not None:
        wanted.append(c.number.like(f"%{where.tail}"))
    if where.name is not None:
        # SQLite knows the capitals of ASCII alone.
        ways = {where.name, where.name.lower(), where.name.upper(), where.name.title()}
        wanted.append(or_(*(c.client_name.icontains(one, autoescape=True) for one in sorted(ways))))
    if where.operator is not None:
        wanted.append(or_(c.owner == where.operator, c.claimed_by == where.operator))
    if where.view.over and where.since is not None:
        wanted.append(c.ended_at >= where.since)
    if where.view.over and where.until is not None:
        wanted.append(c.ended_at < where.until)
    return wanted


def _of_view(table: Any, where: CaseFilter, now: datetime) -> list[ColumnElement[bool]]:
    c = table.c
    if where.view is View.CLOSED:
        return [c.state == CaseState.CLOSED.value]
    if where.view is View.SUPPRESSED:
        return [c.state == CaseState.SUPPRESSED.value]
    wanted = [c.state.in_([CaseState.OPEN.value, CaseState.DIALLING.value])]
    if where.view is View.MINE:
        wanted.append(func.coalesce(c.claimed_by, c.owner) == where.me)
    elif where.view is View.OVERDUE:
        wanted.append(c.sla_at <= now)
    elif where.view is View.ATTENTION:
        wanted.append(c.attention.is_not(None))
    elif where.view is View.PROMISED:
        wanted.append(c.source != Source.MISSED.value)
    return wanted


def _seen(table: Any, right: Right | None) -> list[ColumnElement[bool]]:
    """Return what `Right.sees` says, of rows."""
    if right is None:
        return []
    c = table.c
    ways = []
    if right.extension:
        ways += [c.owner == right.extension, c.claimed_by == right.extension]
    if right.groups:
        ways += [c.group_name.in_(sorted(right.groups)), c.group_name.is_(None)]
    return [or_(*ways)] if ways else [false()]


def _order(table: Any, where: CaseFilter) -> list[Any]:
    c = table.c
    if where.view.over:
        return [c.ended_at.desc(), c.id.desc()]
    # Nothing is promised where a number cannot be called; such cases are not open.
    return [c.priority.desc(), c.sla_at.is_(None), c.sla_at, c.id]
