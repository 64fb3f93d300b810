"""What must hold of any roster: in parts as in one piece, over every change of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.domain.duty import (
    Absence,
    Interval,
    OneOff,
    Override,
    Presence,
    Roster,
    Rotation,
    Shift,
    Swap,
    Timeline,
    resolve,
)
from telephony.domain.duty.slots import joined, union
from telephony.domain.duty.walltime import reached, shown
from tests.property.rosters import rosters, spans

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES = {
    "Europe/Moscow": (2010, 2016),  # its last changes, of 2011 and 2014, moved the zone for good
    "Europe/Berlin": (2024, 2030),
    "America/New_York": (2024, 2030),
    "Australia/Lord_Howe": (2024, 2030),  # by half an hour
    "Asia/Kolkata": (2024, 2030),  # no change, an odd offset
    "America/Nuuk": (2022, 2030),  # around midnight
    "Africa/Casablanca": (2024, 2030),  # by a calendar of its own
}


def changes(zone: str) -> list[datetime]:
    """Return the instants at which a zone's clocks change in its years."""
    first, last = ZONES[zone]
    moment, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    clock = ZoneInfo(zone)
    found = []
    while moment < end:
        following = moment + HOUR
        if moment.astimezone(clock).utcoffset() != following.astimezone(clock).utcoffset():
            low, high = moment, following
            while high - low > MINUTE:
                middle = low + (high - low) // MINUTE // 2 * MINUTE
                same = middle.astimezone(clock).utcoffset() == low.astimezone(clock).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high)
        moment = following
    return found


CHANGES = [(zone, at) for zone in ZONES for at in changes(zone)]


def test_the_changes_are_those_that_are_known() -> None:
    count = {zone: sum(each == zone for each, _ in CHANGES) for zone in ZONES}
    assert count["Europe/Moscow"] == 4  # 2010 twice, 2011, 2014
    assert count["Europe/Berlin"] == count["America/New_York"] == 14
    assert count["Australia/Lord_Howe"] == 14
    assert count["Asia/Kolkata"] == 0
    assert count["Africa/Casablanca"] > 0  # how many depends on the year of the zones' data


@pytest.mark.parametrize(
    ("zone", "at"), [pytest.param(zone, at, id=f"{zone} {at:%Y-%m-%d}") for zone, at in CHANGES]
)
def test_shifts_tile_every_change_of_the_clocks(zone: str, at: datetime) -> None:
    """Shifts that follow one another leave no moment out and hold none twice; none is moved."""
    begin, end = at - 2 * DAY, at + 2 * DAY
    for minutes in range(0, 24 * 60, 30):
        edges = [minutes, (minutes + 7 * 60) % 1440, (minutes + 15 * 60 + 30) % 1440]
        clocks = [time(*divmod(edge, 60)) for edge in edges]
        shifts = tuple(
            Shift(name, frozenset(range(1, 8)), clock, clocks[(number + 1) % 3])
            for number, (name, clock) in enumerate(zip("abc", clocks, strict=True))
        )
        duty = resolve(Roster(zone, shifts), begin, end)
        assert duty.gaps == (), minutes
        assert duty.slots[0].start == begin
        assert duty.slots[-1].end == end
        for one, other in zip(duty.slots, duty.slots[1:], strict=False):
            assert one.end == other.start, minutes  # neither a gap nor twice
            nominal = datetime.combine(other.source.day, clocks["abc".index(other.operator)])
            now, before = shown(other.start, zone), shown(other.start - MINUTE, zone)
            # At its time by the clock; at the jump when the clock has no such time.
            assert now == nominal or before < nominal < now, (minutes, nominal, now)


@pytest.mark.parametrize("zone", sorted({zone for zone, _ in CHANGES}))
def test_a_local_time_is_reached_once_and_in_order(zone: str) -> None:
    for at in (moment for name, moment in CHANGES if name == zone):
        local = shown(at - 4 * HOUR, zone)
        last = None
        for _ in range(12 * 60):
            moment = reached(local, zone)
            assert shown(moment, zone) >= local
            assert all(shown(moment - back * MINUTE, zone) < local for back in (1, 31, 61, 121))
            assert last is None or last <= moment
            last, local = moment, local + MINUTE


@pytest.mark.parametrize("zone", list(ZONES))
def test_a_turn_is_a_number_of_days_by_the_calendar(zone: str) -> None:
    """Weekly turns change on the same weekday at the same hour through the years."""
    first, last = ZONES[zone]
    rotation = Rotation((("a",), ("b",)), date(first, 1, 4), 7, time(9), time(9), time(9))
    begin, end = datetime(first, 2, 1, tzinfo=UTC), datetime(last, 12, 1, tzinfo=UTC)
    duty = resolve(Roster(zone, rotations=(rotation,)), begin, end)
    assert duty.gaps == ()
    assert duty.doubles == ()
    for one, other in zip(duty.slots, duty.slots[1:], strict=False):
        assert one.end == other.start
        at = shown(other.start, zone)
        assert at.time() == time(9)
        weeks = (at.date() - date(first, 1, 4)).days // 7
        assert other.operator == ("a", "b")[weeks % 2]


@settings(max_examples=300, deadline=None)
@given(rosters(imported=True), st.data())
def test_a_span_in_parts_is_the_span(made: tuple[Roster, datetime], data: st.DataObject) -> None:
    roster, around = made
    quarters = st.integers(-96 * 5, 96 * 5)
    a, b, c = sorted(
        around + step * timedelta(minutes=15)
        for step in data.draw(st.lists(quarters, min_size=3, max_size=3, unique=True))
    )
    whole, first, second = resolve(roster, a, c), resolve(roster, a, b), resolve(roster, b, c)
    assert joined([*first.slots, *second.slots]) == whole.slots
    assert union([*first.gaps, *second.gaps]) == list(whole.gaps)


@settings(max_examples=300, deadline=None)
@given(rosters(imported=True), st.data())
def test_every_moment_is_what_the_layers_say_of_it(
    made: tuple[Roster, datetime], data: st.DataObject
) -> None:
    """The same as laying the layers on top of each other at that moment alone."""
    roster, around = made
    moment = around + data.draw(st.integers(-96 * 5, 96 * 5)) * timedelta(minutes=15)
    duty = resolve(roster, around - 6 * DAY, around + 6 * DAY)
    found = {(slot.operator, slot.lunch) for slot in duty.slots if slot.start <= moment < slot.end}
    assert found == _layered(roster, moment)
    nobody = all(lunch for _, lunch in found)
    assert any(gap.start <= moment < gap.end for gap in duty.gaps) == nobody
    state = Timeline(roster).at(moment)
    on = {who for who, now in state.items() if now is Presence.ON_SHIFT}
    assert on == {who for who, lunch in found if not lunch}
    away = {each.operator for each in roster.absences if _covers(each, moment, each.zone)}
    assert all(state[who] is Presence.ABSENT for who in away if who in state)
    assert set(state) <= set(roster.named)


class _Place(NamedTuple):
    who: str
    lunch: bool = False
    cover: str | None = None


def _layered(roster: Roster, moment: datetime) -> set[tuple[str, bool]]:
    """Say who is on duty or at lunch at a moment, without slots: a list of people's places."""
    layers: dict[int, list[_Place]] = {}
    day = shown(moment, roster.zone).date()
    for near in (day - DAY, day, day + DAY):
        for shift in roster.shifts:
            at = _at(shift, near, moment, roster.zone)
            if near.isoweekday() in shift.days and at is not None:
                here = layers.setdefault(shift.layer, [])
                here.append(_Place(shift.operator, at, shift.cover))
        for rotation in roster.rotations:
            begun = datetime.combine(near, rotation.start)
            since = datetime.combine(rotation.first, rotation.handover)
            at = _at(rotation, near, moment, roster.zone)
            if near.isoweekday() not in rotation.days or begun < since or at is None:
                continue
            turn = rotation.turns[(begun - since).days // rotation.length % len(rotation.turns)]
            here = layers.setdefault(rotation.layer, [])
            here += [_Place(who, at, rotation.cover) for who in turn]
    for one in roster.one_offs:
        if _covers(one, moment, roster.zone):
            layers.setdefault(one.layer, []).append(_Place(one.operator))
    for one in roster.imported:
        if _covers(one, moment, "UTC"):
            layers.setdefault(one.layer, []).append(_Place(one.operator))
    places = layers[max(layers)] if layers else []
    for override in roster.overrides:
        if _covers(override, moment, roster.zone):
            instead = override.instead_of
            places = [each for each in places if instead is not None and each.who not in instead]
            places += [_Place(who) for who in override.operators]
    for swap in roster.swaps:
        if _covers(swap, moment, roster.zone):
            theirs = {swap.one: swap.other, swap.other: swap.one}
            places = [each._replace(who=theirs.get(each.who, each.who)) for each in places]
    absences = [each for each in roster.absences if _covers(each, moment, each.zone)]
    away = {each.operator for each in absences}
    left = [each for each in places if each.who not in away]
    busy = {each.who for each in left} | away
    for absence in absences:
        cover = absence.cover
        for each in places:
            if each.who == absence.operator and cover is not None and cover not in busy:
                left.append(each._replace(who=cover))
                busy.add(cover)
    for each in list(left):
        if each.lunch and each.cover is not None and each.cover not in busy:
            left.append(_Place(each.cover))
            busy.add(each.cover)
    return {(each.who, each.lunch) for each in left}


def _at(entry: Shift | Rotation, day: date, moment: datetime, zone: str) -> bool | None:
    """Tell whether a moment is in an entry's working day: None, False, or True at lunch."""

    def when(clock: time, after: datetime | None) -> datetime:
        at = datetime.combine(day, clock)
        while after is not None and at <= after:
            at += DAY
        return at

    start = when(entry.start, None)
    end = when(entry.end, start)
    if not reached(start, zone) <= moment < reached(end, zone):
        return None
    if entry.lunch is None:
        return False
    first = when(entry.lunch[0], None)
    if first < start:
        first += DAY
    last = when(entry.lunch[1], first)
    return reached(first, zone) <= moment < reached(last, zone)


def _covers(entry: OneOff | Override | Swap | Absence, moment: datetime, zone: str) -> bool:
    return reached(entry.start, zone) <= moment < reached(entry.end, zone)


@settings(max_examples=200, deadline=None)
@given(rosters(imported=True))
def test_slots_lie_in_the_span_and_in_order(made: tuple[Roster, datetime]) -> None:
    roster, around = made
    span = Interval(around - 3 * DAY, around + 3 * DAY)
    duty = resolve(roster, *span)
    assert all(span.start <= slot.start < slot.end <= span.end for slot in duty.slots)
    assert list(duty.slots) == sorted(duty.slots, key=lambda slot: (slot.start, slot.end))
    for absence in roster.absences:
        gone = Interval(reached(absence.start, absence.zone), reached(absence.end, absence.zone))
        assert not any(
            slot.operator == absence.operator and slot.start < gone.end and gone.start < slot.end
            for slot in duty.slots
        )


@settings(max_examples=100, deadline=None)
@given(rosters(), st.data())
def test_swapping_twice_is_not_swapping(made: tuple[Roster, datetime], data: st.DataObject) -> None:
    roster, around = made
    swap = Swap("101", "103", *data.draw(spans(around.replace(tzinfo=None))))
    base = Roster(roster.zone, roster.shifts, roster.rotations, roster.one_offs, roster.overrides)
    twice = Roster(
        roster.zone, roster.shifts, roster.rotations, roster.one_offs, roster.overrides,
        (swap, swap),
    )  # fmt: skip
    span = (around - 3 * DAY, around + 3 * DAY)
    assert resolve(twice, *span).slots == resolve(base, *span).slots
