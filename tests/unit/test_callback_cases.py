"""What becomes of a case: promises, people, tries, and how long it waits in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from telephony.domain.callback.cases import (
    Attention,
    Case,
    CaseState,
    Ending,
    Source,
    Wish,
    claimed,
    ended,
    expired,
    joined,
    opened,
    reached,
    scheduled,
)
from telephony.domain.callback.results import Contact, Ended, Why
from telephony.domain.callback.rules import Automatic, CallbackRules
from telephony.domain.callback.trying import as_before, dialling, doubt_over, postponed, settled
from tests.property.callback_calls import BEGIN, CLIENTS

RULES = CallbackRules()
NOW = BEGIN


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def a_wish(**changes: object) -> Wish:
    return replace(Wish(CLIENTS[0], Why.RINGING, NOW, NOW), **changes)  # type: ignore[arg-type]


def a_case(rules: CallbackRules = RULES, **changes: object) -> Case:
    return replace(opened(a_wish(), rules, NOW + minutes(30)), **changes)  # type: ignore[arg-type]


def after(how: Ended, case: Case | None = None, rules: CallbackRules = RULES) -> Case:
    return settled(dialling(case or a_case()), how, NOW, rules)


@pytest.mark.parametrize(
    ("how", "pause"),
    [
        (Ended.BUSY, 5),
        (Ended.NO_ANSWER, 30),
        (Ended.DECLINED, 120),
        (Ended.UNREACHABLE, 60),
        (Ended.NOT_A_PERSON, 60),
        (Ended.WAITED_IN_VAIN, 5),
        (Ended.OPERATOR_GONE, 30),
    ],
)
def test_a_client_who_was_dialled_is_left_alone_for_a_while(how: Ended, pause: int) -> None:
    case = after(how)
    assert (case.due_at, case.tries, case.misses) == (NOW + minutes(pause), 1, 0)


@pytest.mark.parametrize("how", [one for one in Ended if not one.dialled and one != "withdrawn"])
def test_operators_who_cannot_be_had_are_asked_less_and_less_often(how: Ended) -> None:
    case, waits = a_case(due_at=NOW), []
    for _ in range(9):
        case = replace(after(how, replace(case, due_at=NOW)), state=CaseState.OPEN)
        assert case.due_at is not None
        waits.append((case.due_at - NOW).total_seconds() / 60)
    first = 5 / 60 if how is Ended.NOT_DIALLED else 1
    assert waits == pytest.approx([min(first * 2**nth, 15) for nth in range(8)] + [waits[-1]])
    assert waits[-1] <= 15
    assert (case.tries, case.misses) == (0, 9)


def test_an_operator_who_missed_a_click_does_not_make_a_client_due_sooner() -> None:
    case = a_case(due_at=NOW + minutes(120))
    assert after(Ended.OPERATOR_BUSY, case).due_at == NOW + minutes(120)


def test_as_many_tries_as_there_may_be_and_then_a_person() -> None:
    case = a_case(tries=RULES.caps.attempts - 1)
    assert after(Ended.BUSY, case).attention is Attention.ATTEMPTS
    assert after(Ended.BUSY, case).due_at is None


@pytest.mark.parametrize("attention", [Attention.UNKNOWN, Attention.MANUAL, Attention.RULES])
@pytest.mark.parametrize("how", [Ended.OPERATOR_BUSY, Ended.NO_ANSWER, Ended.NOT_DIALLED])
def test_what_waits_for_a_person_goes_on_waiting_after_their_own_try(
    how: Ended, attention: Attention
) -> None:
    rules = replace(RULES, automatic=Automatic.NOBODY)
    case = a_case(due_at=None, attention=attention)
    tried = after(how, case, rules)
    assert (tried.due_at, tried.attention) == (None, attention)
    back = as_before(settled(dialling(case), Ended.WITHDRAWN, NOW, rules), NOW)
    assert (back.due_at, back.attention) == (None, attention)


def test_a_doubtful_try_is_never_repeated_and_may_be_known_later() -> None:
    doubtful = after(Ended.UNKNOWN)
    assert (doubtful.due_at, doubtful.attention, doubtful.tries) == (None, Attention.UNKNOWN, 1)
    known = settled(doubt_over(doubtful), Ended.BUSY, NOW, RULES)
    assert (known.tries, known.attention, known.due_at) == (1, None, NOW + minutes(5))
    assert doubt_over(after(Ended.BUSY)).state is CaseState.OPEN


def test_what_is_agreed_while_a_try_is_under_way_holds() -> None:
    tomorrow = NOW + timedelta(days=1)
    promised = scheduled(dialling(a_case()), tomorrow, NOW, RULES)
    for how in (Ended.NO_ANSWER, Ended.OPERATOR_BUSY, Ended.NOT_DIALLED):
        assert settled(promised, how, NOW, RULES).due_at == tomorrow
    back = settled(promised, Ended.WITHDRAWN, NOW, RULES)
    assert postponed(back, NOW + minutes(1), NOW).due_at == tomorrow
    assert as_before(back, NOW).due_at == tomorrow
    given_up = scheduled(
        dialling(a_case(due_at=None, attention=Attention.ATTEMPTS)), tomorrow, NOW, RULES
    )
    assert as_before(settled(given_up, Ended.WITHDRAWN, NOW, RULES), NOW).due_at == tomorrow


def test_a_promise_made_in_a_conversation_outlives_it() -> None:
    talk = Contact("1.1", CLIENTS[0], NOW + minutes(1), NOW + minutes(9), True, "101")
    tomorrow = NOW + timedelta(days=1)
    promised = scheduled(a_case(), tomorrow, NOW + minutes(5), RULES)
    assert reached(promised, talk).open
    assert not reached(promised, replace(talk, since=NOW + minutes(6))).open
    assert not reached(a_case(), talk).open


@pytest.mark.parametrize(
    ("ours", "call_id", "ending"),
    [
        (False, "1.1", Ending.CLIENT_CALLED),
        (True, "1.1", Ending.OPERATOR_CALLED),
        (True, "dutyline-order-1772790000.7", Ending.CALLED_BACK),
    ],
)
@pytest.mark.parametrize(("late", "kept"), [(29, True), (30, True), (31, False)])
def test_a_promise_is_kept_or_broken(
    ours: bool, call_id: str, ending: Ending, late: int, kept: bool
) -> None:
    talk = Contact(call_id, CLIENTS[0], NOW + minutes(late), NOW + minutes(60), ours, "101")
    case = reached(a_case(), talk)
    assert (case.ending, case.kept, case.ended_by) == (ending, kept, "101")


@pytest.mark.parametrize(("late", "broken"), [(30, False), (31, True)])
def test_a_deadline_that_was_broken_stays_so_whatever_is_agreed_then(
    late: int, broken: bool
) -> None:
    once = scheduled(a_case(), NOW + minutes(90), NOW + minutes(late), RULES)
    again = scheduled(once, NOW + minutes(180), NOW + minutes(late + 1), RULES)
    assert (again.agreed_at, again.sla_at) == (NOW + minutes(late + 1), NOW + minutes(210))
    assert again.broken_at == (a_case().sla_at if broken else None)
    talk = Contact("1.1", CLIENTS[0], NOW + minutes(181), NOW + minutes(190), True, "101")
    assert reached(again, talk).kept is not broken
    missed = scheduled(once, NOW + minutes(300), NOW + minutes(121), RULES)
    assert missed.broken_at == (a_case().sla_at if broken else once.sla_at)


def test_what_is_neither_kept_nor_broken() -> None:
    assert a_case().kept is None
    assert ended(a_case(), Ending.BY_HAND, NOW).kept is None
    assert ended(a_case(), Ending.BLOCKED, NOW).kept is None
    assert expired(a_case(), NOW + timedelta(hours=72)).kept is False


def test_a_conversation_before_the_miss_or_with_somebody_else_ends_nothing() -> None:
    early = Contact("1.1", CLIENTS[0], NOW - minutes(1), NOW + minutes(5), False, "101")
    assert reached(a_case(), early).open
    other = replace(early, number=CLIENTS[1], since=NOW + minutes(1))
    assert reached(a_case(), other).open


def test_it_expires_at_its_time_unless_a_try_is_under_way() -> None:
    end = NOW + timedelta(hours=RULES.expire_hours)
    assert expired(a_case(), end - minutes(1)).open
    assert expired(a_case(), end).ending is Ending.EXPIRED
    assert expired(dialling(a_case()), end).open


def test_nothing_changes_what_is_over() -> None:
    over = ended(a_case(), Ending.BY_HAND, NOW)
    talk = Contact("1.1", CLIENTS[0], NOW + minutes(1), NOW, False, "101")
    for same in (
        ended(over, Ending.EXPIRED, NOW),
        joined(over, a_wish(since=NOW + minutes(1)), RULES),
        scheduled(over, NOW + minutes(5), NOW, RULES),
        claimed(over, "101", NOW, RULES),
        dialling(over),
        settled(over, Ended.BUSY, NOW, RULES),
        doubt_over(over),
        postponed(over, NOW, NOW),
        reached(over, talk),
        expired(over, NOW + timedelta(days=90)),
        as_before(over, NOW),
    ):
        assert same is over


@pytest.mark.parametrize(
    ("automatic", "source", "by_itself"),
    [
        (Automatic.EVERYBODY, Source.MISSED, True),
        (Automatic.ASKED, Source.MISSED, False),
        (Automatic.ASKED, Source.KEY, True),
        (Automatic.ASKED, Source.FORM, True),
        (Automatic.NOBODY, Source.KEY, False),
    ],
)
def test_whom_dutyline_calls_by_itself(
    automatic: Automatic, source: Source, by_itself: bool
) -> None:
    rules = replace(RULES, automatic=automatic)
    case = opened(a_wish(source=source), rules, None)
    wait = minutes(1) if source is Source.MISSED else minutes(0)
    assert case.due_at == (NOW + wait if by_itself else None)
    assert case.attention == (None if by_itself else Attention.MANUAL)


def test_a_call_that_was_written_late_is_the_first_of_its_case() -> None:
    case = a_case(did="2", group="support", owner="103")
    first = a_wish(since=NOW - minutes(9), at=NOW - minutes(8), did="1", group="sales", owner="101")
    late = joined(case, first, RULES, NOW + minutes(21))
    assert (late.did, late.group, late.owner) == ("1", "sales", "101")
    assert (late.origin_at, late.last_missed_at) == (NOW - minutes(9), NOW)
    assert (late.sla_at, late.opened_at) == (NOW + minutes(21), NOW - minutes(8))


def test_a_further_call_keeps_the_place_and_sets_going_what_was_given_up() -> None:
    given_up = a_case(due_at=None, attention=Attention.ATTEMPTS, tries=5)
    again = joined(given_up, a_wish(since=NOW + minutes(5), at=NOW + minutes(5)), RULES)
    assert (again.origin_at, again.missed, again.tries) == (NOW, 2, 0)
    assert (again.attention, again.due_at) == (None, NOW + minutes(6))
