"""Wall-clock times and the instants at which a zone's clocks reach them.

One rule serves every boundary, so that neighbours stay neighbours: a local time becomes the first
instant at which the clock shows that time or a later one. A time that the clocks skip is reached
when they jump; one that they show twice is reached the first time. The rule never turns two times
round, so what followed one another, or touched, still does after a change of the clocks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)


@lru_cache(maxsize=16384)
def reached(local: datetime, zone: str) -> datetime:
    """Return the first instant (aware, UTC) at which the clocks of `zone` have reached `local`.

    `local` is naive, `zone` an IANA name. Raises ZoneInfoNotFoundError.
    """
    clock = ZoneInfo(zone)
    first = local.replace(tzinfo=clock, fold=0).astimezone(UTC)
    if shown(first, zone) == local:
        return first
    # Skipped: the jump lies between the readings by the offsets after it and before it.
    early = local.replace(tzinfo=clock, fold=1).astimezone(UTC)
    late = first
    while late - early > _MINUTE:
        middle = early + (late - early) // _MINUTE // 2 * _MINUTE
        if shown(middle, zone) < local:
            early = middle
        else:
            late = middle
    return late


def shown(moment: datetime, zone: str) -> datetime:
    """Return what the clocks of `zone` show at an aware moment (naive)."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
