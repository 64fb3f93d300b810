"""The `dutyline` command in the demo: its settings, its processes, its records."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
from sqlalchemy import Engine, select

from telephony.domain.callback.cases import Case
from telephony.domain.record import CallRecord
from telephony.store.calls import list_calls
from telephony.store.case_tables import missed_case
from telephony.store.cases import case_of
from telephony.store.engine import open_engine, reading
from tests.lab.ports import free_port
from tests.lab.redis import RedisTree

_USUAL_PORT = 8080


class DemoError(Exception):
    """The demo cannot go on; the message says why and where to look."""


class Service:
    """Runs `dutyline` with the demo's settings; everything lies in one folder."""

    def __init__(self, folder: Path, ami_port: int, database_url: str | None = None) -> None:
        self.folder = folder
        self.log = folder / "dutyline.log"
        self.environment = {
            **{name: value for name, value in os.environ.items() if "DUTYLINE_" not in name},
            "DUTYLINE_DATABASE_URL": database_url or f"sqlite:///{folder / 'dutyline.db'}",
            "DUTYLINE_DATA_DIR": str(folder),
            "DUTYLINE_AMI_PORT": str(ami_port),
            "DUTYLINE_AMI_SECRET": secrets.token_urlsafe(16),
            "DUTYLINE_TOKEN": secrets.token_urlsafe(24),
            "DUTYLINE_LANGUAGE": os.environ.get("DUTYLINE_LANGUAGE", "en"),
            "PYTHONUNBUFFERED": "1",
        }
        self.language = self.environment["DUTYLINE_LANGUAGE"]
        # Which parts `start` runs; none named: all of them.
        self.parts: tuple[str, ...] = ("listener",)
        self._running: subprocess.Popen[bytes] | None = None
        self._engine: Engine | None = None

    def run_everything(self, redis: RedisTree, cdr: Path) -> None:
        """Let `start` run all parts: the private Redis, relay, workers and the panel too."""
        self.parts = ()
        self.environment |= {
            "DUTYLINE_REDIS_SERVER": str(redis.server),
            "DUTYLINE_CDR_FILE": str(cdr),
            "DUTYLINE_WEB_PORT": str(_port()),
            "DUTYLINE_OUTGOING_ALLOW": "127.0.0.0/8",
        }

    @property
    def panel(self) -> str:
        """The panel's address."""
        return f"http://127.0.0.1:{self.environment['DUTYLINE_WEB_PORT']}"

    def is_ready(self) -> bool:
        """Tell whether the panel says that every part is."""
        try:
            return httpx.get(f"{self.panel}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def pid(self) -> int | None:
        """The supervisor's process id, None when it does not run."""
        return self._running.pid if self._running else None

    def children(self) -> list[int]:
        """Return the process ids of the parts that the running supervisor started."""
        assert self._running is not None
        parent = self._running.pid
        return [
            int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        ]

    def command(self, *arguments: str) -> str:
        """Run a `dutyline` command and return what it prints. Raises DemoError."""
        done = subprocess.run(
            [sys.executable, "-m", "telephony", *arguments],
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise DemoError(f"dutyline {' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done.stdout

    def start(self) -> None:
        """Start `dutyline run`; its log goes into the demo's folder."""
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "telephony", "run", *self._only()],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _only(self) -> list[str]:
        return [word for part in self.parts for word in ("--part", part)]

    def kill(self) -> list[int]:
        """Kill the service and all its parts with -9; return their process ids."""
        assert self._running is not None
        pids = [self._running.pid, *self.children()]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self._running.wait()
        self._running = None
        return pids

    def stop(self) -> int | None:
        """Stop the service cleanly and return its exit code; None when it did not run."""
        code = None
        if self._running is not None:
            self._running.terminate()
            try:
                code = self._running.wait(15)
            except subprocess.TimeoutExpired:
                self._running.kill()
                code = self._running.wait()
            self._running = None
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
        return code

    def last_words(self) -> str:
        """Return the end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def records(self) -> list[CallRecord]:
        """Return all records, oldest first."""
        if self._engine is None:
            self._engine = open_engine(self.environment["DUTYLINE_DATABASE_URL"])
        with reading(self._engine) as session:
            return list_calls(session, 1000)[::-1]

    def cases(self) -> list[Case]:
        """Return all missed cases, oldest first."""
        self.records()  # opens the database
        assert self._engine is not None
        with reading(self._engine) as session:
            rows = session.execute(select(missed_case).order_by(missed_case.c.id)).all()
        return [case_of(row) for row in rows]

    def wait_for_records(self, count: int, within: float = 5.0) -> list[CallRecord]:
        """Return the records once there are `count`. Raises DemoError."""
        deadline = time.monotonic() + within
        while len(found := self.records()) < count:
            if time.monotonic() > deadline:
                raise DemoError(f"{count} records did not come:\n{self.last_words()}")
            time.sleep(0.05)
        return found


def _port() -> int:
    """Return the panel's usual port when it is free, else another one."""
    with socket.socket() as trial:
        try:
            trial.bind(("127.0.0.1", _USUAL_PORT))
        except OSError:
            return free_port()
    return _USUAL_PORT
