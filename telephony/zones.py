"""The time zones that may be chosen."""

from __future__ import annotations

import functools
import zoneinfo

# Names in the tz database that are no places: the machine's own zone, and what is no zone yet.
_NO_PLACES = frozenset({"localtime", "posixrules", "Factory"})


@functools.cache
def known_zones() -> frozenset[str]:
    """Return the IANA names that this machine knows; read from its files once."""
    return frozenset(zoneinfo.available_timezones()) - _NO_PLACES
