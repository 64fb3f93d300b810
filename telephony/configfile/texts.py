"""Days and times of day as the file has them."""

from __future__ import annotations

from datetime import time

from telephony.configfile.nodes import DAYS

EVERY_DAY = frozenset(range(1, 8))


def days_text(days: frozenset[int]) -> str:
    """Return ISO weekdays: `daily`, `mon-fri`, `mon,wed`."""
    if days == EVERY_DAY:
        return "daily"
    found: list[str] = []
    ordered = sorted(days)
    while ordered:
        first = last = ordered.pop(0)
        while ordered and ordered[0] == last + 1:
            last = ordered.pop(0)
        if last - first > 1:
            found.append(f"{DAYS[first - 1]}-{DAYS[last - 1]}")
        else:
            found += [DAYS[day - 1] for day in range(first, last + 1)]
    return ",".join(found)


def clock_text(at: time, *, end: bool = False) -> str:
    """Return a time of day; midnight as an `end` is 24:00."""
    return "24:00" if end and at == time(0) else f"{at:%H:%M}"
