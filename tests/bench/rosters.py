"""Fifty groups of twenty operators with everything a roster can hold, and their base as RRULEs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import WEEKLY, rrule

from telephony.domain.blocklist import Blocked, Blocklist
from telephony.domain.did import Action, ActionKind, Did, StepName, StepRule, Strategy
from telephony.domain.duty import Absence, OneOff, Override, Roster, Rotation, Shift, Swap
from telephony.domain.hours import Hours, Opening, OwnDay
from telephony.domain.queueing import QueueSettings
from telephony.domain.setup import Group, Operator, Setup
from tests.bench import people

GROUPS = 50
GROUP_SIZE = 20
MANAGERS = 500  # each is in two groups
DIDS = 500
BLOCKED = 9_000
ZONES = ("Europe/Moscow", "Europe/Berlin", "Asia/Yekaterinburg", "America/New_York")
# Four weeks over which Berlin's and New York's clocks change.
SINCE = datetime(2026, 3, 2, tzinfo=UTC)
UNTIL = SINCE + timedelta(weeks=4)

_FIRST = date(2026, 2, 16)
_WEEKDAYS = frozenset(range(1, 6))
_EVERY_DAY = frozenset(range(1, 8))
_NIGHT = (time(20), time(8))
_DAY = timedelta(days=1)

Interval = tuple[datetime, datetime]


def members(group: int) -> list[str]:
    """Return the extensions of a group: managers are in the group of theirs and the next."""
    first = group * GROUP_SIZE // 2
    return [people.extension((first + place) % MANAGERS) for place in range(GROUP_SIZE)]


def base(group: int) -> Roster:
    """Return a group's shifts with lunches and its nights in turns, without any change of them."""
    who = members(group)
    shifts = []
    for place, operator in enumerate(who):
        start = 8 + place % 4
        lunch = (time(start + 4), time(start + 4, 30))
        shifts.append(
            Shift(
                operator,
                _EVERY_DAY if place % 5 == 0 else _WEEKDAYS,
                time(start),
                time(start + 9),
                lunch,
                who[(place + 1) % GROUP_SIZE],
            )
        )
    turns = tuple((one, other) for one, other in zip(who[::2], who[1::2], strict=True))
    nights = Rotation(turns, _FIRST, 7, time(8), *_NIGHT, layer=1)
    return Roster(ZONES[group % len(ZONES)], tuple(shifts), (nights,))


def full(group: int) -> Roster:
    """Return a group's roster with what changes it: a month of overrides, swaps and absences."""
    who = members(group)
    first = datetime.combine(SINCE.date(), time())
    days = [first + number * _DAY for number in range(28)]
    return replace(
        base(group),
        one_offs=tuple(
            OneOff(who[place], days[5 + place] + timedelta(hours=9), days[5 + place] + 0.5 * _DAY)
            for place in range(4)
        ),
        overrides=tuple(
            Override(
                (who[place],),
                days[place * 4] + timedelta(hours=10),
                days[place * 4] + timedelta(hours=15),
                frozenset({who[place + 6]}),
            )
            for place in range(6)
        ),
        swaps=tuple(
            Swap(who[place], who[place + 10], days[place * 5 + 1], days[place * 5 + 2])
            for place in range(5)
        ),
        absences=tuple(
            Absence(
                who[place * 3],
                days[place * 4],
                days[place * 4 + 5],
                ZONES[group % len(ZONES)],
                cover=who[place * 3 + 1],
            )
            for place in range(5)
        ),
    )


def setup(*, rostered: bool) -> Setup:
    """Return the whole company; not `rostered`, everybody is always on shift."""
    operators = {}
    for index in range(MANAGERS):
        extension = people.extension(index)
        operators[extension] = Operator(extension, f"Manager {index}", people.endpoint(index))
    groups = {}
    absences: list[Absence] = []
    for number in range(GROUPS):
        if rostered:
            roster = full(number)
            absences += roster.absences
        else:
            always = (Shift(who, _EVERY_DAY, time(0), time(0)) for who in members(number))
            roster = Roster(ZONES[number % len(ZONES)], tuple(always))
        groups[f"group-{number}"] = Group(f"group-{number}", roster)
    dids = {did(index): Did(did(index), f"group-{index % GROUPS}") for index in range(DIDS)}
    return Setup(operators, groups, dids, None, tuple(absences))


def with_rules(plain: Setup) -> Setup:
    """Return the company with rules for each of its numbers, and a long block list.

    Opening hours with holidays and own days, a greeting, the last operator, settings of steps,
    a queue, a group that takes over, what comes when nobody answers.
    """
    hours = {
        f"hours-{number}": Hours(
            f"hours-{number}",
            zone,
            (Opening(_EVERY_DAY, time(0), time(0)),),
            country,
            "",
            tuple(OwnDay(date(2025, 1, 1 + each), date(2025, 1, 1 + each)) for each in range(20)),
        )
        for number, (zone, country) in enumerate(zip(ZONES, ("RU", "DE", "RU", "US"), strict=True))
    }
    steps = {
        StepName.MANAGER_DESK: StepRule(seconds=15, announcement="@wait"),
        StepName.DUTY: StepRule(strategy=Strategy.IN_TURN),
        StepName.QUEUE: StepRule(seconds=60),
    }
    dids = {
        number: replace(
            one,
            title=f"Line {number}",
            hours=f"hours-{place % len(ZONES)}",
            greeting="@welcome",
            last_operator_days=30,
            vip_always=True,
            overflow=f"group-{(place + 1) % GROUPS}",
            closed=Action(ActionKind.VOICEMAIL, "@closed", "1"),
            unanswered=Action(ActionKind.PROMISE, "@sorry"),
            steps=steps,
        )
        for place, (number, one) in enumerate(plain.dids.items())
    }
    groups = {name: replace(one, queue=QueueSettings(name)) for name, one in plain.groups.items()}
    lines = (Blocked(f"+7812{n:07d}", "spam", "anna", SINCE) for n in range(BLOCKED))
    beginnings = (Blocked(f"+{n}*", "spam", "anna", SINCE) for n in range(8800, 8900))
    blocked = Blocklist((*lines, *beginnings))
    return replace(plain, dids=dids, groups=groups, hours=hours, blocked=blocked)


def did(index: int) -> str:
    """Return a number that callers dial."""
    return f"7495{index:07d}"


@dataclass(frozen=True)
class Rule:
    """A weekly rule and how long each of its occurrences lasts by the clock."""

    operator: str
    starts: rrule
    lasts: timedelta
    zone: ZoneInfo


def rules(roster: Roster) -> list[Rule]:
    """Return a roster's base as RRULEs: what is before lunch and what is after it, and nights.

    Each turn of the nights comes once a week for as many weeks as there are turns in a round.
    """
    zone = ZoneInfo(roster.zone)
    found = []
    for shift in roster.shifts:
        assert shift.lunch is not None
        days = [day - 1 for day in sorted(shift.days)]
        for start, end in ((shift.start, shift.lunch[0]), (shift.lunch[1], shift.end)):
            begin = datetime.combine(_FIRST, start)
            lasts = datetime.combine(_FIRST, end) - begin
            found.append(Rule(shift.operator, rrule(WEEKLY, begin, byweekday=days), lasts, zone))
    for rotation in roster.rotations:
        round_of = len(rotation.turns)
        for place, turn in enumerate(rotation.turns):
            begin = datetime.combine(rotation.first + place * 7 * _DAY, rotation.start)
            lasts = datetime.combine(_FIRST + _DAY, rotation.end) - datetime.combine(
                _FIRST, rotation.start
            )
            weekly = rrule(WEEKLY, begin, interval=round_of, byweekday=range(7))
            found += [Rule(operator, weekly, lasts, zone) for operator in turn]
    return found


def expanded(each: Rule, since: datetime, until: datetime) -> Iterator[Interval]:
    """Yield what of a rule lies in a span, in UTC."""
    first = since.astimezone(each.zone).replace(tzinfo=None) - each.lasts
    last = until.astimezone(each.zone).replace(tzinfo=None)
    for begin in each.starts.between(first, last, inc=True):
        start = begin.replace(tzinfo=each.zone).astimezone(UTC)
        end = (begin + each.lasts).replace(tzinfo=each.zone).astimezone(UTC)
        if start < until and since < end:
            yield max(start, since), min(end, until)


def on_duty(known: list[Rule], moment: datetime) -> set[str]:
    """Return who is on duty at a moment, by the last occurrence of each rule before it."""
    found = set()
    for each in known:
        local = moment.astimezone(each.zone).replace(tzinfo=None)
        begin = each.starts.before(local, inc=True)
        if begin is not None and local < begin + each.lasts:
            found.add(each.operator)
    return found
