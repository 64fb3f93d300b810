from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from telephony.domain.duty import Absence, AbsenceKind, OneOff, Roster, Timeline, resolve
from telephony.domain.duty.calendars import (
    Attendee,
    Complaint,
    Flaw,
    Happening,
    People,
    Takes,
    imported_absences,
    imported_shifts,
    kind_of,
)
from telephony.domain.duty.entries import Shift
from telephony.domain.duty.slots import Layer
from telephony.domain.duty.timeline import Presence
from telephony.ical import Calendar, CalendarError, decoded, read_bounded
from telephony.ical.bounded import CPU_SECONDS
from telephony.ical.reading import read_calendar
from tests.unit.calendars import BOMBS, GOOGLE, NEXTCLOUD, OUTLOOK, calendar

SINCE = datetime(2026, 11, 25, tzinfo=UTC)
UNTIL = datetime(2027, 1, 25, tzinfo=UTC)
PEOPLE = People(
    {"101": "Anna Ivanova", "102": "Boris", "103": "Семён Петров", "104": "Anna Karenina"},
    [("anna@example.com", "101"), ("semyon", "103"), ("gone", "999")],
)


def _read(text: str, zone: str = "Europe/Moscow") -> Calendar:
    return read_calendar(text, zone, SINCE, UNTIL)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _clock(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _event(title: str, *invited: Attendee, **more: bool) -> Happening:
    return Happening(_at("2026-11-26 06:00"), _at("2026-11-26 15:00"), title, (), invited, **more)


def test_a_google_calendar_with_a_series_an_exception_and_a_moved_day() -> None:
    found = _read(GOOGLE)
    assert found.name == "Дежурства"
    assert found.complaints == ()
    assert [(one.start, one.title) for one in found.happenings] == [
        (_at("2026-11-26 06:00"), "Support duty"),
        (_at("2026-11-27 06:00"), "Support duty"),
        (_at("2026-12-04 06:00"), "Support duty"),
        (_at("2026-12-10 06:00"), "Support duty"),
        (_at("2026-12-11 10:00"), "Boris"),
        (_at("2026-12-17 06:00"), "Support duty"),
        (_at("2026-12-18 06:00"), "Support duty"),
    ]
    shifts, complaints = imported_shifts(found.happenings, PEOPLE, layer=2)
    assert {one.operator for one in shifts} == {"101", "102"}
    assert {one.layer for one in shifts} == {2}
    assert complaints == ()


def test_an_outlook_calendar_keeps_its_wall_clock_over_midnight_and_winter_time() -> None:
    found = read_calendar(OUTLOOK, "UTC", _at("2026-10-20"), _at("2026-11-02")).happenings
    assert (found[0].start, found[0].end) == (_at("2026-10-26 21:00"), _at("2026-10-27 05:00"))
    summer = OUTLOOK.replace("20261026", "20261024").replace("20261027", "20261025")
    nights = read_calendar(summer, "UTC", _at("2026-10-20"), _at("2026-10-27")).happenings
    assert [(one.start, one.end) for one in nights[:2]] == [
        (_at("2026-10-24 20:00"), _at("2026-10-25 05:00")),
        (_at("2026-10-25 21:00"), _at("2026-10-26 05:00")),
    ]


def test_a_nextcloud_calendar_with_whole_days_own_zone_and_times_without_one() -> None:
    found = _read(NEXTCLOUD)
    assert [(one.title, one.start, one.end) for one in found.happenings] == [
        ("Врач", _at("2026-12-01 04:15"), _at("2026-12-01 05:15")),
        ("Ночное окно", _at("2026-12-02 20:00"), _at("2026-12-02 22:00")),
        ("Birthday of Carla", _at("2026-12-04 09:00"), _at("2026-12-04 10:00")),
        ("Отпуск", _at("2026-12-27 21:00"), _at("2027-01-10 21:00")),
    ]
    assert [(one.flaw, one.title) for one in found.complaints] == [(Flaw.UNREADABLE, "Без начала")]
    absences, _ = imported_absences(found.happenings, "101")
    assert [(one.kind, one.zone) for one in absences] == [
        (AbsenceKind.OTHER, "UTC"),
        (AbsenceKind.OTHER, "UTC"),
        (AbsenceKind.VACATION, "UTC"),
    ]
    marked, _ = imported_absences(found.happenings, "101", Takes.MARKED)
    assert [one.kind for one in marked] == [AbsenceKind.VACATION]


def test_a_zone_that_nobody_knows_is_complained_of_and_taken_as_the_groups() -> None:
    found = _read(calendar("UID:1\nDTSTART;TZID=Nowhere/X:20261126T080000\nDURATION:PT1H"))
    assert found.happenings[0].start == _at("2026-11-26 05:00")
    assert [(one.flaw, one.text) for one in found.complaints] == [(Flaw.UNKNOWN_ZONE, "Nowhere/X")]


def test_later_versions_and_changes_of_all_that_follows_count() -> None:
    series = "UID:1\nDTSTART:20261201T060000Z\nDTEND:20261201T070000Z\nRRULE:FREQ=DAILY;COUNT=4"
    changed = (
        "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261203T060000Z\n"
        "DTSTART:20261203T080000Z\nDTEND:20261203T090000Z\nSUMMARY:102"
    )
    found = _read(calendar(series + "\nSUMMARY:101\nSEQUENCE:1", series + "\nSUMMARY:9", changed))
    assert [(one.start.hour, one.title) for one in found.happenings] == [
        (6, "101"),
        (6, "101"),
        (8, "102"),
        (8, "102"),
    ]


def test_extra_days_and_several_calendars_in_one_file() -> None:
    one = "UID:1\nDTSTART:20261201T060000Z\nDURATION:PT1H\nRDATE:20261205T060000Z\nSUMMARY:101"
    found = _read(calendar(one) + calendar(one.replace("20261201", "20261202")))
    assert [each.start.day for each in found.happenings] == [1, 2, 5, 5]


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_a_clear_error_and_soon(name: str) -> None:
    text, faults = BOMBS[name]
    began = time.process_time()
    with pytest.raises(CalendarError) as raised:
        read_bounded(text, "UTC", SINCE, UNTIL)
    assert raised.value.fault in faults
    assert time.process_time() - began < CPU_SECONDS


def test_reading_in_a_process_of_its_own_gives_the_same() -> None:
    for text in (GOOGLE, OUTLOOK, NEXTCLOUD):
        assert read_bounded(text, "Europe/Moscow", SINCE, UNTIL) == _read(text)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"<!doctype html><title>Sign in</title>", "no_calendar"),
        (b"", "no_calendar"),
        (b"BEGIN:VCALENDAR\r\n\xff\xfe", "no_text"),
        (b"BEGIN:VCALENDAR\r\n\0", "no_text"),
        (b"BEGIN:VCALENDAR\r\n" + b"X" * 262144, "too_large"),
    ],
)
def test_what_is_no_calendar_is_refused(body: bytes, fault: str) -> None:
    with pytest.raises(CalendarError) as raised:
        decoded(body)
    assert raised.value.fault == fault
    assert decoded("\ufeffBEGIN:VCALENDAR\r\n".encode()) == "BEGIN:VCALENDAR\r\n"


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("101", ["101"]),
        ("Duty: 101", ["101"]),
        ("Anna Ivanova", ["101"]),
        ("Ivanova, Anna", ["101"]),
        ("Ivanova Anna", ["101"]),
        ("On call: Anna Ivanova (until late)", ["101"]),
        ("Boris, Семён Петров", ["102", "103"]),
        ("boris + 101", ["102", "101"]),
        ("Дежурство: Петров", ["103"]),
        ("Семен Петров и Boris", ["103", "102"]),
        ("Дежурный – Boris", ["102"]),
        ("semyon", ["103"]),
        ("anna@example.com on call", ["101"]),
    ],
)
def test_whom_a_title_names(title: str, named: list[str]) -> None:
    shifts, complaints = imported_shifts([_event(title)], PEOPLE)
    assert sorted(one.operator for one in shifts) == sorted(named)
    assert complaints == ()


@pytest.mark.parametrize(
    ("title", "flaw", "text", "named"),
    [
        ("Team lunch", Flaw.NOBODY, "", []),
        ("", Flaw.NOBODY, "", []),
        ("999", Flaw.NOBODY, "", []),
        ("Anna", Flaw.AMBIGUOUS_NAME, "Anna", []),
        ("Boris, Zoe", Flaw.UNKNOWN_NAME, "Zoe", ["102"]),
        ("gone", Flaw.NOBODY, "", []),
    ],
)
def test_names_that_lead_nowhere_are_complained_of(
    title: str, flaw: Flaw, text: str, named: list[str]
) -> None:
    shifts, complaints = imported_shifts([_event(title)] * 2, PEOPLE)
    assert [one.operator for one in shifts] == named
    assert complaints == (Complaint(flaw, title, text, _at("2026-11-26 06:00")),)


def test_who_is_invited_is_on_duty_and_strangers_are_complained_of() -> None:
    event = _event(
        "Support duty",
        Attendee("", "102@pbx.example"),
        Attendee("Anna K.", "anna.karenina@example.com"),
        Attendee("Zoe", "zoe@example.com"),
        Attendee("Семён Петров", ""),
    )
    shifts, complaints = imported_shifts([event], PEOPLE)
    assert [one.operator for one in shifts] == ["102", "103", "104"]
    assert [(one.flaw, one.text) for one in complaints] == [(Flaw.UNKNOWN_NAME, "Zoe")]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Vacation", AbsenceKind.VACATION),
        ("В отпуске", AbsenceKind.VACATION),
        ("sick leave", AbsenceKind.SICK),
        ("Больничный", AbsenceKind.SICK),
        ("болеет", AbsenceKind.SICK),
        ("Отгул", AbsenceKind.OTHER),
        ("Out of office", AbsenceKind.OTHER),
        ("Team meeting", None),
        ("Hilly walk", None),
        ("Office move", None),
    ],
)
def test_which_absence_a_title_means(title: str, kind: AbsenceKind | None) -> None:
    assert kind_of(_event(title)) == kind


def test_events_without_length_are_complained_of_and_seconds_are_rounded_outwards() -> None:
    start, end = _at("2026-11-26 06:00:40"), _at("2026-11-26 07:00:01")
    shifts, _ = imported_shifts([Happening(start, end, "101")], PEOPLE)
    assert shifts == (OneOff("101", _clock("2026-11-26 06:00"), _clock("2026-11-26 07:01")),)
    empty = Happening(start, start, "101")
    assert imported_shifts([empty], PEOPLE)[1][0].flaw is Flaw.NO_LENGTH
    assert imported_absences([empty], "101")[1][0].flaw is Flaw.NO_LENGTH
    assert imported_absences([_event("Lunch", free=True)], "101") == ((), ())
    away = imported_absences([_event("Offsite", free=True, away=True)], "101")[0]
    assert [one.kind for one in away] == [AbsenceKind.OTHER]


def test_imported_shifts_are_part_of_the_base_and_the_absences_above_it() -> None:
    week = Shift("102", frozenset(range(1, 8)), datetime.min.time(), datetime.min.time())
    night = OneOff("101", _clock("2026-11-26 18:00"), _clock("2026-11-27 06:00"), layer=1)
    roster = Roster("Europe/Moscow", shifts=(week,), imported=(night,))
    duty = resolve(roster, _at("2026-11-26 12:00"), _at("2026-11-27 12:00"))
    assert [(one.operator, one.start, one.end) for one in duty.slots] == [
        ("102", _at("2026-11-26 12:00"), _at("2026-11-26 18:00")),
        ("101", _at("2026-11-26 18:00"), _at("2026-11-27 06:00")),
        ("102", _at("2026-11-27 06:00"), _at("2026-11-27 12:00")),
    ]
    assert duty.slots[1].source.layer is Layer.IMPORTED
    assert str(duty.slots[1].source.day) == "2026-11-26"
    assert set(roster.named) == {"101", "102"}
    state = Timeline(roster).at(_at("2026-11-26 12:00"))
    assert state == {"102": Presence.ON_SHIFT, "101": Presence.OFF}
    ill = Absence("101", night.start, night.end, "UTC", AbsenceKind.SICK, "102")
    away = Roster("Europe/Moscow", (week,), imported=(night,), absences=(ill,))
    covered = resolve(away, _at("2026-11-26 18:00"), _at("2026-11-27 06:00"))
    assert {(one.operator, one.instead_of) for one in covered.slots} == {("102", "101")}


def test_an_hour_that_the_clocks_show_twice_is_imported_whole() -> None:
    """Times of a wall clock could not tell its two halves apart."""
    text = calendar("UID:1\nDTSTART:20261025T003000Z\nDTEND:20261025T013000Z\nSUMMARY:101")
    found = read_calendar(text, "Europe/Berlin", _at("2026-10-20"), _at("2026-10-30"))
    shifts, _ = imported_shifts(found.happenings, PEOPLE)
    roster = Roster("Europe/Berlin", imported=shifts)
    duty = resolve(roster, _at("2026-10-25"), _at("2026-10-26"))
    assert [(one.start, one.end) for one in duty.slots] == [
        (_at("2026-10-25 00:30"), _at("2026-10-25 01:30"))
    ]
