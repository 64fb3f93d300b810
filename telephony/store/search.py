"""Finding calls: filters, pages at any depth, and totals that are right, among millions.

Three ways, by what is asked. By a number or a client: what matches is little, so all of it is
gathered and sorted. By an operator together with something that is not counted: that operator's
calls are read from an index of their own. All else is counted in `call_count`, by the day or
the month; the counts give the total and where a far page begins, so no page reads more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import Session

from telephony.domain.record import Direction
from telephony.store.call_index import EVERYTHING, did_scope, month_of, operator_scope
from telephony.store.call_tables import call, call_count, call_operator, facets_index
from telephony.store.filters import (
    EVERY,
    Filter,
    Order,
    between,
    conditions,
    of_kind,
    one_of_theirs,
    ordered,
    takes_part,
    whose,
)
from telephony.store.indexed import IndexedBy

__all__ = [
    "EVERY",
    "Filter",
    "Keys",
    "Order",
    "called_us",
    "count_calls",
    "find_page",
    "involves",
    "recorded",
]

_NEAR = 1000  # rows are skipped one by one up to here
_FEW = 4000  # so many are skipped by sorting
_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)

_Bucket = Callable[[date], date]

_BY_NUMBER, _BY_TAIL, _BY_CLIENT = (
    IndexedBy(call, facets_index(column)) for column in ("number", "tail", "client_id")
)


@dataclass(frozen=True, slots=True)
class Keys:
    """A page of calls as keys of their rows, in order, and how many calls there are in all."""

    keys: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class _Span:
    """`begin` ≤ start < `end`, and how many calls of each (direction, disposition) began then."""

    begin: datetime
    end: datetime
    calls: int


def find_page(
    session: Session,
    where: Filter = EVERY,
    limit: int = 50,
    offset: int = 0,
    order: Order = Order.DESCENDING,
) -> Keys:
    """Return one page of the calls that fit, and their exact number.

    The session must see one snapshot (`reading`), or total and page may differ.
    """
    if _selective(where):
        return _gathered(session, where, limit, offset, order)
    operators = [who for who in (where.involving, where.operator) if who is not None]
    if operators and (where.did is not None or len(set(operators)) > 1):
        return _read(session, where, limit, offset, order)
    return _Counted(session, where).page(limit, offset, order)


def count_calls(session: Session, where: Filter = EVERY) -> int:
    """Count the calls that fit."""
    return find_page(session, where, 0).total


def involves(session: Session, call_id: str, extension: str) -> bool:
    """Tell whether an operator takes part in a call."""
    query = (
        select(call_operator.c.call_key)
        .join_from(call_operator, call)
        .where(call.c.call_id == call_id, call_operator.c.extension == extension)
    )
    return session.execute(query).first() is not None


def recorded(session: Session, call_ids: Collection[str], involving: str | None) -> set[str]:
    """Return those of the calls that are on record and that an operator takes part in, if given.

    At most as many calls as a statement takes parameters.
    """
    query = select(call.c.call_id).where(call.c.call_id.in_(list(call_ids)))
    if involving is not None:
        query = query.where(takes_part(call.c.started_at, call.c.id, involving))
    return set(session.execute(query).scalars())


def called_us(session: Session, number: str) -> bool:
    """Tell whether a call ever came from a number; one that we alone called is none of those."""
    query = select(_BY_NUMBER.c.id).where(
        _BY_NUMBER.c.number == number, _BY_NUMBER.c.direction == Direction.IN.value
    )
    return bool(session.execute(select(query.exists())).scalar_one())


def _selective(where: Filter) -> bool:
    given = (where.number, where.head, where.tail, where.client_id, where.clients)
    return any(value is not None for value in given)


def _by_index(where: Filter) -> IndexedBy:
    """Return the calls, read by the index of the condition that leaves the fewest."""
    if where.number is not None:
        return _BY_NUMBER
    if where.tail is not None:
        return _BY_TAIL
    if where.client_id is not None or where.clients is not None:
        return _BY_CLIENT
    return _BY_NUMBER


def _gathered(session: Session, where: Filter, limit: int, offset: int, order: Order) -> Keys:
    """Find by a number or a client; the index holds nearly all that is asked of a call."""
    table = _by_index(where)
    matching = select(table.c.started_at, table.c.id.label("key"))
    matching = matching.where(*conditions(table, where))
    if whose(where) is None and offset > _NEAR and session.get_bind().dialect.name == "sqlite":
        return _far(session, matching, limit, offset, order)
    return _sorted(session, matching, limit, offset, order, again=whose(where) is None)


def _read(session: Session, where: Filter, limit: int, offset: int, order: Order) -> Keys:
    """Read the calls of one operator; what else is asked is in the same rows."""
    mine, other = whose(where), where.operator
    part = call_operator
    matching = select(part.c.started_at, part.c.call_key.label("key")).where(
        part.c.extension == mine,
        *between(part, where.since, where.until),
        *of_kind(part, where),
    )
    if where.did is not None:
        matching = matching.where(part.c.did == where.did)
    if other is not None and other != mine:
        matching = matching.where(one_of_theirs(part.c.call_key, other, where))
    return _sorted(session, matching, limit, offset, order, again=other in (None, mine))


def _sorted(
    session: Session, matching: Select[Any], limit: int, offset: int, order: Order, *, again: bool
) -> Keys:
    """Return a page of what a query for (started_at, key) finds, and how much it finds in all.

    PostgreSQL's planner, left alone, may walk through millions in their order: it must find first.
    SQLite keeps to its index; when that is all it reads, to read it `again` for the total is
    sooner done than to write down what was found.
    """
    found = matching.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
    found = found.prefix_with("NOT MATERIALIZED" if again else "MATERIALIZED", dialect="sqlite")
    total = select(func.count()).select_from(found)
    if limit:
        query = select(found.c.key, total.scalar_subquery())
        query = ordered(query, found.c.started_at, found.c.key, order).limit(limit).offset(offset)
        rows = session.execute(query).all()
        if rows:
            return Keys(tuple(row[0] for row in rows), rows[0][1])
    return Keys((), session.execute(total).scalar_one())


def _far(session: Session, matching: Select[Any], limit: int, offset: int, order: Order) -> Keys:
    """Return a far page: where it begins is found by counting, which is cheaper than sorting."""
    started_at, key = matching.selected_columns
    edges = matching.with_only_columns(func.count(), func.min(started_at), func.max(started_at))
    total, begin, end = session.execute(edges).one()
    if not limit or offset >= total:
        return Keys((), total)
    ascending = order is Order.ASCENDING
    counting = matching.with_only_columns(func.count())
    end += _MOMENT
    left, skipped, guess = total, offset, True
    while skipped > _FEW and end - begin > _MOMENT:
        # Calls spread evenly, mostly: a little before the page is a good guess. A half always is.
        share = (skipped - _FEW // 2) / left if guess else 0.5
        guess = not guess
        cut = begin + (end - begin) * (share if ascending else 1 - share)
        first, last = (begin, cut) if ascending else (cut, end)
        sooner: int = session.execute(
            counting.where(started_at >= first, started_at < last)
        ).scalar_one()
        inside = skipped < sooner
        left = sooner if inside else left - sooner
        skipped -= 0 if inside else sooner
        begin, end = (begin, cut) if inside is ascending else (cut, end)
    beyond = started_at >= begin if ascending else started_at < end
    query = ordered(matching.with_only_columns(key).where(beyond), started_at, key, order)
    rows = session.execute(query.limit(limit).offset(skipped)).scalars()
    return Keys(tuple(rows), total)


class _Counted:
    """The way by counts: for all calls, those of one DID or of one operator."""

    def __init__(self, session: Session, where: Filter) -> None:
        self._session = session
        self._where = where
        operator = whose(where)
        if operator is not None:
            self._table, self._key = call_operator, call_operator.c.call_key
            self._scope = operator_scope(operator)
            self._own = [call_operator.c.extension == operator]
            self._bucket = month_of
        else:
            self._table, self._key = call, call.c.id
            self._scope = EVERYTHING if where.did is None else did_scope(where.did)
            self._own = [] if where.did is None else [call.c.did == where.did]
            self._bucket = _day

    def page(self, limit: int, offset: int, order: Order) -> Keys:
        """Return one page and the total."""
        first, last, edges = _whole(self._where.since, self._where.until, self._bucket)
        found: dict[tuple[str, str], int] = {}
        parts = [] if first is not None and first == last else [self._stored(first, last)]
        counted_edges = []
        for begin, end in edges:
            rows = self._counted(begin, end)
            parts.append(rows)
            counted_edges.append(_Span(begin, end, sum(calls for _, _, calls in rows)))
        for rows in parts:
            for direction, disposition, calls in rows:
                found[direction, disposition] = found.get((direction, disposition), 0) + calls
        total = sum(found.values())
        if not limit or offset >= total:
            return Keys((), total)
        begin_at, end_at, skipped = self._where.since, self._where.until, offset
        if offset > _NEAR:
            spans = sorted([*self._spans(first, last), *counted_edges], key=lambda span: span.begin)
            span, skipped = _span_of(spans, offset, order)
            if order is Order.ASCENDING:
                begin_at = span.begin
            else:
                end_at = span.end
        kinds = sorted(kind for kind, calls in found.items() if calls)
        return Keys(self._rows((begin_at, end_at), kinds, limit, skipped, order), total)

    def _rows(
        self,
        span: tuple[datetime | None, datetime | None],
        kinds: list[tuple[str, str]],
        limit: int,
        skipped: int,
        order: Order,
    ) -> tuple[int, ...]:
        """Read the keys; those of `call` by one index scan for each kind of call that exists."""
        table = self._table
        query = select(table.c.started_at, self._key.label("key"))
        query = query.where(*self._own, *between(table, *span))
        if table is call_operator:
            query = query.where(*of_kind(table, self._where))
        elif self._own or of_kind(table, self._where):
            # Each branch is cut by itself: a planner might sort the millions of all of them.
            found = union_all(
                *(
                    select(
                        ordered(
                            query.where(
                                table.c.direction == direction, table.c.disposition == disposition
                            ),
                            table.c.started_at,
                            self._key,
                            order,
                        )
                        .limit(skipped + limit)
                        .subquery()
                    )
                    for direction, disposition in kinds
                )
            ).subquery()
            query = select(found.c.started_at, found.c.key)
        started_at, key = query.selected_columns
        query = ordered(query, started_at, key, order).limit(limit).offset(skipped)
        return tuple(row[1] for row in self._session.execute(query))

    def _stored(self, first: date | None, last: date | None) -> list[tuple[str, str, int]]:
        """Return (direction, disposition, calls) of whole buckets, `last` excluded."""
        columns = (call_count.c.direction, call_count.c.disposition)
        query = select(*columns, func.sum(call_count.c.calls)).group_by(*columns)
        rows = self._session.execute(query.where(*self._counts(first, last)))
        return [(direction, disposition, int(calls)) for direction, disposition, calls in rows]

    def _spans(self, first: date | None, last: date | None) -> list[_Span]:
        if first is not None and first == last:
            return []
        query = select(call_count.c.day, func.sum(call_count.c.calls)).group_by(call_count.c.day)
        rows = self._session.execute(query.where(*self._counts(first, last)))
        return [
            _Span(_start(day), _start(_next(day, self._bucket)), int(calls)) for day, calls in rows
        ]

    def _counts(self, first: date | None, last: date | None) -> list[ColumnElement[bool]]:
        wanted = [call_count.c.scope == self._scope, *of_kind(call_count, self._where)]
        if first is not None:
            wanted.append(call_count.c.day >= first)
        if last is not None:
            wanted.append(call_count.c.day < last)
        return wanted

    def _counted(self, begin: datetime, end: datetime) -> list[tuple[str, str, int]]:
        """Count what began in a part of a bucket."""
        table = self._table
        columns = (table.c.direction, table.c.disposition)
        query = (
            select(*columns, func.count())
            .where(*self._own, *of_kind(table, self._where), *between(table, begin, end))
            .group_by(*columns)
        )
        rows = self._session.execute(query)
        return [(direction, disposition, calls) for direction, disposition, calls in rows]


def _day(day: date) -> date:
    return day


def _next(begin: date, bucket: _Bucket) -> date:
    """Return where the bucket after this one begins."""
    return begin + _DAY if bucket is _day else month_of(begin + 31 * _DAY)


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _whole(
    since: datetime | None, until: datetime | None, bucket: _Bucket
) -> tuple[date | None, date | None, list[tuple[datetime, datetime]]]:
    """Split [since, until) into whole buckets [first, last) and at most two parts of buckets.

    Buckets are days or months of UTC, told by `bucket`: day → the day on which its bucket begins.
    """
    since = None if since is None else since.astimezone(UTC)
    until = None if until is None else until.astimezone(UTC)
    if since is not None and until is not None and since >= until:
        return since.date(), since.date(), []
    first = last = None
    if since is not None:
        first = bucket(since.date())
        if since > _start(first):
            first = _next(first, bucket)
    if until is not None:
        last = bucket(until.date())
    if since is not None and until is not None and first is not None and first > until.date():
        return first, first, [(since, until)]
    edges = []
    if since is not None and first is not None and since < _start(first):
        edges.append((since, _start(first)))
    if until is not None and last is not None and until > _start(last):
        edges.append((_start(last), until))
    return first, last, edges


def _span_of(spans: list[_Span], offset: int, order: Order) -> tuple[_Span, int]:
    """Return the span in which the call at `offset` lies, and how many to skip within it."""
    ordered = spans if order is Order.ASCENDING else spans[::-1]
    for span in ordered:
        if offset < span.calls:
            return span, offset
        offset -= span.calls
    return ordered[-1], ordered[-1].calls
