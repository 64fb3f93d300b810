"""What is promised to clients: one call at a time, at a time that can be kept, and never to whom
does not want it. On both databases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from telephony.ami.client import AmiAddress
from telephony.callbacks import asking, placing
from telephony.callbacks.asking import Asker, Refusal, RefusedError
from telephony.callbacks.desk import Desk
from telephony.callbacks.dispatching import Dispatcher
from telephony.callbacks.watching import watch_cases
from telephony.domain.blocklist import Blocked
from telephony.domain.callback.cases import Attention, Case, CaseState, Ending, Source
from telephony.domain.callback.results import Ended
from telephony.domain.callback.rules import Automatic, CallbackRules, First
from telephony.domain.callback.verdicts import Bar
from telephony.domain.orders import Placing
from telephony.domain.record import CallRecord
from telephony.store.attempts import NewAttempt, add_attempt, live_attempts
from telephony.store.blocklist import block
from telephony.store.calls import Revised
from telephony.store.cases import ESCALATED, OPENED, opt_number_out, save_case
from telephony.store.engine import reading, writing
from telephony.store.live import replace_live_calls
from telephony.store.outbox import Claim, outbox
from telephony.store.progress import save_ended
from telephony.store.setup import load_setup, replace_setup
from tests.databases.callback_store import (
    COUNTRY,
    all_cases,
    empty,
    let_be_free,
    live_call,
    watched,
)
from tests.property.callback_calls import (
    BEGIN,
    CLIENTS,
    OPERATORS,
    PREMIUM,
    RULES,
    SALES,
    SUPPORT,
    missed,
    setup_of,
    talk,
)

CLIENT, OTHER = CLIENTS[0], CLIENTS[2]
NOW = BEGIN + timedelta(minutes=10)
ANNA = Asker("anna", "101")


@pytest.fixture
def store(shared_engine: Engine) -> Engine:
    empty(shared_engine)
    with writing(shared_engine) as session:
        replace_setup(session, setup_of())
        let_be_free(session, OPERATORS)
    watched(shared_engine, NOW)
    return shared_engine


def save(engine: Engine, *records: CallRecord, now: datetime = NOW) -> None:
    with writing(engine) as session:
        save_ended(session, [Revised(one, one.ended_at) for one in records], now, COUNTRY)


def a_miss(engine: Engine, number: str = CLIENT, did: str = SUPPORT) -> Case:
    """Let a client call in vain; return the newest case."""
    save(engine, missed("ringing", f"1.{len(all_cases(engine))}", number, BEGIN, did, "103"))
    return all_cases(engine)[-1]


def change(engine: Engine, rules: CallbackRules) -> None:
    with writing(engine) as session:
        replace_setup(session, replace(load_setup(session), callbacks=rules))


def ask(engine: Engine, what: Callable[..., object], *values: object) -> RefusedError | None:
    """Ask for something; return why it was refused."""
    try:
        with writing(engine) as session:
            what(session, asking.Desk(load_setup(session), COUNTRY), *values)
    except RefusedError as error:
        return error
    return None


def facts(engine: Engine, kind: str) -> list[str]:
    with reading(engine) as session:
        found = session.execute(select(outbox.c.key).where(outbox.c.kind == kind))
        return list(found.scalars())


def on_the_line(engine: Engine, *numbers: str) -> None:
    calls = [live_call(f"9.{nth}", NOW, number) for nth, number in enumerate(numbers)]
    with writing(engine) as session:
        replace_live_calls(session, calls)


def send(engine: Engine, attempt: int, now: datetime) -> Placing | None:
    desk = Desk(engine, COUNTRY, AmiAddress("", 0, "", ""), lambda: now)
    return placing._decide(desk, attempt, 1, 1_000_000)


# One call at a time


def test_who_is_on_the_line_is_called_when_they_have_hung_up(store: Engine) -> None:
    case = a_miss(store)
    on_the_line(store, CLIENT)
    dispatcher = Dispatcher(store, COUNTRY)
    assert dispatcher.claim(NOW) == []
    (after,) = all_cases(store)
    assert after.due_at == NOW + timedelta(seconds=5)
    error = ask(store, asking.call_case, case.id, ANNA, NOW)
    assert error is not None
    assert (error.why, error.bar) == (Refusal.BARRED, Bar.ON_THE_LINE)
    on_the_line(store, OTHER)
    assert len(dispatcher.claim(NOW + timedelta(seconds=5))) == 1


def test_who_calls_in_while_the_job_is_on_its_way_is_not_called_beside(store: Engine) -> None:
    a_miss(store)
    (claim,) = Dispatcher(store, COUNTRY).claim(NOW)
    on_the_line(store, CLIENT)
    assert send(store, claim.id, NOW) is None
    (after,) = all_cases(store)
    assert (after.state, after.tries) == (CaseState.OPEN, 0)
    assert after.due_at == NOW + timedelta(seconds=5)


def test_a_click_and_a_missed_call_of_one_number_make_one_call(store: Engine) -> None:
    save(store, talk("0.1", CLIENT, BEGIN - timedelta(hours=1), 60, "101"))
    assert ask(store, asking.call_number, CLIENT, ANNA, NOW) is None
    case = a_miss(store)
    assert case.open
    claims = Dispatcher(store, COUNTRY).claim(NOW)
    with reading(store) as session:
        (live,) = live_attempts(session)
    assert [one.id for one in claims] == [live.id], "the one of the click"
    assert live.case_id is None
    assert send(store, live.id, NOW) is not None, "which is not in its own way"


def test_two_tries_to_a_number_are_refused_by_the_database(store: Engine) -> None:
    def add(operator: str, number: str) -> None:
        with writing(store) as session:
            add_attempt(session, NewAttempt(number, "+7495", operator), NOW, timedelta(minutes=1))

    add("101", CLIENT)
    with pytest.raises(IntegrityError):
        add("102", CLIENT)
    add("102", OTHER)


# Times that can be kept


@pytest.mark.parametrize(
    ("hour", "minute", "possible"),
    [(20, 59, True), (21, 0, False), (23, 30, False), (33, 59, False), (34, 0, True)],
    ids=["before", "its first minute", "in it", "the weekend's late morning", "after"],
)
def test_a_time_in_the_clients_night_is_not_agreed_on(
    store: Engine, hour: int, minute: int, possible: bool
) -> None:
    """By the rules it is quiet from 21:00, on Saturdays until 10:00: in Moscow, three hours on."""
    midnight = BEGIN.replace(hour=0) - timedelta(hours=3)
    when = midnight + timedelta(hours=hour, minutes=minute)
    case = a_miss(store)
    wish = replace(asking.a_wish(CLIENT, Source.SCHEDULED, NOW), promised_at=when)
    for error in (
        ask(store, asking.schedule_case, case.id, when, NOW),
        ask(store, asking.ask_for_call, wish, NOW),
    ):
        if possible:
            assert error is None
            assert all_cases(store)[0].promised_at == when
        else:
            assert error is not None
            morning = midnight + timedelta(hours=34)
            assert (error.why, error.until) == (Refusal.QUIET, morning)
            assert all_cases(store) == [case]


def test_out_of_hours_the_operator_is_called_before_the_client(store: Engine) -> None:
    change(store, replace(RULES, first=First.CLIENT))
    evening = BEGIN.replace(hour=16, minute=30)  # 19:30 in Moscow: sales have closed
    case = a_miss(store, did=SALES)
    assert ask(store, asking.schedule_case, case.id, evening, NOW) is None
    watched(store, evening)
    assert len(Dispatcher(store, COUNTRY).claim(evening)) == 1
    with reading(store) as session:
        (live,) = live_attempts(session)
    assert live.first is First.OPERATOR


def test_an_operator_has_until_the_clients_night_to_accept(store: Engine) -> None:
    for nth, (number, ahead, patience) in enumerate(
        ((CLIENT, timedelta(hours=1), 95), (OTHER, timedelta(seconds=40), 40))
    ):
        # 21:00 in Moscow, and in Berlin.
        now = BEGIN.replace(hour=18 + 2 * nth) - ahead
        a_miss(store, number)
        watched(store, now)
        assert ask(store, asking.call_case, all_cases(store)[-1].id, ANNA, now) is None
        (claim,) = Dispatcher(store, COUNTRY).claim(now)
        order = send(store, claim.id, now)
        assert order is not None
        assert order.client_until - 1_000_000 == patience
        assert order.until - 1_000_000 == 15
        empty(store)
        with writing(store) as session:
            let_be_free(session, OPERATORS)


# Who is not called at all


def test_whom_nobody_may_call_is_never_waited_for(store: Engine) -> None:
    with writing(store) as session:
        opt_number_out(session, CLIENT, "boss", "", NOW)
        block(session, [Blocked("+4930*", "", "boss", BEGIN)])
        block(session, [Blocked(CLIENTS[1], "", "boss", BEGIN, until=NOW)])
    numbers = (CLIENT, OTHER, PREMIUM, CLIENTS[1])
    save(store, *(missed("ringing", f"2.{n}", one, BEGIN) for n, one in enumerate(numbers)))
    found = {one.number: (one.state, one.ending) for one in all_cases(store)}
    assert found == {
        CLIENT: (CaseState.SUPPRESSED, Ending.OPTED_OUT),
        OTHER: (CaseState.SUPPRESSED, Ending.BLOCKED),
        PREMIUM: (CaseState.SUPPRESSED, Ending.NOT_DIALLABLE),
        CLIENTS[1]: (CaseState.OPEN, None),
    }
    assert len(facts(store, OPENED)) == 1


def test_that_a_client_wants_no_calls_is_noted_whatever_became_of_the_case(store: Engine) -> None:
    def never(session: object, _desk: object, case_id: int) -> None:
        asking.close_case(session, case_id, Ending.OPTED_OUT, ANNA, "", NOW)  # type: ignore[arg-type]

    case = a_miss(store)
    (claim,) = Dispatcher(store, COUNTRY).claim(NOW)
    assert ask(store, never, case.id) is None
    assert all_cases(store)[0].state is CaseState.DIALLING
    assert send(store, claim.id, NOW) is None, "nobody is called who has said that"
    (after,) = all_cases(store)
    assert after.ending is Ending.OPTED_OUT
    # And again, of one that is over.
    other = a_miss(store, OTHER)
    save(store, talk("3.1", OTHER, BEGIN + timedelta(minutes=1), 60, "101"))
    assert ask(store, never, other.id) is None
    assert all_cases(store)[-1].ending is Ending.CLIENT_CALLED, "how it ended stays"
    assert a_miss(store, OTHER).ending is Ending.OPTED_OUT


def test_who_wants_no_calls_is_not_waited_for_after_a_click(store: Engine) -> None:
    """The case waits for a person, so nothing would fall due."""
    change(store, replace(RULES, automatic=Automatic.NOBODY))
    case = a_miss(store)
    assert ask(store, asking.call_case, case.id, ANNA, NOW) is None
    with writing(store) as session:
        asking.opt_out(session, CLIENT, ANNA, "", NOW)
        (live,) = live_attempts(session)
    dispatcher = Dispatcher(store, COUNTRY)
    with writing(store) as session:
        dispatcher.release(session, [Claim(live.id, "callback", 1)], NOW)
    assert all_cases(store)[0].state is CaseState.OPEN
    watch_cases(store, NOW)
    assert all_cases(store)[0].ending is Ending.OPTED_OUT


def test_what_was_agreed_in_the_call_back_is_a_case_again(store: Engine) -> None:
    case = a_miss(store)
    save(store, talk("3.1", CLIENT, BEGIN + timedelta(minutes=1), 60, "103"))
    when = NOW + timedelta(hours=2)
    assert ask(store, asking.schedule_case, case.id, when, NOW) is None
    over, again = all_cases(store)
    assert (over.open, again.open) == (False, True)
    assert (again.number, again.promised_at, again.due_at) == (CLIENT, when, when)
    assert (again.did, again.group, again.owner) == (case.did, case.group, case.owner)
    assert again.source is Source.SCHEDULED
    # Once more: the time is another one, the case the same.
    assert ask(store, asking.schedule_case, case.id, when + timedelta(hours=1), NOW) is None
    assert len(all_cases(store)) == 2
    assert all_cases(store)[1].promised_at == when + timedelta(hours=1)


# Rules that change


def test_cases_that_wait_go_on_by_the_new_rules(store: Engine) -> None:
    change(store, replace(RULES, automatic=Automatic.NOBODY))
    a_miss(store)
    a_miss(store, OTHER)
    dispatcher = Dispatcher(store, COUNTRY)
    dispatcher.reconsider(NOW)
    assert {one.attention for one in all_cases(store)} == {Attention.MANUAL}
    change(store, RULES)
    with writing(store) as session:
        block(session, [Blocked(OTHER, "", "boss", NOW)])
    dispatcher.reconsider(NOW)
    first, second = all_cases(store)
    assert (first.due_at, first.attention) == (NOW, None)
    assert second.ending is Ending.BLOCKED
    # Nothing changed: nothing is looked at.
    with writing(store) as session:
        save_case(session, first, replace(first, due_at=None, attention=Attention.MANUAL), NOW)
    dispatcher.reconsider(NOW)
    assert all_cases(store)[0].attention is Attention.MANUAL
    Dispatcher(store, COUNTRY).reconsider(NOW)
    assert all_cases(store)[0].attention is None, "a relay that begins looks at all of them"


def test_many_cases_are_looked_at_a_few_at_a_time(store: Engine) -> None:
    change(store, replace(RULES, automatic=Automatic.NOBODY))
    calls = [missed("ringing", f"4.{n}", f"+7495765{4000 + n}", BEGIN, SUPPORT) for n in range(120)]
    save(store, *calls)
    change(store, RULES)
    dispatcher, seen = Dispatcher(store, COUNTRY), []
    for _ in range(4):
        dispatcher.reconsider(NOW)
        seen.append(sum(one.attention is None for one in all_cases(store)))
    assert seen == [50, 100, 120, 120]


def test_each_time_a_case_needs_a_person_is_told(store: Engine) -> None:
    case = a_miss(store)
    for nth in range(2):
        now = NOW + timedelta(hours=nth)
        with writing(store) as session:
            waits = replace(case, attention=Attention.ATTEMPTS, due_at=None, last=Ended.BUSY)
            save_case(session, case, waits, now)
            save_case(session, waits, case, now)
    assert len(facts(store, ESCALATED)) == 2
