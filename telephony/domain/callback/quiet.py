"""Quiet hours by the clocks of the client, who may be in several zones at once.

What a clock shows decides: a moment is quiet in a zone when the weekday shown there has quiet
hours that hold the time shown. So hours over midnight are two parts, each by the weekday it lies
in: Friday's start holds until midnight, Saturday's end from there on. Where hours are skipped, no
moment shows them; where they are shown twice, they are quiet twice, or not quiet twice. Somebody
with several zones is in quiet hours as soon as one of them is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers.timezone import time_zones_for_number

from telephony.domain.callback.rules import QuietHours
from telephony.domain.duty.slots import Interval
from telephony.domain.duty.walltime import shown

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
# How long a time that is not quiet is waited for: every weekday has come once, and a change of
# the clocks does not hide one.
_PATIENCE = 8 * _DAY
# How far ahead time that is not quiet is counted.
_AHEAD = 400 * _DAY
# libphonenumber groups zones and names another country's for some, by calling code. Those here
# keep other clocks than the one named: no summer time in Kaliningrad, for example.
_INSTEAD = {
    (7, "Europe/Bucharest"): "Europe/Kaliningrad",
    (211, "Africa/Nairobi"): "Africa/Juba",
    (212, "Atlantic/Canary"): "Africa/Casablanca",
    (213, "Europe/Paris"): "Africa/Algiers",
    (218, "Europe/Bucharest"): "Africa/Tripoli",
    (505, "America/Chicago"): "America/Managua",
}


_MOST_ZONES = 3  # a number with more of them tells no place


def client_zone(number: str, recorded: str | None, fallback: str) -> tuple[str, ...]:
    """Return the IANA zones that a client may be in; at least one.

    That is the zone of the client's record; else those that libphonenumber has for the number
    (E.164): one for most landlines and for North America's area codes; else `fallback`, which is
    not looked at. A number that tells no place, as a Russian mobile with its sixteen zones, is
    taken to be in `fallback` when that is one of them: quiet in all of them would leave four hours
    a day. Otherwise all count. Zones that this machine does not know are left out.
    """
    if recorded and _is_zone(recorded):
        return (recorded,)
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return (fallback,)
    code = parsed.country_code or 0
    zones = (_INSTEAD.get((code, zone), zone) for zone in time_zones_for_number(parsed))
    known = tuple(dict.fromkeys(zone for zone in zones if _is_zone(zone)))
    if not known or (len(known) > _MOST_ZONES and fallback in known):
        return (fallback,)
    return known


def is_quiet(quiet: QuietHours, zones: Sequence[str], at: datetime) -> bool:
    """Tell whether an aware moment lies in the quiet hours of any of the zones (IANA names).

    Raises ValueError without zones, so that nobody is called at night because none is known;
    ZoneInfoNotFoundError for an unknown one. So do the functions below.
    """
    _need(zones)
    clocks = (shown(at, zone) for zone in zones)
    return any(_holds(*_hours(quiet, local), local.time()) for local in clocks)


def quiet_over(quiet: QuietHours, zones: Sequence[str], at: datetime) -> datetime | None:
    """Return the first moment (UTC) from an aware one on at which no zone has quiet hours.

    That is `at` itself when it is not quiet, and None when eight days have no such moment: zones
    that are twelve hours apart, for example, and fourteen quiet hours a day.
    """
    span = next(_loud(quiet, zones, at), None)
    return span.start if span else None


def after_loud(
    quiet: QuietHours, zones: Sequence[str], since: datetime, minutes: int
) -> datetime | None:
    """Return the first moment (UTC) by which so many minutes that are not quiet have passed.

    They are counted from `since` (aware) on; none have passed at `since` itself. A promise thus
    falls due at the very end of a day, not the next morning, if its time is just used up then.
    None when eight days on end are quiet in some zone or other, or after 400 days.
    """
    left = timedelta(minutes=minutes)
    if left <= timedelta():
        return since.astimezone(UTC)
    for start, end in _loud(quiet, zones, since):
        if start - since >= _AHEAD:
            break
        if end - start >= left:
            return start + left
        left -= end - start
    return None


def loud_until(
    quiet: QuietHours, zones: Sequence[str], since: datetime, latest: datetime
) -> datetime:
    """Return up to when from `since` on, at most `latest`, no zone has quiet hours (aware)."""
    end = since
    for span in _loud(quiet, zones, since):
        if span.start > end or end >= latest:
            break
        end = span.end
    return min(end, latest)


def _loud(quiet: QuietHours, zones: Sequence[str], since: datetime) -> Iterator[Interval]:
    """Yield, in order, the spans without quiet hours; ends when there is none for eight days.

    One that another follows at once is cut from it at an edge of some zone's hours or day.
    """
    _need(zones)
    moment = last = since.astimezone(UTC)
    spells = {zone: _spell(quiet, zone, moment) for zone in zones}
    while moment - last < _PATIENCE:
        for zone, (_, until) in spells.items():
            if until <= moment:
                spells[zone] = _spell(quiet, zone, moment)
        silent = [until for is_silent, until in spells.values() if is_silent]
        if silent:
            moment = max(silent)
        else:
            last = min(until for _, until in spells.values())
            yield Interval(moment, last)
            moment = last


def _spell(quiet: QuietHours, zone: str, at: datetime) -> tuple[bool, datetime]:
    """Return whether a moment (UTC) is quiet in a zone, and a later one until which it stays so."""
    local = shown(at, zone)
    now = local.time()
    start, end = _hours(quiet, local)
    edges = [edge for edge in (start, end) if edge > now]
    until = (
        datetime.combine(local, min(edges)) if edges else datetime.combine(local, time.min) + _DAY
    )
    return _holds(start, end, now), _unturned(zone, at, at + (until - local))


def _unturned(zone: str, at: datetime, until: datetime) -> datetime:
    """Return `until`, or the change of a zone's clocks between two moments (UTC) a day apart."""
    offset = _offset(zone, at)
    if _offset(zone, until) == offset:
        return until
    early, late = at.replace(microsecond=0), until
    while late - early >= 2 * _SECOND:
        middle = early + (late - early) // _SECOND // 2 * _SECOND
        if _offset(zone, middle) == offset:
            early = middle
        else:
            late = middle
    return late


def _offset(zone: str, moment: datetime) -> timedelta:
    return shown(moment, zone) - moment.replace(tzinfo=None)


def _hours(quiet: QuietHours, local: datetime) -> tuple[time, time]:
    """Return the quiet hours of a local weekday."""
    if local.isoweekday() in quiet.days:
        return quiet.weekend_start, quiet.weekend_end
    return quiet.start, quiet.end


def _holds(start: time, end: time, now: time) -> bool:
    """Tell whether a time of the day is quiet."""
    return start <= now < end if start <= end else now >= start or now < end


def _need(zones: Sequence[str]) -> None:
    if not zones:
        raise ValueError("a client is in some zone")


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
