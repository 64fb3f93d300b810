"""The real store as the second place of the history of callbacks, and emptying it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from telephony.ami.client import AmiAddress
from telephony.callbacks import asking, placing
from telephony.callbacks.asking import Asker, RefusedError
from telephony.callbacks.desk import Desk
from telephony.callbacks.dispatching import Dispatcher
from telephony.callbacks.watching import watch_cases
from telephony.domain.blocklist import Blocked
from telephony.domain.callback.cases import Case, Ending, Source
from telephony.domain.callback.results import Ended
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.live import LiveCall, OperatorActivity, OperatorState
from telephony.domain.orders import attempt_of
from telephony.domain.record import CallRecord, Direction
from telephony.domain.setup import Setup
from telephony.status import identity
from telephony.store.attempts import get_attempt
from telephony.store.blocklist import block, find_pattern, unblock
from telephony.store.calls import Revised
from telephony.store.case_tables import (
    callback_attempt,
    callback_stop,
    case_call,
    missed_case,
    opt_out,
)
from telephony.store.cases import case_of, resume_dialling, stop_dialling
from telephony.store.engine import reading, writing
from telephony.store.live import (
    operator_state,
    replace_live_calls,
    replace_operator_states,
    save_process,
)
from telephony.store.outbox import Claim, outbox
from telephony.store.progress import save_ended
from telephony.store.schema import metadata
from telephony.store.setup import load_setup, replace_setup
from telephony.store.tables import in_turn, microseconds
from tests.databases.missed import does
from tests.property.callback_calls import BEGIN
from tests.property.callback_model import Try

COUNTRY = "RU"
NOW = BEGIN + timedelta(days=1)


def empty(engine: Engine) -> None:
    """Delete the rows of all tables that callbacks write or read, but for the set-up's."""
    names = ("call_leg", "call", "live_call", "blocked", "process_status", "delivery")
    tables = [metadata.tables[name] for name in names if name in metadata.tables]
    tables += [callback_attempt, case_call, missed_case, opt_out, callback_stop, outbox]
    with writing(engine) as session:
        for table in (*tables, operator_state):
            session.execute(delete(table))


def begin(engine: Engine, setup: Setup) -> Engine:
    """Return the engine of a database that has a set-up and nothing else."""
    empty(engine)
    with writing(engine) as session:
        replace_setup(session, setup)
    return engine


def save(engine: Engine, records: Iterable[CallRecord], revision: int | None = None) -> None:
    """Write calls that have ended, in one batch, as the writer does at `NOW`."""
    with writing(engine) as session:
        revised = [Revised(one, revision or one.ended_at) for one in records]
        save_ended(session, revised, NOW, COUNTRY)


def watched(engine: Engine, now: datetime) -> None:
    """Tell that a listener is well."""
    with writing(engine) as session:
        save_process(session, identity("listener").told((True, None, {}), now))


def let_be_free(session: Session, operators: Iterable[str]) -> None:
    """Let these operators be free, and no others be known."""
    free = [OperatorState(one, "", OperatorActivity.FREE, 0) for one in operators]
    replace_operator_states(session, free)


def all_cases(engine: Engine) -> list[Case]:
    """Return all cases in the order in which they were opened."""
    with reading(engine) as session:
        rows = session.execute(select(missed_case).order_by(missed_case.c.id)).all()
    return [case_of(row) for row in rows]


class Store:
    """Cases and tries are known by their places in the order of their ids."""

    def __init__(self, engine: Engine, setup: Setup) -> None:
        self.engine = engine
        self.now = datetime.now(UTC)
        self.lines: dict[str, datetime] = {}
        begin(engine, setup)
        self.restart()

    def restart(self) -> None:
        self.desk = Desk(self.engine, COUNTRY, AmiAddress("", 0, "", ""), lambda: self.now)
        self.dispatcher = Dispatcher(self.engine, COUNTRY)

    def settle(self, record: CallRecord, now: datetime) -> None:
        place = attempt_of(record.call_id)
        if place is not None:  # ids go on from those of earlier histories
            with reading(self.engine) as session:
                attempt = get_attempt(session, self._try(place - 1))
            assert attempt is not None
            record = replace(record, call_id=str(attempt.uniqueid))
        with writing(self.engine) as session:
            save_ended(session, [Revised(record, record.ended_at)], now, COUNTRY)

    def ask(self, number: str, source: Source, at: datetime | None, now: datetime) -> bool:
        wish = replace(asking.a_wish(number, source, now), promised_at=at)
        try:
            with writing(self.engine) as session:
                asking.ask_for_call(session, self._people(), wish, now)
        except RefusedError:
            return False
        return True

    def schedule(self, place: int, at: datetime, now: datetime) -> bool:
        key = self._case(place)
        try:
            with writing(self.engine) as session:
                asking.schedule_case(session, self._people(), key, at, now)
        except RefusedError:
            return False
        return True

    def claim(self, place: int, operator: str | None, now: datetime) -> bool:
        key = self._case(place)
        try:
            with writing(self.engine) as session:
                asking.claim_case(session, self._people(), key, operator, now)
        except RefusedError:
            return False
        return True

    def close(self, place: int, ending: Ending, now: datetime) -> bool:
        key = self._case(place)
        try:
            with writing(self.engine) as session:
                asking.close_case(session, key, ending, Asker("boss"), "", now)
        except RefusedError:
            return False
        return True

    def call_now(self, place: int, operator: str, now: datetime) -> bool:
        key = self._case(place)
        watched(self.engine, now)
        does(self.engine, now, operator)
        try:
            with writing(self.engine) as session:
                asking.call_case(session, self._people(), key, Asker("anna", operator), now)
        except RefusedError:
            return False
        return True

    def block(self, number: str, now: datetime) -> None:
        with writing(self.engine) as session:
            known = find_pattern(session, number)
            if known is None:
                block(session, [Blocked(number, "", "boss", now)])
            else:
                unblock(session, [known[0]])

    def line(self, number: str, now: datetime) -> None:
        if self.lines.pop(number, None) is None:
            self.lines[number] = now
        with writing(self.engine) as session:
            replace_live_calls(session, self._talks())

    def stop(self, stopped: bool, now: datetime) -> None:
        with writing(self.engine) as session:
            if stopped:
                stop_dialling(session, "boss", "", now)
            else:
                resume_dialling(session, "boss", now)

    def change(self, rules: CallbackRules) -> None:
        with writing(self.engine) as session:
            replace_setup(session, replace(load_setup(session), callbacks=rules))

    def dispatch(
        self,
        states: Sequence[OperatorState],
        waiting: Mapping[str, Sequence[datetime]],
        now: datetime,
    ) -> None:
        calls = [
            live_call(f"{group}.{nth}", at, queue=f"dutyline-{group}")
            for group, callers in waiting.items()
            for nth, at in enumerate(callers)
        ]
        watched(self.engine, now)
        with writing(self.engine) as session:
            replace_operator_states(session, states)
            replace_live_calls(session, [*calls, *self._talks()])
        ready = self.dispatcher.ready(now)
        before = all_cases(self.engine)
        claims = self.dispatcher.claim(now)
        assert ready or (not claims and before == all_cases(self.engine))

    def reconsider(self, now: datetime) -> None:
        self.dispatcher.reconsider(now)

    def release(self, place: int, now: datetime) -> None:
        key = self._try(place)
        with writing(self.engine) as session:
            self.dispatcher.release(session, [Claim(key, "callback", 1)], now)

    def send(self, place: int, states: Sequence[OperatorState], now: datetime) -> bool:
        key = self._try(place)
        watched(self.engine, now)
        with writing(self.engine) as session:
            replace_operator_states(session, states)
        self.now = now
        assert placing._decide(self.desk, key, 99, int(now.timestamp())) is None
        found = placing._decide(self.desk, key, 1, int(now.timestamp()))
        # Invariant 10: a job that is out of date, or comes twice, orders nothing.
        assert placing._decide(self.desk, key, 1, int(now.timestamp())) is None
        return found is not None

    def lose(self, place: int, how: Ended, now: datetime) -> None:
        self.now = now
        with writing(self.engine) as session:
            in_turn(session)
            attempt = get_attempt(session, self._try(place))
            assert attempt is not None
            placing.end_attempt(session, self.desk, attempt, how, "looked up")

    def expire(self, now: datetime) -> None:
        watch_cases(self.engine, now)

    def has(self) -> tuple[list[Case], list[Try]]:
        cases = all_cases(self.engine)
        places = {one.id: place for place, one in enumerate(cases)}
        with reading(self.engine) as session:
            keys = session.execute(select(callback_attempt.c.id).order_by(callback_attempt.c.id))
            found = [get_attempt(session, key) for key in keys.scalars()]
            facts = session.execute(select(outbox.c.key)).scalars().all()
        self._told(cases, facts)
        tries = []
        for nth, one in enumerate(found, 1):
            assert one is not None
            assert one.case_id is not None
            call_id = one.uniqueid or ""
            tries.append(
                Try(
                    case=places[one.case_id],
                    number=one.number,
                    did=one.did,
                    operator=one.operator,
                    state=one.state.value,
                    asked=bool(one.asked_by),
                    mobile=one.mobile,
                    sent_at=one.sent_at,
                    call_id=f"{call_id.partition('.')[0]}.{nth}" if call_id else "",
                    ended=one.ended,
                )
            )
        ids: dict[str | None, str] = {
            one.uniqueid: tries[nth].call_id
            for nth, one in enumerate(found)
            if one and one.uniqueid
        }
        return [
            replace(one, id=0, call_id=ids.get(one.call_id) or one.call_id) for one in cases
        ], tries

    def _told(self, cases: Sequence[Case], facts: Sequence[str]) -> None:
        """Invariant 7: each end is told once, and each begin."""
        assert len(facts) == len(set(facts))
        told = {one.partition(":")[2] for one in facts if one.startswith("callback.closed:")}
        began = {one.partition(":")[2] for one in facts if one.startswith("callback.opened:")}
        assert told <= {str(one.id) for one in cases if not one.open}
        for one in cases:
            if str(one.id) in began:
                assert (str(one.id) in told) is not one.open
            else:
                assert not one.open

    def _talks(self) -> list[LiveCall]:
        return [live_call(f"line.{number}", at, number) for number, at in self.lines.items()]

    def _people(self) -> asking.Desk:
        with reading(self.engine) as session:
            return asking.Desk(load_setup(session), COUNTRY)

    def _case(self, place: int) -> int:
        with reading(self.engine) as session:
            keys = session.execute(select(missed_case.c.id).order_by(missed_case.c.id))
            return int(keys.scalars().all()[place])

    def _try(self, place: int) -> int:
        with reading(self.engine) as session:
            keys = session.execute(select(callback_attempt.c.id).order_by(callback_attempt.c.id))
            return int(keys.scalars().all()[place])


def live_call(call_id: str, at: datetime, number: str = "", queue: str = "") -> LiveCall:
    """Return a call that goes on; with a queue its caller waits in it."""
    return LiveCall(
        call_id=call_id,
        revision=1,
        direction=Direction.IN,
        did="",
        number=number,
        client_id=None,
        client_name="",
        placed_by=None,
        phase="waiting" if queue else "talking",
        since=microseconds(at),
        started_at=microseconds(at),
        queue=queue,
        queued_at=microseconds(at) if queue else None,
    )
