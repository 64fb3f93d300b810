"""`dutyline run` with its private Redis, which is killed, and without one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from telephony.secrets import open_vault
from telephony.store.engine import open_engine, writing
from telephony.store.migrations import migrate
from telephony.store.outbox import Fact, add_facts
from telephony.store.webhooks import add_webhook
from tests.lab.cache import default_cache
from tests.lab.receiver import Receiver, Reply, Request
from tests.lab.redis import ensure_redis

PARTS = ("redis", "relay", "worker-now", "worker-bulk")


class _Run:
    def __init__(self, folder: Path, **settings: str) -> None:
        self.log = folder / "log"
        self.url = f"sqlite:///{folder / 'dutyline.db'}"
        migrate(self.url)
        self._environment = {
            **{name: value for name, value in os.environ.items() if "DUTYLINE_" not in name},
            "DUTYLINE_DATABASE_URL": self.url,
            "DUTYLINE_DATA_DIR": str(folder),
            "DUTYLINE_AMI_SECRET": "a-long-secret",
            "DUTYLINE_TOKEN": "0123456789abcdef",
            **settings,
        }

    @contextmanager
    def running(self, *parts: str) -> Iterator[None]:
        chosen = [word for part in parts for word in ("--part", part)]
        with (
            self.log.open("ab") as log,
            subprocess.Popen(
                [sys.executable, "-m", "telephony", "run", *chosen],
                env=self._environment,
                stdout=log,
                stderr=log,
            ) as service,
        ):
            try:
                yield
            finally:
                service.terminate()
        assert service.returncode == 0, self.log.read_text()

    def wait(self, text: str, count: int = 1, seconds: float = 60) -> str:
        """Wait until the log has a line with this text that often; return the last one."""
        until = time.monotonic() + seconds
        while True:
            found = [line for line in self.log.read_text().splitlines() if text in line]
            if len(found) >= count:
                return found[-1]
            assert time.monotonic() < until, f"no {text} ({count}×):\n{self.log.read_text()}"
            time.sleep(0.05)


def _tell(url: str, call_id: str) -> None:
    engine = open_engine(url)
    fact = Fact("call.started", f"call.started:{call_id}", {"call_id": call_id})
    with writing(engine) as session:
        add_facts(session, [fact], datetime.now(UTC))
    engine.dispose()


def _add_webhook(run: _Run, folder: Path, url: str) -> None:
    vault = open_vault((), folder)
    engine = open_engine(run.url)
    with writing(engine) as session:
        add_webhook(
            session,
            form="standard",
            events=("call.started",),
            place="test",
            url=vault.seal(url),
            secret=vault.seal("whsec_" + "a" * 32),
            now=datetime.now(UTC),
        )
    engine.dispose()


def _told(receiver: Receiver, path: str) -> list[str]:
    """Return the calls that were told to this path of a receiver."""
    found = [request for request in list(receiver.requests) if request.path == path]
    return [json.loads(request.body)["data"]["call_id"] for request in found]


def test_a_dead_redis_and_a_slow_receiver_hold_up_nobody(tmp_path: Path) -> None:
    program = str(ensure_redis(default_cache(), print).server)
    with Receiver() as receiver:
        run = _Run(
            tmp_path,
            DUTYLINE_REDIS_SERVER=program,
            DUTYLINE_OUTGOING_ALLOW="127.0.0.1",
            DUTYLINE_OUTGOING_PORTS=str(receiver.port),
        )
        _add_webhook(run, tmp_path, receiver.url())
        with run.running(*PARTS):
            _tell(run.url, "one")
            run.wait("delivery.done")
            started = run.wait("part=redis")
            (pid,) = re.findall(r"pid=(\d+)", started)
            os.kill(int(pid), signal.SIGKILL)
            _tell(run.url, "two")
            run.wait("part.died")
            run.wait("delivery.done", 2)
            _check_slow(run, tmp_path, receiver)
        assert _told(receiver, "/hook")[:2] == ["one", "two"]
        assert not list(tmp_path.glob("**/*.rdb"))


def _check_slow(run: _Run, folder: Path, receiver: Receiver) -> None:
    """While some receivers keep their requests open another one hears of every call."""
    let_go = threading.Event()

    def answer(request: Request) -> Reply:
        if request.path.startswith("/slow"):
            let_go.wait(30)
        return Reply()

    receiver.answer = answer
    _add_webhook(run, folder, receiver.url("/slow"))
    _tell(run.url, "first")
    until = time.monotonic() + 30
    while not _told(receiver, "/slow"):
        assert time.monotonic() < until
        time.sleep(0.02)
    calls = [f"slow-{nth}" for nth in range(6)]
    for call in calls:
        _tell(run.url, call)
    while not set(calls) <= set(_told(receiver, "/hook")):
        assert time.monotonic() < until, run.log.read_text()
        assert "delivery.failed" not in run.log.read_text(), "the slow one was given up first"
        time.sleep(0.02)
    let_go.set()


def test_calls_go_on_where_no_redis_is_installed(tmp_path: Path) -> None:
    run = _Run(tmp_path, DUTYLINE_REDIS_SERVER=str(tmp_path / "missing"))
    with run.running("redis", "relay"):
        assert "apt install redis-server" in run.wait("run.no_redis")
        run.wait("relay.redis_fails")
    assert "part.died" not in run.log.read_text()
