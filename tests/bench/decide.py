"""What a decision costs with up to a million clients, and what the directory takes in memory."""

from __future__ import annotations

import gc
import json
import random
import subprocess
import sys
import time
from datetime import UTC, datetime

from telephony.ami import actions
from telephony.domain.directory import Assignment, Client, ClientChange, Directory
from telephony.domain.numbers import normalise
from telephony.domain.routing import Question, Situation, decide
from tests.bench import people
from tests.bench.tables import Report, Table, bootstrap, quantile

SIZES = (1_000, 100_000, 1_000_000)
MANAGERS = 50
MOST_RATIO = 1.2
MOST_MB = 300.0
MOST_PAUSE_MS = 10.0
CHANGES = 200
_CHANNEL = "PJSIP/trunk-0000002a"
_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_BATCH = 500


def directory(size: int) -> Directory:
    """Return a directory of so many clients."""
    made = Directory()
    made.load(people.clients(size, MANAGERS))
    return made


def callers(size: int, count: int, seed: int) -> list[str]:
    """Return numbers as trunks send them: seven of ten are a client's, half without the plus."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        index = chance.randrange(size) if chance.random() < 0.7 else chance.randrange(10**8, 10**9)
        number = f"+79{index:09d}"
        found.append(number if chance.random() < 0.5 else "8" + number[2:])
    return found


def _timed(known: Directory, numbers: list[str]) -> list[float]:
    """Return µs for each: normalise, find, decide, and build the actions."""
    setup = people.setup(MANAGERS)
    devices = {f"PJSIP/{people.endpoint(index)}": "NOT_INUSE" for index in range(MANAGERS)}
    took = []
    for raw in numbers:
        began = time.perf_counter_ns()
        number = normalise(raw, "RU") or ""
        decision = decide(
            Question(people.DID, number, _AT), Situation(known.find(number), devices), setup
        )
        actions.plan(_CHANNEL, decision.plan)
        took.append((time.perf_counter_ns() - began) / 1000)
    return took


def _decisions(report: Report, rounds: int) -> Directory:
    """Measure decisions over all sizes in turns; return the greatest directory."""
    known = {size: directory(size) for size in SIZES}
    gc.collect()
    gc.freeze()
    took: dict[int, list[float]] = {size: [] for size in SIZES}
    for number in range(rounds + 1):
        for size in (SIZES, SIZES[::-1])[number % 2]:
            times = _timed(known[size], callers(size, _BATCH, number * 7 + size))
            if number:  # the first round warms up
                took[size] += times
    table = Table(
        "A decision: normalise, find, decide, plan", ("clients", "p50 µs", "p99 µs", "× 1,000")
    )
    base = quantile(took[SIZES[0]], 0.5)
    for size, times in took.items():
        p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
        table.add(f"{size:,}", f"{p50:.1f}", f"{p99:.1f}", f"{p50 / base:.2f}")
    report.tables.append(table)
    ratio = quantile(took[SIZES[-1]], 0.5) / base
    low, high = bootstrap(
        took[SIZES[-1]][:4000], took[SIZES[0]][:4000], lambda values: quantile(values, 0.5), 200
    )
    report.target(
        ratio <= MOST_RATIO,
        f"a decision among a million clients takes {ratio:.2f} × as long as among a thousand "
        f"(target ≤ {MOST_RATIO}; noise {low:.2f}–{high:.2f})",
    )
    return known[SIZES[-1]]


def _pauses(report: Report, known: Directory, batches: int) -> None:
    """Apply changes in hundreds: mostly changed clients, some new, some that lost a number."""
    chance = random.Random(3)
    took = []
    for number in range(batches):
        changes = []
        for step in range(CHANGES):
            index = chance.randrange(SIZES[-1])
            if step % 5 == 0:
                index = SIZES[-1] + number * CHANGES + step
            client = Client(
                index + 1,
                people.client_name(index),
                Assignment(people.extension(index % MANAGERS)),
            )
            numbers = people.numbers(index)
            changes.append(ClientChange(client, numbers[:1], numbers[1:]))
        began = time.perf_counter_ns()
        for change in changes:
            known.apply(change)
        took.append((time.perf_counter_ns() - began) / 1e6)
    worst = max(took)
    table = Table(
        f"{CHANGES} changes put in place among a million clients",
        ("", "p50 ms", "p99 ms", "max ms"),
    )
    table.add(
        f"{batches:,} times",
        f"{quantile(took, 0.5):.2f}",
        f"{quantile(took, 0.99):.2f}",
        f"{worst:.2f}",
    )
    report.tables.append(table)
    report.target(
        worst <= MOST_PAUSE_MS,
        f"{CHANGES} changes hold the loop up for at most {worst:.1f} ms "
        f"(target ≤ {MOST_PAUSE_MS:.0f})",
    )


def _memory(report: Report, sizes: tuple[int, ...], via: str, title: str) -> None:
    """Load directories in processes of their own."""
    table = Table(title, ("clients", "numbers", "load s", "MB", "MB at its highest"))
    for size in sizes:
        argv = [sys.executable, "-m", "tests.bench.memory", via, str(size)]
        done = subprocess.run(argv, capture_output=True, check=True, text=True)
        found = json.loads(done.stdout)
        table.add(
            f"{size:,}",
            f"{found['numbers']:,}",
            f"{found['seconds']:.2f}",
            f"{found['mb']:.0f}",
            f"{found['peak_mb']:.0f}",
        )
        if size == SIZES[-1]:
            report.target(
                found["mb"] <= MOST_MB,
                f"the directory of a million clients, loaded from {via}, takes {found['mb']:.0f} MB"
                f" (target ≤ {MOST_MB:.0f})",
            )
    report.tables.append(table)


def _locked(report: Report, rounds: int) -> None:
    """Measure the listener while another process's lock holds the database up."""
    argv = [sys.executable, "-m", "tests.bench.locked", str(rounds)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    found: dict[str, dict[str, list[float]]] = json.loads(done.stdout)
    table = Table(
        "An announced call in the listener, 200 calls/s, records written to SQLite",
        ("", "calls", "p50 ms", "p99 ms", "max ms"),
    )
    for what, title in (("event", "the event alone"), ("due", "from when it was due")):
        for state in ("free", "locked"):
            times = found[state][what]
            table.add(
                f"{title}, database {state}",
                f"{len(times):,}",
                f"{quantile(times, 0.5):.2f}",
                f"{quantile(times, 0.99):.2f}",
                f"{max(times):.1f}",
            )
    report.tables.append(table)
    locked, free = found["locked"]["due"], found["free"]["due"]
    ratio = quantile(locked, 0.99) / quantile(free, 0.99)
    low, high = bootstrap(locked, free, lambda values: quantile(values, 0.99), 200)
    report.target(
        ratio <= MOST_RATIO,
        f"with the database locked for 1 s the p99 of a decision is {ratio:.2f} × that without "
        f"(target ≤ {MOST_RATIO}; noise {low:.2f}–{high:.2f})",
    )


def run(quick: bool) -> Report:
    """Measure and judge."""
    report = Report()
    _memory(report, SIZES, "rows", "A directory loaded from rows in memory")
    stored = SIZES[:2] if quick else SIZES
    _memory(report, stored, "sqlite", "The same loaded by the feed from SQLite")
    greatest = _decisions(report, 8 if quick else 40)
    _pauses(report, greatest, 100 if quick else 1000)
    del greatest
    gc.unfreeze()
    _locked(report, 3 if quick else 10)
    return report
