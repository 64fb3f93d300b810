"""Calls made up from what the PBX wrote down while nobody listened: CDR rows and queue_log rows.

Pure: rows in, records out. What cannot be known is not guessed: a call of which nothing is found
stays `lost`. Times are microseconds since the epoch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from telephony.domain.call import Phase
from telephony.domain.events import endpoint_of, is_local
from telephony.domain.live import LiveCall
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

_ANSWERED = "ANSWERED"
_OUTCOMES = {
    "NO ANSWER": Outcome.NO_ANSWER,
    "BUSY": Outcome.BUSY,
    "FAILED": Outcome.UNREACHABLE,
    "CONGESTION": Outcome.UNREACHABLE,
}
_MOST_DIGITS = 16


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


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One row of the queue_log. `data` are the fields behind the event's name."""

    at: int
    call: str
    queue: str
    agent: str
    event: str
    data: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nobody listened, from `since` to `until` on the PBX's clock.

    `gone` are calls that were live before and are not any more, each as its record is when nothing
    more is found; `live` are the ids of all calls and channels that are there now. `since` is None
    when it is not known.
    """

    since: int | None
    until: int
    gone: tuple[CallRecord, ...] = ()
    live: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class People:
    """Who is who: endpoint → extension, and number → (number, client's id, client's name)."""

    endpoints: Mapping[str, str]
    client_of: Callable[[str], tuple[str, int | None, str]]


def lost(call: LiveCall, at: int) -> CallRecord:
    """Return the record of a live call that was gone at the moment `at`, of which no more is known.

    One that was answered stays answered; how it ended is not known.
    """
    end = max(at, call.since, call.started_at)
    until = call.answered_at or end
    return CallRecord(
        call_id=call.call_id,
        did=call.did,
        number=call.number,
        client_id=call.client_id,
        client_name=call.client_name,
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=end,
        wait_ms=_ms(until - call.started_at),
        ring_ms=0,
        talk_ms=_ms(end - call.answered_at) if call.answered_at else 0,
        disposition=Disposition.ANSWERED if call.answered_at else Disposition.LOST,
        abandoned_in=None,
        answered_by=call.answered_by,
        answered_on=LegKind.DESK if call.answered_by else None,
        hung_up_by=Side.SYSTEM,
        fallback=None,
        decision=call.decision,
        decided_ms=call.decided_ms,
        legs=(),
        direction=call.direction,
        placed_by=call.placed_by,
    )


def filled(known: CallRecord, found: CallRecord) -> CallRecord:
    """Return what was known of a vanished call, with its end as the PBX wrote it down."""
    answered_at = known.answered_at or found.answered_at
    end = max(found.ended_at, known.started_at, answered_at or 0)
    until = answered_at or end
    return replace(
        known,
        did=known.did or found.did,
        number=known.number or found.number,
        answered_at=answered_at,
        ended_at=end,
        wait_ms=_ms(max(0, until - known.started_at)),
        talk_ms=_ms(end - answered_at) if answered_at else 0,
        disposition=Disposition.ANSWERED if answered_at else found.disposition,
        abandoned_in=None if answered_at else found.abandoned_in,
        answered_by=known.answered_by or found.answered_by,
        answered_on=known.answered_on or found.answered_on,
        hung_up_by=found.hung_up_by,
        legs=known.legs or found.legs,
        source=found.source,
    )


def merged(
    cdr: Mapping[str, CallRecord], queues: Mapping[str, CallRecord]
) -> dict[str, CallRecord]:
    """Return one record for each call of either source: the CDR's, told more by the queue's."""
    found = {**queues, **cdr}
    for call_id in cdr.keys() & queues.keys():
        first, second = cdr[call_id], queues[call_id]
        known = first.hung_up_by if second.hung_up_by is Side.SYSTEM else second.hung_up_by
        found[call_id] = replace(first, hung_up_by=known)
        if first.answered_at is None and second.disposition is Disposition.ABANDONED:
            found[call_id] = replace(
                found[call_id],
                disposition=Disposition.ABANDONED,
                abandoned_in=second.abandoned_in,
            )
    return found


def from_cdr(rows: Iterable[Attempt], people: People) -> dict[str, CallRecord]:
    """Return a record for each call of the rows, by its id; every row of a call must be there."""
    groups: dict[str, list[Attempt]] = {}
    for row in rows:
        groups.setdefault(row.call, []).append(row)
    return {call_id: _of_attempts(call_id, group, people) for call_id, group in groups.items()}


def _of_attempts(call_id: str, rows: list[Attempt], people: People) -> CallRecord:
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
        did=_digits(next((row.did for row in rows if row.did), "")),
        number=number,
        client_id=client_id,
        client_name=client_name,
        started_at=start,
        answered_at=answered_at,
        ended_at=end,
        wait_ms=_ms((answered_at or end) - start),
        ring_ms=0,
        talk_ms=_ms(end - answered_at) if answered_at else 0,
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


def _direction(first: Attempt, placed_by: str | None, people: People) -> tuple[Direction, str]:
    """Return which way a call went, and its client's number (an extension for an internal one)."""
    if placed_by is None:
        return Direction.IN, _digits(first.source)
    to = people.endpoints.get(endpoint_of(first.peer)) or (
        first.target if first.target in people.endpoints.values() else None
    )
    if to is not None:
        return Direction.INTERNAL, to
    return Direction.OUT, _digits(first.target)


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
        ring_ms=_ms(max(0, (begin if row.talked else row.ended_at) - row.started_at)),
        talk_ms=_ms(talks[0][1] - talks[0][0]) if talks else 0,
        cause=0,
        tech_cause=0,
        ended_at=row.ended_at,
        talks=talks,
    )


_DONE = {"COMPLETECALLER": Side.CALLER, "COMPLETEAGENT": Side.OPERATOR}
_SENT_ON = ("BLINDTRANSFER", "ATTENDEDTRANSFER", "TRANSFER")
_LEFT_QUEUE = ("EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY")


def from_queue_log(rows: Iterable[QueueRow], people: People) -> dict[str, CallRecord]:
    """Return a record for each call that left a queue in the rows, by its id.

    A call that was in a queue when the PBX started anew is over: `lost` unless it was answered.
    """
    groups: dict[str, list[QueueRow]] = {}
    found: dict[str, CallRecord] = {}
    for row in sorted(rows, key=lambda row: row.at):
        if row.event == "QUEUESTART":
            for call_id, group in groups.items():
                if call_id not in found:
                    found[call_id] = _of_queue(call_id, [*group, row], people)
        elif row.call:
            group = groups.setdefault(row.call, [])
            group.append(row)
            if row.event in (*_DONE, *_SENT_ON, *_LEFT_QUEUE, "ABANDON"):
                found[row.call] = _of_queue(row.call, group, people)
    return found


def _of_queue(call_id: str, rows: list[QueueRow], people: People) -> CallRecord:
    entered = next((row for row in rows if row.event == "ENTERQUEUE"), None)
    connected = next((row for row in rows if row.event == "CONNECT"), None)
    last = rows[-1]
    start = entered.at if entered else _started(rows)
    answered_at = connected.at if connected else None
    operator = people.endpoints.get(_endpoint(connected.agent)) if connected else None
    given_up = last.event == "ABANDON"
    number, client_id, client_name = people.client_of(
        _digits(entered.data[1]) if entered and len(entered.data) > 1 else ""
    )
    return CallRecord(
        call_id=call_id,
        did="",
        number=number,
        client_id=client_id,
        client_name=client_name,
        started_at=start,
        answered_at=answered_at,
        ended_at=last.at,
        wait_ms=_ms((answered_at or last.at) - start),
        ring_ms=0,
        talk_ms=_ms(last.at - answered_at) if answered_at else 0,
        disposition=_queue_disposition(last, answered_at),
        abandoned_in=Phase.WAITING.value if given_up and answered_at is None else None,
        answered_by=operator,
        answered_on=LegKind.DESK if operator else None,
        hung_up_by=Side.CALLER if given_up else _DONE.get(last.event, Side.SYSTEM),
        fallback=None,
        decision=None,
        decided_ms=None,
        legs=(),
        source=Source.QUEUE_LOG,
    )


def _queue_disposition(last: QueueRow, answered_at: int | None) -> Disposition:
    if answered_at is not None:
        return Disposition.ANSWERED
    # Whoever left the queue by another way may have been answered elsewhere: that is not known.
    return Disposition.ABANDONED if last.event == "ABANDON" else Disposition.LOST


def _started(rows: list[QueueRow]) -> int:
    """Return when a call came whose entry was not seen: its id begins with the second."""
    second = re.search(r"([0-9]{9,11})\.[0-9]+$", rows[0].call)
    return min(rows[0].at, int(second[1]) * 1_000_000) if second else rows[0].at


def _endpoint(agent: str) -> str:
    """Return the endpoint of a queue's member: `PJSIP/101`, `Local/101@from-queue/n`, `101`."""
    return (
        agent.rpartition("/n")[0].partition("/")[2].partition("@")[0]
        if agent.endswith("/n")
        else agent.rpartition("/")[2].partition("@")[0]
    )


def _digits(text: str) -> str:
    """Return the digits of a foreign text, with a leading +; no more than a number has."""
    found = re.sub(r"[^0-9]", "", text)[: _MOST_DIGITS - 1]
    return f"+{found}" if found and text.strip().startswith("+") else found


def _ms(microseconds: int) -> int:
    return round(microseconds / 1000)
