"""Facts become deliveries, whatever is killed on the way: the real relay, workers and servers."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import DefaultSerializer, JSONSerializer

from telephony.domain.duty import Presence, Roster
from telephony.domain.duty.calendars import Takes
from telephony.domain.setup import Group, Operator, Setup
from telephony.secrets import open_vault
from telephony.store.calendars import Copy, Owner, add_feed, remove_feed, use_feed
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup, replace_setup
from telephony.transport import QUEUES, open_queue
from tests.faults.relay_part import LEASE
from tests.faults.relay_stage import PARTS, RelayStage, open_relay_stage
from tests.lab.receiver import Reply

IN_HAND = 4  # requests to one receiver under way at once


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayStage]:
    """Give running parts on SQLite, shared by the tests of this module."""
    folder = tmp_path_factory.mktemp("relay")
    with open_relay_stage(folder, f"sqlite:///{folder / 'dutyline.db'}") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _answers_again(stage: RelayStage) -> Iterator[None]:
    """Let the receiver answer as usual after each test, and all parts run: others need them."""
    yield
    stage.receiver.answer = lambda _request: Reply()
    stage.mend()


def test_facts_arrive_signed_once_and_soon(stage: RelayStage) -> None:
    stage.tell_and_measure(8)


def test_jobs_lie_in_redis_soon_after_their_facts(stage: RelayStage) -> None:
    stage.measure_enqueueing(6)


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_loses_nothing(stage: RelayStage, part: str) -> None:
    stage.receiver.answer = lambda _request: Reply(delay=0.05)
    told = stage.tell(8)
    stage.wait("it is at work", lambda: told[0] in stage.received())
    stage.kill(part)
    told += stage.tell(4)
    stage.start(part)
    stage.wait_delivered(told)
    # Only what the killed worker had in hand may have been told twice.
    again = sum(stage.received()[call] - 1 for call in told)
    assert again <= (IN_HAND if part == "bulk" else 0)


def test_a_worker_killed_in_mid_job_sends_the_same_message_again(stage: RelayStage) -> None:
    stage.kill_in_mid_job()


def test_a_worker_that_is_stopped_ends_its_job_first(stage: RelayStage) -> None:
    stage.receiver.answer = lambda _request: Reply(delay=1)
    (call,) = stage.tell()
    stage.wait("the request is there", lambda: stage.received()[call] == 1)
    assert stage.end("bulk") == 0
    stage.wait_delivered([call])
    assert stage.received()[call] == 1
    stage.start("bulk")


def test_a_receiver_that_fails_gets_it_later(stage: RelayStage) -> None:
    replies = iter([Reply(500), Reply(302, {"Location": stage.receiver.url("/other")})])
    stage.receiver.answer = lambda _request: next(replies, Reply())
    (call,) = stage.tell()
    stage.wait_delivered([call])
    assert stage.received()[call] == 3
    assert {request.path for request in stage.receiver.requests} == {"/hook"}


def test_redis_killed_and_started_empty(stage: RelayStage) -> None:
    told = stage.tell(5)
    stage.redis.kill()
    told += stage.tell(5)
    stage.wait("the relay says so", lambda: stage.processes()["relay"].problem == "redis_down")
    assert not stage.processes()["relay"].ready
    stage.redis.start()
    stage.wait_delivered(told)
    stage.wait_ready()


def test_redis_flushed_again_and_again(stage: RelayStage) -> None:
    told = []
    for _ in range(6):
        told += stage.tell(3)
        stage.redis.flush()
    stage.wait_delivered(told)


def test_the_queue_of_a_dead_worker_does_not_grow(stage: RelayStage) -> None:
    """Else one that comes back would be busy with jobs out of date while new ones come."""
    stage.kill("now")
    queue = open_queue(stage.redis.client(), "now")
    told = stage.tell(14)  # more than the relay takes for a short queue
    stage.wait("all are enqueued", lambda: queue.count >= len(told))
    over = time.monotonic() + 1.5 * LEASE.total_seconds()
    stage.wait("their leases ran out", lambda: time.monotonic() > over)
    assert queue.count == len(told)
    stage.start("now")
    stage.wait_delivered(told)


def test_redis_frozen(stage: RelayStage) -> None:
    stage.redis.pause()
    told = stage.tell(5)
    stage.wait("the relay says so", lambda: stage.processes()["relay"].problem == "redis_down")
    stage.redis.resume()
    stage.wait_delivered(told)
    stage.wait_ready()


def test_a_database_that_is_locked_for_long(stage: RelayStage) -> None:
    path = stage.environment["DUTYLINE_DATABASE_URL"].removeprefix("sqlite:///")
    told = stage.tell(5)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        stage.wait(
            "the relay gave up waiting for the lock", lambda: "relay.database_fails" in stage.logs()
        )
        lock.execute("ROLLBACK")
    stage.wait_delivered(told)


@pytest.mark.parametrize("queue", QUEUES)
def test_a_job_that_is_not_on_the_list_is_refused(
    stage: RelayStage, queue: str, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    connection = stage.redis.client()
    plain = Queue(queue, connection=connection, serializer=JSONSerializer)
    command = f"touch {canary}"
    plain.enqueue("os.system", command, job_id="evil-1")
    plain.enqueue("subprocess.getoutput", kwargs={"cmd": command}, job_id="evil-2")
    plain.enqueue("expand", "1", "1", "1", job_id="evil-3")
    # Callbacks, RQ's own webhooks and repeats of a job that is on the list.
    plain.enqueue("expand", 0, 0, job_id="evil-4")
    connection.hset("rq:job:evil-4", "success_callback_name", "os.system")
    connection.hset("rq:job:evil-4", "failure_callback_name", "os.system")
    pickled = Queue(queue, connection=connection, serializer=DefaultSerializer)
    pickled.enqueue(os.system, command, job_id="evil-5")

    def gone() -> bool:
        try:
            return not plain.count and not connection.exists("rq:job:evil-4")
        except RedisError:
            return False

    stage.wait("the worker has seen them all", gone)
    told = stage.tell(2)
    stage.wait_delivered(told)
    assert not canary.exists()
    assert "job.refused" in (stage.folder / f"{queue}.log").read_text()


def test_a_calendar_that_is_due_is_fetched_and_becomes_duty(stage: RelayStage) -> None:
    body = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:{:%Y%m%dT%H%M00Z}\r\n"
    body += "DURATION:PT1H\r\nSUMMARY:101\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    now = datetime.now(UTC)
    stage.receiver.answer = lambda request: (
        Reply(body=body.format(now).encode()) if request.path == "/duty.ics" else Reply()
    )
    setup = Setup({"101": Operator("101", "Anna", "101")}, {"sales": Group("sales", Roster("UTC"))})
    with writing(stage.engine) as session:
        replace_setup(session, setup)
        key = add_feed(
            session,
            owner_kind=Owner.GROUP,
            owner="sales",
            title="Duty",
            place="test",
            url=open_vault((), stage.folder).seal(stage.receiver.url("/duty.ics")),
            zone=None,
            layer=0,
            takes=Takes.BUSY,
            copy=Copy("BEGIN:VCALENDAR"),
            now=now,
        )
        use_feed(session, key, True, now)

    def on_duty() -> bool:
        with reading(stage.engine) as session:
            return load_setup(session).presence("101", now) is Presence.ON_SHIFT

    stage.wait("the calendar's duty", on_duty)
    with writing(stage.engine) as session:
        remove_feed(session, key)
    assert not on_duty()
