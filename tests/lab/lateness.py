"""How late this process was: what it saw of the phones by its own clock is late by as much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

_EVERY = 0.02


@dataclass(slots=True)
class Lateness:
    """The longest time in which the event loop did not get to run, in ms."""

    most_ms: float = 0.0


@asynccontextmanager
async def lateness() -> AsyncIterator[Lateness]:
    """Watch the loop that runs now: a busy machine may hold a process up for a second."""
    found = Lateness()

    async def watch() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(_EVERY)
            late = (time.monotonic() - began - _EVERY) * 1000
            found.most_ms = max(found.most_ms, late)

    task = asyncio.create_task(watch())
    try:
        yield found
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
