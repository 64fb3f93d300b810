"""The relay: rows that are due become jobs in Redis, within 200 ms of their commit.

It claims rows in the database before it enqueues their ids, so that several relays do no harm. A
row whose job came to nothing is due again when its lease runs out; that is the whole of what is
tried again. Neither a dead Redis nor a dead database ends it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from redis import Redis, RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from telephony.callbacks.dispatching import Dispatcher
from telephony.callbacks.watching import watch_cases
from telephony.dutywatch import watch
from telephony.status import Told
from telephony.store.calendars import LEASE, claim_feeds, due_feeds, release_feeds
from telephony.store.deliveries import (
    claim_deliveries,
    count_deliveries,
    due_deliveries,
    in_flight,
    park_late,
    release_deliveries,
    sweep_deliveries,
    unfinished,
)
from telephony.store.engine import StoreError, reading, reason, writing
from telephony.store.lanes import list_lanes
from telephony.store.outbox import (
    Claim,
    claim_facts,
    delete_facts,
    due_facts,
    old_facts,
    pending_facts,
    release_facts,
)
from telephony.transport import BULK, NOW, Order, enqueue, open_queue

log = structlog.get_logger(__name__)

POLL = 0.1  # seconds
KEEP = timedelta(days=30)  # how long facts that are done stay, with their deliveries

_FACT_LEASE = timedelta(seconds=15)
_DELIVERY_LEASE = timedelta(seconds=60)  # until its job begins, which renews it
_LONGEST_QUEUE = 200  # jobs: a dead worker's queue does not grow without end
# A row is taken to have lost its job only while fewer jobs wait: in a long queue the job is still
# to come, and one more for each row would keep a worker that is behind busy with jobs out of date.
_SHORT_QUEUE = 10
_AT_ONCE = 4  # deliveries under way to one receiver; 1 to one that fails or dawdles
_BATCH = 100
_SWEEP_EVERY = 1.0
_PRUNE_EVERY = 600.0
_WATCH_EVERY = 300.0
_CASES_EVERY = 5.0
_PAUSE = 0.5  # after a failure of Redis or the database


def _keep(_session: Session, _claims: Sequence[Claim]) -> None:
    """Leave claims as they are: their leases run out."""


class Relay:
    """Hands due rows to Redis: `run` it until `stop`."""

    def __init__(
        self,
        engine: Engine,
        connection: Redis,
        dispatcher: Dispatcher,
        *,
        fact_lease: timedelta = _FACT_LEASE,
        delivery_lease: timedelta = _DELIVERY_LEASE,
        keep: timedelta = KEEP,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`dispatcher` says whom to call back.

        `connection` must fail soon when Redis is gone: see `transport.open_redis`.
        """
        self._engine = engine
        self._redis = connection
        self._dispatcher = dispatcher
        self._now_queue = open_queue(connection, NOW)
        self._bulk_queue = open_queue(connection, BULK)
        self._fact_lease = fact_lease
        self._delivery_lease = delivery_lease
        self._keep = keep
        self._clock = clock
        self._stop = threading.Event()
        self._turn = 0
        self._sweep_at = 0.0
        self._prune_at = time.monotonic() + 5.0
        self._watch_at = time.monotonic()
        self._gaps = 0
        self._cases_at = 0.0
        self._redis_error: str | None = None
        self._database_error: str | None = None
        self.enqueued = 0
        self._callbacks = 0

    def stop(self) -> None:
        """End `run` soon."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop`; a failure is logged once, and the work goes on."""
        while not self._stop.is_set():
            began = time.monotonic()
            wait = POLL
            try:
                self.step()
                self._well()
            except RedisError as error:
                self._redis_fails(error)
                wait = _PAUSE
            except (SQLAlchemyError, StoreError, OSError) as error:
                self._database_fails(error)
                wait = _PAUSE
            except Exception:  # it must live on, whatever it is
                log.exception("relay.failed")
                wait = _PAUSE
            self._stop.wait(max(0.0, wait - (time.monotonic() - began)))

    def step(self) -> None:
        """Enqueue what is due, and see to the rest when it is time. Raises RedisError too."""
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + _SWEEP_EVERY
            self._sweep()
            self._relay_calendars()
            self._dispatcher.reconsider(self._clock())
            self._enqueue(NOW, "look", self._dispatcher.sweep(self._clock()), _keep)
        now = self._clock()
        with reading(self._engine) as session:
            facts = due_facts(session, now, _BATCH)
            deliveries = self._due_deliveries(session, now)
        if facts:
            waiting = self._now_queue.count
            if waiting > _SHORT_QUEUE:
                with reading(self._engine) as session:
                    facts = due_facts(session, now, _BATCH, fresh=True)
            self._relay_facts(facts[: max(0, _LONGEST_QUEUE - waiting)], now)
        if deliveries:
            room = max(0, _LONGEST_QUEUE - self._bulk_queue.count)
            self._relay_deliveries(deliveries[:room], now)
        self._relay_callbacks(now)
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + _PRUNE_EVERY
            self._prune()
        if time.monotonic() >= self._watch_at:
            self._watch_at = time.monotonic() + _WATCH_EVERY
            self._gaps = len(watch(self._engine, now))
        if time.monotonic() >= self._cases_at:
            self._cases_at = time.monotonic() + _CASES_EVERY
            watch_cases(self._engine, now)

    def look(self) -> Told:
        """Return how the relay is, for its status row."""
        if self._redis_error is None:
            try:
                self._redis.ping()
            except RedisError as error:
                self._redis_fails(error)
        with reading(self._engine) as session:
            facts, oldest = pending_facts(session)
            under_way, parked = count_deliveries(session)
        age = 0.0 if oldest is None else max(0.0, (self._clock() - oldest).total_seconds())
        figures = {
            "outbox_pending": float(facts),
            "outbox_oldest_seconds": round(age, 3),
            "deliveries_pending": float(under_way),
            "deliveries_parked": float(parked),
            "callbacks_begun": float(self._callbacks),
            "enqueued": float(self.enqueued),
            "duty_gaps": float(self._gaps),
        }
        problem = "redis_down" if self._redis_error is not None else None
        if self._database_error is not None:
            problem = "database_down"
        return problem is None, problem, figures

    def _due_deliveries(self, session: Session, now: datetime) -> list[int]:
        """Return what each receiver may get now; none waits for another's."""
        lanes = list_lanes(session)
        if not lanes:
            return []
        self._turn += 1
        first = self._turn % len(lanes)
        flying = in_flight(session)
        found: list[int] = []
        for lane in (*lanes[first:], *lanes[:first]):
            if lane.blocked_until is not None and lane.blocked_until > now:
                continue
            most = 1 if lane.failures or lane.slow else _AT_ONCE
            free = most - flying.get(lane.name, 0)
            if free > 0:
                found += due_deliveries(session, lane.name, now, free)
        return found

    def _relay_facts(self, ids: Sequence[int], now: datetime) -> None:
        if not ids:
            return
        with writing(self._engine) as session:
            claims = claim_facts(session, ids, now, self._fact_lease)
        again = sum(claim.attempt > 1 for claim in claims)
        if again:
            log.warning("relay.again", facts=again)
        self._enqueue(NOW, "expand", claims, release_facts)

    def _relay_deliveries(self, ids: Sequence[int], now: datetime) -> None:
        if not ids:
            return
        with writing(self._engine) as session:
            claims = claim_deliveries(session, ids, now, self._delivery_lease)
        self._enqueue(BULK, "deliver", claims, release_deliveries)

    def _relay_calendars(self) -> None:
        """Enqueue the calendars whose time has come, while the queue is not long."""
        now = self._clock()
        with reading(self._engine) as session:
            ids = due_feeds(session, now, _SHORT_QUEUE)
        if not ids or self._bulk_queue.count > _SHORT_QUEUE:
            return
        with writing(self._engine) as session:
            claims = claim_feeds(session, ids, now, LEASE)
        self._enqueue(
            BULK, "calendar", claims, lambda session, held: release_feeds(session, held, now)
        )

    def _relay_callbacks(self, now: datetime) -> None:
        """Enqueue tries to call back, but not behind jobs that nobody does."""
        if not self._dispatcher.ready(now) or self._now_queue.count > _SHORT_QUEUE:
            return
        claims = self._dispatcher.claim(now)
        self._enqueue(
            NOW,
            "callback",
            claims,
            lambda session, held: self._dispatcher.release(session, held, now),
        )
        self._callbacks += len(claims)

    def _enqueue(
        self,
        name: str,
        job: str,
        claims: Sequence[Claim],
        release: Callable[[Session, Sequence[Claim]], None],
    ) -> None:
        if not claims:
            return
        orders = [Order(job, claim.kind, claim.id, claim.attempt) for claim in claims]
        try:
            enqueue(self._now_queue if name == NOW else self._bulk_queue, orders)
        except RedisError:
            # Perhaps they arrived and only the answer was lost: the next attempt fences them.
            with writing(self._engine) as session:
                release(session, claims)
            raise
        self.enqueued += len(claims)

    def _sweep(self) -> None:
        now = self._clock()
        with reading(self._engine) as session:
            flying = in_flight(session)
            failing = [lane.name for lane in list_lanes(session) if lane.failures]
        if not flying and not failing:
            return
        lost = bool(flying) and self._bulk_queue.count <= _SHORT_QUEUE
        with writing(self._engine) as session:
            swept = sweep_deliveries(session, now) if lost else 0
            late = sum(park_late(session, name, now, _BATCH) for name in failing)
        if swept:
            log.warning("relay.again", deliveries=swept)
        if late:
            log.warning("relay.parked", deliveries=late)

    def _prune(self) -> None:
        """Delete some old facts: not all at once, so that nobody waits long for the write lock."""
        with reading(self._engine) as session:
            old = old_facts(session, self._clock() - self._keep, _BATCH)
            ids = sorted(set(old) - unfinished(session, old))
        if not ids:
            return
        with writing(self._engine) as session:
            delete_facts(session, ids)
        log.info("relay.pruned", facts=len(ids))
        self._prune_at = time.monotonic() + _SWEEP_EVERY

    def _well(self) -> None:
        if self._database_error is not None:
            log.info("relay.database_back")
            self._database_error = None
        if self._redis_error is not None:
            self._redis.ping()
            log.info("relay.redis_back")
            self._redis_error = None

    def _redis_fails(self, error: RedisError) -> None:
        if self._redis_error is None:
            log.error("relay.redis_fails", error=str(error))
        self._redis_error = str(error)

    def _database_fails(self, error: Exception) -> None:
        if self._database_error is None:
            log.error("relay.database_fails", error=reason(error))
        self._database_error = reason(error)
