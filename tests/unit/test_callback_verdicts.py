"""May a client be called now, and how long is a promise?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from telephony.domain.callback.cases import Attention, Case, Source
from telephony.domain.callback.dialling import Refusal
from telephony.domain.callback.quiet import after_loud
from telephony.domain.callback.results import Why
from telephony.domain.callback.rules import Automatic, CallbackRules, QuietHours
from telephony.domain.callback.verdicts import Bar, Standing, Tries, may_dial, verdict

MOSCOW = ("Europe/Moscow",)
RULES = CallbackRules()
_THEN = datetime(2026, 3, 5, 8, tzinfo=UTC)
CASE = Case("+74957654321", Source.MISSED, Why.RINGING, _THEN, _THEN, _THEN)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("quiet", "minutes", "hours_later"),
    [
        (QuietHours(), 10, timedelta(minutes=10)),
        (QuietHours(), 11, timedelta(hours=11, minutes=11)),
        (QuietHours(), 30, timedelta(hours=11, minutes=30)),
        (QuietHours(time(0), time(0)), 600, timedelta(minutes=600)),
    ],
    ids=["before the night", "a minute beyond it", "beyond it", "no quiet hours, over midnight"],
)
def test_a_promise_goes_on_after_the_night(
    quiet: QuietHours, minutes: int, hours_later: timedelta
) -> None:
    since = datetime(2026, 3, 5, 17, 50, tzinfo=UTC)  # 20:50 in Moscow
    assert after_loud(quiet, MOSCOW, since, minutes) == since + hours_later


def test_what_stands_in_the_way_comes_in_this_order() -> None:
    """What ends a case before what puts it off, and what a person must see to before hours."""
    late = datetime(2026, 3, 7, 20, tzinfo=UTC)
    full = Tries(number=[late] * 9, prefix=[late] * 99, hour=999, day=9999, live=99)
    monday = late + timedelta(days=1)
    standing = Standing(
        late, MOSCOW, full, monday, False, Refusal.TYPE, stopped=True, blocked=True, opted_out=True
    )
    case = replace(CASE, tries=9, promised_at=monday)
    rules = replace(RULES, automatic=Automatic.NOBODY)
    seen = []
    for clear in (
        {"refusal": None},
        {"blocked": False},
        {"opted_out": False},
        {"stopped": False},
    ):
        seen.append(verdict(case, rules, standing).bar)
        standing = replace(standing, **clear)
    seen.append(verdict(case, rules, standing).bar)
    case = replace(case, promised_at=None)
    seen.append(verdict(case, rules, standing).bar)
    case = replace(case, tries=0)
    seen.append(verdict(case, rules, standing).bar)
    for changed in (
        {"opens_at": monday},
        {"opens_at": None},
        {"now": datetime(2026, 3, 7, 9, tzinfo=UTC)},
        {"tries": replace(full, number=[late - timedelta(hours=20)] * 3)},
        {"tries": replace(full, number=[])},
        {"tries": Tries(day=9999, hour=999, live=99)},
        {"tries": Tries(hour=999, live=99)},
        {"tries": Tries(live=99)},
        {"tries": Tries()},
    ):
        standing = replace(standing, **changed)
        seen.append(verdict(case, RULES, standing).bar)
    assert seen == [
        Bar.REFUSED,
        Bar.BLOCKED,
        Bar.OPTED_OUT,
        Bar.STOPPED,
        Bar.AGREED,
        Bar.ATTEMPTS,
        Bar.MANUAL,
        Bar.CLOSED,
        Bar.QUIET,
        Bar.NUMBER_WEEK,
        Bar.NUMBER_DAY,
        Bar.PREFIX_HOUR,
        Bar.DAY,
        Bar.HOUR,
        Bar.AT_ONCE,
        None,
    ]


def test_a_time_agreed_holds_out_of_hours_but_not_at_night() -> None:
    noon = datetime(2026, 3, 5, 9, tzinfo=UTC)
    shut = Standing(noon, MOSCOW, opens_at=noon + timedelta(hours=9))
    agreed = replace(CASE, source=Source.SCHEDULED, promised_at=noon)
    assert verdict(CASE, RULES, shut).bar is Bar.CLOSED
    assert verdict(agreed, RULES, shut).go
    night = replace(shut, now=noon + timedelta(hours=10))
    assert verdict(agreed, RULES, night).until == datetime(2026, 3, 6, 5, tzinfo=UTC)


def test_a_number_that_never_opens_waits_for_a_person() -> None:
    noon = datetime(2026, 3, 5, 9, tzinfo=UTC)
    found = verdict(CASE, RULES, Standing(noon, MOSCOW, never_opens=True))
    assert (found.bar, found.attention) == (Bar.CLOSED, Attention.RULES)


def test_a_cap_tells_when_it_is_over() -> None:
    noon = datetime(2026, 3, 5, 9, tzinfo=UTC)
    times = [noon - timedelta(hours=hours) for hours in (20, 10, 5)]
    found = verdict(CASE, RULES, Standing(noon, MOSCOW, Tries(number=times)))
    assert (found.bar, found.until) == (Bar.NUMBER_DAY, noon + timedelta(hours=4))
    near = [noon - timedelta(minutes=59 - nth) for nth in range(RULES.caps.prefix_hour)]
    found = verdict(CASE, RULES, Standing(noon, MOSCOW, Tries(prefix=near)))
    assert (found.bar, found.until) == (Bar.PREFIX_HOUR, noon + timedelta(minutes=1))


def test_the_edge_of_a_cap_is_free() -> None:
    noon = datetime(2026, 3, 5, 9, tzinfo=UTC)
    times = [noon - timedelta(days=1), noon - timedelta(hours=2), noon - timedelta(hours=1)]
    assert verdict(CASE, RULES, Standing(noon, MOSCOW, Tries(number=times))).go


@pytest.mark.parametrize("bar", ["refusal", "blocked", "opted_out", "stopped"])
def test_who_clicks_is_held_back_by_the_same_but_hours(bar: str) -> None:
    noon = datetime(2026, 3, 5, 9, tzinfo=UTC)
    free = Standing(noon, MOSCOW, opens_at=noon + timedelta(hours=9))
    assert may_dial(RULES, free).go
    assert not may_dial(RULES, replace(free, **{bar: Refusal.REGION})).go  # type: ignore[arg-type]
    assert may_dial(RULES, replace(free, now=noon + timedelta(hours=11))).bar is Bar.QUIET
