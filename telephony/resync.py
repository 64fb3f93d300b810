"""What happened while nobody listened, made up for from what the PBX wrote down.

A thread of its own. The listener tells of an outage when it is over, with the calls that are gone;
they stay live rows in the database until their records are written, so that nothing is forgotten
when this process dies in between. Records and the places in the logs up to which they were read
are written in one transaction.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine

from telephony.domain.directory import Directory
from telephony.domain.live import Remembered
from telephony.domain.numbers import normalise
from telephony.domain.record import CallRecord
from telephony.domain.recovery import Outage, People, filled, from_cdr, from_queue_log, merged
from telephony.domain.setup import Setup
from telephony.pbxlogs import EVENTS, PbxLogs, Place, Written
from telephony.store.calls import Revised
from telephony.store.cursors import Cursor, load_cursors, save_cursors
from telephony.store.engine import reading, reason, writing
from telephony.store.live import list_live_calls, list_operator_states
from telephony.store.progress import save_ended
from telephony.store.recorded import recorded
from telephony.store.tables import microseconds, moment

log = structlog.get_logger(__name__)

# The PBX's own times of an end are whole seconds.
_SLACK = 2_000_000


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


class Resync:
    """Fills in what was missed; `start` it, tell it, `stop` it.

    A call that is gone waits up to `patience` seconds for what the PBX writes about it, `every`
    seconds between two looks, then it is written as lost. Until then, and while the database
    fails, it stays in the database as live.
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
    ) -> None:
        self._engine = engine
        self._logs = logs
        self._directory = directory
        self._country = country
        self.setup = setup
        self._patience = patience
        self._every = every
        self._more = threading.Condition()
        self._outages: deque[tuple[Outage, float]] = deque()
        self._sight: int | None = None
        self._before: _Sight | None = None
        self._stopping = False
        self._fails = False
        self._thread = threading.Thread(target=self._run, name="resync", daemon=True)
        self.recovered = 0
        self.lost = 0

    @property
    def pending(self) -> int:
        """How many calls that are gone wait for their records."""
        with self._more:
            return sum(len(outage.gone) for outage, _ in self._outages)

    def start(self) -> None:
        """Start working on what is told."""
        self._thread.start()

    def over(self, outage: Outage) -> None:
        """Take an outage that is over; returns at once."""
        with self._more:
            self._outages.append((outage, time.monotonic() + self._patience))
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
                if not (self._outages or self._sight is not None or self._stopping):
                    self._more.wait()
                if self._stopping:
                    return
                outage, deadline = self._outages[0] if self._outages else (None, 0.0)
                sight, self._sight = self._sight, None
            try:
                done = True
                if outage is not None:
                    done = self._recover(outage, time.monotonic() >= deadline)
                elif sight is not None:
                    self._remember(sight)
            except Exception as error:  # the thread must live on: the next look tries again
                if not self._fails:
                    log.error("resync.fails", error=reason(error))
                self._fails = True
                done = False
            else:
                self._fails = False
            with self._more:
                if outage is not None and done:
                    self._outages.popleft()
                elif not done:
                    self._more.wait_for(lambda: self._stopping, self._every)

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

    def _recover(self, outage: Outage, last: bool) -> bool:
        """Write what is found of an outage; with `last` also what is not. Tell whether all is."""
        with reading(self._engine) as session:
            cursors = load_cursors(session)
        since = outage.since
        if since is None and EVENTS in cursors:
            since = microseconds(cursors[EVENTS].seen_at)
        if since is None:  # the first start: what was before is not ours
            places = self._logs.places()
            written, found = Written((), (), places), dict[str, CallRecord]()
        else:
            written = self._logs.read(cursors, since)
            people = self._people()
            found = merged(
                from_cdr(written.attempts, people), from_queue_log(written.queue_rows, people)
            )
        gone = {record.call_id: record for record in outage.gone}
        missing = [record for call_id, record in gone.items() if call_id not in found]
        if missing and self._logs and not last:
            return False
        ended = [
            *missing,
            *(filled(record, found[record.call_id]) for record in gone.values()
              if record.call_id in found),
        ]  # fmt: skip
        new = [
            record
            for record in found.values()
            if record.call_id not in gone
            and since is not None
            and record.ended_at >= since - _SLACK
        ]
        channels: dict[str, set[str]] = {}
        for row in written.attempts:
            channels.setdefault(row.call, {row.call}).add(row.uniqueid)
        with writing(self._engine) as session:
            ids = {one for record in new for one in channels.get(record.call_id, ())}
            ids |= {record.call_id for record in (*new, *ended)}
            known = recorded(session, ids) | outage.live
            ended = [record for record in ended if record.call_id not in known]
            new = [
                record
                for record in new
                if not known & {record.call_id, *channels.get(record.call_id, ())}
            ]
            # As old as the call: a record made from its events is the newer one, always.
            revised = [Revised(record, record.ended_at) for record in (*ended, *new)]
            save_ended(session, revised, datetime.now(UTC))
            save_cursors(session, _cursors(written.places, outage.until))
        self._before = None
        self.recovered += len(new) + len(ended) - len(missing)
        self.lost += len(missing)
        for record in (*ended, *new):
            log.info(
                "call.recovered",
                call=record.call_id,
                disposition=record.disposition.value,
                source=record.source.value,
            )
        return True


def _cursors(places: dict[str, Place], at: int) -> list[Cursor]:
    found = [Cursor(name, one.inode, one.offset, moment(at)) for name, one in places.items()]
    return [*found, Cursor(EVENTS, 0, 0, moment(at))]
