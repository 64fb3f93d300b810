"""Gaps in rosters are told of a day ahead: while somebody can still be found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Engine

from telephony.domain.ahead import duties
from telephony.domain.duty import Interval
from telephony.domain.duty.outlook import DUTY_GAP
from telephony.domain.setup import Setup
from telephony.store.engine import reading, writing
from telephony.store.outbox import Fact, add_facts
from telephony.store.setup import load_setup

AHEAD = timedelta(hours=24)
_DAY = timedelta(days=1)


def watch(engine: Engine, now: datetime) -> list[Fact]:
    """Note every gap of the next day as a fact, once each; return those that there are."""
    with reading(engine) as session:
        facts = list(gap_facts(load_setup(session), now))
    if facts:
        with writing(engine) as session:
            add_facts(session, facts, now)
    return facts


def gap_facts(setup: Setup, now: datetime) -> Iterator[Fact]:
    """Yield a fact for each gap that lasts at `now` (aware) or begins within a day.

    Of groups to which a number leads, while one of these is open. A gap that goes on for days is
    another one each day.
    """
    # From a day's beginning, so that a gap that lasts already keeps its name at the next look.
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - _DAY
    span = Interval(since, now + AHEAD)
    called = [group for name, group in setup.groups.items() if setup.is_called(name)]
    for name, duty in duties(setup, called, lambda _: span).items():
        for start, end in duty.gaps:
            if end > now:
                yield Fact(
                    DUTY_GAP,
                    f"{DUTY_GAP}:{name}:{start.isoformat()}",
                    {
                        "group": name,
                        "zone": setup.groups[name].roster.zone,
                        "start": start.isoformat(),
                        # Where the look ends nothing is known of how long it lasts.
                        "end": end.isoformat() if end < span.end else None,
                    },
                )
