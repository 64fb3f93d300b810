"""Figures of callbacks: what became of the cases that were opened in a span. Pure.

The formulas stand in docs/glossary.md, "Figures of callbacks".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from math import ceil
from statistics import median

from telephony.domain.callback.cases import REACHED, SUPPRESSING, Ending, Source
from telephony.domain.callback.results import Ended, Why

# What names a part: a DID, a group, an extension, an hour (00 to 23), a day (ISO), the value of a
# `Why` or a `Source`; None (or an empty DID) where a case has none.
Key = str | None


class By(StrEnum):
    """What cases are told apart by; hours and days are those of their opening, in some zone."""

    DID = "did"
    GROUP = "group"
    OPERATOR = "operator"
    HOUR = "hour"
    DAY = "day"
    WHY = "why"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Told:
    """One case as figures count it. Times are aware.

    `missed_at` is when the client began to wait; `promised_at` is the time agreed with them, at
    `agreed_at`, and `broken` whether a deadline had passed by then. `calls` are its missed calls.
    `operator` talked to the client, else claimed the case, else owns it. `tries` are the tries that
    were sent, in order: when, and how each ended (None: it is under way).
    """

    opened_at: datetime
    missed_at: datetime
    calls: int
    did: str
    group: str | None
    operator: str | None
    why: Why
    source: Source
    ending: Ending | None = None
    ended_at: datetime | None = None
    sla_at: datetime | None = None
    promised_at: datetime | None = None
    agreed_at: datetime | None = None
    broken: bool = False
    tries: tuple[tuple[datetime, Ended | None], ...] = ()

    @property
    def since(self) -> datetime:
        """Since when the client waits for us: since the time agreed, else the missed call."""
        return self.promised_at or self.missed_at


@dataclass(frozen=True, slots=True)
class CallbackFigures:
    """Counts of cases, of their calls and tries; `median` and `p90` are seconds, None of nothing.

    `missed` and `short` count calls, the short abandons apart. `cases` = `suppressed` + `reached`
    + `by_hand` + `expired` + `waiting`; `recovered` is the part of `reached` that was in time.
    """

    missed: int = 0
    short: int = 0
    cases: int = 0
    suppressed: int = 0
    reached: int = 0
    recovered: int = 0
    by_hand: int = 0
    expired: int = 0
    waiting: int = 0
    kept: int = 0
    broken: int = 0
    called_back: int = 0
    median: float | None = None
    p90: float | None = None
    tries: Mapping[Ended, int] = field(default_factory=dict)

    @property
    def to_call(self) -> int:
        """How many clients were to be called: what shares are of."""
        return self.cases - self.suppressed

    @property
    def dialled(self) -> int:
        """How many tries rang the client's phone, or may have."""
        return sum(number for ended, number in self.tries.items() if ended.dialled)


@dataclass(slots=True)
class _Sum:
    counts: Counter[str] = field(default_factory=Counter)
    tries: Counter[Ended] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)

    def add(self, case: Told, within: timedelta, now: datetime) -> None:
        if case.ending is Ending.SHORT:
            self.counts["short"] += case.calls
            return
        self.counts["missed"] += case.calls
        self.counts["cases"] += 1
        self.counts[_part(case.ending)] += 1
        kept = _kept(case, now)
        if kept is not None:
            self.counts["kept" if kept else "broken"] += 1
        if case.ending in REACHED and case.ended_at is not None:
            # A deadline before the time agreed is of who could not wait for that.
            hurried = case.sla_at is not None and case.sla_at < case.since
            since = case.missed_at if hurried else case.since
            self.counts["recovered"] += case.ended_at - since <= within
        self.tries.update(ended for _, ended in case.tries if ended is not None)
        called = _called_back(case)
        if called is not None:
            self.counts["called_back"] += 1
            waited = _waited_since(case, called)
            if waited is not None:
                self.waits.append(max(0.0, (called - waited).total_seconds()))

    def merge(self, part: _Sum) -> None:
        self.counts.update(part.counts)
        self.tries.update(part.tries)
        self.waits += part.waits

    def figures(self) -> CallbackFigures:
        waits = sorted(self.waits)
        return CallbackFigures(
            **self.counts,
            median=median(waits) if waits else None,
            p90=waits[ceil(0.9 * len(waits)) - 1] if waits else None,
            tries=dict(self.tries),
        )


def figures_of(
    cases: Iterable[Told], by: By, zone: tzinfo, within: timedelta, now: datetime
) -> tuple[CallbackFigures, dict[Key, CallbackFigures]]:
    """Return the figures of all cases, and of each part of them.

    Only parts that have cases or short abandons are there. `within` is what counts as recovered.
    """
    parts: dict[Key, _Sum] = {}
    for case in cases:
        if case.ending is not Ending.NOT_MISSED:
            parts.setdefault(_key(case, by, zone), _Sum()).add(case, within, now)
    whole = _Sum()
    for part in parts.values():
        whole.merge(part)
    return whole.figures(), {key: one.figures() for key, one in parts.items()}


def _part(ending: Ending | None) -> str:
    if ending is None:
        return "waiting"
    if ending in REACHED:
        return "reached"
    if ending in SUPPRESSING:
        return "suppressed"
    return "expired" if ending is Ending.EXPIRED else "by_hand"


def _kept(case: Told, now: datetime) -> bool | None:
    """Tell whether the deadline was kept; None while it may be, and where none was to be kept.

    One that passed while the client waited is broken, also when somebody closed the case later or
    agreed on another time.
    """
    if case.ending in SUPPRESSING:
        return None
    if case.broken or case.ending is Ending.EXPIRED:
        return False
    late = case.sla_at is not None and case.sla_at < (case.ended_at or now)
    if case.ending in REACHED:
        return not late
    return False if late else None


def _called_back(case: Told) -> datetime | None:
    """Return when we first called the client; None when we did not, or they called us first."""
    tried = next((at for at, ended in case.tries if ended is None or ended.dialled), None)
    talked = case.ended_at if case.ending in _OURS else None
    return min((at for at in (tried, talked) if at is not None), default=None)


def _waited_since(case: Told, called: datetime) -> datetime | None:
    """Return since when the client had waited for a call; None when it was early.

    A time that was agreed after the call excuses nothing of the wait before it.
    """
    if case.promised_at is None or (case.agreed_at is not None and called < case.agreed_at):
        return case.missed_at
    return None if called < case.promised_at else case.promised_at


_OURS = frozenset({Ending.OPERATOR_CALLED, Ending.CALLED_BACK})


def _key(case: Told, by: By, zone: tzinfo) -> Key:
    if by is By.HOUR:
        return f"{case.opened_at.astimezone(zone):%H}"
    if by is By.DAY:
        return case.opened_at.astimezone(zone).date().isoformat()
    key: Key = getattr(case, by.value)
    return key
