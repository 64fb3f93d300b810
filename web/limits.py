"""How often somebody may ask: so many requests a minute, in each process of the panel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

_WINDOW = 60.0


class Limits:
    """Counts requests by who asks, in windows of a minute; safe for threads."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`most` requests of one asker in a window; `clock` gives seconds."""
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._window = 0.0
        self._counts: dict[Hashable, int] = {}

    def wait(self, who: Hashable) -> int | None:
        """Count a request; return the seconds to wait when it is one too many, else None."""
        now = self._clock()
        with self._lock:
            if now - self._window >= _WINDOW:
                self._window = now
                self._counts.clear()
            count = self._counts[who] = self._counts.get(who, 0) + 1
            if count <= self._most:
                return None
            return max(1, round(self._window + _WINDOW - now))
