"""The occurrences of a calendar's events in a span of time.

What a file may hold is limited before it is parsed: its size, its events, how often they repeat.
A rule that never comes true still takes long, so strange files are read by `read_bounded`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import icalendar
import recurring_ical_events

from telephony.domain.duty.calendars import Attendee, Complaint, Flaw, Happening, condensed
from telephony.domain.duty.walltime import reached

MOST_BYTES = 256 * 1024
MOST_EVENTS = 500
MOST_OCCURRENCES = 2000
_DEEPEST = 5
_MOST_TIMES = 24  # a day, by BYHOUR and its like
_LONGEST = 200
_DAY = timedelta(days=1)
_FOLD = re.compile(r"\r?\n[ \t]")
_PART = re.compile(r"(BEGIN|END):\s*(\S+)", re.I)
_RULE = re.compile(r"(?:RRULE|EXRULE)[;:](.*)", re.I)
_OFTEN = re.compile(r"FREQ=(SECONDLY|MINUTELY|HOURLY)", re.I)
_TIMES = re.compile(r"BY(?:HOUR|MINUTE|SECOND)=([^;]*)", re.I)


class Fault(StrEnum):
    """Why a whole calendar cannot be taken."""

    TOO_LARGE = "too_large"
    NO_TEXT = "no_text"
    NO_CALENDAR = "no_calendar"
    TOO_MANY_EVENTS = "too_many_events"
    TOO_OFTEN = "too_often"
    TOO_MANY_OCCURRENCES = "too_many_occurrences"
    TOO_SLOW = "too_slow"
    BROKEN = "broken"
    ADDRESS = "address"
    NO_ANSWER = "no_answer"
    STATUS = "status"
    SECRET = "secret"  # noqa: S105


class CalendarError(Exception):
    """A calendar cannot be taken: `fault` says why, `detail` is what stands there."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar's own name, what happens in the span asked for, and what was not understood."""

    name: str
    happenings: tuple[Happening, ...]
    complaints: tuple[Complaint, ...]


def decoded(body: bytes) -> str:
    """Return the text of a file. Raises CalendarError: too large, not UTF-8, or no calendar."""
    if len(body) > MOST_BYTES:
        raise CalendarError(Fault.TOO_LARGE, f"{MOST_BYTES // 1024} KB")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CalendarError(Fault.NO_TEXT) from None
    if "\0" in text:
        raise CalendarError(Fault.NO_TEXT)
    if text.lstrip()[:15].upper() != "BEGIN:VCALENDAR":
        first = text.lstrip()[:40].partition("\n")[0].strip()
        raise CalendarError(Fault.NO_CALENDAR, first)
    return text


def read_calendar(text: str, zone: str, since: datetime, until: datetime) -> Calendar:
    """Return what happens in `since` ≤ moment < `until` (aware).

    `zone` (IANA) is that of times without one, and of whole days. Raises CalendarError.
    """
    _refuse_bombs(text)
    try:
        calendars = icalendar.Calendar.from_ical(text, multiple=True)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise CalendarError(Fault.BROKEN, _short(str(error))) from None
    happenings: list[Happening] = []
    complaints: list[Complaint] = []
    name = ""
    for calendar in calendars:
        name = name or _short(str(calendar.get("X-WR-CALNAME", "")))
        for series in _series(calendar):
            complaints += _strange_zones(series)
            try:
                for event in series.between(since - _DAY, until + _DAY):
                    happening = _happening(event, zone)
                    if happening is None or not _touches(happening, since, until):
                        continue
                    happenings.append(happening)
                    if len(happenings) > MOST_OCCURRENCES:
                        raise CalendarError(Fault.TOO_MANY_OCCURRENCES, str(MOST_OCCURRENCES))
            except CalendarError:
                raise
            except Exception as error:  # one event that is broken in some new way is that event's
                title = _title(series.events[0])
                complaints.append(Complaint(Flaw.UNREADABLE, title, _short(_said(error))))
    happenings.sort(key=lambda one: (one.start, one.end, one.title))
    return Calendar(name, tuple(happenings), condensed(complaints))


@dataclass(frozen=True, slots=True)
class _Series:
    """The components of one event: the event itself, and its changed occurrences."""

    calendar: icalendar.Calendar
    events: list[Any]

    def between(self, start: datetime, stop: datetime) -> list[Any]:
        return list(recurring_ical_events.of(self.calendar).between(start, stop))


def _series(calendar: Any) -> Iterator[_Series]:
    """Yield each event by itself, so that one that is broken spoils no other."""
    by_uid: dict[object, list[Any]] = {}
    for place, event in enumerate(calendar.walk("VEVENT")):
        by_uid.setdefault(str(event.get("UID", "")) or place, []).append(event)
    for events in by_uid.values():
        own = icalendar.Calendar()
        if "X-WR-TIMEZONE" in calendar:  # series go by the clocks of that zone
            own.add("X-WR-TIMEZONE", calendar["X-WR-TIMEZONE"])
        for event in events:
            own.add_component(event)
        yield _Series(own, events)


def _strange_zones(series: _Series) -> Iterator[Complaint]:
    for event in series.events:
        for name in ("DTSTART", "DTEND"):
            given = event.get(name)
            zone = getattr(given, "params", {}).get("TZID")
            at = getattr(given, "dt", None) if zone else None
            if isinstance(at, datetime) and at.tzinfo is None:
                yield Complaint(Flaw.UNKNOWN_ZONE, _title(event), _short(str(zone)))


def _happening(event: Any, zone: str) -> Happening | None:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    first, last = event.start, event.end
    busy = str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper()
    free = str(event.get("TRANSP", "")).upper() == "TRANSPARENT"
    return Happening(
        _moment(first, zone),
        _moment(last, zone),
        _title(event),
        _categories(event),
        _invited(event),
        free=free or busy in ("FREE", "WORKINGELSEWHERE"),
        away=busy == "OOF",
    )


def _moment(at: date, zone: str) -> datetime:
    if not isinstance(at, datetime):
        return reached(datetime.combine(at, time()), zone)
    if at.tzinfo is None:
        whole = at.replace(second=0, microsecond=0)
        return reached(whole, zone) + (at - whole)
    return at.astimezone(UTC)


def _touches(one: Happening, since: datetime, until: datetime) -> bool:
    return one.start < until and (since < one.end or since <= one.start)


def _categories(event: Any) -> tuple[str, ...]:
    found: list[str] = []
    given = event.get("CATEGORIES", [])
    for each in given if isinstance(given, list) else [given]:
        found += [_short(str(name)) for name in getattr(each, "cats", [each])]
    return tuple(found)


def _invited(event: Any) -> tuple[Attendee, ...]:
    organizer = _address(event.get("ORGANIZER"))
    found: list[Attendee] = []
    hosts: list[Attendee] = []
    given = event.get("ATTENDEE", [])
    for each in given if isinstance(given, list) else [given]:
        params = getattr(each, "params", {})
        if str(params.get("PARTSTAT", "")).upper() == "DECLINED":
            continue
        if str(params.get("CUTYPE", "")).upper() in ("ROOM", "RESOURCE"):
            continue
        mail = _address(each)
        one = Attendee(_short(str(params.get("CN", ""))), mail)
        (hosts if mail and mail == organizer else found).append(one)
    return tuple(found or hosts)


def _address(value: Any) -> str:
    text = str(value or "").strip()
    return _short(text[7:] if text[:7].lower() == "mailto:" else "")


def _title(event: Any) -> str:
    return _short(str(event.get("SUMMARY", "")))


def _short(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def _refuse_bombs(text: str) -> None:
    depth = events = 0
    for line in _FOLD.sub("", text).splitlines():
        part = _PART.match(line)
        if part is not None:
            depth += 1 if part[1].upper() == "BEGIN" else -1
            events += (part[1] + part[2]).upper() == "BEGINVEVENT"
            if depth > _DEEPEST:
                raise CalendarError(Fault.BROKEN, _short(line))
            if events > MOST_EVENTS:
                raise CalendarError(Fault.TOO_MANY_EVENTS, str(MOST_EVENTS))
            continue
        rule = _RULE.match(line)
        if rule is None:
            continue
        times = 1
        for values in _TIMES.findall(rule[1]):
            times *= values.count(",") + 1
        if _OFTEN.search(rule[1]) or times > _MOST_TIMES:
            raise CalendarError(Fault.TOO_OFTEN, _short(rule[1]))
    if depth != 0:  # cut off on its way: what is missing must not count as deleted
        raise CalendarError(Fault.BROKEN, "END:VCALENDAR")
