"""Who is on duty: resolving rosters, looking into a day of them, and deciding by them.

Beside it the same shifts and turns as RRULEs, expanded by python-dateutil. These know neither
overrides, swaps, absences and covers, nor gaps: they are what expanding alone costs.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from telephony.ami import actions
from telephony.domain.directory import Directory
from telephony.domain.duty import Presence, Roster, Shift, Timeline, resolve
from telephony.domain.duty.slots import Interval, union
from telephony.domain.duty.walltime import reached
from telephony.domain.numbers import normalise
from telephony.domain.routing import Question, Situation, decide
from telephony.domain.setup import Setup
from tests.bench import decide as deciding
from tests.bench import people, rosters
from tests.bench.tables import Report, Table, quantile

MOST_GROUP_MS = 50.0  # four weeks of one group: what a page of the panel waits for
MOST_FIRST_LOOK_MS = 5.0
MOST_DECISION = 1.5  # against the same company always on shift
MOST_RULED = 4.0
_RULES = "rules for every number"
_CLIENTS = 100_000
_CHANNEL = "PJSIP/trunk-0000002a"
_LOOKS = 200


def run(quick: bool) -> Report:
    """Measure and judge."""
    report = Report()
    _agree()
    _resolving(report, 3 if quick else 12)
    _looking(report, 2 if quick else 6)
    _deciding(report, 4 if quick else 20)
    return report


def _timed(work: Callable[[], object]) -> float:
    """Return the milliseconds that it takes, on a clean heap."""
    gc.collect()
    began = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - began) / 1e6


def _agree() -> None:
    """Raise RuntimeError unless both say the same of a roster's base: else they do not compare."""
    for group in range(len(rosters.ZONES)):
        roster = _coverless(rosters.base(group))
        ours: dict[str, list[Interval]] = {}
        for slot in resolve(roster, rosters.SINCE, rosters.UNTIL).slots:
            if not slot.lunch:
                ours.setdefault(slot.operator, []).append(slot.interval)
        theirs: dict[str, list[Interval]] = {}
        for rule in rosters.rules(roster):
            theirs.setdefault(rule.operator, []).extend(
                Interval(*each) for each in rosters.expanded(rule, rosters.SINCE, rosters.UNTIL)
            )
        for operator in ours.keys() | theirs.keys():
            if union(ours.get(operator, ())) != union(theirs.get(operator, ())):
                raise RuntimeError(f"{operator} of group {group}: the rules say something else")


def _coverless(roster: Roster) -> Roster:
    """Return a base without covers, all in one layer, as rules have it."""
    shifts: tuple[Shift, ...] = tuple(replace(shift, cover=None) for shift in roster.shifts)
    turns = tuple(replace(rotation, layer=0) for rotation in roster.rotations)
    return replace(roster, shifts=shifts, rotations=turns)


def _resolving(report: Report, rounds: int) -> None:
    since, until = rosters.SINCE, rosters.UNTIL
    known = {
        "everything": [rosters.full(number) for number in range(rosters.GROUPS)],
        "base alone": [rosters.base(number) for number in range(rosters.GROUPS)],
    }
    rules = [rosters.rules(roster) for roster in known["base alone"]]
    took: dict[str, list[float]] = {}

    def expand() -> None:
        for group in rules:
            for rule in group:
                list(rosters.expanded(rule, since, until))

    for number in range(rounds + 1):
        for name, given in known.items():
            for state in ("first time", "again"):
                if state == "first time":
                    reached.cache_clear()
                spent = _timed(lambda: [resolve(roster, since, until) for roster in given])  # noqa: B023
                if number:  # the first round warms up
                    took.setdefault(f"Dutyline, {name}, {state}", []).append(spent)
        spent = _timed(expand)
        if number:
            took.setdefault("python-dateutil, base alone", []).append(spent)
    peer = quantile(took["python-dateutil, base alone"], 0.5)
    table = Table(
        f"Four weeks of {rosters.GROUPS} groups × {rosters.GROUP_SIZE} operators, {rounds} rounds",
        ("", "p50 ms", "longest", "ms a group", "× dateutil"),
    )
    for name, times in took.items():
        middle = quantile(times, 0.5)
        table.add(
            name,
            f"{middle:.0f}",
            f"{max(times):.0f}",
            f"{middle / rosters.GROUPS:.2f}",
            f"{middle / peer:.2f}",
        )
    report.tables.append(table)
    each = quantile(took["Dutyline, everything, first time"], 0.5) / rosters.GROUPS
    report.target(
        each <= MOST_GROUP_MS,
        f"four weeks of a group are resolved in {each:.1f} ms (target ≤ {MOST_GROUP_MS:.0f})",
    )


def _moments(count: int, day: int) -> list[datetime]:
    chance = random.Random(day)
    begin = rosters.SINCE + timedelta(days=day, hours=6)
    return [begin + timedelta(seconds=chance.randrange(12 * 3600)) for _ in range(count)]


def _looking(report: Report, rounds: int) -> None:
    """Look into days nobody looked into before, then again and again into the same."""
    first: list[float] = []
    further: list[float] = []
    theirs: list[float] = []
    for number in range(rounds + 1):
        reached.cache_clear()
        day = 1 + number * 3
        for group in range(rosters.GROUPS):
            roster = rosters.full(group)
            timeline, rules = Timeline(roster), rosters.rules(roster)
            fresh = _timed_once(timeline.at, _moments(1, day))
            again = _timed_once(timeline.at, _moments(_LOOKS, day))
            peer = _timed_once(lambda moment: rosters.on_duty(rules, moment), _moments(2, day))  # noqa: B023
            if number:
                first += fresh
                further += again
                theirs += peer
    table = Table(
        "One look at who of a group is on duty", ("", "looks", "p50 µs", "p99 µs", "× dateutil")
    )
    base = quantile(theirs, 0.5)
    for name, times in (
        ("Dutyline, the first of a day", first),
        ("Dutyline, further ones", further),
        ("python-dateutil, base alone", theirs),
    ):
        p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
        table.add(name, f"{len(times):,}", f"{p50:.1f}", f"{p99:.1f}", f"{p50 / base:.4f}")
    report.tables.append(table)
    p99 = quantile(first, 0.99) / 1000
    report.target(
        p99 <= MOST_FIRST_LOOK_MS,
        f"the first look into a group's day holds the loop up for {p99:.2f} ms (p99; "
        f"target ≤ {MOST_FIRST_LOOK_MS:.0f})",
    )


def _timed_once(look: Callable[[datetime], object], moments: Sequence[datetime]) -> list[float]:
    """Return the microseconds of each look."""
    took = []
    for moment in moments:
        began = time.perf_counter_ns()
        look(moment)
        took.append((time.perf_counter_ns() - began) / 1000)
    return took


def _deciding(report: Report, rounds: int) -> None:
    """Decide over a working day, calls spread over all numbers."""
    known = Directory()
    known.load(people.clients(_CLIENTS, rosters.MANAGERS))
    setups = {
        "rosters with everything": rosters.setup(rostered=True),
        "always on shift": rosters.setup(rostered=False),
    }
    setups[_RULES] = rosters.with_rules(setups["rosters with everything"])
    # A phone rings for each manager on duty: a state for each, so that nothing is unknown.
    devices = {f"PJSIP/{people.endpoint(one)}": "NOT_INUSE" for one in range(rosters.MANAGERS)}
    took: dict[str, list[float]] = {name: [] for name in setups}
    on_duty = _share_on_duty(setups["rosters with everything"])
    for number in range(rounds + 1):
        day = 1 + number % 20
        moments = sorted(_moments(1000, day))
        callers = deciding.callers(_CLIENTS, len(moments), number)
        for name, setup in setups.items():
            for group in setup.groups.values():
                group.timeline.at(moments[0])  # the first look of a day is measured above
            gc.collect()
            chance = random.Random(number)
            for raw, moment in zip(callers, moments, strict=True):
                did = rosters.did(chance.randrange(rosters.DIDS))
                began = time.perf_counter_ns()
                found = normalise(raw, "RU") or ""
                question = Question(did, found, moment)
                last = (people.extension(0), moment) if setup is setups[_RULES] else None
                decision = decide(question, Situation(known.find(found), devices, last), setup)
                actions.plan(_CHANNEL, decision.plan)
                spent = (time.perf_counter_ns() - began) / 1000
                if number:
                    took[name].append(spent)
    table = Table(
        f"A decision: {rosters.MANAGERS} managers, {rosters.GROUPS} groups, {rosters.DIDS} DIDs, "
        f"{_CLIENTS:,} clients; {on_duty:.0%} of those in rosters on duty",
        ("", "decisions", "p50 µs", "p99 µs", "a second", "× always"),
    )
    base = sum(took["always on shift"])
    for name, times in took.items():
        table.add(
            name,
            f"{len(times):,}",
            f"{quantile(times, 0.5):.0f}",
            f"{quantile(times, 0.99):.0f}",
            f"{len(times) / sum(times) * 1e6:,.0f}",
            f"{sum(times) / base:.2f}",
        )
    report.tables.append(table)
    ratio = sum(took["rosters with everything"]) / base
    report.target(
        ratio <= MOST_DECISION,
        f"decisions by rosters take {ratio:.2f} × those of a company that is always on shift "
        f"(target ≤ {MOST_DECISION})",
    )
    ruled = sum(took[_RULES]) / base
    report.target(
        ruled <= MOST_RULED,
        f"with rules for each of {rosters.DIDS} numbers and {rosters.BLOCKED:,} blocked ones they "
        f"take {ruled:.2f} × (target ≤ {MOST_RULED})",
    )


def _share_on_duty(setup: Setup) -> float:
    here = all_of = 0
    for group in setup.groups.values():
        states = Timeline(group.roster).at(rosters.SINCE + timedelta(days=2, hours=11))
        here += sum(state is Presence.ON_SHIFT for state in states.values())
        all_of += len(states)
    return here / all_of
