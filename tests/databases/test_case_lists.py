"""Lists of cases on both databases: what fits, in which order, and by which index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from telephony.callbacks.asking import Asker, opt_out
from telephony.domain.callback.cases import Attention, CaseState, Ending, Source, ended
from telephony.domain.callback.results import Why
from telephony.store.case_lists import (
    CaseFilter,
    Right,
    View,
    cases_of_client,
    count_urgent,
    count_views,
    every_case,
    find_cases,
    list_opt_outs,
    opt_out_of,
)
from telephony.store.cases import get_case, opt_number_in
from telephony.store.engine import open_engine, reading, writing
from telephony.store.migrations import migrate
from tests.databases.missed import a_case, add

NOW = datetime(2026, 11, 18, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def number(nth: int) -> str:
    return f"+7900111{nth:04d}"


@pytest.fixture
def stored(engine: Engine) -> Engine:
    """Store cases whose last digits say which they are."""
    over = [
        ended(a_case(number(20 + nth), NOW), ending, NOW - nth * HOUR, "101", "seen to")
        for nth, ending in enumerate((Ending.BY_HAND, Ending.EXPIRED, Ending.SHORT))
    ]
    add(
        engine,
        a_case(number(1), NOW, 30, owner="101"),
        a_case(number(2), NOW, -5, owner="102", group="support", client_id=7),
        a_case(number(3), NOW, 60, priority=1, claimed_by="101", owner="102"),
        a_case(number(4), NOW, 10, due_at=None, attention=Attention.ATTEMPTS, group=None),
        a_case(number(5), NOW, 20, source=Source.FORM, why=Why.ASKED, did="74950000000"),
        a_case(number(6), NOW, 15, state=CaseState.DIALLING, group="other"),
        *over,
    )
    return engine


def found(engine: Engine, where: CaseFilter, **more: int) -> list[int]:
    with reading(engine) as session:
        page = find_cases(session, where, NOW, **more)
        listed = [int(one.number[-4:]) for one in every_case(session, where, NOW, 100)]
    if not more:
        assert [int(one.number[-4:]) for one in page.items] == listed
        assert page.total == len(listed)
    return [int(one.number[-4:]) for one in page.items]


ALL = [3, 2, 4, 6, 5, 1]


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        (CaseFilter(), ALL),
        (CaseFilter(view=View.MINE, me="101"), [3, 1]),
        (CaseFilter(view=View.MINE, me="102"), [2]),
        (CaseFilter(view=View.MINE), []),
        (CaseFilter(view=View.OVERDUE), [2]),
        (CaseFilter(view=View.ATTENTION), [4]),
        (CaseFilter(view=View.PROMISED), [5]),
        (CaseFilter(view=View.CLOSED), [20, 21]),
        (CaseFilter(view=View.SUPPRESSED), [22]),
        (CaseFilter(view=View.CLOSED, since=NOW - HOUR / 2), [20]),
        (CaseFilter(view=View.CLOSED, until=NOW), [21]),
        (CaseFilter(since=NOW), ALL),
        (CaseFilter(did="74950000000"), [5]),
        (CaseFilter(group="support"), [2]),
        (CaseFilter(operator="102"), [3, 2]),
        (CaseFilter(why=Why.ASKED), [5]),
        (CaseFilter(source=Source.FORM), [5]),
        (CaseFilter(number=number(2)), [2]),
        (CaseFilter(number=number(20), view=View.CLOSED), [20]),
        (CaseFilter(tail="0006"), [6]),
        (CaseFilter(client_id=7), [2]),
        (CaseFilter(right=Right("101", frozenset({"sales"}))), [3, 4, 5, 1]),
        (CaseFilter(right=Right("102")), [3, 2]),
        (CaseFilter(right=Right("")), []),
        (CaseFilter(right=Right("", frozenset({"other"}))), [4, 6]),
    ],
)
def test_what_fits_in_order(stored: Engine, where: CaseFilter, wanted: list[int]) -> None:
    assert found(stored, where) == wanted


def test_what_an_operator_sees_of_a_case_is_what_they_see_in_the_list(stored: Engine) -> None:
    with reading(stored) as session:
        everything = find_cases(session, CaseFilter(), NOW).items
    for right in (
        Right("101", frozenset({"sales"})),
        Right("102"),
        Right(""),
        Right("9", frozenset({"other"})),
    ):
        seen = [int(one.number[-4:]) for one in everything if right.sees(one)]
        assert found(stored, CaseFilter(right=right)) == seen


def test_pages(stored: Engine) -> None:
    assert found(stored, CaseFilter(), limit=2, offset=0) == ALL[:2]
    assert found(stored, CaseFilter(), limit=2, offset=4) == ALL[4:]
    assert found(stored, CaseFilter(), limit=2, offset=6) == []
    assert found(stored, CaseFilter(), limit=0) == []


def test_how_many_are_urgent(stored: Engine) -> None:
    with reading(stored) as session:
        assert count_urgent(session, None, NOW) == (6, 1)
        assert count_urgent(session, Right("101", frozenset({"sales"})), NOW) == (4, 0)
        assert count_urgent(session, Right(""), NOW) == (0, 0)


def test_cases_of_a_client_by_id_and_by_number(stored: Engine) -> None:
    with reading(stored) as session:
        both = cases_of_client(session, 7, [number(1), number(20)], 10)
        assert {int(one.number[-4:]) for one in both} == {1, 2, 20}
        assert [one.number for one in cases_of_client(session, 7, [], 10)] == [number(2)]
        mine = cases_of_client(session, 7, [number(1)], 10, Right("101"))
        assert [one.number for one in mine] == [number(1)]


def test_an_opt_out_ends_the_case_and_has_a_way_back(stored: Engine) -> None:
    with reading(stored) as session:
        (case,) = find_cases(session, CaseFilter(number=number(1)), NOW).items
    with writing(stored) as session:
        assert opt_out(session, case.number, Asker("boss"), "please", NOW)
        assert not opt_out(session, case.number, Asker("admin"), "again", NOW)
        # One that is being called right now goes on.
        assert opt_out(session, number(6), Asker("boss"), "", NOW)
    with reading(stored) as session:
        after = get_case(session, case.id)
        assert after is not None
        assert (after.ending, after.ended_by, after.note) == (Ending.OPTED_OUT, "boss", "please")
        assert find_cases(session, CaseFilter(number=number(6)), NOW).total == 1
        assert {one.number for one in list_opt_outs(session, 10, 0)[0]} == {number(1), number(6)}
        lines, total = list_opt_outs(session, 10, 0, "+79001110001")
        assert (len(lines), total, lines[0].note) == (1, 1, "please")
        assert opt_out_of(session, number(1)) == lines[0]
        assert opt_out_of(session, number(2)) is None
    with writing(stored) as session:
        assert opt_number_in(session, number(1))
        assert not opt_number_in(session, number(1))


@pytest.mark.parametrize("name", ["РОМАШКА", "ромаш", "машка 50%"])
def test_a_case_is_found_by_a_part_of_the_name(engine: Engine, name: str) -> None:
    found, _, _ = add(
        engine,
        a_case(number(1), NOW, client_name="Ромашка 50%, ООО"),
        a_case(number(2), NOW, client_name="Ромулюс 505"),
        a_case(number(3), NOW),
    )
    with reading(engine) as session:
        assert [one.id for one in find_cases(session, CaseFilter(name=name), NOW).items] == [found]


def test_the_views_are_counted_as_they_are_listed(stored: Engine) -> None:
    for where in (
        CaseFilter(me="101"),
        CaseFilter(me="102", group="sales"),
        CaseFilter(number=number(2)),
        CaseFilter(right=Right("101", frozenset({"other"})), view=View.CLOSED),
    ):
        with reading(stored) as session:
            counted = count_views(session, where, NOW)
            listed = {
                view: find_cases(session, replace(where, view=view), NOW).total for view in counted
            }
        assert counted == listed, where
        assert set(counted) == {view for view in View if not view.over}
        assert counted[View.OPEN] > 0


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An empty database: SQLite's planner has no statistics in a full one either."""
    folder: Path = tmp_path_factory.mktemp("plans")
    url = f"sqlite:///{folder / 'd.db'}"
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


MORE = CaseFilter(did="7", group="g", operator="1", right=Right("101", frozenset({"g"})))


@pytest.mark.parametrize(
    ("where", "index"),
    [
        *((CaseFilter(view=view), "ix_missed_case_state_sla_at") for view in View if not view.over),
        (MORE, "ix_missed_case_state_sla_at"),
        (CaseFilter(view=View.CLOSED, since=NOW), "ix_missed_case_state_ended_at"),
        (replace(MORE, view=View.CLOSED, since=NOW), "ix_missed_case_state_ended_at"),
        (CaseFilter(view=View.CLOSED, number="+7900"), "ix_missed_case_number_opened_at"),
        (CaseFilter(view=View.CLOSED, client_id=1), "ix_missed_case_client_id_opened_at"),
    ],
)
def test_a_list_is_read_by_an_index_that_leaves_few(
    sqlite: Engine, where: CaseFilter, index: str
) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        asked.append((statement, values))

    event.listen(sqlite, "before_cursor_execute", note)
    with reading(sqlite) as session:
        find_cases(session, where, NOW)
        list(every_case(session, where, NOW, 10))
        count_urgent(session, where.right, NOW)
        count_views(session, where, NOW)
    event.remove(sqlite, "before_cursor_execute", note)
    plans = []
    with sqlite.connect() as connection:
        for statement, values in asked:
            if "FROM missed_case" in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans += [row[3] for row in rows if " missed_case " in row[3]]
    assert len(plans) >= 3
    assert all("SEARCH missed_case USING" in plan for plan in plans), plans
    assert any(f"INDEX {index} " in plan for plan in plans), plans
