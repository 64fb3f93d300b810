"""What reading the AMI costs: CPU per event and per call, beside the stock libraries."""

from __future__ import annotations

import gc
import statistics
import time

from tests.bench.clients import READERS
from tests.bench.recording import CALLS, Stream, streams
from tests.bench.tables import Report, Table

STOCK, OURS = "panoramisk 1.4, stock", "Dutyline"
TARGETS = {"all": 8.0, "filtered": 2.0}
_TITLES = {
    "all": "Everything that Asterisk says (read=all)",
    "filtered": "Behind Dutyline's event filters",
}
_EVENTS_A_PASS = 7_000


def _measure(stream: Stream, rounds: int, passes: int) -> dict[str, list[float]]:
    """Return each reader's CPU seconds per pass over the stream, one number per round."""
    spent: dict[str, list[float]] = {name: [] for name in READERS}
    many = stream.pieces * passes
    for number in range(rounds + 1):
        for name, reader in READERS.items():
            gc.collect()
            gc.disable()
            began = time.process_time()
            reader(many)
            used = time.process_time() - began
            gc.enable()
            if number:  # the first round warms up
                spent[name].append(used / passes)
    return spent


def run(quick: bool) -> Report:
    """Measure and judge."""
    report = Report()
    rounds = 7 if quick else 40
    for name, stream in streams().items():
        passes = max(1, _EVENTS_A_PASS // stream.events)
        spent = _measure(stream, rounds, passes)
        each = stream.events / CALLS
        table = Table(
            f"{_TITLES[name]}: {each:.0f} events and {stream.size / CALLS / 1000:.1f} KB per call",
            ("", "µs/event", "µs/call", "× stock", "median round", "rounds"),
        )
        for reader, seconds in spent.items():
            ratios = [stock / own for stock, own in zip(spent[STOCK], seconds, strict=True)]
            least = min(seconds)  # noise only ever adds
            found = min(spent[STOCK]) / least
            table.add(
                reader,
                f"{least / stream.events * 1e6:.2f}",
                f"{least / CALLS * 1e6:.0f}",
                f"{found:.1f}",
                f"{statistics.median(ratios):.1f}",
                f"{min(ratios):.1f}–{max(ratios):.1f}",
            )
            if reader == OURS:
                report.target(
                    found >= TARGETS[name],
                    f"{_TITLES[name]}: Dutyline reads {found:.1f} × as fast as stock panoramisk "
                    f"(target ≥ {TARGETS[name]:.0f})",
                )
        report.tables.append(table)
    return report
