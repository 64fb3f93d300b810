"""Facts, the relay, the workers, Redis, a database and a receiver: all real, each to be killed."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from standardwebhooks import Webhook

from telephony.notify import new_secret
from telephony.secrets import open_vault
from telephony.store.deliveries import State, delivery
from telephony.store.engine import StoreError, open_engine, reading, writing
from telephony.store.live import Process, list_processes
from telephony.store.migrations import migrate
from telephony.store.outbox import Fact, add_facts, outbox
from telephony.store.webhooks import add_webhook
from telephony.transport import open_queue
from tests.lab.cache import default_cache
from tests.lab.receiver import Receiver, Reply, Request
from tests.lab.redis import RedisServer, ensure_redis

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("relay", "now", "bulk")


class RelayStage:
    """A set of parts on one database and one Redis, with one webhook to `receiver`."""

    def __init__(
        self, folder: Path, database_url: str, redis: RedisServer, receiver: Receiver
    ) -> None:
        self.folder = folder
        self.redis = redis
        self.receiver = receiver
        self.secret = new_secret()
        self.environment = {
            **{name: value for name, value in os.environ.items() if "DUTYLINE_" not in name},
            "DUTYLINE_DATABASE_URL": database_url,
            "DUTYLINE_DATA_DIR": str(folder),
            "DUTYLINE_REDIS_URL": redis.url,
            "DUTYLINE_OUTGOING_ALLOW": "127.0.0.1",
            "DUTYLINE_OUTGOING_PORTS": str(receiver.port),
        }
        migrate(database_url)
        self.engine = open_engine(database_url)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._numbers = itertools.count(1)
        self.written: dict[str, float] = {}
        vault = open_vault((), folder)
        with writing(self.engine) as session:
            add_webhook(
                session,
                form="standard",
                events=("call.started",),
                place="test",
                url=vault.seal(receiver.url()),
                secret=vault.seal(self.secret),
                now=datetime.now(UTC),
            )

    def start(self, *parts: str) -> None:
        """Start parts, each a process of its own."""
        for part in parts or PARTS:
            with (self.folder / f"{part}.log").open("ab") as log:
                self._running[part] = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.relay_part", part],
                    env=self.environment,
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                )

    def kill(self, part: str) -> None:
        """Kill a part with -9."""
        self._running[part].kill()
        self._running[part].wait(10)

    def end(self, part: str) -> int:
        """Stop a part with SIGTERM; return its exit code."""
        self._running[part].send_signal(signal.SIGTERM)
        return self._running[part].wait(20)

    def mend(self) -> None:
        """Start again what a test that failed left dead or frozen, so that others do not fail."""
        self.redis.resume()
        if self.redis.pid is None:
            self.redis.start()
        dead = [part for part in PARTS if self._running[part].poll() is not None]
        if dead:
            self.start(*dead)

    def stop(self) -> None:
        """Stop all parts."""
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.engine.dispose()

    def tell(self, count: int = 1) -> list[str]:
        """Commit facts, one transaction each; return the ids of their calls."""
        told = []
        for _ in range(count):
            call_id = f"{next(self._numbers)}.{os.getpid()}"
            payload = {
                "call_id": call_id,
                "direction": "in",
                "did": "74951234567",
                "number": "+79001112233",
            }
            fact = Fact("call.started", f"call.started:{call_id}", payload)
            with writing(self.engine) as session:
                add_facts(session, [fact], datetime.now(UTC))
            self.written[call_id] = time.time()
            told.append(call_id)
        return told

    def received(self) -> Counter[str]:
        """Return how often each call was told to the receiver."""
        bodies = (
            json.loads(request.body) for request in list(self.receiver.requests) if request.body
        )
        return Counter(body["data"]["call_id"] for body in bodies)

    def processes(self) -> dict[str, Process]:
        """Return what the parts tell of themselves."""
        with reading(self.engine) as session:
            return {process.name: process for process in list_processes(session)}

    def wait(self, what: str, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Poll until it holds; a database that is down counts as no. Fails with the logs."""
        until = time.monotonic() + seconds
        while True:
            with contextlib.suppress(SQLAlchemyError, StoreError):
                if condition():
                    return
            if time.monotonic() > until:
                raise AssertionError(f"waited {seconds} s in vain: {what}\n{self.logs()}")
            time.sleep(0.02)

    def wait_ready(self) -> None:
        """Wait until all parts say that they are ready."""
        names = ("relay", "worker-now", "worker-bulk")

        def ready() -> bool:
            told = self.processes()
            return all(name in told and told[name].ready for name in names)

        self.wait("all parts are ready", ready)

    def wait_delivered(self, calls: list[str], seconds: float = 30.0) -> None:
        """Wait until each call was told, and the rows say so: one delivery for each fact, done."""
        self.wait(
            "every fact is delivered",
            lambda: set(calls) <= set(self.received()) and self._settled(calls),
            seconds,
        )

    def tell_and_measure(self, count: int) -> None:
        """Tell facts one after the other, each signed and told once; print how long it took."""
        told: list[str] = []
        for _ in range(count):
            (call,) = self.tell()
            told.append(call)
            self._wait_received(call)
        self.wait_delivered(told)
        at: dict[str, float] = {}
        ids = set()
        for request in self.receiver.requests:
            body = Webhook(self.secret).verify(request.body, dict(request.headers))
            assert body["type"] == "call.started"
            ids.add(request.headers["webhook-id"])
            at[body["data"]["call_id"]] = request.at
        assert set(self.received().values()) == {1}
        assert len(ids) == len(told)
        took = sorted((at[call] - self.written[call]) * 1000 for call in told)
        middle, last = took[count // 2], took[-1]
        kind = self.engine.dialect.name
        print(f"\n{kind}: commit → delivered p50 {middle:.0f} ms, longest of {count} {last:.0f} ms")

    def measure_enqueueing(self, count: int) -> None:
        """Tell facts while nobody takes their jobs, and print how soon these lay in Redis."""
        self.kill("now")
        told: list[str] = []
        try:
            for _ in range(count):
                told += self.tell()
                self._wait_enqueued(told[-1])
            at = self._enqueued()
        finally:
            self.start("now")
        took = sorted((at[call] - self.written[call]) * 1000 for call in told)
        kind = self.engine.dialect.name
        middle, last = took[count // 2], took[-1]
        print(f"\n{kind}: commit → enqueued p50 {middle:.0f} ms, longest of {count} {last:.0f} ms")
        self.wait_delivered(told)

    def _enqueued(self) -> dict[str, float]:
        """Return when the first job of each call lay in Redis."""
        with reading(self.engine) as session:
            keys = {row.id: row.key for row in session.execute(select(outbox.c.id, outbox.c.key))}
        at: dict[str, float] = {}
        for job in open_queue(self.redis.client(), "now").jobs:
            assert job.enqueued_at is not None
            call = keys[job.args[0]].partition(":")[2]
            at[call] = min(at.get(call, math.inf), job.enqueued_at.timestamp())
        return at

    def _wait_enqueued(self, call: str) -> None:
        self.wait("its job is in the queue", lambda: call in self._enqueued())

    def _wait_received(self, call: str) -> None:
        self.wait("the fact is delivered", lambda: call in self.received())

    def kill_in_mid_job(self) -> None:
        """Kill the worker while the receiver has its request; the same message comes again."""
        hold = threading.Event()

        def answer(_request: Request) -> Reply:
            hold.wait(20)
            return Reply()

        self.receiver.answer = answer
        (call,) = self.tell()
        self.wait("the request is there", lambda: self.received()[call] == 1)
        self.kill("bulk")
        hold.set()
        self.start("bulk")
        self.wait_delivered([call])
        sent = [one for one in self.receiver.requests if call in one.body.decode()]
        assert len(sent) == 2
        assert len({(one.headers["webhook-id"], one.body) for one in sent}) == 1

    def _settled(self, calls: list[str]) -> bool:
        """Tell whether these calls' facts are done, each with one delivery that is delivered."""
        keys = [f"call.started:{call}" for call in calls]
        with reading(self.engine) as session:
            facts = session.execute(
                select(outbox.c.id, outbox.c.done_at).where(outbox.c.key.in_(keys))
            ).all()
            rows = session.execute(
                select(delivery.c.fact_id, delivery.c.state).where(
                    delivery.c.fact_id.in_([row.id for row in facts])
                )
            ).all()
        done = [row.id for row in facts if row.done_at is not None]
        assert len(rows) <= len(calls), "a fact has two deliveries"
        delivered = [row.fact_id for row in rows if row.state == State.DELIVERED]
        return len(done) == len(calls) and sorted(delivered) == sorted(done)

    def logs(self) -> str:
        """Return the tails of the parts' logs."""
        return "\n".join(
            f"-- {path.name}\n" + "\n".join(path.read_text().splitlines()[-12:])
            for path in sorted(self.folder.glob("*.log"))
        )


@contextmanager
def open_relay_stage(folder: Path, database_url: str) -> Iterator[RelayStage]:
    """Give a stage whose parts run and are ready."""
    with ExitStack() as stack:
        redis = stack.enter_context(
            RedisServer(ensure_redis(default_cache(), print), folder / "redis-server")
        )
        receiver = stack.enter_context(Receiver())
        stage = RelayStage(folder, database_url, redis, receiver)
        stack.callback(stage.stop)
        stage.start()
        stage.wait_ready()
        yield stage
