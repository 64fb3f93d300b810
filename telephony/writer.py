"""Call records and live state into the database, without ever holding up the event loop.

`put` only appends to a queue, `tell` keeps the latest version of what goes on now. One thread
writes batches, one transaction each. A second one, the keeper, moves records that have waited too
long to the spill file, so that a database that fails or hangs leaves no record in memory alone for
long. Replaying the file is harmless: a call is overwritten by its own later revision only. Live
state is never spilled: it is only about now.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import Engine

from telephony.domain.changes import Changes
from telephony.domain.live import LiveCall, OperatorState
from telephony.domain.record import CallRecord
from telephony.store.calls import Revised, now_revision
from telephony.store.engine import OUTAGE, is_poison, reason, writing
from telephony.store.live import Process, save_process
from telephony.store.progress import facts_of, keys_of, save_changes, save_ended
from telephony.store.spill import Spill

log = structlog.get_logger(__name__)

_SPILL_PAUSE = 1.0  # between two tries of a disk that is full


@dataclass(eq=False, slots=True)
class _Item:
    revised: Revised
    at: float
    spilled: bool = False


@dataclass(eq=False, slots=True)
class _Live:
    """What goes on now and has to be written; `at` is when the first of it came."""

    changes: Changes
    process: Process | None = None
    at: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.changes) or self.process is not None


class Writer:
    """Writes call records and live state; `start` it, `put` records, `stop` it.

    `batch` records or `window` seconds make a transaction. A record waits `patience` seconds in
    memory at most, then (at once while the database fails) it goes to the `spill` file. Beyond
    `limit` records in memory, when neither takes any, new ones are lost, logged and counted.
    Raises StoreError when another process uses the spill file.
    """

    def __init__(
        self,
        engine: Engine,
        spill: Path,
        country: str,
        *,
        batch: int = 200,
        window: float = 0.05,
        patience: float = 2.0,
        limit: int = 20_000,
        backoff: tuple[float, float] = (0.2, 5.0),
    ) -> None:
        """`country` is the company's, ISO 3166: by it callers are judged who are to be called back.

        Seconds throughout; `backoff` is the first and the longest pause between two tries.
        """
        self._engine = engine
        self._country = country
        self._spill = Spill(spill)
        self._batch = batch
        self._window = window
        self._patience = patience
        self._limit = limit
        self._first_pause, self._longest_pause = backoff
        lock = threading.Lock()
        self._more = threading.Condition(lock)  # the writing thread waits here
        self._pressure = threading.Condition(lock)  # the keeper waits here
        self._queue: deque[_Item] = deque()
        self._flight: list[_Item] = []
        self._live = _Live(Changes())
        self._live_flight = _Live(Changes())
        self._said: set[str] = set()  # keys of facts of live calls that are in the database
        self._replay: Iterator[list[Revised]] | None = None
        self._replay_at = 0.0
        self._retry_at = 0.0
        self._pause = 0.0
        self._revision = 0
        self._stopping = False
        self._stopped = False
        self._spill_fails = False
        self._spill_at = 0.0
        self.last_error: str | None = None
        self.last_commit_at: datetime | None = None
        self.lost = 0
        self.buried = 0
        self._threads = [
            threading.Thread(target=self._write, name="writer", daemon=True),
            threading.Thread(target=self._keep, name="writer-keeper", daemon=True),
        ]

    @property
    def pending(self) -> int:
        """How many records wait in memory."""
        with self._more:
            return len(self._queue) + len(self._flight)

    @property
    def spilled(self) -> int:
        """How many records lie in the spill file."""
        return self._spill.count

    def start(self) -> None:
        """Start writing; what an earlier process left in the spill file comes first."""
        for thread in self._threads:
            thread.start()

    def put(self, record: CallRecord) -> None:
        """Take a record; returns at once and never raises."""
        with self._more:
            # A clock that is set back must not make the newer of two versions the older one.
            self._revision = max(self._revision + 1, now_revision())
            item = _Item(Revised(record, self._revision), time.monotonic())
            self._live.changes.ended(record.call_id)
            full = len(self._queue) >= self._limit
            if not full and not self._stopped:
                self._queue.append(item)
                # Only when it matters: a thread that wakes contends for the interpreter.
                waiting = len(self._queue)
                if waiting in (1, self._batch):
                    self._more.notify()
                if waiting in (1, self._limit // 2 + 1):
                    self._pressure.notify()
                return
        if full:
            self._lose(item.revised, "memory is full, database and spill file take nothing")
        else:
            self._to_spill([item])

    def keep(self, records: Iterable[CallRecord]) -> bool:
        """Put records of which more may be found into the spill file at once; tell whether it took
        them. Whatever is made of these calls later wins.
        """
        now = time.monotonic()
        return self._to_spill([_Item(Revised(one, one.ended_at), now) for one in records])

    def tell(
        self,
        calls: Iterable[LiveCall],
        operators: Iterable[OperatorState] = (),
        gone: Mapping[str, str] | None = None,
    ) -> None:
        """Take what changed in what goes on now; returns at once and never raises.

        `gone` became part of others, by their ids. A call that was `put` must not be told of again.
        """
        with self._more:
            self._live.changes.tell(calls, operators, gone)
            self._live_came()

    def replace(
        self,
        calls: Iterable[LiveCall],
        operators: Iterable[OperatorState],
        keep: Iterable[str] = (),
    ) -> None:
        """Make these the only live calls and operators, but for calls of the ids `keep`."""
        with self._more:
            self._live.changes.replace(calls, operators, keep)
            self._live_came()

    def tell_process(self, process: Process) -> None:
        """Take what this process tells of itself; returns at once and never raises."""
        with self._more:
            self._live.process = process
            self._live_came()

    def _live_came(self) -> None:
        if not self._live.at:
            self._live.at = time.monotonic()
            self._more.notify()

    def stop(self, timeout: float = 5.0) -> bool:
        """Write what waits, or spill it when that takes longer than `timeout` seconds.

        Returns whether every record is in the database or in the spill file.
        """
        until = time.monotonic() + timeout
        with self._more:
            self._stopping = True
            self._more.notify_all()
            self._pressure.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        with self._more:
            self._stopped = True
            left = [item for item in (*self._flight, *self._queue) if not item.spilled]
        safe = self._to_spill(left)
        if safe:
            with self._more:
                self._queue.clear()
        self._spill.close()
        return safe and not self.lost

    # The writing thread

    def _write(self) -> None:
        while (batch := self._take()) is not None:
            try:
                if batch or self._live_flight:
                    self._save([item.revised for item in batch], self._live_flight)
                else:
                    self._replay_some()
            except OUTAGE as error:
                self._failed(error)
            except Exception as error:  # the thread must live on, whatever it is
                log.exception("writer.failed")
                self._failed(error)
            else:
                with self._more:
                    self._flight = []
                    self._live_flight = _Live(Changes())

    def _take(self) -> list[_Item] | None:
        """Wait for records; none for live state alone or the spill's turn, None to end."""
        with self._more:
            while True:
                now = time.monotonic()
                waits = bool(self._queue or self._live)
                if self._stopping and (not waits or self.last_error):
                    return None
                wait: float | None = None
                if self.last_error and now < self._retry_at:
                    wait = self._retry_at - now
                elif waits:
                    first = [item.at for item in self._first()]
                    ripe = min([*first, self._live.at] if self._live else first) + self._window
                    ready = len(self._queue) >= self._batch or self._stopping or now >= ripe
                    if ready or (self._queue and self._spill.count):
                        size = min(self._batch, len(self._queue))
                        self._flight = [self._queue.popleft() for _ in range(size)]
                        self._live_flight, self._live = self._live, _Live(Changes())
                        return self._flight
                    wait = ripe - now
                elif self._spill.count:
                    if now >= self._replay_at:
                        return []
                    wait = self._replay_at - now
                self._more.wait(wait)

    def _replay_some(self) -> None:
        """Write one batch of the spill file, so that new records get their turn in between."""
        try:
            if self._replay is None:
                self._replay = self._spill.batches(self._batch)
            batch = next(self._replay, None)
        except OSError as error:
            self._replay = None
            self._replay_at = time.monotonic() + self._longest_pause
            log.error("writer.spill_unreadable", error=str(error))
            return
        if batch is None:
            self._replay = None
            return
        self._save(batch, _Live(Changes()))

    def _save(self, batch: Sequence[Revised], live: _Live) -> None:
        """Commit a batch; when a record spoils it, one by one, and that one is buried."""
        try:
            self._commit(batch, live)
        except Exception as error:
            if not is_poison(error):
                raise
            if live:
                log.error("writer.live_refused", error=reason(error))
                self._save(batch, _Live(Changes()))
                return
            if len(batch) > 1:
                for item in batch:
                    self._save([item], live)
                return
            self._bury(batch[0], error)

    def _commit(self, batch: Sequence[Revised], live: _Live) -> None:
        now = datetime.now(UTC)
        with writing(self._engine) as session:
            said = save_changes(session, live.changes, now, self._said) if live.changes else []
            if batch:
                save_ended(session, batch, now, self._country, {*self._said, *said})
            if live.process is not None:
                save_process(session, live.process)
        self._said.update(said)
        self._said.difference_update(fact.key for item in batch for fact in facts_of(item.record))
        self._said.difference_update(keys_of(live.changes.gone))
        self.last_commit_at = now
        if self.last_error is not None:
            log.info("writer.database_back", spilled=self.spilled)
        self.last_error = None
        self._pause = 0.0

    def _bury(self, item: Revised, error: Exception) -> None:
        log.error("writer.record_refused", call=item.record.call_id, error=reason(error))
        try:
            self._spill.bury(item, error)
        except OSError as problem:
            self._lose(item, f"cannot be kept aside: {problem}")
            return
        self.buried += 1

    def _failed(self, error: BaseException) -> None:
        with self._more:
            if self.last_error is None:
                log.error("writer.database_fails", error=reason(error))
            self.last_error = reason(error)
            self._pause = min(self._longest_pause, self._pause * 2 or self._first_pause)
            self._retry_at = time.monotonic() + self._pause
            self._queue.extendleft(item for item in reversed(self._flight) if not item.spilled)
            self._flight = []
            self._keep_live()
            self._replay = None
            self._pressure.notify()

    def _keep_live(self) -> None:
        """Take back live state that could not be written, but for calls that ended meanwhile."""
        failed, newer = self._live_flight, self._live
        changes = failed.changes.later(newer.changes)
        for item in self._queue:
            changes.ended(item.revised.record.call_id)
        at = min((at for at in (failed.at, newer.at) if at), default=0.0)
        self._live = _Live(changes, newer.process or failed.process, at)
        self._live_flight = _Live(Changes())

    # The keeper's thread

    def _keep(self) -> None:
        while (due := self._due()) is not None:
            if not self._to_spill(due):
                self._spill_at = time.monotonic() + _SPILL_PAUSE

    def _due(self) -> list[_Item] | None:
        """Wait for records that must not stay in memory alone; None to end."""
        with self._pressure:
            while not self._stopping:
                now = time.monotonic()
                if now < self._spill_at:
                    self._pressure.wait(self._spill_at - now)
                    continue
                held = [item for item in self._flight if not item.spilled]
                oldest = min((item.at for item in (*held, *self._first())), default=None)
                if self._queue and (self.last_error or len(self._queue) > self._limit // 2):
                    return [*held, *self._queue]
                if oldest is not None and now >= oldest + self._patience:
                    late = now - self._patience
                    return [item for item in (*held, *self._queue) if item.at <= late]
                self._pressure.wait(None if oldest is None else oldest + self._patience - now)
            return None

    def _first(self) -> list[_Item]:
        return [self._queue[0]] if self._queue else []

    def _to_spill(self, items: Sequence[_Item]) -> bool:
        """Move records to the spill file; say whether the disk took them."""
        if not items:
            return True
        try:
            refused = self._spill.append([item.revised for item in items])
        except OSError as error:
            if not self._spill_fails:
                log.error("writer.spill_fails", error=str(error), records=len(items))
            self._spill_fails = True
            return False
        self._spill_fails = False
        for item, problem in refused:
            self._bury(item, problem)
        with self._more:
            for spilled in items:
                spilled.spilled = True
            self._queue = deque(item for item in self._queue if not item.spilled)
            self._more.notify()
        return True

    def _lose(self, item: Revised, why: str) -> None:
        self.lost += 1
        log.error("writer.record_lost", call=item.record.call_id, lost=self.lost, why=why)
