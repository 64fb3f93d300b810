"""Whoever asks again, by a form or through a CRM, is not made to wait for the next try."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from telephony.domain.callback.cases import Case, CaseState, Source, Wish, joined, opened, scheduled
from telephony.domain.callback.results import Ended, Why
from telephony.domain.callback.rules import Automatic, CallbackRules
from telephony.domain.callback.trying import as_before, settled

NOW = datetime(2026, 11, 18, 10, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
RULES = CallbackRules()


def wish(source: Source, **changes: object) -> Wish:
    return replace(Wish("+79161234567", Why.ASKED, NOW, NOW, source), **changes)  # type: ignore[arg-type]


def waiting() -> Case:
    return replace(opened(wish(Source.MISSED), RULES, None), due_at=LATER, tries=1, note="old")


@pytest.mark.parametrize(
    ("source", "due"),
    [
        (Source.FORM, NOW),
        (Source.REQUEST, NOW),
        (Source.KEY, LATER),
        (Source.MISSED, LATER),
    ],
)
def test_only_whoever_asks_by_a_form_or_a_program_hurries_a_case(
    source: Source, due: datetime
) -> None:
    after = joined(waiting(), wish(source), RULES)
    assert (after.due_at, after.tries) == (due, 1)


def test_nothing_is_hurried_against_the_rules_or_a_promise() -> None:
    by_hand = replace(RULES, automatic=Automatic.NOBODY)
    assert joined(waiting(), wish(Source.FORM), by_hand).due_at == LATER
    promised = scheduled(waiting(), LATER, LATER - timedelta(hours=1), RULES)
    assert joined(promised, wish(Source.FORM), RULES).due_at == LATER


def test_who_asks_while_a_click_comes_to_nothing_does_not_wait_for_the_next_try() -> None:
    ringing = replace(waiting(), state=CaseState.DIALLING)
    asked = joined(ringing, wish(Source.FORM), RULES)
    for how in (Ended.WITHDRAWN, Ended.NOT_DIALLED):
        after = as_before(settled(asked, how, NOW, RULES), NOW)
        assert after.due_at is not None
        assert after.due_at <= NOW + timedelta(seconds=5)
    # Who was called all the same is left alone for a while.
    assert settled(asked, Ended.BUSY, NOW, RULES).due_at == NOW + timedelta(minutes=5)


def test_whoever_sits_before_a_form_waits_for_no_particular_operator() -> None:
    theirs = opened(wish(Source.FORM, owner="101"), RULES, None)
    assert (theirs.owner, theirs.for_now(NOW)) == ("101", None)
    assert opened(wish(Source.REQUEST, owner="101"), RULES, None).for_now(NOW) == "101"


def test_what_it_is_about_is_kept() -> None:
    assert opened(wish(Source.FORM, note="new"), RULES, None).note == "new"
    assert joined(waiting(), wish(Source.FORM, note="new"), RULES).note == "new"
    assert joined(waiting(), wish(Source.FORM), RULES).note == "old"
