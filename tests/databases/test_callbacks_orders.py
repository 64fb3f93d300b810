"""Calls in any order, any of them twice, in one batch or many: the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from telephony.domain.callback.cases import (
    REACHED,
    Attention,
    CaseState,
    Ending,
    scheduled,
)
from telephony.domain.callback.results import Ended, why_missed
from telephony.domain.record import CallRecord, Disposition, Source
from telephony.store.attempts import NewAttempt, add_attempt, send_attempt
from telephony.store.case_tables import case_call
from telephony.store.cases import save_case
from telephony.store.engine import reading, writing
from tests.databases.callback_store import NOW, all_cases, begin, empty, save
from tests.property.callback_calls import (
    BEGIN,
    CLIENTS,
    RULES,
    SALES,
    SUPPORT,
    missed,
    setup_of,
    talk,
    tried,
)

CLIENT, OTHER = CLIENTS[0], CLIENTS[1]


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


RINGING = missed("ringing", "1.1", CLIENT, at(0), SALES, "101")
AGAIN = missed("nobody", "1.2", CLIENT, at(10), SUPPORT, "103")
ANSWERED = talk("1.3", CLIENT, at(20), 60, "102")
TOO_SHORT = talk("1.4", CLIENT, at(25), 2, "102")
LATER = missed("waiting", "1.5", CLIENT, at(30), SUPPORT, "103")
FROM_DESK = talk("1.6", CLIENT, at(40), 60, "103", ours=True)
SHORT = missed("short", "1.7", CLIENT, at(-5), SALES, "101")
LAST = missed("asked", "1.8", CLIENT, at(50), SALES, "102")
FOREIGN = missed("lost", "1.9", OTHER, at(15), SALES, "101")
LONG_TALK = talk("1.10", CLIENT, at(5), 1200, "101")

SETS: dict[str, tuple[CallRecord, ...]] = {
    "missed, answered, missed": (RINGING, ANSWERED, LATER),
    "missed twice, answered": (RINGING, AGAIN, ANSWERED),
    "missed twice": (AGAIN, RINGING, FOREIGN),
    "too short a talk": (RINGING, TOO_SHORT, LATER),
    "an operator calls, missed again": (RINGING, FROM_DESK, LAST),
    "a short one first": (SHORT, RINGING, AGAIN),
    "missed while another one of theirs talks": (RINGING, LONG_TALK, AGAIN),
    "answered in between twice": (RINGING, ANSWERED, LATER, FROM_DESK),
}


@pytest.fixture
def store(shared_engine: Engine) -> Engine:
    return begin(shared_engine, setup_of())


def outcome(engine: Engine) -> object:
    """Return what must be the same: the open cases, and how each missed call was settled.

    When something fell due depends on when it was known; how many cases that are over hold the
    calls that one conversation settled depends on it, too.
    """
    cases = {one.id: one for one in all_cases(engine)}
    with reading(engine) as session:
        calls = session.execute(select(case_call.c.call_id, case_call.c.case_id)).all()
    over = {}
    waits: dict[int, set[str]] = {}
    for call_id, case_id in calls:
        case = cases[case_id]
        if case.open:
            waits.setdefault(case_id, set()).add(call_id)
        else:
            over[call_id] = (case.state, "reached" if case.ending in REACHED else case.ending)
    still = sorted(
        (
            one.number,
            one.origin_at,
            one.last_missed_at,
            one.missed,
            one.why,
            one.source,
            one.did,
            one.group,
            one.owner,
            one.sla_at,
            one.state,
            tuple(sorted(waits.get(one.id, ()))),
        )
        for one in cases.values()
        if one.open
    )
    return still, over


def in_order(engine: Engine, records: Sequence[CallRecord]) -> object:
    empty(engine)
    for record in sorted(records, key=lambda one: one.started_at):
        save(engine, [record])
    return outcome(engine)


@pytest.mark.parametrize("records", SETS.values(), ids=SETS.keys())
def test_every_order_one_by_one_and_at_once(store: Engine, records: tuple[CallRecord, ...]) -> None:
    want = in_order(store, records)
    for order in permutations(records):
        for batches in ([order], [[one] for one in order], [order[:2], order[2:], order]):
            empty(store)
            for batch in batches:
                save(store, batch)
            assert outcome(store) == want, [one.call_id for one in order]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_order_with_any_repeated_in_any_batches(store: Engine, data: st.DataObject) -> None:
    pool = (RINGING, AGAIN, ANSWERED, TOO_SHORT, LATER, FROM_DESK, SHORT, LAST, FOREIGN)
    some = data.draw(st.lists(st.sampled_from(pool), min_size=3, max_size=7, unique=True))
    want = in_order(store, some)
    empty(store)
    doubled = some + data.draw(st.lists(st.sampled_from(some), max_size=4))
    left = data.draw(st.permutations(doubled))
    while left:
        size = data.draw(st.integers(1, len(left)))
        save(store, left[:size])
        left = left[size:]
    assert outcome(store) == want


def test_a_revision_takes_a_call_out_of_its_case(store: Engine) -> None:
    found = replace(RINGING, source=Source.CDR)
    save(store, [found, AGAIN])
    answered = replace(talk(RINGING.call_id, CLIENT, at(0), 2, "101"))
    save(store, [answered], answered.ended_at + 10**9)
    (case,) = all_cases(store)
    assert (case.missed, case.origin_at, case.did) == (1, at(10), SUPPORT)


def test_a_call_that_was_answered_after_all_ends_its_case(store: Engine) -> None:
    save(store, [RINGING])
    save(store, [talk(RINGING.call_id, CLIENT, at(0), 2, "101")], RINGING.ended_at + 10**9)
    (case,) = all_cases(store)
    assert case.ending is Ending.NOT_MISSED


@pytest.mark.parametrize("before", [True, False])
def test_what_seemed_a_short_abandon_is_called_back_when_it_was_none(
    store: Engine, before: bool
) -> None:
    short = missed("short", RINGING.call_id, CLIENT, at(0))
    assert why_missed(short, RULES) == "short"
    first, second = (short, RINGING) if before else (RINGING, short)
    save(store, [first], RINGING.ended_at)
    save(store, [second], RINGING.ended_at + 1)
    (case,) = all_cases(store)
    assert case.state is (CaseState.OPEN if before else CaseState.SUPPRESSED)
    assert case.ending is (None if before else Ending.SHORT)


def test_a_call_found_in_the_cdr_and_heard_of_later_is_one(store: Engine) -> None:
    save(store, [replace(RINGING, source=Source.CDR, disposition=Disposition.LOST)], 1)
    save(store, [RINGING], 2)
    (case,) = all_cases(store)
    assert (case.missed, case.why) == (1, "ringing")


def _a_try(engine: Engine, operator: str, clock: int) -> str:
    (case,) = all_cases(engine)
    with writing(engine) as session:
        new = NewAttempt(CLIENT, "+7495", operator, SALES, case.id)
        key = add_attempt(session, new, at(1), timedelta(seconds=15)).id
        save_case(session, case, replace(case, state=CaseState.DIALLING), at(1))
        uniqueid = f"dutyline-order-{clock}.{key}"
        assert send_attempt(session, key, 1, uniqueid, at(1), timedelta(seconds=15))
    return uniqueid


def test_the_late_record_of_a_doubtful_try_leaves_the_next_one_alone(store: Engine) -> None:
    save(store, [RINGING])
    first = _a_try(store, "101", 1772790000)
    save(store, [tried(Ended.UNKNOWN, first, CLIENT, at(1), "101")])
    (case,) = all_cases(store)
    assert case.attention is Attention.UNKNOWN
    _a_try(store, "102", 1772790100)
    save(store, [tried(Ended.NO_ANSWER, first, CLIENT, at(1), "101")], NOW.year * 10**13)
    (case,) = all_cases(store)
    assert case.state is CaseState.DIALLING, "the second try goes on"


def test_a_doubtful_try_that_is_told_of_twice_does_not_undo_what_was_agreed(store: Engine) -> None:
    save(store, [RINGING])
    call_id = _a_try(store, "101", 1772790000)
    lost = tried(Ended.UNKNOWN, call_id, CLIENT, at(1), "101")
    save(store, [lost])
    (case,) = all_cases(store)
    agreed = scheduled(case, at(600), at(5), RULES)
    with writing(store) as session:
        save_case(session, case, agreed, at(5))
    save(store, [lost], NOW.year * 10**13)
    assert all_cases(store) == [agreed]


@pytest.mark.parametrize("reverse", [False, True])
def test_the_record_of_a_try_and_what_the_client_did_meanwhile(
    store: Engine, reverse: bool
) -> None:
    save(store, [RINGING])
    call_id = _a_try(store, "101", 1772790000)
    talked = tried(Ended.TALKED, call_id, CLIENT, at(5), "101")
    records = [talked, LATER]
    for record in reversed(records) if reverse else records:
        save(store, [record])
    over, still = sorted(all_cases(store), key=lambda one: one.open)
    assert (over.ending, over.call_id) == (Ending.CALLED_BACK, call_id)
    assert (still.origin_at, still.missed) == (at(30), 1)
