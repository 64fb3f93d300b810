"""Any roster, for hypothesis. Times lie in a few days around a change of the clocks: they meet."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import strategies as st

from telephony.domain.duty import Absence, OneOff, Override, Roster, Rotation, Shift, Swap

DAY = timedelta(days=1)
WHO = st.sampled_from(["101", "102", "103", "104"])
CLOCK = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
DAYS = st.frozensets(st.integers(1, 7), min_size=1)
PLACES = [
    (zone, datetime.fromisoformat(day))
    for zone, day in (
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-04-05"),
        ("Europe/Moscow", "2014-10-26"),
        ("UTC", "2026-06-14"),
    )
]


def _layer() -> st.SearchStrategy[int]:
    return st.integers(0, 2)


@st.composite
def spans(draw: st.DrawFn, around: datetime) -> tuple[datetime, datetime]:
    start = around + draw(st.integers(-96 * 4, 96 * 4)) * timedelta(minutes=15)
    return start, start + draw(st.integers(1, 96 * 3)) * timedelta(minutes=15)


@st.composite
def _lunch(draw: st.DrawFn, start: time, end: time) -> tuple[time, time] | None:
    begin = start.hour * 60 + start.minute
    length = (end.hour * 60 + end.minute - begin) % 1440 or 1440
    if length < 45 or draw(st.booleans()):
        return None
    first = draw(st.integers(0, length // 15 - 2)) * 15
    last = draw(st.integers(first // 15 + 1, length // 15 - 1)) * 15
    return (
        time(*divmod((begin + first) % 1440, 60)),
        time(*divmod((begin + last) % 1440, 60)),
    )


@st.composite
def _shifts(draw: st.DrawFn) -> Shift:
    who, start, end = draw(WHO), draw(CLOCK), draw(CLOCK)
    lunch = draw(_lunch(start, end))
    cover = draw(st.none() | WHO.filter(lambda other: other != who)) if lunch else None
    return Shift(who, draw(DAYS), start, end, lunch, cover, layer=draw(_layer()))


@st.composite
def _rotations(draw: st.DrawFn, around: datetime) -> Rotation:
    turns = st.lists(st.lists(WHO, min_size=1, max_size=2, unique=True).map(tuple), min_size=1)
    start, end = draw(CLOCK), draw(CLOCK)
    lunch = draw(_lunch(start, end))
    return Rotation(
        tuple(draw(turns)[:4]),
        around.date() - draw(st.integers(0, 40)) * DAY,
        draw(st.integers(1, 9)),
        draw(CLOCK),
        start,
        end,
        draw(DAYS),
        lunch,
        draw(st.none() | WHO) if lunch else None,
        layer=draw(_layer()),
    )


@st.composite
def rosters(draw: st.DrawFn, *, imported: bool = False) -> tuple[Roster, datetime]:
    zone, around = draw(st.sampled_from(PLACES))

    def when() -> tuple[datetime, datetime]:
        return draw(spans(around))

    def some() -> range:
        return range(draw(st.integers(0, 3)))

    def people() -> tuple[str, ...]:
        return tuple(draw(st.lists(WHO, max_size=2, unique=True)))

    def two() -> tuple[str, str]:
        one, other = draw(st.lists(WHO, min_size=2, max_size=2, unique=True))
        return one, other

    def absence() -> Absence:
        who, cover = two()
        return Absence(who, *when(), zone, cover=draw(st.sampled_from([None, cover])))

    roster = Roster(
        zone,
        tuple(draw(_shifts()) for _ in some()),
        tuple(draw(_rotations(around)) for _ in some()),
        tuple(OneOff(draw(WHO), *when(), draw(_layer())) for _ in some()),
        tuple(
            Override(people(), *when(), draw(st.none() | st.frozensets(WHO, max_size=2)))
            for _ in some()
        ),
        tuple(Swap(*two(), *when()) for _ in some()),
        tuple(absence() for _ in some()),
        tuple(OneOff(draw(WHO), *when(), draw(_layer())) for _ in some()) if imported else (),
    )
    return roster, around.replace(tzinfo=UTC)
