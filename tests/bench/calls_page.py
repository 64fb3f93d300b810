"""The page of calls with millions of them: the store's search, and the whole page with its HTML.

Every filter is asked for its first, its middle and its last page, by turns on a small and on a big
database, so that the growth is a ratio from one run.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import Engine

from telephony.accounts import Role
from telephony.domain.did import Did
from telephony.domain.duty import Roster
from telephony.domain.setup import Group, Operator, Setup
from telephony.store.call_lines import find_calls
from telephony.store.engine import open_engine, reading, writing
from telephony.store.setup import replace_setup
from tests.api import company
from tests.bench import many_calls
from tests.bench.tables import Report, Table, quantile
from tests.lab.cache import default_cache
from tests.lab.postgres import Postgres, ensure_postgres
from web.calls.asking import read_asking, where_of
from web.pages import PER_PAGE

SMALL, BIG, QUICK_BIG = 100_000, 5_000_000, 300_000
TARGETS = {"sqlite": 600.0, "postgresql": 300.0}
GROWTH = 2.0
_ROUNDS, _QUICK_ROUNDS = 20, 5

_DAY = many_calls.BEGIN.date() + timedelta(days=500)
_MONTH = {"from": f"{_DAY}", "to": f"{_DAY + timedelta(days=29)}"}
_OPERATOR = {"operator": many_calls.OPERATOR}
CASES: Mapping[str, Mapping[str, str]] = {
    "everything": {},
    "a day": {"from": f"{_DAY}", "to": f"{_DAY}"},
    "30 days": _MONTH,
    "a number": {"q": many_calls.NUMBER},
    "last four digits": {"q": "1234"},
    "an operator": _OPERATOR,
    "answered": {"disposition": "answered"},
    "lost": {"disposition": "lost"},
    "30 days + operator": _MONTH | _OPERATOR,
    "30 days + answered": _MONTH | {"disposition": "answered"},
    "operator + missed": _OPERATOR | {"disposition": "no_answer"},
    "number + operator": {"q": many_calls.NUMBER} | _OPERATOR,
    "digits + 30 days + answered": _MONTH | {"q": "1234", "disposition": "answered"},
    "a number's beginning": {"q": many_calls.HEAD},
    "beginning + answered": {"q": many_calls.HEAD, "disposition": "answered"},
    "beginning + 30 days + answered": _MONTH | {"q": many_calls.HEAD, "disposition": "answered"},
    "a name, 200 clients": {"q": many_calls.NAME},
    "a name, 200 who call often": {"q": many_calls.OFTEN},
    "name + 30 days": _MONTH | {"q": many_calls.NAME},
    "DID": {"did": many_calls.DID},
    "DID + operator": {"did": many_calls.DID} | _OPERATOR,
    "DID + lost + out": {"did": many_calls.DID, "disposition": "lost", "direction": "out"},
    "30 days + operator + answered + in": _MONTH
    | _OPERATOR
    | {"disposition": "answered", "direction": "in"},
    "own view": {},
    "own view + 30 days": _MONTH,
    "own view + answered": {"disposition": "answered"},
    "own view + digits": {"q": "1234"},
    "own view + beginning": {"q": many_calls.HEAD},
    "own view + another operator": {"operator": "118"},
}
_OWN = "own view"  # these are asked by an operator, who sees their own calls only


@dataclass(slots=True)
class _Side:
    """One database with a browser on it; milliseconds by case."""

    name: str
    engine: Engine
    get: Callable[[str], int]
    get_own: Callable[[str], int]
    store: dict[str, list[float]] = field(default_factory=dict)
    page: dict[str, list[float]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)


def run(quick: bool) -> Report:
    """Measure both databases."""
    report = Report()
    big = QUICK_BIG if quick else BIG
    rounds = _QUICK_ROUNDS if quick else _ROUNDS
    with tempfile.TemporaryDirectory(prefix="dutyline-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        urls = {}
        for name, calls in (("small", SMALL), ("big", big)):
            urls[name] = f"sqlite:///{place / name}.db"
            many_calls.make(urls[name], calls)
            many_calls.add_clients(urls[name])
        measure("sqlite", urls["small"], urls["big"], rounds, report)
        for name in urls:
            for file in place.glob(f"{name}.db*"):
                file.unlink()
        with Postgres(ensure_postgres(default_cache(), print), place) as server:
            for name, calls in (("small", SMALL), ("big", big)):
                urls[name] = server.create_database(name)
                many_calls.make(urls[name], calls)
                many_calls.add_clients(urls[name])
            measure("postgresql", urls["small"], urls["big"], rounds, report)
    return report


def measure(kind: str, small: str, big: str, rounds: int, report: Report) -> None:
    """Add what two databases of one kind show to the report."""
    with tempfile.TemporaryDirectory(prefix="dutyline-bench-") as folder:
        sides = [_side("small", small, Path(folder)), _side("big", big, Path(folder))]
        for number in range(rounds + 1):
            for case in CASES:
                for side in sides:
                    _ask(side, case, warm=number == 0)
    growths: dict[str, float] = {}
    searching: dict[str, float] = {}
    headings = ["filter", "calls", "search p50", "p95", "page p50", "p95"]
    headings += ["1e5: calls", "search p50", "page p50", "×", "× by the search"]
    table = Table(f"{kind}, milliseconds; first, middle and last page", headings)
    few, many = sides
    for case in CASES:
        growth = statistics.median(many.page[case]) / statistics.median(few.page[case])
        growths[case] = growth
        # What the small database's page, with the lines it has, would take with the big one's
        # search: among fifty times as many calls there are more lines to draw, too.
        slower = statistics.median(many.store[case]) - statistics.median(few.store[case])
        searching[case] = 1 + slower / statistics.median(few.page[case])
        table.add(
            case,
            f"{many.totals[case]:,}",
            _ms(many.store[case]),
            f"{quantile(many.store[case], 0.95):.1f}",
            _ms(many.page[case]),
            f"{quantile(many.page[case], 0.95):.1f}",
            f"{few.totals[case]:,}",
            _ms(few.store[case]),
            _ms(few.page[case]),
            f"{growth:.2f}",
            f"{searching[case]:.2f}",
        )
    report.tables.append(table)
    everything = [time for times in many.page.values() for time in times]
    slowest = max(CASES, key=lambda case: quantile(many.page[case], 0.95))
    worst = quantile(many.page[slowest], 0.95)
    report.target(
        worst < TARGETS[kind],
        f"{kind}: page p95 < {TARGETS[kind]:.0f} ms with every filter: slowest {worst:.0f} "
        f"({slowest}), all together {quantile(everything, 0.95):.0f}",
    )
    middle = statistics.median(growths.values())
    over = [f"{case} {growth:.2f}" for case, growth in growths.items() if growth > GROWTH]
    report.target(
        not over,
        f"{kind}: growth from 1e5 ≤ {GROWTH:.0f}× with every filter: in the middle {middle:.2f}, "
        f"most {max(growths.values()):.2f}, over it: {', '.join(over) or 'none'}",
    )
    over = [f"{case} {growth:.2f}" for case, growth in searching.items() if growth > GROWTH]
    report.target(
        not over,
        f"{kind}: the same by the search alone, with as many lines on the page: most "
        f"{max(searching.values()):.2f}, over it: {', '.join(over) or 'none'}",
    )
    for side in sides:
        side.engine.dispose()


def _ms(times: list[float]) -> str:
    return f"{statistics.median(times):.1f}"


def _side(name: str, url: str, folder: Path) -> _Side:
    engine = open_engine(url)
    with writing(engine) as session:
        replace_setup(session, _setup())
    app = company.application(engine, folder)
    supervisor = company.a_user(engine, Role.SUPERVISOR, f"{name}-{time.time_ns()}")
    operator = company.a_user(engine, Role.OPERATOR, many_calls.OPERATOR)
    return _Side(name, engine, _browser(app, engine, supervisor), _browser(app, engine, operator))


def _browser(app: Flask, engine: Engine, user: int) -> Callable[[str], int]:
    """Return a function that fetches a page for a user, and returns its status."""
    token = company.sign_in(app, engine, user)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["token"] = token
    return lambda path: client.get(path).status_code


def _setup() -> Setup:
    operators = {
        str(one): Operator(str(one), f"Operator {one}", f"op{one}")
        for one in range(100, 100 + many_calls.OPERATORS)
    }
    dids = {
        str(number): Did(str(number), "office")
        for number in range(74_950_000_000, 74_950_000_000 + many_calls.DIDS)
    }
    return Setup(operators, {"office": Group("office", Roster("Europe/Moscow"))}, dids)


def _ask(side: _Side, case: str, *, warm: bool) -> None:
    """Ask for three pages of a filter, from the store and as HTML."""
    if case not in side.totals:
        side.totals[case] = _search(side, case, 0)[1]
    total = side.totals[case]
    last = max(0, (total - 1) // PER_PAGE)
    for number in (0, last // 2, last):
        took, _ = _search(side, case, number * PER_PAGE)
        query = urlencode({**CASES[case], "page": number + 1})
        began = time.perf_counter()
        get = side.get_own if case.startswith(_OWN) else side.get
        if get(f"/calls?{query}") != 200:
            raise SystemExit(f"the page failed: {query}")
        page = (time.perf_counter() - began) * 1000
        if not warm:
            side.store.setdefault(case, []).append(took)
            side.page.setdefault(case, []).append(page)


def _search(side: _Side, case: str, offset: int) -> tuple[float, int]:
    asking = read_asking(CASES[case])
    mine = many_calls.OPERATOR if case.startswith(_OWN) else None
    began = time.perf_counter()
    with reading(side.engine) as session:
        where, _ = where_of(session, asking, mine, "Europe/Moscow", "RU")
        total = find_calls(session, where, PER_PAGE, offset).total
    return (time.perf_counter() - began) * 1000, total
