"""`python -m tests.bench [PART…] [--quick]`: measure, print, judge.

The exit code is 1 when a target was missed. docs/benchmarks.md tells how to read the numbers.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable

from tests.bench import (
    callbacks,
    calls_page,
    changing,
    decide,
    decode,
    duty,
    latency,
    readable,
    relay,
    resync,
)
from tests.bench.tables import Report

PARTS: dict[str, Callable[[bool], Report]] = {
    "decode": decode.run,
    "decide": decide.run,
    "changing": changing.run,
    "duty": duty.run,
    "latency": latency.run,
    "resync": resync.run,
    "readable": readable.run,
    "relay": relay.run,
    "callbacks": callbacks.run,
    "calls-page": calls_page.run,
}


def main(arguments: list[str]) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("parts", nargs="*", metavar="|".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, not a proof")
    chosen = parser.parse_args(arguments)
    unknown = [part for part in chosen.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    # Ended from outside, Asterisk and the others must not be left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    missed = 0
    for part in chosen.parts or PARTS:
        print(f"== {part}\n", flush=True)
        report = PARTS[part](chosen.quick)
        print(f"{report}\n", flush=True)
        missed += report.missed
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{missed} targets missed; load of the machine at the end: {load} on {os.cpu_count()}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
