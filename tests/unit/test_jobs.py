"""Small rules of the relay and the workers: pauses, ids of jobs, where the private Redis lies."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from rq.job import validate_job_id

from telephony.domain.retries import FIRST, LONGEST, PATIENCE, block, pause
from telephony.jobs import JOBS
from telephony.privateredis import (
    PrivateRedisError,
    find_redis_server,
    private_redis,
    private_socket,
    redis_url,
)
from telephony.transport import Order


def test_pauses_grow_to_six_hours_and_spread() -> None:
    ceilings = [pause(attempt, 1.0) for attempt in range(1, 40)]
    assert ceilings[0] == FIRST
    assert ceilings == sorted(ceilings)
    assert ceilings[-1] == LONGEST
    assert pause(5, 0.5) == pause(5, 1.0) / 2
    assert pause(1, 0.0) == timedelta(seconds=1)
    assert pause(10**9, 1.0) == LONGEST


def test_about_three_days_are_some_dozens_of_tries() -> None:
    spent, tries = timedelta(0), 0
    while spent < PATIENCE:
        tries += 1
        spent += pause(tries, 0.5)
    assert 25 <= tries <= 50


def test_a_receiver_is_left_alone_after_some_failures() -> None:
    assert [block(failures, 0.5) for failures in (0, 1, 2)] == [None, None, None]
    rests = [block(failures, 1.0) for failures in range(3, 30)]
    assert rests[0] == timedelta(seconds=5)
    assert rests[-1] == timedelta(minutes=5)


@pytest.mark.parametrize("kind", ["call.ended", "delivery", "a/b c", "звонок"])
def test_ids_of_jobs_are_such_as_rq_takes(kind: str) -> None:
    order = Order("expand", kind, 12, 3)
    validate_job_id(order.job_id)
    assert order.job_id.endswith("-12-3")


def test_jobs_have_names_that_cannot_be_imported() -> None:
    assert set(JOBS) == {"expand", "deliver", "calendar", "callback", "look"}
    assert not any("." in name for name in JOBS)


def test_the_private_redis_lies_in_the_data_folder(tmp_path: Path) -> None:
    assert private_socket(tmp_path) == tmp_path.resolve() / "redis" / "redis.sock"
    assert redis_url("", tmp_path) == f"unix://{private_socket(tmp_path)}"
    assert redis_url("redis://host/0", tmp_path) == "redis://host/0"
    command = private_redis("redis-server", tmp_path)
    assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--port"] == "0"
    assert options["--save"] == ""
    assert options["--appendonly"] == "no"


def test_a_path_too_long_for_a_socket_is_gone_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    path = private_socket(deep)
    assert path.is_relative_to(tmp_path)
    assert path == private_socket(deep)
    assert path != private_socket(deep / "other")
    path.parent.symlink_to(tmp_path)
    with pytest.raises(PrivateRedisError, match="not a folder of this user"):
        private_redis("redis-server", deep)


def test_a_missing_program_is_told_with_advice() -> None:
    with pytest.raises(PrivateRedisError, match="apt install redis-server"):
        find_redis_server("no-such-redis-server")
