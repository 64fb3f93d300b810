"""Callbacks: how fast a backlog drains, and what the relay's look costs among a million old cases.

Time is a parameter of the dispatcher, so that hours of calls are replayed in seconds: a tick is one
look of the relay, an operator's try lasts one to five ticks, and is over in the database at once.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import Engine, event, insert, text

from telephony.callbacks.dispatching import Dispatcher
from telephony.callbacks.watching import watch_cases
from telephony.domain.callback.cases import Ending, Source, Wish, ended, opened
from telephony.domain.callback.results import Ended, Why
from telephony.domain.callback.rules import CallbackRules, Caps, QuietHours
from telephony.domain.did import Did
from telephony.domain.directory import Stage
from telephony.domain.duty import Roster, Shift
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.domain.record import CallRecord, Disposition
from telephony.domain.setup import Group, Operator, Setup
from telephony.status import identity
from telephony.store import progress
from telephony.store.attempts import finish_attempt, get_attempts
from telephony.store.calls import Revised
from telephony.store.case_tables import missed_case
from telephony.store.cases import case_values, get_case, save_case
from telephony.store.clients import client
from telephony.store.engine import open_engine, writing
from telephony.store.live import replace_operator_states, save_process
from telephony.store.migrations import migrate
from telephony.store.settling import settle_calls
from telephony.store.setup import replace_setup
from telephony.store.tables import in_turn
from tests.bench.tables import Report, Table, quantile
from tests.databases.samples import a_record
from tests.lab.cache import default_cache
from tests.lab.postgres import Postgres, ensure_postgres

OPERATORS = 20
LONGEST = 5  # ticks
POLL_MS = 100.0
_FEW = 1_000
LEAST_DRAIN, MOST_TICKER = 0.95, 1.2
MOST_BATCH = {"SQLite": 2.0, "PostgreSQL": 3.0}
_CLIENTS, _DIDS = 1_000, 20
_NOW = datetime(2026, 3, 6, 9, tzinfo=UTC)
_MIDNIGHT = _NOW.time().replace(hour=0)
_RULES = CallbackRules(
    quiet=QuietHours(_MIDNIGHT, _MIDNIGHT),
    caps=Caps(20, 20, 50, 10_000, 10_000, 100_000, 500),
    delay_seconds=0,
)


def run(quick: bool) -> Report:
    """Measure on both databases."""
    report = Report()
    drain = Table(
        f"Due cases and {OPERATORS} operators who are freed as their tries end",
        ("", "cases", "ticks", "ideal", "ideal / ticks", "tick p50 ms", "p99 ms"),
    )
    ticker = Table(
        "One look of the relay: ready, claim, sweep, watch; ms",
        ("", "closed cases", "p50", "p95", "× few"),
    )
    batch = Table(
        "A batch of 200 calls, three in ten missed, into the database; ms",
        ("", "without cases p50", "with p50", "p95", "×", "statements without", "with"),
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dutyline-bench-")))
        folder.chmod(0o755)
        server = stack.enter_context(Postgres(ensure_postgres(default_cache(), print), folder))
        urls: dict[str, Callable[[str], str]] = {
            "SQLite": lambda name: f"sqlite:///{folder}/{name}.db",
            "PostgreSQL": server.create_database,
        }
        for title, url in urls.items():
            with _office(url("drain")) as engine:
                _drain(drain, report, title, engine, 1_000 if quick else 10_000)
            with _office(url("few")) as few, _office(url("many")) as many:
                count = 50_000 if quick else 1_000_000
                _tick(ticker, report, title, {_FEW: few, count: many}, 40 if quick else 300)
                _batches(batch, report, title, few, 5 if quick else 30)
    report.tables += [drain, ticker, batch]
    return report


@contextmanager
def _office(url: str) -> Iterator[Engine]:
    """Give a database with operators on duty around the clock, who are free, and a listener."""
    migrate(url)
    engine = open_engine(url)
    names = [str(101 + nth) for nth in range(OPERATORS)]
    week = frozenset(range(1, 8))
    shifts = tuple(Shift(one, week, _MIDNIGHT, _MIDNIGHT) for one in names)
    other = (Shift("199", week, _MIDNIGHT, _MIDNIGHT),)
    setup = Setup(
        operators={one: Operator(one, one, one) for one in [*names, "199"]},
        groups={
            "sales": Group("sales", Roster("Europe/Moscow", shifts)),
            "support": Group("support", Roster("Europe/Moscow", other)),
        },
        dids={one: Did(one, "sales" if nth % 2 else "support") for nth, one in enumerate(_dids())},
        default_group="sales",
        callbacks=_RULES,
    )
    with writing(engine) as session:
        replace_setup(session, setup)
        plain = {"manager": "101", "vip": False, "notes": "", "stage": Stage.CUSTOMER.value}
        clients = [{"name": f"Client {nth}", **plain} for nth in range(_CLIENTS)]
        session.execute(insert(client), clients)
    _free(engine, names, _NOW)
    yield engine
    engine.dispose()


def _free(engine: Engine, names: list[str], now: datetime) -> None:
    with writing(engine) as session:
        states = [OperatorState(one, "", OperatorActivity.FREE, 0) for one in names]
        replace_operator_states(session, states)
        save_process(session, identity("listener").told((True, None, {}), now))


def _add(engine: Engine, count: int, *, over: bool, group: str = "sales", first: int = 0) -> None:
    """Add cases of as many numbers."""
    with writing(engine) as session:
        in_turn(session)
        rows = []
        for nth in range(first, first + count):
            at = _NOW - timedelta(minutes=nth if over else 0, seconds=nth % 600 + 1)
            wish = Wish(f"+7916{nth:07}", Why.RINGING, at, at, Source.MISSED, group=group)
            case = opened(wish, _RULES, at + timedelta(minutes=30))
            if over:
                case = ended(case, Ending.CALLED_BACK, at + timedelta(minutes=5), "101")
            rows.append(case_values(case))
        session.execute(insert(missed_case), rows)
    _tidy(engine)


def _many(engine: Engine, count: int) -> None:
    """Add closed cases: a thousand, and those again and again."""
    _add(engine, min(count, _FEW), over=True)
    names = ", ".join(one.name for one in missed_case.columns if one.name != "id")
    again = f"INSERT INTO missed_case ({names}) SELECT {names} FROM missed_case"
    there = min(count, _FEW)
    while there < count:
        some = min(there, count - there)
        with writing(engine) as session:
            session.execute(text(f"{again} ORDER BY id LIMIT {some}"))
        there += some
    _tidy(engine)


def _tidy(engine: Engine) -> None:
    """Do at once what PostgreSQL does by itself after a while."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM ANALYZE")


def _drain(table: Table, report: Report, title: str, engine: Engine, cases: int) -> None:
    _add(engine, cases, over=False)
    dispatcher = Dispatcher(engine, "RU")
    chance = random.Random(1)
    flying: dict[int, int] = {}  # try → the tick at which it ends
    took: list[float] = []
    spent = done = tick = 0
    while done < cases:
        now = _NOW + timedelta(milliseconds=POLL_MS * tick)
        if tick % 100 == 0:
            _free(engine, [str(101 + nth) for nth in range(OPERATORS)], now)
        began = time.perf_counter()
        claims = dispatcher.claim(now) if dispatcher.ready(now) else []
        took.append((time.perf_counter() - began) * 1000)
        for claim in claims:
            lasts = chance.randint(1, LONGEST)
            spent += lasts
            flying[claim.id] = tick + lasts
        tick += 1
        over = [key for key, until in flying.items() if until == tick]
        with writing(engine) as session:
            in_turn(session)
            for key, attempt in get_attempts(session, over).items():
                finish_attempt(session, attempt, Ended.TALKED, now)
                case = get_case(session, attempt.case_id or 0)
                if case is not None:
                    save_case(session, case, ended(case, Ending.CALLED_BACK, now), now)
                del flying[key]
        done += len(over)
    ideal = spent / OPERATORS
    p50, p99 = quantile(took, 0.5), quantile(took, 0.99)
    table.add(
        title,
        str(cases),
        str(tick),
        f"{ideal:.0f}",
        f"{ideal / tick:.3f}",
        f"{p50:.1f}",
        f"{p99:.1f}",
    )
    report.target(
        ideal / tick >= LEAST_DRAIN and p50 <= POLL_MS,
        f"{title}: {cases} due cases drain at {ideal / tick:.3f} of the rate at which operators "
        f"are freed (target ≥ {LEAST_DRAIN}); a tick takes {p50:.0f} ms (target ≤ {POLL_MS:.0f})",
    )


def _tick(
    table: Table, report: Report, title: str, engines: dict[int, Engine], rounds: int
) -> None:
    """Look in turns into both databases, which differ in the number of closed cases only."""
    took: dict[int, list[float]] = {count: [] for count in engines}
    dispatchers = {}
    for count, engine in engines.items():
        _many(engine, count)
        # Due, and for a group of which nobody is free: looked at each time.
        _add(engine, 50, over=False, group="support", first=5_000_000)
        dispatchers[count] = Dispatcher(engine, "RU")
    for _ in range(rounds + 5):
        for count, engine in engines.items():
            dispatcher = dispatchers[count]
            began = time.perf_counter()
            dispatcher.ready(_NOW)
            dispatcher.claim(_NOW)
            dispatcher.sweep(_NOW)
            watch_cases(engine, _NOW)
            took[count].append((time.perf_counter() - began) * 1000)
    few, many = (values[5:] for values in took.values())
    for count, times in zip(engines, (few, many), strict=True):
        p50, p95 = quantile(times, 0.5), quantile(times, 0.95)
        ratio = p50 / quantile(few, 0.5)
        table.add(title, f"{count:,}", f"{p50:.2f}", f"{p95:.2f}", f"{ratio:.2f}")
    ratio = quantile(many, 0.5) / quantile(few, 0.5)
    report.target(
        ratio <= MOST_TICKER,
        f"{title}: a look costs × {ratio:.2f} with many closed cases (target ≤ {MOST_TICKER})",
    )


def _batches(table: Table, report: Report, title: str, engine: Engine, rounds: int) -> None:
    """Write batches in turns with and without what they do to cases."""
    took: dict[bool, list[float]] = {True: [], False: []}
    made: dict[bool, int] = {}
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(engine, "before_cursor_execute", count)
    for nth in range(rounds * 2 + 2):
        with_cases = bool(nth % 2)
        settle = settle_calls if with_cases else _nothing
        revised = [Revised(_call(nth * 200 + each), 1) for each in range(200)]
        statements = 0
        began = time.perf_counter()
        with patch.object(progress, "settle_calls", settle), writing(engine) as session:
            progress.save_ended(session, revised, _NOW, "RU")
        if nth > 1:
            took[with_cases].append((time.perf_counter() - began) * 1000)
        made[with_cases] = statements
    event.remove(engine, "before_cursor_execute", count)
    base, p50 = quantile(took[False], 0.5), quantile(took[True], 0.5)
    p95 = quantile(took[True], 0.95)
    ratio = p50 / base
    told = [f"{base:.0f}", f"{p50:.0f}", f"{p95:.0f}", f"{ratio:.2f}"]
    table.add(title, *told, str(made[False]), str(made[True]))
    report.target(
        ratio <= MOST_BATCH[title],
        f"{title}: a batch of calls with its missed ones takes × {ratio:.2f} of one without cases "
        f"(target ≤ {MOST_BATCH[title]:g})",
    )


def _nothing(*_: object) -> None:
    """Settle nothing."""


def _dids() -> list[str]:
    return [f"7495123{nth:04}" for nth in range(_DIDS)]


def _call(nth: int) -> CallRecord:
    """Return a call to one of our numbers, every other one by a client."""
    known = nth % _CLIENTS + 1 if nth % 2 else None
    did = _dids()[nth % _DIDS]
    record = replace(a_record(nth), number=f"+7495{nth % 5_000:07}", did=did, client_id=known)
    if nth % 10 >= 3:
        return record
    return replace(
        record,
        answered_at=None,
        answered_by=None,
        talk_ms=0,
        wait_ms=20_000,
        disposition=Disposition.NO_ANSWER,
        legs=(),
    )
