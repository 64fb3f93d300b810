"""`dutyline run`: starts the parts, starts each again when it dies, stops all cleanly."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

SUPERVISED = "DUTYLINE_SUPERVISED"
_STOP_SECONDS = 20.0
_HEALTHY_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the supervisor dies, so that no part is left behind.

    Exits when it is dead already. Does nothing for a part that was started by hand.
    """
    supervisor = os.environ.get(SUPERVISED)
    if supervisor is None:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if str(os.getppid()) != supervisor:
        sys.exit(1)


@dataclass(slots=True)
class _Part:
    name: str
    argv: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    next_start: float = field(default=0.0)


class Supervisor:
    """Keeps parts running. `parts` maps a name to the arguments behind the `dutyline` command."""

    def __init__(self, parts: Mapping[str, Sequence[str]]) -> None:
        self._parts = [
            _Part(name, (sys.executable, "-m", "telephony", *argv)) for name, argv in parts.items()
        ]
        self._stopping = False

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; return 0, or 1 when a part had to be killed."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        while not self._stopping:
            now = time.monotonic()
            for part in self._parts:
                self._look_after(part, now)
            time.sleep(0.1)
        return self._stop_all()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _look_after(self, part: _Part, now: float) -> None:
        if part.process is not None:
            code = part.process.poll()
            if code is None:
                return
            part.failures = 0 if now - part.started > _HEALTHY_SECONDS else part.failures + 1
            part.next_start = now + min(30.0, 0.2 * 2 ** min(part.failures, 10))
            part.process = None
            log.error("part.died", part=part.name, code=code, failures=part.failures)
        if now >= part.next_start:
            # Its own session: a Ctrl-C reaches the supervisor alone, which stops the parts.
            part.process = subprocess.Popen(  # noqa: S603
                part.argv, env={**os.environ, SUPERVISED: str(os.getpid())}, start_new_session=True
            )
            part.started = now
            log.info("part.started", part=part.name, pid=part.process.pid)

    def _stop_all(self) -> int:
        running = [part.process for part in self._parts if part.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        killed = 0
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed = 1
        log.info("run.stopped", clean=not killed)
        return killed
