"""Decisions while clients, rosters and the block list change in the database.

`python -m tests.bench.changing measure FILE ROUNDS` measures over a file that `fill` made, and
prints JSON; `… change FILE WHAT NUMBER` makes one change, and prints when it was committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine

from telephony.ami.client import AmiAddress
from telephony.cli.running import favour_the_loop
from telephony.domain.blocklist import Blocked
from telephony.domain.directory import ClientChange, Directory
from telephony.domain.record import CallRecord
from telephony.domain.setup import Setup
from telephony.feed import Feed
from telephony.listener import Listener
from telephony.logs import set_up_logs
from telephony.store.blocklist import block
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData, load_clients
from telephony.store.directory import current_version
from telephony.store.engine import open_engine, reading, writing
from telephony.store.setup import replace_setup
from tests.bench import people, rosters
from tests.bench.locked import Wire, events
from tests.bench.memory import fill
from tests.bench.tables import Report, Table, quantile

CLIENTS = 1_000_000
CHANGED = 10_000
BLOCKED = 9_000
MOST_MS = 10.0
MOST_SECONDS = 1.0

_EVERY = 0.005
_CALM = 2.0
_AFTER = 0.3
_LONGEST = 60.0
KINDS = {
    "free": "nothing changes",
    "clients": f"{CHANGED:,} of {CLIENTS:,} clients change",
    "rosters": "the rosters of 500 operators change",
    "block": f"a number joins {BLOCKED:,} blocked",
    "reload": "beside: all clients loaded anew by a thread",
}


class _Nowhere:
    """Takes records and drops them."""

    def put(self, _record: CallRecord) -> None:
        """Drop one."""


def prepare(path: Path, size: int) -> None:
    """Make a database of so many clients, 500 operators with rosters, and a long block list."""
    fill(path, size)
    engine = open_engine(f"sqlite:///{path}")
    lines = [Blocked(f"+7812{n:07d}", "spam", "anna", datetime.now(UTC)) for n in range(BLOCKED)]
    with writing(engine) as session:
        replace_setup(session, rosters.setup(rostered=True))
        block(session, lines)
    engine.dispose()


def change(engine: Engine, what: str, number: int) -> float:
    """Make one change; return when it was committed (seconds since the epoch)."""
    with writing(engine) as session:
        if what == "clients":
            first = number * CHANGED
            save_clients(session, (), dict(map(_other, range(first, first + CHANGED))))
        elif what == "rosters":
            replace_setup(session, rosters.setup(rostered=bool(number % 2)))
        else:
            block(session, [Blocked(f"+7843{number:07d}", "x", "anna", datetime.now(UTC))])
    return time.time()


def _other(index: int) -> tuple[int, ClientData]:
    """Return a client with another name, another manager, and a number less or more."""
    numbers = (people.numbers(index)[0], f"+7496{index:07d}")
    manager = people.extension((index + 7) % rosters.MANAGERS)
    return index + 1, ClientData(f"{people.client_name(index)} *", numbers, manager, vip=True)


class _Bench:
    """A listener whose directory and set-up a feed keeps up with the database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = open_engine(f"sqlite:///{path}")
        self.loop = asyncio.get_running_loop()
        self.applied_at = 0.0
        self.feed = Feed(self.engine, Directory(), self._hop)
        directory, setup = self.feed.load()
        address = AmiAddress("127.0.0.1", 1, "", "")
        self.listener = Listener(address, "token", "RU", directory, setup, _Nowhere())
        self.wire = Wire()
        self.listener.client._protocol = cast(Any, self.wire)
        self.listener.client.connected = True
        self.calls = 0

    def _hop(self, changes: Sequence[ClientChange], setup: Setup | None) -> None:
        self.loop.call_soon_threadsafe(self._apply, changes, setup)

    def _apply(self, changes: Sequence[ClientChange], setup: Setup | None) -> None:
        self.listener.apply(changes, setup)
        self.applied_at = time.time()

    async def decide(self, took: dict[str, list[float]], until: asyncio.Task[Any]) -> None:
        """Announce calls one after the other until a task is done; note ms of each decision.

        The next one is due a moment after the one before, so that each pause counts once. Each is
        called by the loop as it wakes, as what the PBX sends is: a task would wait for the
        interpreter once more.
        """
        ended = self.loop.create_future()

        def announce(due: float) -> None:
            told = events(self.calls, int(time.time() * 1e6), rosters.did(self.calls % 500))
            announced = next(told)
            entered = time.perf_counter()
            self.listener.on_event(announced, entered)
            took["event"].append((time.perf_counter() - entered) * 1000)
            took["due"].append((self.wire.sent_at - due) * 1000)
            for event in told:
                self.listener.on_event(event, entered)
            self.calls += 1
            if until.done():
                ended.set_result(None)
            else:
                self.loop.call_later(_EVERY, announce, time.perf_counter() + _EVERY)

        self.loop.call_later(_EVERY, announce, time.perf_counter() + _EVERY)
        await ended
        await until

    async def changed(self, what: str, number: int) -> float:
        """Have another process change something; return the seconds until it was in place."""
        argv = [sys.executable, "-m", "tests.bench.changing", "change", str(self.path), what]
        process = await asyncio.create_subprocess_exec(
            *argv, str(number), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        found = json.loads(said)
        deadline = time.monotonic() + _LONGEST
        while self.feed.version < found["version"]:
            if time.monotonic() > deadline:
                raise SystemExit(f"a change of {what} was not in place after {_LONGEST} s")
            await asyncio.sleep(0.01)
        await asyncio.sleep(_AFTER)
        return max(0.0, self.applied_at - float(found["at"]))

    async def reloaded(self) -> float:
        """Load all clients anew in a thread and put them in place at once, as one might."""

        def load() -> Directory:
            made = Directory()
            with reading(self.engine) as session:
                made.load(load_clients(session))
            return made

        began = time.monotonic()
        self.listener._directory = await asyncio.to_thread(load)
        return time.monotonic() - began


async def _measure(path: Path, rounds: int) -> dict[str, dict[str, list[float]]]:
    bench = _Bench(path)
    gc.collect()
    favour_the_loop(bench.feed)
    bench.feed.start()
    sweeper = asyncio.create_task(bench.listener._sweep())
    found: dict[str, dict[str, list[float]]] = {
        kind: {"event": [], "due": [], "seconds": []} for kind in KINDS
    }
    for number in range(rounds + 1):
        for kind in KINDS:
            took: dict[str, list[float]] = {"event": [], "due": [], "seconds": []}
            task: asyncio.Task[Any]
            if kind == "free":
                task = asyncio.create_task(asyncio.sleep(_CALM))
            elif kind == "reload":
                task = asyncio.create_task(bench.reloaded())
            else:
                task = asyncio.create_task(bench.changed(kind, number))
            await bench.decide(took, task)
            if kind not in ("free", "reload"):
                took["seconds"].append(task.result())
            if number:  # the first round warms up
                for what, times in took.items():
                    found[kind][what] += times
    bench.feed.stop()
    sweeper.cancel()
    return found


def run(quick: bool) -> Report:
    """Measure and judge."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="dutyline-bench-") as folder:
        path = Path(folder) / "clients.db"
        prepare(path, CLIENTS)
        argv = [sys.executable, "-m", "tests.bench.changing", "measure", str(path)]
        argv.append("1" if quick else "5")
        done = subprocess.run(argv, stdout=subprocess.PIPE, check=True)
    found: dict[str, dict[str, list[float]]] = json.loads(done.stdout)
    table = Table(
        f"Decisions among {CLIENTS:,} clients, one after the other, from when each was due",
        ("while", "calls", "p50 ms", "p99 ms", "longest ms", "× free", "itself ms", "in place s"),
    )
    base = max(found["free"]["due"])
    for kind, words in KINDS.items():
        one = found[kind]
        worst = max(one["due"])
        table.add(
            words,
            f"{len(one['due']):,}",
            f"{quantile(one['due'], 0.5):.2f}",
            f"{quantile(one['due'], 0.99):.2f}",
            f"{worst:.1f}",
            f"{worst / base:.2f}",
            f"{max(one['event']):.1f}",
            f"{max(one['seconds']):.2f}" if one["seconds"] else "",
        )
    report.tables.append(table)
    for kind in ("clients", "rosters", "block"):
        one = found[kind]
        report.target(
            max(one["due"]) <= MOST_MS,
            f"while {KINDS[kind]} no decision is later than {max(one['due']):.1f} ms "
            f"(target ≤ {MOST_MS:.0f}; {base:.1f} while nothing changes)",
        )
        report.target(
            max(one["seconds"]) <= MOST_SECONDS,
            f"… and it is in place {max(one['seconds']):.2f} s after the commit "
            f"(target ≤ {MOST_SECONDS:.0f})",
        )
    return report


def main(arguments: list[str]) -> None:
    """Run one of the two processes."""
    what, path = arguments[0], Path(arguments[1])
    if what == "measure":
        set_up_logs("error", "json")
        # Other programs of the machine would be measured, too.
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        print(json.dumps(asyncio.run(_measure(path, int(arguments[2])))))
        return
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    engine = open_engine(f"sqlite:///{path}")
    at = change(engine, arguments[2], int(arguments[3]))
    with reading(engine) as session:
        print(json.dumps({"at": at, "version": current_version(session).version}))
    engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1:])
