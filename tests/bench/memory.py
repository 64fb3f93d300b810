"""Loads one directory and prints what it took: `python -m tests.bench.memory rows|sqlite SIZE`."""

from __future__ import annotations

import gc
import itertools
import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from telephony.domain.directory import Directory
from telephony.feed import Feed
from telephony.store.engine import open_engine, writing
from telephony.store.migrations import migrate
from telephony.store.setup import replace_setup
from tests.bench import people
from tests.bench.decide import MANAGERS


def _rss() -> float:
    """Return the resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def _peak() -> float:
    """Return the highest resident memory so far in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def fill(path: Path, size: int) -> None:
    """Write clients into a migrated database, past the ORM: this is not what is measured."""
    migrate(f"sqlite:///{path}")
    engine = open_engine(f"sqlite:///{path}")
    with writing(engine) as session:
        replace_setup(session, people.setup(MANAGERS))
    engine.dispose()
    with sqlite3.connect(path) as connection:
        rows = people.clients(size, MANAGERS)
        for _, same in itertools.groupby(rows, lambda row: row[1].id // 10_000):
            some = list(same)
            clients = {row[1].id: row[1] for row in some}
            connection.executemany(
                "INSERT INTO client (id, name, manager, deputy, vip, notes) "
                "VALUES (?, ?, ?, ?, ?, '')",
                [(one.id, one.name, *one.assignment[:3]) for one in clients.values()],
            )
            connection.executemany(
                "INSERT INTO client_phone (number, client_id) VALUES (?, ?)",
                [(number, one.id) for number, one in some],
            )
    connection.close()


def _measured(load: Callable[[], Directory]) -> dict[str, float]:
    gc.collect()
    before = _rss()
    began = time.perf_counter()
    kept = load()
    seconds = time.perf_counter() - began
    gc.collect()
    return {
        "seconds": seconds,
        "mb": _rss() - before,
        "peak_mb": _peak() - before,
        "numbers": len(kept),
    }


def _rows(size: int) -> dict[str, float]:
    def load() -> Directory:
        made = Directory()
        made.load(people.clients(size, MANAGERS))
        return made

    return _measured(load)


def _sqlite(path: Path) -> dict[str, float]:
    engine = open_engine(f"sqlite:///{path}")
    return _measured(lambda: Feed(engine, Directory(), lambda *_: None).load()[0])


def main(via: str, size: int) -> dict[str, float]:
    """Load a directory of `size` clients and return what it took."""
    if via == "rows":
        return _rows(size)
    path = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    if path:
        return _sqlite(path)
    raise SystemExit("usage: python -m tests.bench.memory rows SIZE | sqlite SIZE FILE")


if __name__ == "__main__":
    if sys.argv[1] == "sqlite" and len(sys.argv) == 3:
        # Filling takes memory of its own: another process does the loading.
        import subprocess

        with tempfile.TemporaryDirectory(prefix="dutyline-bench-") as folder:
            file = Path(folder) / "clients.db"
            fill(file, int(sys.argv[2]))
            sys.exit(
                subprocess.run(
                    [sys.executable, "-m", "tests.bench.memory", *sys.argv[1:], str(file)],
                    check=False,
                ).returncode
            )
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
