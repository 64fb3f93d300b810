"""When something that failed is tried again: growing pauses with full jitter."""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=5)
LONGEST = timedelta(hours=6)
PATIENCE = timedelta(days=3)  # how long a delivery is tried before it is parked

_SHORTEST = timedelta(seconds=1)
_MANY = 3  # failures in a row after which a receiver is left alone for a while
_LONGEST_BLOCK = timedelta(minutes=5)


def pause(attempt: int, draw: float) -> timedelta:
    """Return how long to wait after the failed attempt of this number, 1 being the first.

    `draw` is a random number from 0 to 1: the pause is that share of a ceiling that doubles from
    5 s to 6 h, and at least 1 s.
    """
    ceiling = min(LONGEST, FIRST * (1 << min(max(attempt, 1) - 1, 20)))
    return max(_SHORTEST, ceiling * draw)


def block(failures: int, draw: float) -> timedelta | None:
    """Return how long a receiver gets nothing after that many failures in a row; None for few.

    Whatever else waits for it would only fail too, and hold up other receivers meanwhile.
    """
    if failures < _MANY:
        return None
    ceiling = min(_LONGEST_BLOCK, FIRST * (1 << min(failures - _MANY, 20)))
    return ceiling * (0.5 + draw / 2)
