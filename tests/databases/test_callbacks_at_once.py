"""Relays, workers, the panel and the writer at once: one try for a case, one call for a try."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from telephony.ami.client import AmiAddress
from telephony.callbacks import asking, placing
from telephony.callbacks.asking import Asker, RefusedError
from telephony.callbacks.desk import Desk
from telephony.callbacks.dispatching import Dispatcher
from telephony.domain.callback.cases import CaseState, Ending, Source, Wish
from telephony.domain.callback.results import Why
from telephony.domain.callback.rules import CallbackRules, Caps, QuietHours
from telephony.domain.duty import Roster, Shift
from telephony.domain.setup import Group, Operator, Setup
from telephony.store.attempts import live_attempts
from telephony.store.calls import Revised
from telephony.store.case_tables import callback_attempt
from telephony.store.engine import reading, writing
from telephony.store.outbox import Claim
from telephony.store.progress import save_ended
from telephony.store.settling import wish_for
from telephony.store.setup import replace_setup
from tests.databases.callback_store import COUNTRY, all_cases, empty, let_be_free, watched
from tests.property.callback_calls import BEGIN, talk

NOW = BEGIN + timedelta(hours=2)
OPERATORS = tuple(str(number) for number in range(101, 109))
NEVER = QuietHours(BEGIN.time().replace(hour=0), BEGIN.time().replace(hour=0))
MANY = Caps(20, 20, 50, 10_000, 10_000, 100_000, 500)
RULES = CallbackRules(quiet=NEVER, caps=MANY, delay_seconds=0)
CASES = 30


def numbers(count: int) -> list[str]:
    return [f"+7495{7_650_000 + nth}" for nth in range(count)]


def office() -> Setup:
    week = frozenset({1, 2, 3, 4, 5, 6, 7})
    midnight = BEGIN.time().replace(hour=0)
    shifts = tuple(Shift(one, week, midnight, midnight) for one in OPERATORS)
    return Setup(
        operators={one: Operator(one, one, one) for one in OPERATORS},
        groups={"sales": Group("sales", Roster("Europe/Moscow", shifts))},
        default_group="sales",
        callbacks=RULES,
    )


@pytest.fixture
def store(shared_engine: Engine) -> Engine:
    empty(shared_engine)
    with writing(shared_engine) as session:
        replace_setup(session, office())
        let_be_free(session, OPERATORS)
        for number in numbers(CASES):
            wish = Wish(number, Why.RINGING, BEGIN, BEGIN, Source.MISSED, group="sales")
            wish_for(session, wish, RULES, BEGIN, "RU")
    watched(shared_engine, NOW)
    return shared_engine


def at_once(*works: Callable[[], object], within: float = 60) -> None:
    """Run all on threads that begin together; whatever one raises is raised here."""
    errors: list[BaseException] = []
    begin = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        begin.wait()
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(within)
        assert not thread.is_alive(), "they wait for each other"
    if errors:
        raise errors[0]


class Pbx:
    """Stands in for the PBX: it counts what it is ordered."""

    def __init__(self) -> None:
        self.ordered: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def session(self, _address: AmiAddress) -> Iterator[Pbx]:
        yield self

    def ask(self, fields: Any) -> dict[str, str]:
        told = dict(fields)
        if told["Action"] == "Originate":
            with self._lock:
                self.ordered[told["ChannelId"]] += 1
        return {"response": "Success", "timestamp": str(NOW.timestamp())}


@pytest.fixture
def pbx(monkeypatch: pytest.MonkeyPatch) -> Pbx:
    made = Pbx()
    monkeypatch.setattr(placing, "ami_session", made.session)
    return made


def a_desk(engine: Engine) -> Desk:
    return Desk(engine, COUNTRY, AmiAddress("", 0, "", ""), lambda: NOW)


def check(engine: Engine) -> None:
    """No two live tries for a case or an operator; a case is dialled exactly when it has one."""
    with reading(engine) as session:
        live = live_attempts(session)
    assert len({one.case_id for one in live}) == len(live)
    assert len({one.operator for one in live}) == len(live)
    dialled = {one.id for one in all_cases(engine) if one.state is CaseState.DIALLING}
    assert dialled == {one.case_id for one in live}


def test_relays_that_claim_at_once_share_the_cases(store: Engine) -> None:
    claims: list[Claim] = []

    def relay() -> None:
        dispatcher = Dispatcher(store, COUNTRY)
        for _ in range(3):
            if dispatcher.ready(NOW):
                claims.extend(dispatcher.claim(NOW))

    at_once(relay, relay, relay)
    assert len(claims) == len({one.id for one in claims}) == len(OPERATORS)
    check(store)


def test_workers_that_have_the_same_job_send_once(store: Engine, pbx: Pbx) -> None:
    claims = Dispatcher(store, COUNTRY).claim(NOW)

    def worker() -> None:
        desk = a_desk(store)
        for claim in claims:
            placing.place(desk, claim.id, claim.attempt)
            placing.place(desk, claim.id, claim.attempt + 1)

    at_once(worker, worker, worker)
    assert sorted(pbx.ordered.values()) == [1] * len(OPERATORS)


def test_a_person_closes_cases_while_jobs_decide(store: Engine, pbx: Pbx) -> None:
    claims = Dispatcher(store, COUNTRY).claim(NOW)
    closed: list[int] = []

    def worker() -> None:
        desk = a_desk(store)
        for claim in claims:
            placing.place(desk, claim.id, claim.attempt)

    def panel() -> None:
        for case in all_cases(store):
            try:
                with writing(store) as session:
                    asking.close_case(session, case.id, Ending.BY_HAND, Asker("boss"), "", NOW)
                closed.append(case.id)
            except RefusedError:
                continue

    def relay() -> None:
        Dispatcher(store, COUNTRY).claim(NOW)

    at_once(worker, panel, relay)
    assert len(closed) == CASES - len(OPERATORS)
    assert sum(pbx.ordered.values()) == len(OPERATORS)
    check(store)


def test_calls_are_written_while_relays_claim_people_click_and_jobs_send(
    store: Engine, pbx: Pbx
) -> None:
    calls = [talk(f"1.{nth}", one, BEGIN, 60, "101") for nth, one in enumerate(numbers(CASES))]

    def writer() -> None:
        for record in calls:
            with writing(store) as session:
                save_ended(session, [Revised(record, 1)], NOW, "RU")

    def relay() -> None:
        dispatcher, desk = Dispatcher(store, COUNTRY), a_desk(store)
        for _ in range(10):
            for claim in dispatcher.claim(NOW):
                placing.place(desk, claim.id, claim.attempt)
            dispatcher.sweep(NOW + timedelta(seconds=60))

    def panel() -> None:
        people = asking.Desk(office(), COUNTRY)
        for case in all_cases(store):
            try:
                with writing(store) as session:
                    asking.call_case(session, people, case.id, Asker("anna", "104"), NOW)
            except RefusedError:
                continue

    at_once(writer, relay, relay, panel)
    assert all(count == 1 for count in pbx.ordered.values())
    assert not [one for one in all_cases(store) if one.open], "each client was talked to"
    with reading(store) as session:
        sent = session.execute(
            select(callback_attempt.c.uniqueid).where(callback_attempt.c.uniqueid.is_not(None))
        ).scalars()
        assert set(sent) == set(pbx.ordered)
