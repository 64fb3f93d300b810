"""A call as lanes on one time line: what each party did, in parts of a hundred."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from telephony.domain.record import CallRecord, LegRecord, MomentKind

WAITING, RINGING, TALKING, HOLD = "waiting", "ringing", "talking", "hold"

_TICKS = 6
_SHORTEST = 50_000  # µs: what a chart shows at least
_NARROWEST = 1.0  # percent: even the shortest stretch is to be seen
_STEPS = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    20,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a lane: what went on, where it begins and how long it is, in percent."""

    what: str
    x: float
    width: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One party: an operator's extension (None when unknown) and address; None, "" is the caller.

    `bars` in the order in which they are drawn.
    """

    operator: str | None
    address: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the scale."""

    x: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of the call on the line."""

    x: float
    kind: MomentKind
    place: int


@dataclass(frozen=True, slots=True)
class Chart:
    """The lanes, the caller's first, with a scale in seconds."""

    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]


def chart(record: CallRecord) -> Chart:
    """Return the time line of a call."""
    spans = [record.ended_at, *(end for leg in record.legs for _, end in leg.talks)]
    spans += [leg.ended_at for leg in record.legs if leg.ended_at is not None]
    start, end = record.started_at, max(spans)
    scale = _Scale(start, max(end, start + _SHORTEST))
    lanes = [Lane(None, "", tuple(_caller(record, scale)))]
    lanes += [Lane(leg.operator, leg.address, tuple(_leg(leg, scale))) for leg in record.legs]
    marks = tuple(
        Mark(scale.x(moment.at), moment.kind, place)
        for place, moment in enumerate(record.moments, start=1)
    )
    return Chart(tuple(lanes), tuple(scale.ticks()), marks)


class _Scale:
    def __init__(self, start: int, end: int) -> None:
        self._start, self._length = start, end - start

    def x(self, at: int) -> float:
        return round(min(100.0, max(0.0, (at - self._start) / self._length * 100)), 3)

    def bar(self, what: str, begin: int, end: int) -> Bar:
        left, right = self.x(begin), self.x(max(begin, end))
        width = max(right - left, _NARROWEST)
        return Bar(what, min(left, 100 - width), round(width, 3), max(0, end - begin) / 1e6)

    def ticks(self) -> Iterator[Tick]:
        seconds = self._length / 1e6
        step = next((one for one in _STEPS if seconds / one <= _TICKS), 28_800)
        for number in range(int(seconds // step) + 1):
            x = number * step / seconds * 100
            if x <= 97:
                yield Tick(round(x, 3), round(number * step, 2))


def _caller(record: CallRecord, scale: _Scale) -> Iterator[Bar]:
    begin = record.answered_at if record.answered_at is not None else record.ended_at
    yield scale.bar(WAITING, record.started_at, begin)
    if record.answered_at is not None:
        yield scale.bar(TALKING, record.answered_at, record.ended_at)
        holds = [span for leg in record.legs for span in leg.holds]
        for hold_begin, hold_end in sorted(set(holds)):
            yield scale.bar(HOLD, hold_begin, hold_end)


def _leg(leg: LegRecord, scale: _Scale) -> Iterator[Bar]:
    talks: Sequence[tuple[int, int]] = leg.talks
    if not talks and leg.talk_ms and leg.ended_at is not None:
        talks = ((leg.ended_at - leg.talk_ms * 1000, leg.ended_at),)
    if leg.rang_at is not None:
        yield scale.bar(RINGING, leg.rang_at, leg.rang_at + leg.ring_ms * 1000)
    for begin, end in talks:
        yield scale.bar(TALKING, begin, end)
    for begin, end in leg.holds:
        yield scale.bar(HOLD, begin, end)
