"""What happened while nobody listened, made up for from what the PBX wrote down.

A thread of its own. The listener tells of an outage when it is over, with the calls that are gone;
they stay live rows in the database until their records are written, so that nothing is forgotten
when this process dies in between. The places in the logs up to which they were read are written
behind the records: what is read twice is recorded once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.domain.cdr import from_cdr
from telephony.domain.directory import Directory
from telephony.domain.live import Remembered
from telephony.domain.numbers import normalise
from telephony.domain.people import People
from telephony.domain.queuelog import from_queue_log
from telephony.domain.record import CallRecord, Source
from telephony.domain.recovery import Outage, filled, joined, merged
from telephony.domain.setup import Setup
from telephony.pbxlogs import EVENTS, PbxLogs, Place, Written
from telephony.store.calls import Revised
from telephony.store.cursors import Cursor, load_cursors, save_cursors
from telephony.store.engine import reading, reason, writing
from telephony.store.live import list_live_calls, list_operator_states
from telephony.store.progress import save_ended
from telephony.store.recorded import legs_of_others, recorded
from telephony.store.tables import microseconds, moment

log = structlog.get_logger(__name__)

# The PBX's own times of an end are whole seconds.
_SLACK = 2_000_000
_SETTLES = 2.0  # seconds in which the PBX has written what it had to write
_LONGEST_PAUSE = 10.0  # seconds between two looks while a source cannot be read
_AT_ONCE = 500  # records in a transaction: databases take only so many values at once


def recall(engine: Engine) -> Remembered:
    """Return what an earlier process had told when it was last seen. Raises SQLAlchemyError."""
    with reading(engine) as session:
        events = load_cursors(session).get(EVENTS)
        return Remembered(
            tuple(list_live_calls(session)),
            tuple(list_operator_states(session)),
            microseconds(events.seen_at) if events else None,
        )


@dataclass(frozen=True, slots=True)
class _Sight:
    """Up to `at` (µs on the PBX's clock) everything was followed; the logs ended at `places`."""

    at: int
    places: dict[str, Place]


@dataclass(frozen=True, slots=True)
class _Pending:
    """An outage whose calls are not all written; the rest are moments of the monotonic clock.

    Before `settled` the PBX may still be writing; after `deadline` what is not found is lost, but
    not before `given_up` while a source cannot be read.
    """

    outage: Outage
    settled: float
    deadline: float
    given_up: float


class Resync:
    """Fills in what was missed; `start` it, tell it, `stop` it.

    A call that is gone waits up to `patience` seconds for what the PBX writes about it, `every`
    seconds between two looks, then it is written as lost. Until then, and while the database
    fails, it stays in the database as live. While a source cannot be read it waits up to `longest`
    seconds for that one. An outage that comes before the last is settled becomes one with it.
    """

    def __init__(
        self,
        engine: Engine,
        logs: PbxLogs,
        directory: Directory,
        country: str,
        setup: Setup,
        *,
        patience: float = 10.0,
        every: float = 0.5,
        longest: float = 600.0,
    ) -> None:
        self._engine = engine
        self._logs = logs
        self._directory = directory
        self._country = country
        self.setup = setup
        self._patience = patience
        self._every = every
        self._longest = longest
        self._more = threading.Condition()
        self._pending: _Pending | None = None
        self._sight: int | None = None
        self._before: _Sight | None = None
        self._stopping = False
        self._fails = False
        self._thread = threading.Thread(target=self._run, name="resync", daemon=True)
        self.recovered = 0
        self.lost = 0
        self.unread: frozenset[str] = frozenset()

    @property
    def unwritten(self) -> tuple[CallRecord, ...]:
        """The calls that are gone and wait, each as its record is when nothing more is found."""
        with self._more:
            return self._pending.outage.gone if self._pending else ()

    @property
    def fails(self) -> bool:
        """Whether the database did not take what was to be written."""
        return self._fails

    def start(self) -> None:
        """Start working on what is told."""
        self._thread.start()

    def over(self, outage: Outage) -> None:
        """Take an outage that is over; returns at once."""
        now = time.monotonic()
        with self._more:
            before = self._pending
            given_up = before.given_up if before else now + self._longest
            self._pending = _Pending(
                joined(before.outage, outage) if before else outage,
                now + min(_SETTLES, self._patience),
                # A link that breaks again and again must not put a record off for ever.
                min(now + self._patience, given_up),
                given_up,
            )
            self._more.notify()

    def seen(self, at: int) -> None:
        """Take that everything up to `at` (µs on the PBX's clock) was followed; returns at once."""
        with self._more:
            self._sight = at
            self._more.notify()

    def stop(self, timeout: float = 3.0) -> None:
        """Stop; what is not written yet is found again by the next process."""
        with self._more:
            self._stopping = True
            self._more.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        self._logs.close()

    def _run(self) -> None:
        while True:
            with self._more:
                if not (self._pending or self._sight is not None or self._stopping):
                    self._more.wait()
                if self._stopping:
                    return
                taken = self._pending
                sight, self._sight = self._sight, None
            left = taken
            try:
                if taken is not None:
                    left = self._recover(taken)
                elif sight is not None:
                    self._remember(sight)
            except Exception as error:  # the thread must live on: the next look tries again
                if not self._fails:
                    log.error("resync.fails", error=reason(error))
                self._fails = True
            else:
                self._fails = False
            with self._more:
                if self._pending is taken:  # else another outage came meanwhile
                    self._pending = left
                if self._fails or self._pending is not None:
                    self._pause(self._pending)

    def _pause(self, known: _Pending | None) -> None:
        """Wait for the next look, or until something else is pending; the lock is held."""
        waits = min(_LONGEST_PAUSE, self._every * (20 if self.unread else 1))
        self._more.wait_for(lambda: self._stopping or self._pending is not known, waits)

    def _people(self) -> People:
        return People(
            {one.endpoint: one.extension for one in self.setup.operators.values()}, self._client_of
        )

    def _client_of(self, raw: str) -> tuple[str, int | None, str]:
        number = normalise(raw, self._country)
        client = self._directory.find(number) if number else None
        return (number or raw, client.id, client.name) if client else (number or raw, None, "")

    def _remember(self, at: int) -> None:
        """Move the cursors to where the logs ended when it was last known that all was followed.

        Not to where they end now: between an event that never arrived and the moment in which the
        connection is found broken, rows are written too.
        """
        before, self._before = self._before, _Sight(at, self._logs.places())
        if before is not None and before.at < at:
            with writing(self._engine) as session:
                save_cursors(session, _cursors(before.places, before.at))

    def _recover(self, pending: _Pending) -> _Pending | None:
        """Write what is found of an outage; return what is left of it, None when nothing is."""
        now = time.monotonic()
        outage = pending.outage
        with reading(self._engine) as session:
            cursors = load_cursors(session)
        since = outage.since
        if since is None and EVENTS in cursors:
            since = microseconds(cursors[EVENTS].seen_at)
        gone = {record.call_id: record for record in outage.gone}
        if since is None:  # the first start: what was before is not ours
            written, found = Written((), (), self._logs.places()), dict[str, CallRecord]()
        else:
            written = self._logs.read(cursors, since)
            people = self._people()
            found = merged(
                from_cdr(written.attempts, people, gone), from_queue_log(written.queue_rows, people)
            )
        settled = since is None or not self._logs or now >= pending.settled
        patient = bool(self._logs) and now < (
            pending.given_up if written.unread else pending.deadline
        )
        self.unread = written.unread if patient else frozenset()
        missing = [record for call_id, record in gone.items() if call_id not in found]
        ended = [filled(record, found[call_id]) for call_id, record in gone.items()
                 if call_id in found]  # fmt: skip
        if not patient:
            ended += missing
            self.lost += len(missing)
        new = [
            record
            for record in found.values()
            if record.call_id not in gone
            and since is not None
            and record.ended_at >= since - _SLACK
            and _of_outage(record, outage, settled)
        ]
        self._save(ended, new, written, outage.live)
        if patient and (missing or written.unread or not settled):
            left = replace(outage, gone=tuple(missing))
            return replace(pending, outage=left)
        if written.unread:
            log.error("resync.gave_up", sources=sorted(written.unread))
        with writing(self._engine) as session:
            save_cursors(session, _cursors(written.places, outage.until))
        self._before = None
        return None

    def _save(
        self,
        ended: Sequence[CallRecord],
        new: Sequence[CallRecord],
        written: Written,
        live: frozenset[str],
    ) -> None:
        """Write records that nobody else has: a few hundred in a transaction, others wait too."""
        channels: dict[str, set[str]] = {}
        for row in written.attempts:
            channels.setdefault(row.call, {row.call}).add(row.uniqueid)
        for start in range(0, len(ended), _AT_ONCE):
            some = ended[start : start + _AT_ONCE]
            with writing(self._engine) as session:
                elsewhere = legs_of_others(session, (record.call_id for record in some))
                self._keep(session, [one for one in some if one.call_id not in elsewhere])
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            ids = {one: {one, *channels.get(one, ())} for one in (each.call_id for each in some)}
            with writing(self._engine) as session:
                known = recorded(session, set().union(*ids.values())) | live
                self._keep(session, [one for one in some if not known & ids[one.call_id]])

    def _keep(self, session: Session, records: Sequence[CallRecord]) -> None:
        # As old as the call: a record made from its events is the newer one, always.
        revised = [Revised(record, record.ended_at) for record in records]
        save_ended(session, revised, datetime.now(UTC), self._country)
        for record in records:
            self.recovered += record.source is not Source.EVENTS
            log.info(
                "call.recovered",
                call=record.call_id,
                disposition=record.disposition.value,
                source=record.source.value,
            )


def _of_outage(record: CallRecord, outage: Outage, settled: bool) -> bool:
    """Tell whether a call that the PBX wrote down came before the outage was over.

    Later ones are followed, but their rows may be there before their records. What is written is
    whole seconds: of those that came in the very second of the login only one that also ended in
    it may have been missed, and only when no record of it has come by the time all has settled.
    """
    second = outage.until // 1_000_000 * 1_000_000
    if record.started_at < second:
        return True
    return settled and record.started_at == second and record.ended_at == second


def _cursors(places: dict[str, Place], at: int) -> list[Cursor]:
    found = [Cursor(name, one.inode, one.offset, moment(at)) for name, one in places.items()]
    return [*found, Cursor(EVENTS, 0, 0, moment(at))]
