"""A time that was agreed is kept, and does not make anybody wait who calls again before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from telephony.domain.callback.cases import (
    Attention,
    Case,
    CaseState,
    Source,
    Wish,
    joined,
    opened,
    scheduled,
)
from telephony.domain.callback.results import Ended, Why
from telephony.domain.callback.rules import PRESETS, Automatic, CallbackRules, First
from telephony.domain.callback.trying import as_before, dialling, postponed, put_off, settled
from telephony.domain.callback.verdicts import (
    GO,
    Bar,
    Standing,
    Tries,
    first_of,
    may_agree,
    verdict,
)

NOW = datetime(2026, 11, 18, 10, 30, tzinfo=UTC)
FRIDAY = NOW + timedelta(days=2)
RULES = CallbackRules()
HOUR = timedelta(hours=1)


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def wish(source: Source = Source.MISSED, at: datetime = NOW + HOUR) -> Wish:
    return Wish("+79161234567", Why.RINGING, at, at, source)


def agreed(rules: CallbackRules = RULES) -> Case:
    """Return a case whose client is to be called on Friday."""
    return scheduled(opened(wish(at=NOW - HOUR), rules, NOW), FRIDAY, NOW, rules)


def again(
    source: Source = Source.MISSED, rules: CallbackRules = RULES, case: Case | None = None
) -> Case:
    """Return that case after its client came again, to be answered within half an hour."""
    one = wish(source)
    return joined(case or agreed(rules), one, rules, one.since + minutes(30))


@pytest.mark.parametrize(("source", "wait"), [(Source.MISSED, 60), (Source.FORM, 0)])
def test_who_calls_again_is_called_back_long_before_the_time_agreed(
    source: Source, wait: int
) -> None:
    case = again(source)
    assert case.due_at == NOW + HOUR + timedelta(seconds=wait)
    assert case.sla_at == NOW + HOUR + minutes(30)
    assert case.promised_at == FRIDAY
    assert case.due_at is not None
    assert verdict(case, RULES, Standing(case.due_at, ("Europe/Moscow",))).go


def test_who_calls_shortly_before_the_time_agreed_is_called_then() -> None:
    near = scheduled(opened(wish(at=NOW - HOUR), RULES, NOW), NOW + HOUR + minutes(20), NOW, RULES)
    case = again(case=near)
    assert (case.due_at, case.hurried, case.sla_at) == (near.due_at, False, near.sla_at)


def test_a_call_from_before_it_was_agreed_hurries_nobody() -> None:
    early = wish(at=NOW - minutes(10))
    case = joined(agreed(), early, RULES, early.since + minutes(30))
    assert (case.due_at, case.hurried) == (FRIDAY, False)


@pytest.mark.parametrize(
    ("automatic", "source", "hurried"),
    [
        (Automatic.NOBODY, Source.FORM, False),
        (Automatic.ASKED, Source.MISSED, False),
        (Automatic.ASKED, Source.FORM, True),
    ],
)
def test_whom_the_rules_do_not_call_back_has_a_deadline_for_people(
    automatic: Automatic, source: Source, hurried: bool
) -> None:
    rules = replace(RULES, automatic=automatic)
    case = again(source, rules)
    assert (case.hurried, case.due_at == FRIDAY) == (hurried, not hurried)
    assert case.sla_at == NOW + HOUR + minutes(30)


def test_hours_and_tries_count_for_whoever_does_not_wait() -> None:
    case, then = again(), NOW + 2 * HOUR
    closed = Standing(then, ("Europe/Moscow",), opens_at=FRIDAY - HOUR)
    found = verdict(case, RULES, closed)
    assert (found.bar, found.until) == (Bar.CLOSED, FRIDAY - HOUR)
    assert verdict(agreed(), RULES, replace(closed, now=FRIDAY)) == GO
    case = settled(dialling(case), Ended.NO_ANSWER, then, RULES)
    assert (case.due_at, case.tries) == (then + minutes(30), 1)


def test_what_was_in_vain_before_leaves_the_time_agreed_as_it_was() -> None:
    case, then = again(), NOW + 2 * HOUR
    for _ in range(RULES.caps.attempts):
        assert case.hurried
        case = settled(dialling(case), Ended.NO_ANSWER, then, RULES)
    want = (FRIDAY, False, 0, None)
    assert (case.due_at, case.hurried, case.tries, case.attention) == want
    for later in (
        postponed(again(), FRIDAY + HOUR, then),
        postponed(again(), None, then, Attention.RULES),
    ):
        assert (later.due_at, later.hurried, later.attention) == (FRIDAY, False, None)
    # On Friday it is as any other.
    assert postponed(again(), FRIDAY + HOUR, FRIDAY).due_at == FRIDAY + HOUR
    last = settled(dialling(again()), Ended.UNKNOWN, FRIDAY, RULES)
    assert last.attention is Attention.UNKNOWN


def test_who_asks_by_a_form_does_not_wait_for_the_next_try() -> None:
    case = settled(dialling(again()), Ended.BUSY, NOW + 2 * HOUR, RULES)
    asked = wish(Source.FORM, NOW + 2 * HOUR + minutes(1))
    assert joined(case, asked, RULES, None).due_at == asked.at


def test_a_click_that_comes_to_nothing_makes_nobody_wait_for_the_time_agreed() -> None:
    clicked = dialling(agreed())
    case = as_before(settled(again(case=clicked), Ended.WITHDRAWN, NOW + HOUR, RULES), NOW + HOUR)
    assert (case.due_at, case.hurried) == (NOW + HOUR + minutes(1), True)


def test_another_time_that_is_agreed_counts_from_then_on() -> None:
    case = scheduled(again(), FRIDAY - HOUR, NOW + 2 * HOUR, RULES)
    assert (case.due_at, case.hurried) == (FRIDAY - HOUR, False)


def test_a_new_call_gives_a_case_its_whole_time_again() -> None:
    """One that came 71 h 59 min after the first is not given up a minute later."""
    case = opened(wish(at=NOW), RULES, NOW + minutes(30))
    late = NOW + timedelta(hours=71, minutes=59)
    assert joined(case, wish(at=late), RULES).expires_at == late + timedelta(hours=72)
    # What was promised for later on still is.
    assert again().expires_at == FRIDAY + timedelta(hours=72)


@pytest.mark.parametrize("source", [Source.FORM, Source.KEY])
def test_who_asks_while_they_are_called_by_hand_goes_on_by_itself(source: Source) -> None:
    rules = replace(RULES, automatic=Automatic.ASKED)
    by_hand = opened(wish(at=NOW), rules, None)
    assert by_hand.attention is Attention.MANUAL
    case = joined(dialling(by_hand), wish(source), rules)
    assert case.state is CaseState.DIALLING
    case = settled(case, Ended.BUSY, NOW + 2 * HOUR, rules)
    assert (case.attention, case.due_at) == (None, NOW + 2 * HOUR + minutes(5))
    # A missed call does not change by whose hand it goes on.
    case = settled(joined(dialling(by_hand), wish(), rules), Ended.BUSY, NOW + 2 * HOUR, rules)
    assert (case.attention, case.due_at) == (Attention.MANUAL, None)


def test_out_of_hours_the_operator_is_called_first() -> None:
    """The client would be put through to a number that is closed."""
    rules = replace(RULES, first=First.CLIENT)
    open_now = Standing(NOW, ("Europe/Moscow",))
    assert first_of(rules, open_now) is First.CLIENT
    assert first_of(rules, replace(open_now, opens_at=FRIDAY)) is First.OPERATOR
    assert first_of(rules, replace(open_now, never_opens=True)) is First.OPERATOR
    assert first_of(RULES, open_now) is First.OPERATOR


def test_who_does_not_wait_for_the_time_agreed_waits_for_nobodys_return_either() -> None:
    """Their manager may be away: the case is theirs alone for a while, as any other."""
    case = scheduled(
        opened(replace(wish(at=NOW - HOUR), owner="101"), RULES, NOW), FRIDAY, NOW, RULES
    )
    after = again(case=case)
    assert after.for_now(NOW + HOUR + minutes(9)) == "101"
    assert after.for_now(NOW + HOUR + minutes(10)) is None
    assert again(Source.FORM, case=case).for_now(NOW + HOUR) is None


def test_a_form_waits_for_no_particular_operator_in_an_open_case_either() -> None:
    case = opened(replace(wish(at=NOW), owner="101"), RULES, NOW + minutes(30))
    asked = wish(Source.FORM, NOW + minutes(1))
    assert case.for_now(asked.at) == "101"
    assert joined(case, asked, RULES).for_now(asked.at) is None


@pytest.mark.parametrize("how", [Ended.NO_ANSWER, Ended.BUSY, Ended.UNKNOWN, Ended.TALKED])
def test_whatever_a_click_before_it_comes_to_the_time_agreed_is_kept(how: Ended) -> None:
    rules = replace(RULES, caps=replace(RULES.caps, attempts=1))
    case = settled(dialling(agreed(rules)), how, NOW + HOUR, rules)
    assert (case.due_at, case.attention, case.tries) == (FRIDAY, None, 0)
    assert verdict(case, rules, Standing(FRIDAY, ("Europe/Moscow",))).go
    # … also a moment before it, with a longer pause after such an end.
    near = settled(dialling(agreed(rules)), how, FRIDAY - minutes(1), rules)
    assert near.due_at == FRIDAY


def test_out_of_hours_the_time_agreed_is_kept_by_whoever_called_before_it_too() -> None:
    evening = replace(again(), hurried=True)
    closed = Standing(FRIDAY, ("Europe/Moscow",), opens_at=FRIDAY + 9 * HOUR)
    assert verdict(evening, RULES, closed) == GO


def test_whom_the_rules_call_no_more_waits_for_the_time_agreed() -> None:
    nobody = replace(RULES, automatic=Automatic.NOBODY)
    found = verdict(again(), nobody, Standing(NOW + 2 * HOUR, ("Europe/Moscow",)))
    assert found.bar is Bar.MANUAL
    after = put_off(again(), found, NOW + 2 * HOUR)
    assert (after.due_at, after.hurried, after.attention) == (FRIDAY, False, None)


def test_no_time_is_agreed_at_which_the_number_would_be_called_too_often() -> None:
    rules = PRESETS["ru"]
    standing = Standing(NOW, ("Europe/Moscow",), Tries(number=[NOW]))
    found = may_agree(rules, standing, NOW + 3 * HOUR)
    assert (found.bar, found.until) == (Bar.NUMBER_DAY, NOW + timedelta(days=1))
    assert may_agree(rules, standing, NOW + timedelta(days=1)).go
    twice = replace(standing, tries=Tries(number=[NOW - timedelta(days=2), NOW]))
    assert may_agree(rules, twice, NOW + timedelta(days=1)).bar is Bar.NUMBER_WEEK
