"""Records of calls made from rows of the CDR. Times are microseconds since the epoch."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace

from telephony.domain.events import endpoint_of, is_local
from telephony.domain.orders import Order, dials_first, order_of
from telephony.domain.people import People, digits_in
from telephony.domain.record import (
    CallRecord,
    Direction,
    Disposition,
    LegKind,
    LegRecord,
    Outcome,
    Side,
    Source,
)
from telephony.domain.record_types import milliseconds

_ANSWERED = "ANSWERED"
_OUTCOMES = {
    "NO ANSWER": Outcome.NO_ANSWER,
    "BUSY": Outcome.BUSY,
    "FAILED": Outcome.UNREACHABLE,
    "CONGESTION": Outcome.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row of the CDR: a dial attempt of one call, or its time without one.

    `call` is the Linkedid, or the Uniqueid where the CDR has no Linkedid; `peer` is the channel
    that was dialled, empty when there was none; `result` is the CDR's disposition.
    """

    call: str
    uniqueid: str
    channel: str
    peer: str
    source: str
    target: str
    did: str
    started_at: int
    answered_at: int | None
    ended_at: int
    result: str

    @property
    def talked(self) -> bool:
        """Tell whether somebody was reached: an announcement answers a call too."""
        return self.result == _ANSWERED and bool(self.peer)


def from_cdr(
    rows: Iterable[Attempt], people: People, told: Container[str] = ()
) -> dict[str, CallRecord]:
    """Return a record for each call of the rows, by its id; every row of a call must be there.

    Calls that concern nobody make none, as when they are followed live: feature codes, numbers
    that an operator could not reach, announcements and voicemail that the PBX gave by itself. But
    for those that were `told` of before (ids).
    """
    groups: dict[str, list[Attempt]] = {}
    for row in rows:
        groups.setdefault(row.call, []).append(row)
    return {
        call_id: _of_attempts(call_id, group, people)
        for call_id, group in groups.items()
        if call_id in told or _concerns_somebody(group, people)
    }


def _concerns_somebody(rows: list[Attempt], people: People) -> bool:
    if any(row.peer or row.did for row in rows):
        return True
    first = min(rows, key=lambda row: row.started_at)
    by_operator = endpoint_of(first.channel) in people.endpoints
    # Whoever came in and was not answered by anything rang somebody, or should have.
    return not by_operator and any(row.result != _ANSWERED for row in rows)


def _of_attempts(call_id: str, rows: list[Attempt], people: People) -> CallRecord:
    order = next((found for row in rows if (found := order_of(row.channel)) is not None), None)
    if order is not None:
        return _of_order(call_id, order, rows, people)
    rows = sorted(rows, key=lambda row: (is_local(row.channel), row.started_at, row.ended_at))
    first = rows[0]
    legs = tuple(_leg(call_id, index, row, people) for index, row in enumerate(rows) if row.peer)
    talks = sorted(
        (row for row in rows if row.talked),
        key=lambda row: (row.answered_at or row.started_at, is_local(row.peer)),
    )
    start = min(row.started_at for row in rows)
    end = max(start, *(row.ended_at for row in rows))
    answered_at = min((row.answered_at or row.started_at for row in talks), default=None)
    talked = [leg for leg in legs if leg.outcome is Outcome.TALKED]
    leg = next((leg for leg in talked if leg.operator), talked[0] if talked else None)
    placed_by = people.endpoints.get(endpoint_of(first.channel))
    direction, number = _direction(first, placed_by, people)
    number, client_id, client_name = (
        (number, None, "") if direction is Direction.INTERNAL else people.client_of(number)
    )
    return CallRecord(
        call_id=call_id,
        did=digits_in(next((row.did for row in rows if row.did), "")),
        number=number,
        client_id=client_id,
        client_name=client_name,
        started_at=start,
        answered_at=answered_at,
        ended_at=end,
        wait_ms=milliseconds((answered_at or end) - start),
        ring_ms=0,
        talk_ms=milliseconds(end - answered_at) if answered_at else 0,
        disposition=_disposition(rows, answered_at),
        abandoned_in=None,
        # The client answered a call that went out.
        answered_by=None if direction is Direction.OUT or leg is None else leg.operator,
        answered_on=None if direction is Direction.OUT or leg is None else leg.kind,
        hung_up_by=Side.SYSTEM,
        fallback=None,
        decision=None,
        decided_ms=None,
        legs=legs,
        direction=direction,
        placed_by=placed_by,
        source=Source.CDR,
    )


def _of_order(call_id: str, order: Order, rows: list[Attempt], people: People) -> CallRecord:
    """Return the record of a call that Dutyline ordered: only the far side's talk is one."""
    rows = sorted(rows, key=lambda row: (not dials_first(row.channel), row.started_at))
    far = [row for row in rows if row.peer and not dials_first(row.channel)]
    near = [row for row in rows if row.peer and dials_first(row.channel)]
    legs = tuple(_leg(call_id, index, row, people) for index, row in enumerate([*near, *far]))
    talks = [row for row in far if row.talked]
    start = min(row.started_at for row in rows)
    end = max(start, *(row.ended_at for row in rows))
    answered_at = min((row.answered_at or row.started_at for row in talks), default=None)
    if answered_at is None:
        legs = tuple(_in_vain(leg) for leg in legs)
    number, client_id, client_name = people.client_of(order.number)
    if answered_at is None and order.operator is not None and not far:
        disposition = Disposition.NOT_PLACED
    else:
        disposition = _disposition(far or near, answered_at)
    talked = (leg.operator for leg in legs if leg.operator and leg.outcome is Outcome.TALKED)
    return CallRecord(
        call_id=call_id,
        did="",
        number=number,
        client_id=client_id,
        client_name=client_name,
        started_at=start,
        answered_at=answered_at,
        ended_at=end,
        wait_ms=milliseconds((answered_at or end) - start),
        ring_ms=0,
        talk_ms=milliseconds(end - answered_at) if answered_at else 0,
        disposition=disposition,
        abandoned_in=None,
        answered_by=None,
        answered_on=None,
        hung_up_by=Side.SYSTEM,
        fallback=None,
        decision=None,
        decided_ms=None,
        legs=legs,
        direction=Direction.OUT,
        placed_by=order.operator or next(talked, None),
        source=Source.CDR,
    )


def _in_vain(leg: LegRecord) -> LegRecord:
    """Return the leg of somebody who was called first and talked to nobody."""
    if leg.outcome is not Outcome.TALKED:
        return leg
    return replace(leg, outcome=Outcome.ACCEPTED, talk_ms=0, talks=())


def _direction(first: Attempt, placed_by: str | None, people: People) -> tuple[Direction, str]:
    """Return which way a call went, and its client's number (an extension for an internal one)."""
    if placed_by is None:
        return Direction.IN, digits_in(first.source)
    to = people.endpoints.get(endpoint_of(first.peer)) or (
        first.target if first.target in people.endpoints.values() else None
    )
    if to is not None:
        return Direction.INTERNAL, to
    return Direction.OUT, digits_in(first.target)


def _disposition(rows: list[Attempt], answered_at: int | None) -> Disposition:
    if answered_at is not None:
        return Disposition.ANSWERED
    results = {row.result for row in rows if row.peer} or {row.result for row in rows}
    # An announcement that was listened to, with nobody reached, is a row of its own.
    if results & {"NO ANSWER", _ANSWERED}:
        return Disposition.NO_ANSWER
    return Disposition.BUSY if "BUSY" in results else Disposition.FAILED


def _leg(call_id: str, index: int, row: Attempt, people: People) -> LegRecord:
    endpoint = endpoint_of(row.peer)
    begin = row.answered_at or row.started_at
    talks = ((begin, max(begin, row.ended_at)),) if row.talked else ()
    return LegRecord(
        uniqueid=f"{call_id}/{index}",
        channel=row.peer,
        kind=LegKind.DESK if endpoint in people.endpoints else LegKind.OUTSIDE,
        operator=people.endpoints.get(endpoint),
        address=endpoint,
        outcome=Outcome.TALKED if row.talked else _OUTCOMES.get(row.result, Outcome.NO_ANSWER),
        rang_at=row.started_at,
        ring_ms=milliseconds(max(0, (begin if row.talked else row.ended_at) - row.started_at)),
        talk_ms=milliseconds(talks[0][1] - talks[0][0]) if talks else 0,
        cause=0,
        tech_cause=0,
        ended_at=row.ended_at,
        talks=talks,
    )
