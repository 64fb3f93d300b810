"""Carries requests for the PBX's switches from the database to the listener, and states back.

In a thread of its own: a database that hangs costs a switch, not a call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from telephony.store.engine import StoreError, reading, reason, writing
from telephony.store.switches import save_switches, take_switches, waiting_switches

log = structlog.get_logger(__name__)


class Switching:
    """`do` gets (device, state) of a request, on this thread: the caller hops to its loop.

    `every` is the pause between two looks, in seconds.
    """

    def __init__(self, engine: Engine, do: Callable[[str, str], None], every: float = 0.25) -> None:
        self._engine = engine
        self._do = do
        self._every = every
        self._seen: dict[str, str] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="switching", daemon=True)
        self._failing = False

    def start(self) -> None:
        """Start looking."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def seen(self, states: Mapping[str, str]) -> None:
        """Take what the PBX told of switches; never blocks on the database."""
        with self._lock:
            self._seen.update(states)

    def look(self) -> None:
        """Write what was seen and hand over what was asked. Raises what the database does."""
        now = datetime.now(UTC)
        with self._lock:
            seen, self._seen = self._seen, {}
        try:
            with reading(self._engine) as session:
                asked = waiting_switches(session)
            if not seen and not asked:
                return
            with writing(self._engine) as session:
                save_switches(session, seen, now)
                requests = take_switches(session, now)
        except BaseException:
            with self._lock:
                self._seen = seen | self._seen
            raise
        for device, state in requests:
            self._do(device, state)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.look()
            except (SQLAlchemyError, StoreError, OSError) as error:
                if not self._failing:
                    log.error("switching.fails", error=reason(error))
                self._failing = True
            except Exception:  # the thread must live on: the next look tries again
                log.exception("switching.failed")
            else:
                self._failing = False
