"""Redis as the carrier of jobs: how to reach it, and what goes over it.

Redis holds nothing that is not in the database: what it loses is enqueued again by the relay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

NOW, BULK = "now", "bulk"
QUEUES = (NOW, BULK)
JOB_SECONDS = 30  # after these a job is broken off

_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Order:
    """A job to be enqueued: `name` is one of the worker's list, `kind` is for its id only."""

    name: str
    kind: str
    row: int
    attempt: int

    @property
    def job_id(self) -> str:
        """The job's id in Redis: letters, digits, - and _ are all that RQ takes."""
        return f"{_NOT_IN_ID.sub('-', self.kind)}-{self.row}-{self.attempt}"


def open_redis(url: str) -> Redis:
    """Return a client that fails within about a second when Redis is gone or frozen.

    Nothing is tried twice: whoever asks does so again soon, and must not be held up.
    """
    return Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_timeout=1.0, socket_connect_timeout=1.0
    )


def open_queue(connection: Redis, name: str) -> Queue:
    """Return the queue of this name; jobs travel as JSON."""
    return Queue(name, connection=connection, serializer=JSONSerializer)


def enqueue(queue: Queue, orders: Sequence[Order]) -> None:
    """Put jobs into a queue, in one round trip. Raises redis.RedisError.

    RQ's own ways to try again, to keep results and to schedule stay unused: rows do that.
    """
    queue.enqueue_many(
        [
            Queue.prepare_data(
                order.name,
                args=(order.row, order.attempt),
                job_id=order.job_id,
                timeout=JOB_SECONDS,
                result_ttl=0,
                failure_ttl=60,
                description=order.job_id,
            )
            for order in orders
        ]
    )
