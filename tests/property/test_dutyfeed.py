"""What is exported is what comes back when it is imported."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import icalendar
from hypothesis import given, settings

from telephony.domain.duty import Roster, Shift, resolve
from telephony.domain.duty.calendars import People, imported_shifts, with_imported
from telephony.domain.duty.slots import Interval, union
from telephony.domain.setup import Group, Operator, Setup
from telephony.dutyfeed import AHEAD, BACK, duty_calendar
from telephony.ical import decoded
from telephony.ical.reading import MOST_BYTES, MOST_EVENTS, read_calendar
from telephony.store.calendars import Owner
from tests.property.rosters import rosters

NAMES = {"101": "Anna Ivanova", "102": "Семён; Петров", "103": "O'Neil, Zoë", "104": "Анна\tК."}
OPERATORS = {extension: Operator(extension, name, extension) for extension, name in NAMES.items()}


def _events(body: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(body.decode()).walk("VEVENT"))


def _time(roster: Roster, since: datetime, until: datetime) -> dict[str, list[Interval]]:
    found: dict[str, list[Interval]] = {}
    for slot in resolve(roster, since, until).slots:
        if not slot.lunch:
            found.setdefault(slot.operator, []).append(slot.interval)
    return {who: union(intervals) for who, intervals in found.items()}


@settings(max_examples=60, deadline=None)
@given(rosters(imported=True))
def test_a_group_that_is_exported_and_imported_has_the_same_duty(
    made: tuple[Roster, datetime],
) -> None:
    roster, around = made
    setup = Setup(OPERATORS, {"sales": Group("sales", roster)})
    body = duty_calendar(setup, Owner.GROUP, "sales", around, language="ru")
    assert body is not None
    events = _events(body)
    assert len({str(event["UID"]) for event in events}) == len(events)
    if len(events) > MOST_EVENTS or len(body) > MOST_BYTES:
        return  # a subscriber of ours would refuse it
    since, until = around - BACK, around + AHEAD
    found = read_calendar(decoded(body), "Asia/Tokyo", since, until)
    assert found.complaints == ()
    shifts, complaints = imported_shifts(found.happenings, People(NAMES))
    assert complaints == ()
    again = Roster(roster.zone, imported=shifts)
    assert _time(again, since, until) == _time(roster, since, until)
    for who in OPERATORS:
        mine = duty_calendar(setup, Owner.OPERATOR, who, around, language="en")
        assert mine is not None
        times = union(Interval(event["DTSTART"].dt, event["DTEND"].dt) for event in _events(mine))
        assert times == _time(roster, since, until).get(who, [])


@settings(max_examples=100, deadline=None)
@given(rosters(imported=True), rosters())
def test_the_absences_that_a_roster_is_spared_change_nothing(
    made: tuple[Roster, datetime], other: tuple[Roster, datetime]
) -> None:
    roster, around = made
    away = tuple(replace(one, cover=None) for one in other[0].absences)
    span = (around - BACK, around + BACK)
    spared = with_imported(replace(roster, imported=()), roster.imported, away)
    everything = replace(roster, absences=(*roster.absences, *away))
    assert resolve(spared, *span) == resolve(everything, *span)


def _uids(day: Shift, now: datetime) -> set[str]:
    setup = Setup(OPERATORS, {"sales": Group("sales", Roster("Europe/Berlin", (day,)))})
    body = duty_calendar(setup, Owner.GROUP, "sales", now, language="en")
    assert body is not None
    return {str(event["UID"]) for event in _events(body)}


def test_a_duty_that_is_prolonged_keeps_its_uid_and_so_do_those_of_the_day_before() -> None:
    day = Shift("101", frozenset({1, 2, 3}), time(9), time(18))
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    known = _uids(day, now)
    assert _uids(replace(day, end=time(20)), now) == known
    assert len(_uids(day, now + timedelta(days=1)) & known) >= len(known) - 1
    assert _uids(replace(day, start=time(8)), now).isdisjoint(known)


def test_a_feed_says_lunch_and_whose_place_it_is_and_is_the_same_all_day() -> None:
    day = Shift("101", frozenset({4}), time(9), time(18), (time(13), time(14)), "102")
    setup = Setup(OPERATORS, {"sales": Group("sales", Roster("Europe/Berlin", (day,)))})
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    body = duty_calendar(setup, Owner.OPERATOR, "101", now, lunch=True, language="ru")
    assert body is not None
    calendar = icalendar.Calendar.from_ical(body.decode())
    assert str(calendar["X-WR-CALNAME"]) == "Anna Ivanova"
    titles = [str(event["SUMMARY"]) for event in calendar.walk("VEVENT")]
    assert set(titles) == {"Дежурство: sales", "Обед: Дежурство: sales"}
    cover = duty_calendar(setup, Owner.OPERATOR, "102", now, language="ru")
    assert cover is not None
    (about, *_) = _events(cover)
    assert str(about["DESCRIPTION"]) == "Вместо: Anna Ivanova (101)"
    later = now + timedelta(hours=3)
    assert duty_calendar(setup, Owner.OPERATOR, "101", later, lunch=True, language="ru") == body
    assert duty_calendar(setup, Owner.OPERATOR, "999", now, language="en") is None
    assert duty_calendar(setup, Owner.GROUP, "none", now, language="en") is None
