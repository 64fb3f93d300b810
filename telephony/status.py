"""A process tells the others that it runs, and how it is: one row, renewed every few seconds."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Engine

from telephony import __version__
from telephony.store.engine import reason, writing
from telephony.store.live import Process, delete_processes, list_processes, save_process

log = structlog.get_logger(__name__)

EVERY = 5.0  # seconds between two tellings
# A further process of a part that told nothing for this long is not coming back.
_FORGOTTEN = timedelta(hours=1)

Told = tuple[bool, str | None, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who tells: the part, and since when which process on which host it is."""

    part: str
    pid: int
    host: str
    started_at: datetime

    def told(self, told: Told, now: datetime, name: str = "") -> Process:
        """Return the row that says (ready, problem, figures) at the moment `now`."""
        ready, problem, figures = told
        return Process(
            name=name or self.part,
            pid=self.pid,
            host=self.host,
            version=__version__,
            started_at=self.started_at,
            renewed_at=now,
            ready=ready,
            problem=problem,
            figures=figures,
        )

    def owns(self, process: Process) -> bool:
        """Tell whether a row was told by this process."""
        return (process.host, process.pid) == (self.host, self.pid)


def identity(part: str) -> Identity:
    """Return who this process is; `part` is listener, relay, worker-now, worker-bulk or web."""
    return Identity(part, os.getpid(), socket.gethostname(), datetime.now(UTC))


def choose_name(
    me: Identity, told: Sequence[Process], now: datetime, runs: Callable[[int], bool]
) -> tuple[str, list[str]]:
    """Return the name to tell under, and names of rows that are to go.

    The part's own name, or with -2, -3 … behind it when others of the part run: the first that
    nobody alive uses. `runs` tells of a process id on this host whether there is such a process.
    """
    rows = {process.name: process for process in told if process.part == me.part}

    def is_taken(process: Process) -> bool:
        if me.owns(process) or process.problem == "stopped" or not process.is_alive(now):
            return False
        return process.host != me.host or runs(process.pid)

    number, name = 1, me.part
    while name in rows and is_taken(rows[name]):
        number += 1
        name = f"{me.part}-{number}"
    old = [
        process.name
        for process in rows.values()
        if process.name != name
        and (
            me.owns(process) or (process.name != me.part and now - process.renewed_at > _FORGOTTEN)
        )
    ]
    return name, old


class Beat:
    """Tells the status of this process, by call or every few seconds on a thread of its own.

    With `several` any number of processes of the part may run: each has a row of its own.
    """

    def __init__(self, engine: Engine, part: str, *, several: bool = False) -> None:
        self._engine = engine
        self._identity = identity(part)
        self._several = several
        self._fails = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(self, ready: bool, problem: str | None, figures: Mapping[str, float]) -> None:
        """Renew the row; returns when it is written. A database that fails is logged, once."""
        now = datetime.now(UTC)
        me = self._identity
        try:
            with writing(self._engine) as session:
                name, old = me.part, list[str]()
                if self._several:
                    name, old = choose_name(me, list_processes(session), now, _runs)
                delete_processes(session, old)
                if name != me.part and problem == "stopped":
                    delete_processes(session, [name])
                else:
                    save_process(session, me.told((ready, problem, figures), now, name))
        except Exception as error:  # whoever tells has better things to do than to fail here
            if not self._fails:
                log.warning("status.fails", part=me.part, error=reason(error))
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
                log.warning("status.look_failed", part=self._identity.part, error=repr(error))
                told = (False, "look_failed", {})
            self.tell(*told)
            if self._stop.wait(every):
                break
        self.tell(False, "stopped", {})


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
