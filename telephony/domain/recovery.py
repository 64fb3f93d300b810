"""Calls made up from what the PBX wrote down while nobody listened: CDR rows and queue_log rows.

Pure: rows in, records out. What cannot be known is not guessed: a call of which nothing is found
stays `lost`. Times are microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from telephony.domain.live import LiveCall
from telephony.domain.record import (
    CallRecord,
    Disposition,
    LegKind,
    LegRecord,
    Side,
)
from telephony.domain.record_types import milliseconds


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


def joined(first: Outage, second: Outage) -> Outage:
    """Return two outages that followed each other as one: the first one's calls are not written."""
    gone = {record.call_id: record for record in (*first.gone, *second.gone)}
    since = None if first.since is None or second.since is None else first.since
    return Outage(
        since,
        second.until,
        tuple(record for call_id, record in gone.items() if call_id not in second.live),
        second.live,
    )


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
        wait_ms=milliseconds(until - call.started_at),
        ring_ms=0,
        talk_ms=milliseconds(end - call.answered_at) if call.answered_at else 0,
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
        wait_ms=milliseconds(max(0, until - known.started_at)),
        talk_ms=milliseconds(end - answered_at) if answered_at else 0,
        disposition=Disposition.ANSWERED if answered_at else found.disposition,
        abandoned_in=None if answered_at else found.abandoned_in,
        answered_by=known.answered_by or found.answered_by,
        answered_on=known.answered_on or found.answered_on,
        hung_up_by=found.hung_up_by,
        legs=_legs_until(known, found),
        source=found.source,
    )


def _legs_until(known: CallRecord, found: CallRecord) -> tuple[LegRecord, ...]:
    """Return the legs seen, those that talked when they were lost from sight to their end.

    And behind them those that the PBX wrote down and nobody saw.
    """
    written = {leg.channel: leg for leg in found.legs}
    legs = []
    for leg in known.legs:
        if leg.talks and leg.talks[-1][1] >= known.ended_at:
            there = written.get(leg.channel)
            end = max(leg.talks[-1][1], (there and there.ended_at) or found.ended_at)
            talks = (*leg.talks[:-1], (leg.talks[-1][0], end))
            length = milliseconds(sum(until - begin for begin, until in talks))
            leg = replace(leg, talks=talks, talk_ms=length, ended_at=end)  # noqa: PLW2901
        legs.append(leg)
    seen = {leg.channel for leg in known.legs}
    return (*legs, *(leg for leg in found.legs if leg.channel not in seen))


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
