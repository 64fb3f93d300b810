"""Records of calls made from rows of the queue_log. Times are microseconds since the epoch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from telephony.domain.call import Phase
from telephony.domain.people import People, digits_in
from telephony.domain.queueing import PREFIX
from telephony.domain.record import CallRecord, Disposition, LegKind, Side, Source
from telephony.domain.record_types import milliseconds


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One row of the queue_log. `data` are the fields behind the event's name."""

    at: int
    call: str
    queue: str
    agent: str
    event: str
    data: tuple[str, ...]


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
        digits_in(entered.data[1]) if entered and len(entered.data) > 1 else ""
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
        wait_ms=milliseconds((answered_at or last.at) - start),
        ring_ms=0,
        talk_ms=milliseconds(last.at - answered_at) if answered_at else 0,
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
    if last.event == "EXITWITHKEY" and last.queue.startswith(PREFIX):
        return Disposition.CALLBACK_ASKED  # the only key that leads out of a queue of ours
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
