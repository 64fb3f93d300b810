"""INVITE in → INVITE to the operator, with and without Dutyline, interleaved in one run."""

from __future__ import annotations

import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import people
from tests.bench.load import Result
from tests.bench.office import AGI_DID, BARE_DID, Office, office
from tests.bench.tables import Report, Table, bootstrap, quantile

RATES = (20, 50, 100)
BARE, AGI, DUTYLINE = "bare Dial", "FastAGI", "Dutyline"
STOPPED = "Dutyline stopped"
FROZEN, STALE = "Dutyline frozen, first 4 s", "Dutyline frozen, from 6 s on"
MAIN = ((BARE, BARE_DID), (AGI, AGI_DID), (DUTYLINE, people.DID))
_SECONDS = {20: 3.0, 50: 2.0, 100: 2.0}
_HEARTBEAT_STALE = 6.5
_FROZEN_SECONDS = 3.0
MOST_P50_MS = 3.0
MOST_WAIT_MS = 1600.0
# A round in which other programs used more than this of a core is not judged, if there are calmer.
CALM_CORES = 0.3
_ENOUGH_CALM = 3


@dataclass(slots=True)
class Cell:
    """All rounds of one variant at one rate."""

    rounds: list[Result] = field(default_factory=list)

    @property
    def waits(self) -> list[float]:
        """Every measured wait, in ms."""
        return [wait for result in self.rounds for wait in result.waits]

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return sum(result.calls for result in self.rounds)

    @property
    def repeated(self) -> int:
        """How many INVITEs had to be sent again."""
        return sum(result.repeated for result in self.rounds)

    @property
    def trouble(self) -> str:
        """What went wrong, empty when nothing did."""
        counts = {
            "lost": sum(result.lost for result in self.rounds),
            "wrong phone": sum(result.wrong for result in self.rounds),
            "failed": sum(result.failed for result in self.rounds),
            "unfinished": sum(result.unfinished for result in self.rounds),
        }
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


Cells = dict[tuple[str, int], Cell]


def _main_round(place: Office, cells: Cells, rate: int, shift: int, seconds: float) -> None:
    """Run the three contenders one after the other, another one first in each round.

    While a rival runs Dutyline is frozen, so that it takes nothing from the rival's two cores; it
    keeps what it holds in memory, as after a long day.
    """
    for name, did in (*MAIN[shift:], *MAIN[:shift]):
        if name != DUTYLINE:
            place.dutyline.signal(signal.SIGSTOP)
        cells[name, rate].rounds.append(place.load(did, rate, seconds))
        if name != DUTYLINE:
            place.dutyline.signal(signal.SIGCONT)
            time.sleep(0.5)
            place.wait_fresh()


def _broken_round(place: Office, cells: Cells, rate: int) -> None:
    """Freeze Dutyline, then stop it; every call must reach the fallback."""
    place.dutyline.signal(signal.SIGSTOP)
    frozen_at = time.monotonic()
    cells[FROZEN, rate].rounds.append(place.load(people.DID, rate, _FROZEN_SECONDS, fallback=True))
    time.sleep(max(0.0, frozen_at + _HEARTBEAT_STALE - time.monotonic()))
    seconds = _SECONDS[rate] / 2
    cells[STALE, rate].rounds.append(place.load(people.DID, rate, seconds, fallback=True))
    place.dutyline.signal(signal.SIGCONT)
    time.sleep(0.5)
    place.wait_fresh()
    place.dutyline.stop()
    cells[STOPPED, rate].rounds.append(place.load(people.DID, rate, seconds, fallback=True))
    place.dutyline.start()
    place.wait_fresh()


def measure(place: Office, rounds: int, broken_rounds: int) -> Cells:
    """Run all rounds."""
    names = (BARE, AGI, DUTYLINE, STOPPED, FROZEN, STALE)
    cells: Cells = {(name, rate): Cell() for name in names for rate in RATES}
    for name, did in MAIN:  # whatever is slow only once
        print(f"warming up: {name}", flush=True)
        place.load(did, 20, 1.0)
    for number in range(rounds):
        began = time.monotonic()
        for rate in RATES:
            _main_round(place, cells, rate, number % len(MAIN), _SECONDS[rate])
            if number < broken_rounds:
                _broken_round(place, cells, rate)
        took = time.monotonic() - began
        print(f"round {number + 1} of {rounds}: {took:.0f} s", flush=True)
    return cells


def calm(cells: Cells, rate: int) -> tuple[Cells, str]:
    """Return the main cells of the rounds in which the machine was ours, and how many they were.

    All rounds when fewer than three were calm.
    """
    names = [name for name, _ in MAIN]
    triples = list(zip(*(cells[name, rate].rounds for name in names), strict=True))
    kept = [triple for triple in triples if all(one.foreign <= CALM_CORES for one in triple)]
    told = f"{len(kept)} of {len(triples)} rounds were calm"
    if len(kept) < _ENOUGH_CALM:
        kept, told = triples, f"{told}, so all are judged"
    columns = zip(names, zip(*kept, strict=True), strict=True)
    return {(name, rate): Cell(list(column)) for name, column in columns}, told


def _table(cells: Cells, rate: int, which: str) -> Table:
    table = Table(
        f"INVITE in → INVITE out at {rate} calls/s, ms ({which})",
        (
            "",
            "calls",
            "p50",
            "p95",
            "p99",
            "p50 − bare",
            "p50 ÷ bare",
            "p99 ÷ FastAGI",
            "others' cores",
            "INVITEs again",
            "trouble",
        ),
    )
    bare = quantile(cells[BARE, rate].waits, 0.5)
    agi = quantile(cells[AGI, rate].waits, 0.99)
    for (name, its_rate), cell in cells.items():
        if its_rate != rate or not cell.rounds:
            continue
        p50, p95, p99 = (quantile(cell.waits, part) for part in (0.5, 0.95, 0.99))
        table.add(
            name,
            str(cell.calls),
            f"{p50:.1f}",
            f"{p95:.1f}",
            f"{p99:.1f}",
            f"{p50 - bare:+.1f}",
            f"{p50 / bare:.2f}" if bare else "",
            f"{p99 / agi:.2f}" if agi else "",
            f"{sum(result.foreign for result in cell.rounds) / len(cell.rounds):.1f}",
            str(cell.repeated),
            cell.trouble or "none",
        )
    return table


def _judge(report: Report, cells: Cells, rate: int) -> None:
    judged, told = calm(cells, rate)
    bare, agi, ours = (judged[name, rate] for name in (BARE, AGI, DUTYLINE))
    added = quantile(ours.waits, 0.5) - quantile(bare.waits, 0.5)
    report.target(
        added <= MOST_P50_MS,
        f"at {rate}/s Dutyline's p50 is {added:+.1f} ms over the bare Dial's "
        f"(target ≤ {MOST_P50_MS:.0f}; {told})",
    )
    p99, rival = quantile(ours.waits, 0.99), quantile(agi.waits, 0.99)
    low, high = bootstrap(ours.waits, agi.waits, lambda values: quantile(values, 0.99))
    per_round = sorted(
        quantile(mine.waits, 0.99) / max(0.001, quantile(theirs.waits, 0.99))
        for mine, theirs in zip(ours.rounds, agi.rounds, strict=True)
    )
    report.target(
        p99 <= rival,
        f"at {rate}/s Dutyline's p99 is {p99:.1f} ms, FastAGI's {rival:.1f}: ratio "
        f"{p99 / max(rival, 0.001):.2f} (target ≤ 1.00; noise: 90 % of resamples "
        f"{low:.2f}–{high:.2f}, rounds {per_round[0]:.2f}–{per_round[-1]:.2f})",
    )
    trouble = [
        f"{name}: {cell.trouble}"
        for (name, its), cell in cells.items()
        if its == rate and cell.trouble
    ]
    report.target(
        not trouble,
        f"at {rate}/s every call rang the right phone ({'; '.join(trouble) or 'nothing lost'})",
    )
    frozen = cells[FROZEN, rate].waits
    if frozen:
        worst = max(frozen)
        report.target(
            worst <= MOST_WAIT_MS,
            f"at {rate}/s a frozen Dutyline cost at most {worst:.0f} ms per call "
            f"(target ≤ {MOST_WAIT_MS:.0f})",
        )


def run(quick: bool) -> Report:
    """Measure and judge. Prints progress."""
    rounds, broken = (3, 1) if quick else (12, 2)
    with tempfile.TemporaryDirectory(prefix="dutyline-bench-") as temporary:
        Path(temporary).chmod(0o755)
        with office(Path(temporary) / "run") as place:
            cells = measure(place, rounds, broken)
            inside = {
                rate: [
                    wait
                    for result in calm(cells, rate)[0][DUTYLINE, rate].rounds
                    for wait in place.decided(result)
                ]
                for rate in RATES
            }
    report = Report()
    for rate in RATES:
        report.tables.append(_table(cells, rate, "all rounds"))
        judged, told = calm(cells, rate)
        report.tables.append(_table(judged, rate, f"judged: {told}"))
        _judge(report, cells, rate)
    table = Table(
        "Of this in the listener itself: announcement read → plan sent, ms",
        ("calls/s", "calls", "p50", "p95", "p99"),
    )
    for rate, waits in inside.items():
        cells_of = [f"{quantile(waits, part):.2f}" for part in (0.5, 0.95, 0.99)]
        table.add(str(rate), str(len(waits)), *cells_of)
    report.tables.append(table)
    return report
