"""From the commit of a fact to its job in RQ's queue: by the relay, and by RQ called directly.

Somebody waits at the queue as a worker does, blocked in Redis: what is measured ends with the job
in their hand. The peer commits a fact that is done already and calls `Queue.enqueue` itself right
after: what it costs those who would lose the job if they died in between.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from redis import Redis
from rq import Queue
from sqlalchemy import Engine, insert

from telephony.relay import POLL
from telephony.store.engine import open_engine, reading, writing
from telephony.store.live import list_processes
from telephony.store.migrations import migrate
from telephony.store.outbox import Fact, add_facts, finish_fact, outbox
from telephony.transport import NOW, open_queue
from tests.bench.tables import Report, Table, quantile
from tests.lab.cache import default_cache
from tests.lab.errors import LabError
from tests.lab.postgres import Postgres, ensure_postgres
from tests.lab.redis import RedisServer, ensure_redis

MOST_P50_MS = 200.0
_ROOT = Path(__file__).resolve().parents[2]
_PEER = "peer"
_GIVE_UP = 10.0
_PAYLOAD = {"direction": "in", "did": "74951234567", "number": "+79001112233"}


def run(quick: bool) -> Report:
    """Measure on both databases."""
    report = Report()
    table = Table(
        "Commit of a fact → its job in a worker's hand, ms",
        ("", "facts", "p50", "p95", "p99", "longest", "× direct"),
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dutyline-bench-")))
        folder.chmod(0o755)
        redis = RedisServer(ensure_redis(default_cache(), print), folder / "redis-server")
        stack.enter_context(redis)
        server = stack.enter_context(Postgres(ensure_postgres(default_cache(), print), folder))
        urls = {
            "SQLite": f"sqlite:///{folder}/relay.db",
            "PostgreSQL": server.create_database("relay"),
        }
        for name, url in urls.items():
            redis.flush()
            migrate(url)
            with _relay(folder, url, redis):
                took = _measure(url, redis, 60 if quick else 500)
            _add(table, report, name, took)
    report.tables.append(table)
    return report


def _add(table: Table, report: Report, name: str, took: dict[str, list[float]]) -> None:
    base = quantile(took[_PEER], 0.5)
    for who, title in ((NOW, "by the relay"), (_PEER, "Queue.enqueue after the commit")):
        times = took[who]
        p50, p95, p99 = (quantile(times, part) for part in (0.5, 0.95, 0.99))
        table.add(
            f"{name}, {title}",
            str(len(times)),
            f"{p50:.1f}",
            f"{p95:.1f}",
            f"{p99:.1f}",
            f"{max(times):.1f}",
            f"{p50 / base:.1f}",
        )
    p50, p99 = quantile(took[NOW], 0.5), quantile(took[NOW], 0.99)
    report.target(
        p50 <= MOST_P50_MS,
        f"{name}: a fact's job is in the queue {p50:.0f} ms after its commit (p50; target ≤ "
        f"{MOST_P50_MS:.0f}), {p99:.0f} ms (p99)",
    )


@contextmanager
def _relay(folder: Path, url: str, redis: RedisServer) -> Iterator[None]:
    """Run `dutyline relay`, a process of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if "DUTYLINE_" not in name},
        "DUTYLINE_DATABASE_URL": url,
        "DUTYLINE_DATA_DIR": str(folder),
        "DUTYLINE_REDIS_URL": redis.url,
    }
    path = folder / "relay.log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "telephony", "relay"],
            env=environment,
            cwd=_ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        engine = open_engine(url)
        deadline = time.monotonic() + 30
        while not _ready(engine):
            if process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"the relay is not ready\n{path.read_text()[-2000:]}")
            time.sleep(0.05)
        engine.dispose()
        yield
    finally:
        process.terminate()
        process.wait(20)


def _ready(engine: Engine) -> bool:
    with reading(engine) as session:
        return any(one.name == "relay" and one.ready for one in list_processes(session))


class _Taker:
    """Takes the ids of jobs out of both queues as soon as they are there, on its own thread."""

    def __init__(self, connection: Redis, *queues: Queue) -> None:
        self._connection = connection
        self._keys = [queue.key for queue in queues]
        self._taken: SimpleQueue[tuple[str, str, float]] = SimpleQueue()
        self._over = False
        self._thread = Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        while not self._over:
            found = self._connection.blpop(self._keys, timeout=0.5)
            if found is not None:
                at = time.perf_counter()
                key, job = (part if isinstance(part, str) else part.decode() for part in found)
                self._taken.put((key.rpartition(":")[2], job, at))

    def next(self) -> tuple[str, str, float]:
        """Return (queue, job's id, when it was taken). Raises LabError when none comes."""
        try:
            return self._taken.get(timeout=_GIVE_UP)
        except Empty:
            raise LabError(f"no job came in {_GIVE_UP} s") from None

    def stop(self) -> None:
        """End it."""
        self._over = True
        self._thread.join(5)


def _measure(url: str, redis: RedisServer, count: int) -> dict[str, list[float]]:
    """Return the milliseconds of each by the queue's name; both are asked in turns."""
    engine = open_engine(url)
    connection = Redis(port=redis.port, socket_timeout=5)
    own, relayed = open_queue(connection, _PEER), open_queue(connection, NOW)
    taker = _Taker(Redis(port=redis.port, socket_timeout=5), own, relayed)
    chance = random.Random(5)
    took: dict[str, list[float]] = {NOW: [], _PEER: []}
    tell: dict[str, Callable[[int], float]] = {
        NOW: lambda number: _fact(engine, number),
        _PEER: lambda number: _direct(engine, own, number),
    }
    for number in range(count + 1):
        for name, commit in tell.items():
            time.sleep(chance.random() * POLL)  # the relay looks every so often: meet it anywhere
            committed = commit(number)
            queue, job, at = taker.next()
            if queue != name:
                raise LabError(f"{job} came by {queue} instead of {name}")
            if number:  # whatever is slow only once
                took[name].append((at - committed) * 1000)
            if name == NOW:
                _done(engine, job)
            connection.delete(f"rq:job:{job}")
    taker.stop()
    engine.dispose()
    return took


def _fact(engine: Engine, number: int) -> float:
    """Commit a fact for the relay; return when it was."""
    fact = Fact("call.started", f"call.started:{number}", {"call_id": str(number), **_PAYLOAD})
    with writing(engine) as session:
        add_facts(session, [fact], datetime.now(UTC))
    return time.perf_counter()


def _direct(engine: Engine, queue: Queue, number: int) -> float:
    """Commit a fact that nobody waits for, and enqueue a job; return when it was committed."""
    now = datetime.now(UTC)
    row = {"kind": "call.started", "key": f"peer:{number}", "payload": _PAYLOAD}
    with writing(engine) as session:
        session.execute(insert(outbox).values(**row, created_at=now, done_at=now))
    committed = time.perf_counter()
    queue.enqueue("expand", number, 1, result_ttl=0, failure_ttl=60)
    return committed


def _done(engine: Engine, job: str) -> None:
    """Do what the worker does at the end: else the fact would come again."""
    row, attempt = (int(part) for part in job.rsplit("-", 2)[1:])
    with writing(engine) as session:
        if finish_fact(session, row, attempt, datetime.now(UTC)) is None:
            raise LabError(f"{job} was no fact's, or came twice")
