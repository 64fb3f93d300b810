"""The worker: RQ's loop, with the list of jobs that may be run and nothing else that RQ offers.

Jobs are run in this process: they wait for a database or a network with deadlines of their own,
and a fork for each would cost more than the job. Those that go over the network run several at
once, each on a thread, so that a receiver that dawdles holds up nobody else.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import structlog
from redis import Redis, RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker.base import WorkerStatus
from sqlalchemy.exc import SQLAlchemyError

from telephony.sending import Tools
from telephony.status import Told
from telephony.store.engine import StoreError, reason
from telephony.transport import BULK, JOB_SECONDS

log = structlog.get_logger(__name__)

Task = Callable[[Tools, int, int], None]

_AT_ONCE = 8  # jobs of the queue for the network; one receiver gets half of that at most
_TTL = 20  # seconds; RQ then asks Redis for a job for 5 s at a time
_PAUSE = 1.0
_SILENT_SECONDS = JOB_SECONDS + 15.0  # so long a worker that is well may not be heard of


class RefusedJob(Exception):
    """A job that is not on the list lay in a queue: somebody else writes to this Redis."""


class Worker:
    """Performs the `jobs` of one queue: `run` it in the main thread."""

    def __init__(
        self, queue: str, connection: Redis, tools: Tools, jobs: Mapping[str, Task]
    ) -> None:
        """`connection` is this worker's own: RQ changes its time limits."""
        self._queue = queue
        self._redis = connection
        self._tools = tools
        self._jobs = jobs
        self._at_once = _AT_ONCE if queue == BULK else 1
        self._free = threading.Semaphore(self._at_once)
        self._counting = threading.Lock()
        self._stopping = threading.Event()
        self._loop: _Loop | None = None
        self._heard_at = time.monotonic() - _SILENT_SECONDS
        self._told = False
        self.done = 0
        self.failed = 0

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, ending what is in hand first; Redis may come and go."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        with ThreadPoolExecutor(self._at_once, "job") as threads:
            self._work(_listed({name: self._task(name, threads) for name in self._jobs}))
        log.info("worker.stopped", queue=self._queue, done=self.done, failed=self.failed)

    def _work(self, job_class: type[Job]) -> None:
        while not self._stopping.is_set():
            try:
                self._loop = _Loop(
                    self._queue,
                    name=f"{self._queue}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}",
                    connection=self._redis,
                    job_class=job_class,
                    serializer=JSONSerializer,
                    worker_ttl=_TTL,
                    maintenance_interval=60,
                    default_result_ttl=0,
                    log_job_description=False,
                )
                self._loop.heard = self._heard
                self._loop.work(logging_level="ERROR")
            except (StopRequested, RedisError) as error:
                if isinstance(error, RedisError):
                    self._redis_fails(error)
            self._loop = None
            self._stopping.wait(_PAUSE)

    def look(self) -> Told:
        """Return how the worker is, for its status row."""
        ready = time.monotonic() - self._heard_at < _SILENT_SECONDS and not self._told
        figures = {"jobs_done": float(self.done), "jobs_failed": float(self.failed)}
        return ready, None if ready else "redis_down", figures

    def _task(self, name: str, threads: ThreadPoolExecutor) -> Callable[..., None]:
        def perform(*arguments: Any) -> None:
            """Run the job here, or hand it to a thread, as soon as one is free."""
            if self._at_once == 1:
                self._perform(name, arguments)
                return
            self._free.acquire()
            threads.submit(self._perform, name, arguments).add_done_callback(
                lambda _done: self._free.release()
            )

        return perform

    def _perform(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Run a job; a failure is its row's, and Redis learns nothing of it."""
        try:
            row, attempt = arguments
            self._jobs[name](self._tools, int(row), int(attempt))
        except (SQLAlchemyError, StoreError) as error:
            log.error("job.database_failed", job=name, row=arguments[:1], error=reason(error))
        except Exception:
            log.exception("job.failed", job=name, row=arguments[:1])
        else:
            with self._counting:
                self.done += 1
            return
        with self._counting:
            self.failed += 1

    def _heard(self) -> None:
        self._heard_at = time.monotonic()
        if self._told:
            log.info("worker.redis_back", queue=self._queue)
        self._told = False

    def _redis_fails(self, error: RedisError) -> None:
        if not self._told:
            log.error("worker.redis_fails", queue=self._queue, error=str(error))
        self._told = True

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()
        if self._loop is not None:
            self._loop.end()


class _Loop(SimpleWorker):
    """RQ's worker without its signal handlers, its commands by Redis, and its long pauses."""

    max_connection_wait_time = 2.0
    heard: Callable[[], None] = staticmethod(lambda: None)

    def end(self) -> None:
        """End after the job in hand, or at once when there is none. Raises StopRequested."""
        self._stop_requested = True
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested

    def heartbeat(self, *arguments: Any, **named: Any) -> None:
        """Note that Redis took it."""
        super().heartbeat(*arguments, **named)
        self.heard()

    def _install_signal_handlers(self) -> None:
        """Leave the signals to `Worker`."""

    def subscribe(self) -> None:
        """Take no commands by Redis."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed to."""


def _listed(tasks: Mapping[str, Callable[..., None]]) -> type[Job]:
    """Return a class of jobs that can call these functions by their names, and nothing else.

    What a job in Redis says besides its function and arguments is not believed: no callbacks, no
    webhooks of RQ's, no repeats and retries.
    """

    class ListedJob(Job):
        @property
        def func(self) -> Callable[..., None]:
            name = self.func_name
            task = None if self.instance or self.kwargs or name is None else tasks.get(name)
            if task is None:
                log.error("job.refused", name=str(name)[:80], job=self.id)
                raise RefusedJob(str(name)[:80])
            return task

        def restore(self, raw_data: Any) -> None:
            super().restore(raw_data)
            self._forget()

        def _forget(self) -> None:
            self._success_callback_name = None
            self._failure_callback_name = None
            self._stopped_callback_name = None
            self.webhooks = []
            self.retries_left = None
            self.retry_intervals = None
            self.repeats_left = None
            self.repeat_intervals = None
            self.rate_limit_key = None
            self._dependency_ids = []
            self.result_ttl = 0
            self.failure_ttl = 60
            self.timeout = JOB_SECONDS

    return ListedJob
