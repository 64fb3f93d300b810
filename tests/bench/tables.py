"""Percentiles, tables and verdicts of the benchmarks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value below which `part` (0…1) of the values lie; 0 when there are none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def bootstrap(
    left: Sequence[float],
    right: Sequence[float],
    statistic: Callable[[Sequence[float]], float],
    tries: int = 400,
) -> tuple[float, float]:
    """Return the range that holds nine tenths of statistic(left)/statistic(right) resampled."""
    chance = random.Random(1)
    ratios = []
    for _ in range(tries):
        below = statistic(chance.choices(right, k=len(right)))
        above = statistic(chance.choices(left, k=len(left)))
        ratios.append(above / below if below else 0.0)
    return quantile(ratios, 0.05), quantile(ratios, 0.95)


@dataclass(slots=True)
class Table:
    """Rows of cells under headings; the first column is text, the others are numbers."""

    title: str
    headings: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """Add one row."""
        self.rows.append(cells)

    def __str__(self) -> str:
        """Return the table as Markdown that is also aligned."""
        lines = [self.headings, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.headings))]
        texts = []
        for line in lines:
            cells = [
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            texts.append("| " + " | ".join(cells) + " |")
        rule = "|".join(
            "-" * (width + 2) if column == 0 else "-" * (width + 1) + ":"
            for column, width in enumerate(widths)
        )
        return "\n".join([self.title, "", texts[0], f"|{rule}|", *texts[1:], ""])


@dataclass(slots=True)
class Report:
    """What one benchmark found: tables, and targets that were met or missed."""

    tables: list[Table] = field(default_factory=list)
    targets: list[tuple[bool, str]] = field(default_factory=list)

    def target(self, met: bool, text: str) -> None:
        """Note a target with its numbers."""
        self.targets.append((met, text))

    @property
    def missed(self) -> int:
        """How many targets were missed."""
        return sum(not met for met, _ in self.targets)

    def __str__(self) -> str:
        """Return everything as text."""
        verdicts = [f"{'met   ' if met else 'MISSED'}  {text}" for met, text in self.targets]
        return "\n".join([*(str(table) for table in self.tables), *verdicts])
