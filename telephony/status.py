"""A process tells the others that it runs, and how it is: one row, renewed every few seconds."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine

from telephony import __version__
from telephony.store.engine import reason, writing
from telephony.store.live import Process, save_process

log = structlog.get_logger(__name__)

EVERY = 5.0  # seconds between two tellings

Told = tuple[bool, str | None, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who tells: the name of the part, and since when which process on which host it is."""

    name: str
    pid: int
    host: str
    started_at: datetime

    def told(self, told: Told, now: datetime) -> Process:
        """Return the row that says (ready, problem, figures) at the moment `now`."""
        ready, problem, figures = told
        return Process(
            name=self.name,
            pid=self.pid,
            host=self.host,
            version=__version__,
            started_at=self.started_at,
            renewed_at=now,
            ready=ready,
            problem=problem,
            figures=figures,
        )


def identity(name: str) -> Identity:
    """Return who this process is; `name` is listener, relay, worker-now, worker-bulk or web."""
    return Identity(name, os.getpid(), socket.gethostname(), datetime.now(UTC))


class Beat:
    """Tells the status of this process, by call or every few seconds on a thread of its own."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._identity = identity(name)
        self._fails = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(self, ready: bool, problem: str | None, figures: Mapping[str, float]) -> None:
        """Renew the row; returns when it is written. A database that fails is logged, once."""
        try:
            with writing(self._engine) as session:
                save_process(
                    session, self._identity.told((ready, problem, figures), datetime.now(UTC))
                )
        except Exception as error:  # whoever tells has better things to do than to fail here
            if not self._fails:
                log.warning("status.fails", part=self._identity.name, error=reason(error))
            self._fails = True
        else:
            self._fails = False

    def start(self, look: Callable[[], Told], every: float = EVERY) -> None:
        """Tell now and every `every` seconds what `look` returns: (ready, problem, figures).

        `look` runs on the beat's thread; what it raises is told as not ready, `look_failed`.
        """
        self._thread = threading.Thread(
            target=self._run, args=(look, every), name="status", daemon=True
        )
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Stop telling after a last word: not ready, `stopped`."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None

    def _run(self, look: Callable[[], Told], every: float) -> None:
        while True:
            try:
                told = look()
            except Exception as error:
                log.warning("status.look_failed", part=self._identity.name, error=repr(error))
                told = (False, "look_failed", {})
            self.tell(*told)
            if self._stop.wait(every):
                break
        self.tell(False, "stopped", {})
