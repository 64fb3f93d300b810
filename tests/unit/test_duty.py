"""A roster's layers, one on top of the other: tables of what is on duty when."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from telephony.domain.duty import (
    Absence,
    AbsenceKind,
    Double,
    Interval,
    OneOff,
    Override,
    Presence,
    Roster,
    Rotation,
    Shift,
    Slot,
    Swap,
    Timeline,
    presence,
    resolve,
)

EVERY_DAY = frozenset(range(1, 8))
MON_FRI = frozenset({1, 2, 3, 4, 5})
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
ZONE = "UTC"

ANNA, BORIS, VERA, GLEB = "101", "102", "103", "104"
DAY = Shift(ANNA, MON_FRI, time(9), time(18), (time(13), time(14)))
NIGHT = Shift(ANNA, frozenset({5}), time(22), time(6), (time(1), time(2)))
LUNCH = (time(13), time(14))
ROUND = Shift(ANNA, frozenset({3}), time(0), time(0))


def local(text: str) -> datetime:
    """Return a naive moment of the week of MONDAY: `mon 09:00`, `tue 24:00`."""
    day, clock = text.split()
    hours, minutes = map(int, clock.split(":"))
    start = MONDAY.replace(tzinfo=None) + timedelta(
        days=("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(day)
    )
    return start + timedelta(hours=hours, minutes=minutes)


def told(slot: Slot) -> str:
    """Return a slot as a line: `101 mon 09:00-13:00`, `101 lunch …`, `102 … for 101`."""
    lunch = " lunch" if slot.lunch else ""
    whose = f" for {slot.instead_of}" if slot.instead_of else ""
    when = f"{slot.start:%a %H:%M}-{slot.end:%H:%M}".lower()
    return f"{slot.operator}{lunch} {when}{whose}"


def duty(roster: Roster, since: str, until: str) -> list[str]:
    """Return who is on duty between two moments of the week, as lines."""
    found = resolve(roster, local(since).replace(tzinfo=UTC), local(until).replace(tzinfo=UTC))
    return [told(slot) for slot in found.slots]


@pytest.mark.parametrize(
    ("shift", "moment", "expected"),
    [
        (DAY, "2026-11-23 08:59:59", Presence.OFF),
        (DAY, "2026-11-23 09:00:00", Presence.ON_SHIFT),
        (DAY, "2026-11-23 12:59:59", Presence.ON_SHIFT),
        (DAY, "2026-11-23 13:00:00", Presence.LUNCH),
        (DAY, "2026-11-23 14:00:00", Presence.ON_SHIFT),
        (DAY, "2026-11-23 17:59:59", Presence.ON_SHIFT),
        (DAY, "2026-11-23 18:00:00", Presence.OFF),
        (DAY, "2026-11-22 12:00:00", Presence.OFF),
        (NIGHT, "2026-11-27 21:59:59", Presence.OFF),
        (NIGHT, "2026-11-27 22:00:00", Presence.ON_SHIFT),
        (NIGHT, "2026-11-28 00:30:00", Presence.ON_SHIFT),
        (NIGHT, "2026-11-28 01:30:00", Presence.LUNCH),
        (NIGHT, "2026-11-28 05:59:59", Presence.ON_SHIFT),
        (NIGHT, "2026-11-28 06:00:00", Presence.OFF),
        (NIGHT, "2026-11-27 03:00:00", Presence.OFF),
        (ROUND, "2026-11-25 00:00:00", Presence.ON_SHIFT),
        (ROUND, "2026-11-25 23:59:59", Presence.ON_SHIFT),
        (ROUND, "2026-11-26 00:00:00", Presence.OFF),
    ],
)
def test_a_weekly_shift(shift: Shift, moment: str, expected: Presence) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert Timeline(Roster(ZONE, (shift,))).at(at)[ANNA] is expected


WEEK = Roster(ZONE, (DAY,))
TWO = Roster(
    ZONE,
    (
        Shift(ANNA, MON_FRI, time(9), time(18)),
        Shift(BORIS, MON_FRI, time(12), time(20)),
    ),
)


@pytest.mark.parametrize(
    ("roster", "span", "expected"),
    [
        pytest.param(
            TWO,
            ("mon 0:00", "mon 24:00"),
            ["101 mon 09:00-18:00", "102 mon 12:00-20:00"],
            id="shifts of one layer stand beside each other",
        ),
        pytest.param(
            TWO,
            ("mon 10:00", "mon 13:00"),
            ["101 mon 10:00-13:00", "102 mon 12:00-13:00"],
            id="a span cuts",
        ),
        pytest.param(
            Roster(ZONE, (TWO.shifts[0], Shift(VERA, EVERY_DAY, time(11), time(13), layer=1))),
            ("mon 0:00", "mon 24:00"),
            ["101 mon 09:00-11:00", "103 mon 11:00-13:00", "101 mon 13:00-18:00"],
            id="a higher layer wins and the loser is split",
        ),
        pytest.param(
            Roster(
                ZONE,
                (TWO.shifts[0],),
                one_offs=(OneOff(VERA, local("mon 17:00"), local("mon 21:00")),),
            ),
            ("mon 0:00", "mon 24:00"),
            ["101 mon 09:00-18:00", "103 mon 17:00-21:00"],
            id="a one-off shift comes in addition",
        ),
        pytest.param(
            Roster(
                ZONE,
                TWO.shifts,
                overrides=(Override((VERA,), local("mon 15:00"), local("mon 22:00")),),
            ),
            ("mon 0:00", "mon 24:00"),
            ["101 mon 09:00-15:00", "102 mon 12:00-15:00", "103 mon 15:00-22:00"],
            id="an override in place of everybody",
        ),
        pytest.param(
            Roster(
                ZONE,
                TWO.shifts,
                overrides=(
                    Override((VERA,), local("mon 15:00"), local("mon 22:00"), frozenset({ANNA})),
                ),
            ),
            ("mon 0:00", "mon 24:00"),
            ["101 mon 09:00-15:00", "102 mon 12:00-20:00", "103 mon 15:00-22:00"],
            id="an override in place of one",
        ),
        pytest.param(
            Roster(
                ZONE,
                TWO.shifts,
                overrides=(Override((), local("mon 15:00"), local("mon 16:00")),),
            ),
            ("mon 14:00", "mon 17:00"),
            [
                "101 mon 14:00-15:00",
                "102 mon 14:00-15:00",
                "101 mon 16:00-17:00",
                "102 mon 16:00-17:00",
            ],
            id="an override by nobody leaves a gap",
        ),
        pytest.param(
            Roster(
                ZONE,
                (),
                overrides=(
                    Override((ANNA,), local("mon 9:00"), local("mon 18:00")),
                    Override((BORIS,), local("mon 12:00"), local("mon 13:00")),
                ),
            ),
            ("mon 0:00", "mon 24:00"),
            ["101 mon 09:00-12:00", "102 mon 12:00-13:00", "101 mon 13:00-18:00"],
            id="a later override stands above an earlier one",
        ),
        pytest.param(
            Roster(
                ZONE, TWO.shifts, swaps=(Swap(ANNA, VERA, local("mon 0:00"), local("mon 24:00")),)
            ),
            ("mon 0:00", "tue 24:00"),
            [
                "103 mon 09:00-18:00 for 101",
                "102 mon 12:00-20:00",
                "101 tue 09:00-18:00",
                "102 tue 12:00-20:00",
            ],
            id="a swap with somebody who is off",
        ),
        pytest.param(
            Roster(
                ZONE, TWO.shifts, swaps=(Swap(ANNA, BORIS, local("mon 0:00"), local("mon 24:00")),)
            ),
            ("mon 0:00", "mon 24:00"),
            ["102 mon 09:00-18:00 for 101", "101 mon 12:00-20:00 for 102"],
            id="a swap of two who are on",
        ),
        pytest.param(
            Roster(
                ZONE,
                (DAY,),
                swaps=(Swap(ANNA, BORIS, local("mon 12:00"), local("mon 15:00")),),
            ),
            ("mon 0:00", "mon 24:00"),
            [
                "101 mon 09:00-12:00",
                "102 mon 12:00-13:00 for 101",
                "102 lunch mon 13:00-14:00 for 101",
                "102 mon 14:00-15:00 for 101",
                "101 mon 15:00-18:00",
            ],
            id="a swapped part takes its lunch along",
        ),
        pytest.param(
            Roster(
                ZONE,
                TWO.shifts,
                absences=(Absence(ANNA, local("mon 0:00"), local("tue 0:00"), ZONE),),
            ),
            ("mon 0:00", "mon 24:00"),
            ["102 mon 12:00-20:00"],
            id="who is away is off duty",
        ),
        pytest.param(
            Roster(
                ZONE,
                TWO.shifts,
                absences=(
                    Absence(
                        ANNA,
                        local("mon 0:00"),
                        local("tue 0:00"),
                        ZONE,
                        AbsenceKind.SICK,
                        cover=VERA,
                    ),
                ),
            ),
            ("mon 0:00", "mon 24:00"),
            ["103 mon 09:00-18:00 for 101", "102 mon 12:00-20:00"],
            id="a cover takes over",
        ),
        pytest.param(
            Roster(
                ZONE,
                TWO.shifts,
                absences=(Absence(ANNA, local("mon 0:00"), local("tue 0:00"), ZONE, cover=BORIS),),
            ),
            ("mon 0:00", "mon 24:00"),
            ["102 mon 09:00-12:00 for 101", "102 mon 12:00-20:00"],
            id="a cover who is on duty anyway covers the rest",
        ),
        pytest.param(
            Roster(
                ZONE,
                TWO.shifts,
                absences=(
                    Absence(ANNA, local("mon 0:00"), local("tue 0:00"), ZONE, cover=VERA),
                    Absence(VERA, local("mon 12:00"), local("tue 0:00"), ZONE),
                ),
            ),
            ("mon 0:00", "mon 24:00"),
            ["103 mon 09:00-12:00 for 101", "102 mon 12:00-20:00"],
            id="a cover who is away covers nothing",
        ),
        pytest.param(
            Roster(
                ZONE,
                TWO.shifts,
                overrides=(Override((ANNA,), local("mon 20:00"), local("mon 24:00")),),
                absences=(Absence(ANNA, local("mon 18:00"), local("tue 9:00"), ZONE),),
            ),
            ("mon 0:00", "mon 24:00"),
            ["101 mon 09:00-18:00", "102 mon 12:00-20:00"],
            id="an absence is above an override",
        ),
        pytest.param(
            Roster(
                ZONE,
                (Shift(ANNA, MON_FRI, time(9), time(18), (time(13), time(14)), cover=BORIS),),
            ),
            ("mon 0:00", "mon 24:00"),
            [
                "101 mon 09:00-13:00",
                "101 lunch mon 13:00-14:00",
                "102 mon 13:00-14:00 for 101",
                "101 mon 14:00-18:00",
            ],
            id="lunch with a cover",
        ),
        pytest.param(
            Roster(
                ZONE,
                (
                    Shift(ANNA, MON_FRI, time(9), time(18), (time(13), time(14)), cover=BORIS),
                    Shift(BORIS, MON_FRI, time(9), time(18), (time(13, 30), time(14, 30))),
                ),
            ),
            ("mon 12:30", "mon 14:00"),
            [
                "101 mon 12:30-13:00",
                "102 mon 12:30-13:30",
                "101 lunch mon 13:00-14:00",
                "102 lunch mon 13:30-14:00",
            ],
            id="a cover's own shift and lunch are left alone",
        ),
        pytest.param(
            Roster(
                ZONE,
                (Shift(ANNA, MON_FRI, time(9), time(18), since=date(2026, 11, 24)),),
            ),
            ("mon 0:00", "tue 24:00"),
            ["101 tue 09:00-18:00"],
            id="a shift that begins to hold",
        ),
        pytest.param(
            Roster(
                ZONE,
                (Shift(ANNA, EVERY_DAY, time(22), time(6), until=date(2026, 11, 24)),),
            ),
            ("mon 12:00", "wed 0:00"),
            ["101 mon 22:00-06:00"],
            id="a night that began in time is kept whole",
        ),
    ],
)
def test_layers(roster: Roster, span: tuple[str, str], expected: list[str]) -> None:
    assert duty(roster, *span) == expected


TURNS = ((ANNA,), (BORIS,), (VERA,))


@pytest.mark.parametrize(
    ("rotation", "span", "expected"),
    [
        pytest.param(
            Rotation(TURNS, date(2026, 11, 23), 1),
            ("mon 0:00", "thu 24:00"),
            [
                "101 mon 00:00-00:00",
                "102 tue 00:00-00:00",
                "103 wed 00:00-00:00",
                "101 thu 00:00-00:00",
            ],
            id="daily",
        ),
        pytest.param(
            Rotation(TURNS, date(2026, 11, 16), 7, time(9), time(9), time(9)),
            ("mon 0:00", "tue 9:00"),
            ["101 mon 00:00-09:00", "102 mon 09:00-09:00"],
            id="weekly, handed over on Monday at nine",
        ),
        pytest.param(
            Rotation(TURNS, date(2026, 11, 23), 2, time(0), time(20), time(8)),
            ("mon 0:00", "fri 0:00"),
            [
                "101 mon 20:00-08:00",
                "101 tue 20:00-08:00",
                "102 wed 20:00-08:00",
                "102 thu 20:00-00:00",
            ],
            id="nights, two each; who began a night ends it",
        ),
        pytest.param(
            Rotation(((ANNA, BORIS), (VERA,)), date(2026, 11, 23), 1, days=frozenset({1, 2})),
            ("mon 0:00", "sun 24:00"),
            ["101 mon 00:00-00:00", "102 mon 00:00-00:00", "103 tue 00:00-00:00"],
            id="two in a turn, on some weekdays",
        ),
        pytest.param(
            Rotation(TURNS, date(2026, 11, 25), 1, until=date(2026, 11, 27)),
            ("mon 0:00", "sun 24:00"),
            ["101 wed 00:00-00:00", "102 thu 00:00-00:00"],
            id="nobody before the first turn, nor after the last",
        ),
        pytest.param(
            Rotation(
                TURNS, date(2026, 11, 23), 7, time(0), time(9), time(18), MON_FRI,
                (time(13), time(14)), GLEB,
            ),
            ("mon 0:00", "mon 24:00"),
            [
                "101 mon 09:00-13:00",
                "101 lunch mon 13:00-14:00",
                "104 mon 13:00-14:00 for 101",
                "101 mon 14:00-18:00",
            ],
            id="with a lunch and its cover",
        ),
    ],
)  # fmt: skip
def test_rotations(rotation: Rotation, span: tuple[str, str], expected: list[str]) -> None:
    assert duty(Roster(ZONE, rotations=(rotation,)), *span) == expected


def test_gaps_are_counted_against_what_is_wanted() -> None:
    def at(text: str) -> datetime:
        return local(text).replace(tzinfo=UTC)

    open_hours = [
        Interval(at("mon 8:00"), at("mon 20:00")),
        Interval(at("tue 8:00"), at("tue 9:30")),
    ]
    found = resolve(WEEK, at("mon 0:00"), at("wed 0:00"), open_hours)
    assert found.gaps == (
        Interval(at("mon 8:00"), at("mon 9:00")),
        Interval(at("mon 13:00"), at("mon 14:00")),
        Interval(at("mon 18:00"), at("mon 20:00")),
        Interval(at("tue 8:00"), at("tue 9:00")),
    )
    always = resolve(Roster(ZONE), at("mon 0:00"), at("mon 1:00"))
    assert always.gaps == (Interval(at("mon 0:00"), at("mon 1:00")),)


def test_somebody_on_duty_twice_is_a_result() -> None:
    roster = Roster(
        ZONE, WEEK.shifts, one_offs=(OneOff(ANNA, local("mon 17:00"), local("mon 19:00")),)
    )
    found = resolve(roster, MONDAY, MONDAY + timedelta(days=1))
    start = MONDAY.replace(hour=17)
    assert found.doubles == (Double(ANNA, start, start.replace(hour=18)),)


def test_an_empty_span_is_refused() -> None:
    with pytest.raises(ValueError, match="must end after it begins"):
        resolve(WEEK, MONDAY, MONDAY)


def test_the_strongest_presence_of_all_groups_counts() -> None:
    noon = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
    lunch = Timeline(WEEK)
    other = Timeline(Roster(ZONE, (Shift(ANNA, MON_FRI, time(13), time(15)),)))
    assert presence((lunch,), ANNA, noon) is Presence.LUNCH
    assert presence((lunch, other), ANNA, noon) is Presence.ON_SHIFT
    assert presence((lunch,), BORIS, noon) is Presence.UNSCHEDULED
    assert presence((Timeline(Roster(ZONE, (NIGHT,))), lunch), ANNA, noon) is Presence.LUNCH


def test_who_is_away_is_away_with_shifts_or_without() -> None:
    away = (Absence(ANNA, local("mon 0:00"), local("mon 12:00"), ZONE),)
    for timelines in ((), (Timeline(Roster(ZONE, (DAY,), absences=away)),)):
        assert presence(timelines, ANNA, MONDAY.replace(hour=10), away) is Presence.ABSENT
        assert presence(timelines, ANNA, MONDAY.replace(hour=12), away) is not Presence.ABSENT
    with_shifts = Timeline(Roster(ZONE, (DAY,), absences=away))
    assert with_shifts.at(MONDAY.replace(hour=11, minute=59)) == {ANNA: Presence.ABSENT}
    assert with_shifts.at(MONDAY.replace(hour=12)) == {ANNA: Presence.ON_SHIFT}


def test_everyone_of_a_roster_is_listed_once_in_its_order() -> None:
    roster = Roster(ZONE, (Shift(BORIS, MON_FRI, time(9), time(10)), DAY, NIGHT))
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert list(Timeline(roster).at(noon).items()) == [
        (BORIS, Presence.OFF),
        (ANNA, Presence.ON_SHIFT),
    ]


def test_who_stands_in_once_does_not_become_scheduled() -> None:
    roster = Roster(
        ZONE, (DAY,), overrides=(Override((VERA,), local("mon 20:00"), local("mon 22:00")),)
    )
    timeline = Timeline(roster)
    assert timeline.at(MONDAY.replace(hour=21))[VERA] is Presence.ON_SHIFT
    assert VERA not in timeline.at(MONDAY.replace(hour=22))
    assert presence((timeline,), VERA, MONDAY.replace(hour=23)) is Presence.UNSCHEDULED
    assert VERA in roster.named


def test_everybody_who_may_come_on_duty_is_named() -> None:
    roster = Roster(
        ZONE,
        (Shift(ANNA, MON_FRI, time(9), time(18), (time(13), time(14)), "201"),),
        (Rotation(((BORIS,), (VERA, ANNA)), date(2026, 1, 1), lunch=LUNCH, cover="202"),),
        (OneOff("203", local("mon 1:00"), local("mon 2:00")),),
        (Override(("204",), local("mon 1:00"), local("mon 2:00")),),
        (Swap(ANNA, "205", local("mon 1:00"), local("mon 2:00")),),
        (
            Absence(ANNA, local("mon 1:00"), local("mon 2:00"), ZONE, cover="206"),
            Absence("999", local("mon 1:00"), local("mon 2:00"), ZONE, cover="998"),
        ),
    )
    assert roster.named == (
        ANNA, "201", BORIS, VERA, "202", "203", "204", "205", "206",
    )  # fmt: skip


def test_a_timeline_asked_again_answers_for_the_new_moment() -> None:
    timeline = Timeline(WEEK)
    moments = [(8, 59), (9, 0), (13, 30), (9, 0), (18, 0)]
    seen = [timeline.at(datetime(2026, 11, 23, *at, 59, tzinfo=UTC))[ANNA] for at in moments]
    on, off, lunch = Presence.ON_SHIFT, Presence.OFF, Presence.LUNCH
    assert seen == [off, on, lunch, on, off]
    assert timeline.at(datetime(2026, 11, 21, 12, tzinfo=UTC))[ANNA] is off


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Shift(ANNA, MON_FRI, time(9, 0, 30), time(18)), "whole minutes"),
        (lambda: Shift(ANNA, frozenset({0}), time(9), time(18)), "ISO weekdays"),
        (lambda: Shift(ANNA, frozenset(), time(9), time(18)), "ISO weekdays"),
        (lambda: Shift(ANNA, MON_FRI, time(9), time(18), cover=BORIS), "for the lunch"),
        (lambda: Shift(ANNA, MON_FRI, time(9), time(18), LUNCH, ANNA), "somebody else"),
        (lambda: Rotation((), date(2026, 1, 1)), "turns of at least one day"),
        (lambda: Rotation(((),), date(2026, 1, 1)), "turns of at least one day"),
        (lambda: Rotation(TURNS, date(2026, 1, 1), cover=BORIS), "for the lunch"),
        (lambda: Rotation(TURNS, date(2026, 1, 1), 0), "turns of at least one day"),
        (lambda: OneOff(ANNA, local("mon 9:00"), local("mon 9:00")), "must come after"),
        (lambda: OneOff(ANNA, MONDAY, MONDAY + timedelta(hours=1)), "without a zone"),
        (lambda: Override((), local("mon 9:00"), local("mon 8:00")), "must come after"),
        (lambda: Swap(ANNA, ANNA, local("mon 8:00"), local("mon 9:00")), "two operators"),
        (
            lambda: Absence(ANNA, local("mon 8:00"), local("mon 9:00"), ZONE, cover=ANNA),
            "nobody covers",
        ),
    ],
)
def test_entries_that_make_no_sense_are_refused(make: object, why: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=why):
        make()


def test_clocks_set_back_over_midnight_show_an_evening_twice() -> None:
    roster = Roster("America/St_Johns", (Shift(ANNA, frozenset({6}), time(9), time(0)),))
    timeline = Timeline(roster)
    # Saturday 6 November 2010: at 00:01 the clocks went back to 23:01.
    first, second = (datetime(2010, 11, 7, hour, 15, tzinfo=UTC) for hour in (2, 3))
    assert {moment.astimezone(ZoneInfo(roster.zone)).hour for moment in (first, second)} == {23}
    assert timeline.at(first)[ANNA] is Presence.ON_SHIFT
    assert timeline.at(second)[ANNA] is Presence.OFF  # the shift ended at the first midnight
    assert timeline.at(second + timedelta(hours=1))[ANNA] is Presence.OFF


def test_what_the_clocks_jump_over_is_no_duty() -> None:
    day = datetime(2026, 3, 29)  # noqa: DTZ001  # at 02:00 they show 03:00
    hour = (day.replace(hour=2), day.replace(hour=2, minute=30))
    roster = Roster(
        "Europe/Berlin",
        (Shift(ANNA, frozenset({7}), time(2), time(2, 30)),),
        one_offs=(OneOff(BORIS, *hour),),
        overrides=(Override((VERA,), *hour),),
        swaps=(Swap(ANNA, VERA, *hour),),
        absences=(Absence(GLEB, *hour, "Europe/Berlin", cover=VERA),),
    )
    start = datetime(2026, 3, 29, tzinfo=UTC)
    assert resolve(roster, start, start + timedelta(days=1)).slots == ()
    assert len(resolve(roster, start - timedelta(days=7), start).slots) == 1
