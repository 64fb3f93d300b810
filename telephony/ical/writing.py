"""A calendar as a text in the iCalendar format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import icalendar

from telephony import __version__

_RENEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event from `start` to `end` (aware); its `uid` stays when the event changes."""

    uid: str
    start: datetime
    end: datetime
    title: str
    about: str = ""


def write_calendar(name: str, entries: Iterable[Entry], stamp: datetime) -> bytes:
    """Return the file; `stamp` is when it says it was made. The same is written the same way."""
    calendar = icalendar.Calendar()
    calendar.add("PRODID", f"-//Dutyline//Dutyline {__version__}//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", "PUBLISH")
    calendar.add("X-WR-CALNAME", name)
    calendar.add("REFRESH-INTERVAL", _RENEW, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", "PT1H")
    for entry in entries:
        event = icalendar.Event()
        event.add("UID", entry.uid)
        event.add("DTSTAMP", stamp)
        event.add("DTSTART", entry.start)
        event.add("DTEND", entry.end)
        event.add("SUMMARY", entry.title)
        if entry.about:
            event.add("DESCRIPTION", entry.about)
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written
