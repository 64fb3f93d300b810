"""Cases that wait for the rules' sake go on when the rules let them, and never wait in vain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from telephony.domain.callback.cases import (
    Attention,
    Case,
    CaseState,
    Ending,
    Source,
    Wish,
    joined,
    opened,
)
from telephony.domain.callback.results import Ended, Why
from telephony.domain.callback.rules import PRESETS, Automatic, CallbackRules
from telephony.domain.callback.trying import dialling, postponed, put_off, reconsidered, settled
from telephony.domain.callback.verdicts import Bar, Standing, Tries, Verdict, verdict

NOW = datetime(2026, 11, 18, 10, 30, tzinfo=UTC)
RULES = CallbackRules()
STANDING = Standing(NOW, ("Europe/Moscow",))
WISH = Wish("+79161234567", Why.RINGING, NOW, NOW)


def a_case(rules: CallbackRules = RULES, **changes: object) -> Case:
    return replace(opened(WISH, rules, None), **changes)  # type: ignore[arg-type]


def looked_at(case: Case, rules: CallbackRules, standing: Standing = STANDING) -> Case:
    return reconsidered(case, verdict(case, rules, standing), standing.now)


def test_what_was_by_hand_goes_on_by_itself_when_the_rules_say_so() -> None:
    by_hand = a_case(replace(RULES, automatic=Automatic.NOBODY))
    assert by_hand.attention is Attention.MANUAL
    assert looked_at(by_hand, replace(RULES, automatic=Automatic.ASKED)) == by_hand
    after = looked_at(by_hand, RULES)
    assert (after.attention, after.due_at) == (None, NOW)
    night = replace(STANDING, opens_at=NOW + timedelta(hours=9))
    assert looked_at(by_hand, RULES, night).due_at == NOW + timedelta(hours=9)


def test_what_went_on_by_itself_is_a_persons_when_the_rules_say_so() -> None:
    case = a_case(due_at=NOW + timedelta(hours=2))
    assert looked_at(case, RULES) == case, "when it is due is not brought forward"
    after = looked_at(case, replace(RULES, automatic=Automatic.NOBODY))
    assert (after.attention, after.due_at) == (Attention.MANUAL, None)


def test_where_the_rules_left_no_moment_they_may_leave_one_now() -> None:
    shut = a_case(attention=Attention.RULES, due_at=None)
    never = replace(STANDING, never_opens=True)
    assert looked_at(shut, RULES, never) == shut
    assert looked_at(shut, RULES).due_at == NOW


def test_who_was_called_lately_is_not_called_at_once_for_other_rules() -> None:
    """The pause after that call is not known any more: a client who declined is left alone."""
    declined = a_case(attention=Attention.RULES, due_at=None, tries=1, last=Ended.DECLINED)
    assert looked_at(declined, RULES) == declined


def test_rules_that_change_while_a_person_calls_hold_after_the_call() -> None:
    by_hand = a_case(replace(RULES, automatic=Automatic.NOBODY))
    case = settled(dialling(by_hand), Ended.BUSY, NOW, RULES)
    assert (case.attention, case.due_at) == (None, NOW + timedelta(minutes=5))


@pytest.mark.parametrize("attention", [Attention.ATTEMPTS, Attention.UNKNOWN])
def test_what_a_person_has_to_judge_stays_theirs(attention: Attention) -> None:
    case = a_case(attention=attention, due_at=None)
    assert looked_at(case, RULES) == case


def test_who_is_not_to_be_called_any_more_ends() -> None:
    for changes, ending in (
        ({"blocked": True}, Ending.BLOCKED),
        ({"opted_out": True}, Ending.OPTED_OUT),
    ):
        case = a_case(attention=Attention.MANUAL, due_at=None)
        standing = replace(STANDING, **changes)  # type: ignore[arg-type]
        assert looked_at(case, RULES, standing).ending is ending
    ringing = a_case(state=CaseState.DIALLING)
    assert looked_at(ringing, RULES, replace(STANDING, blocked=True)) == ringing


@pytest.mark.parametrize("ending", [Ending.BLOCKED, Ending.OPTED_OUT, Ending.NOT_DIALLABLE])
def test_who_is_never_called_is_never_promised_a_call(ending: Ending) -> None:
    """At once, not when it falls due: nobody is told of it as overdue."""
    case = opened(replace(WISH, barred=ending), RULES, NOW + timedelta(minutes=30))
    assert (case.state, case.ending, case.ended_at) == (CaseState.SUPPRESSED, ending, NOW)
    assert case.kept is None


def test_what_would_be_over_before_its_next_try_is_a_persons_at_once() -> None:
    """Else it waits until it is given up, and nobody looks at it."""
    week = NOW + timedelta(days=6)
    case = postponed(a_case(), week, NOW)
    assert (case.due_at, case.attention) == (None, Attention.RULES)
    assert postponed(a_case(), NOW + timedelta(hours=71), NOW).attention is None
    slow = replace(RULES, spacing=replace(RULES.spacing, declined=5 * 24 * 60))
    case = settled(dialling(a_case()), Ended.DECLINED, NOW, slow)
    assert (case.due_at, case.attention) == (None, Attention.RULES)
    assert case.expires_at is not None
    for before in (timedelta(), timedelta(minutes=1)):
        now = case.expires_at - before
        old = postponed(a_case(), now + timedelta(hours=1), now)
        assert old.attention is None, "whose time is over is given up, and that is told"


def test_nobody_gives_up_on_a_client_while_it_is_closed() -> None:
    """Over long holidays more than the hours of a case go by."""
    case, opens = a_case(), NOW + timedelta(days=9)
    closed = replace(STANDING, opens_at=opens)
    after = put_off(case, verdict(case, RULES, closed), NOW)
    assert (after.due_at, after.attention) == (opens, None)
    assert after.expires_at == opens + timedelta(hours=72)
    by_hand = replace(case, attention=Attention.RULES, due_at=None)
    assert looked_at(by_hand, RULES, closed).due_at == opens
    # A night is no reason to wait for longer.
    night = replace(STANDING, opens_at=NOW + timedelta(hours=12))
    assert put_off(case, verdict(case, RULES, night), NOW).expires_at == case.expires_at


@pytest.mark.parametrize("name", PRESETS)
def test_all_the_tries_of_a_preset_can_be_made(name: str) -> None:
    """A client who never answers is called as often as the rules say, before the case is over."""
    rules = PRESETS[name]
    case, made = opened(WISH, rules, None), list[datetime]()
    while case.attention is None:
        assert case.due_at is not None
        now = case.due_at
        found = verdict(case, rules, Standing(now, ("Europe/Moscow",), Tries(number=made)))
        if not found.go:
            case = postponed(case, found.until, now, found.attention)
            continue
        made.append(now)
        case = settled(dialling(case), Ended.NO_ANSWER, now, rules)
    assert case.attention is Attention.ATTEMPTS
    assert len(made) == rules.caps.attempts


def test_who_is_on_the_line_is_not_called_beside() -> None:
    there = replace(STANDING, on_the_line=True)
    assert verdict(a_case(), RULES, there) == Verdict(Bar.ON_THE_LINE, NOW + timedelta(seconds=5))
    calls_again = joined(a_case(), replace(WISH, source=Source.KEY), RULES)
    assert verdict(calls_again, RULES, there).bar is Bar.ON_THE_LINE
