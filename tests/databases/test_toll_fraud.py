"""Forged missed calls cost nothing: on both databases, through everything that leads to a call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from telephony.ami.client import AmiAddress
from telephony.callbacks import placing
from telephony.callbacks.desk import Desk
from telephony.callbacks.dispatching import Dispatcher
from telephony.callbacks.watching import watch_cases
from telephony.domain.callback.cases import CaseState
from telephony.domain.callback.results import Ended
from telephony.domain.callback.rules import CallbackRules, Caps, QuietHours
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.domain.record import Disposition
from telephony.status import identity
from telephony.store.alarms import ALARM
from telephony.store.attempts import finish_attempt, live_attempts
from telephony.store.calls import Revised
from telephony.store.case_tables import callback_attempt, missed_case
from telephony.store.engine import reading, writing
from telephony.store.live import save_operator_states, save_process
from telephony.store.outbox import outbox
from telephony.store.progress import save_ended
from telephony.store.setup import replace_setup
from telephony.store.tables import moment
from tests.asterisk.office import small_setup
from tests.databases.samples import a_record

MANY = 500
FREE = ("101", "102", "103", "104")
ROUND_THE_CLOCK = QuietHours(datetime.min.time(), datetime.min.time())


def company(engine: Engine, caps: Caps) -> None:
    rules = CallbackRules(delay_seconds=0, quiet=ROUND_THE_CLOCK, caps=caps)
    with writing(engine) as session:
        replace_setup(session, replace(small_setup(*FREE), callbacks=rules))


def missed(engine: Engine, numbers: list[str]) -> datetime:
    """Write a missed call of each number, and return a moment just after."""
    made = [
        a_record(
            nth,
            number=number,
            client_id=None,
            client_name="",
            answered_at=None,
            answered_by=None,
            talk_ms=0,
            wait_ms=9000,
            disposition=Disposition.NO_ANSWER,
            legs=(),
        )
        for nth, number in enumerate(numbers)
    ]
    now = moment(made[-1].ended_at) + timedelta(seconds=1)
    with writing(engine) as session:
        save_ended(session, [Revised(one, one.ended_at) for one in made], now, "RU")
    return now


def everybody_free(engine: Engine, now: datetime) -> None:
    at = int(now.timestamp() * 1e6)
    states = [OperatorState(name, "NOT_INUSE", OperatorActivity.FREE, at) for name in FREE]
    with writing(engine) as session:
        save_operator_states(session, states)
        save_process(session, identity("listener").told((True, None, {}), now))


def states(engine: Engine) -> dict[str, int]:
    query = select(missed_case.c.state, func.count()).group_by(missed_case.c.state)
    with reading(engine) as session:
        return {state: found for state, found in session.execute(query)}  # noqa: C416


DEAR = (
    "+1876555{:04d}",  # Jamaica, in the calling code of the US
    "+88216{:06d}",  # satellite
    "+8706{:08d}",  # Inmarsat
    "+7809200{:04d}",  # Russian premium rate
    "+3725{:06d}",  # Estonia: another country
    "+77011{:06d}",  # Kazakhstan, in Russia's calling code
)


def test_500_calls_from_dear_ranges_order_nothing(engine: Engine) -> None:
    company(engine, Caps())
    now = missed(engine, [DEAR[nth % len(DEAR)].format(nth) for nth in range(MANY)])
    dispatcher = Dispatcher(engine, "RU")
    everybody_free(engine, now)
    looks = 0
    while dispatcher.ready(now):
        looks += 1
        assert dispatcher.claim(now) == []
        assert looks <= MANY, "each look leaves fewer"
    with reading(engine) as session:
        assert session.execute(select(func.count(callback_attempt.c.id))).scalar_one() == 0
    found = states(engine)
    assert sum(found.values()) == MANY, "each is on record"
    assert found.get(CaseState.SUPPRESSED, 0) == MANY, "and none waits"


def test_500_calls_from_a_usual_range_order_no_more_than_the_caps_allow(
    engine: Engine,
) -> None:
    caps = Caps(prefix_hour=7, hour=9, day=11, at_once=3)
    company(engine, caps)
    now = missed(engine, [f"+7916555{nth:04d}" for nth in range(MANY)])
    dispatcher = Dispatcher(engine, "RU")
    desk = Desk(engine, "RU", AmiAddress("127.0.0.1", 1, "x", "y"), lambda: clock[0])
    clock = [now]
    sent: list[datetime] = []
    # What would be ordered is counted; that it is ordered once is shown on the real PBX.
    for minute in range(0, 26 * 60, 20):
        clock[0] = now + timedelta(minutes=minute)
        everybody_free(engine, clock[0])
        for claim in dispatcher.claim(clock[0]):
            wanted = placing._decide(desk, claim.id, claim.attempt, int(clock[0].timestamp()))
            if wanted is not None:
                sent.append(clock[0])
        _all_busy(engine, clock[0])
        watch_cases(engine, clock[0])
        assert sum(one > clock[0] - timedelta(hours=1) for one in sent) <= caps.prefix_hour
        assert sum(one > clock[0] - timedelta(days=1) for one in sent) <= caps.day
    assert caps.day < len(sent) <= 2 * caps.day, "a day later the next ones"
    alarms = _alarms(engine)
    assert {(name, prefix) for name, prefix, _ in alarms} == {
        ("prefix_hour", "+79165"),
        ("day", ""),
    }
    for one in set(alarms):
        assert alarms.count(one) == 1, "once an hour"
    assert len(alarms) > 24, "and again, as long as it lasts"


def _alarms(engine: Engine) -> list[tuple[str, str, int]]:
    """Return alarm, prefix and hour of each alarm that was told of."""
    query = select(outbox.c.payload, outbox.c.created_at).where(outbox.c.kind == ALARM)
    with reading(engine) as session:
        return [
            (row.payload["alarm"], row.payload["prefix"], int(row.created_at.timestamp() // 3600))
            for row in session.execute(query)
        ]


def _all_busy(engine: Engine, now: datetime) -> None:
    """End the tries under way: the clients were busy."""
    with writing(engine) as session:
        for one in live_attempts(session):
            finish_attempt(session, one, Ended.BUSY, now.astimezone(UTC))
