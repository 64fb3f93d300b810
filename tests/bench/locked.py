"""The listener's own path, with its records going to SQLite, while others lock the database.

Prints JSON: for `free` and `locked` the milliseconds of each announced call, `event` from the call
of `on_event` to its return, `due` from when the event should have been handled to the plan's send.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from telephony.ami.client import AmiAddress
from telephony.domain.directory import Directory
from telephony.domain.events import (
    DialBegan,
    DialEnded,
    Event,
    HangupAsked,
    HungUp,
    Joined,
    Left,
    Offered,
)
from telephony.listener import Listener
from telephony.logs import set_up_logs
from telephony.store.engine import open_engine
from telephony.store.migrations import migrate
from telephony.writer import Writer
from tests.bench import people
from tests.bench.decide import MANAGERS

RATE = 200
_CLIENTS = 10_000
_LOCK_SECONDS = 1.0


class Wire:
    """Stands for the connection: notes when a plan was sent."""

    def __init__(self) -> None:
        self.sent_at = 0.0
        self.transport = self

    def write(self, _data: bytes) -> None:
        """Take a plan."""
        self.sent_at = time.perf_counter()


def events(index: int, now: int, did: str = people.DID) -> Iterator[Event]:
    """Yield an answered call's events; the first one announces it."""
    call, leg = f"1795000000.{index * 2}", f"1795000000.{index * 2 + 1}"
    trunk, desk = f"PJSIP/trunk-{index:08x}", f"PJSIP/op001-{index:08x}"
    number = people.numbers(index % _CLIENTS)[0]
    yield Offered(now, call, trunk, did, number)
    yield DialBegan(now + 3000, call, leg, desk, "op001")
    yield DialEnded(now + 5000, call, leg, desk, "ANSWER")
    yield Joined(now + 6000, call, leg, desk, "bridge")
    yield Joined(now + 6100, call, call, trunk, "bridge")
    yield HangupAsked(now + 9000, call, call, trunk)
    yield Left(now + 9100, call, leg, desk, "bridge")
    yield HungUp(now + 9200, call, leg, desk, 16, 0)
    yield HungUp(now + 9300, call, call, trunk, 16, 0)


def _hold(path: Path, begin: threading.Event, end: threading.Event) -> None:
    """Hold the write lock between two signals; runs in a process' thread of its own."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=20)
    connection.execute("BEGIN IMMEDIATE")
    begin.set()
    end.wait()
    connection.execute("ROLLBACK")
    connection.close()


async def _period(
    listener: Listener, wire: Wire, first: int, seconds: float
) -> dict[str, list[float]]:
    """Feed calls at the rate; return the times of their announcements in ms."""
    took: dict[str, list[float]] = {"event": [], "due": []}
    began = time.perf_counter()
    for number in range(round(RATE * seconds)):
        due = began + number / RATE
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        else:
            await asyncio.sleep(0)
        told = list(events(first + number, int(time.time() * 1e6)))
        # The sleep's own inaccuracy (1 ms) is not the listener's: what counts is a held-up loop.
        entered = time.perf_counter()
        listener.on_event(told[0], entered)
        took["event"].append((time.perf_counter() - entered) * 1000)
        took["due"].append((wire.sent_at - due) * 1000)
        for event in told[1:]:
            listener.on_event(event, entered)
    return took


async def _measure(path: Path, rounds: int) -> dict[str, dict[str, list[float]]]:
    engine = open_engine(f"sqlite:///{path}")
    writer = Writer(engine, path.with_suffix(".spill"), "RU")
    writer.start()
    known = Directory()
    known.load(people.clients(_CLIENTS, MANAGERS))
    address = AmiAddress("127.0.0.1", 1, "", "")
    listener = Listener(address, "token", "RU", known, people.setup(MANAGERS), writer)
    wire = Wire()
    listener.client._protocol = cast(Any, wire)
    listener.client.connected = True
    sweeper = asyncio.create_task(listener._sweep())
    gc.collect()
    gc.freeze()
    found: dict[str, dict[str, list[float]]] = {
        state: {"event": [], "due": []} for state in ("free", "locked")
    }
    calls = 0
    for number in range(rounds * 2 + 1):
        state = ("free", "locked")[number % 2]
        begin, end = threading.Event(), threading.Event()
        holder = threading.Thread(target=_hold, args=(path, begin, end))
        if state == "locked":
            holder.start()
            await asyncio.to_thread(begin.wait)
        took = await _period(listener, wire, calls, _LOCK_SECONDS)
        calls += len(took["due"])
        if state == "locked":
            end.set()
            await asyncio.to_thread(holder.join)
        if number:  # the first round warms up
            for what, times in took.items():
                found[state][what] += times
        while writer.pending or writer.spilled:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
    sweeper.cancel()
    if not writer.stop():
        raise SystemExit("records were lost")
    with sqlite3.connect(path) as connection:
        stored = connection.execute("SELECT count(*) FROM call").fetchone()[0]
    if stored < calls - RATE:  # those that still rest are handed over when the listener stops
        raise SystemExit(f"{stored} of {calls} records stored")
    return found


def main(rounds: int) -> None:
    """Measure and print."""
    set_up_logs("info", "json")
    with tempfile.TemporaryDirectory(prefix="dutyline-bench-") as folder:
        path = Path(folder) / "calls.db"
        migrate(f"sqlite:///{path}")
        found = asyncio.run(_measure(path, rounds))
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
