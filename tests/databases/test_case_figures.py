"""Figures of callbacks on both databases: which cases they count, and how those are found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from telephony.domain.callback.cases import Ending, ended, scheduled
from telephony.domain.callback.figures import By, figures_of
from telephony.domain.callback.results import Ended, Why
from telephony.domain.callback.rules import CallbackRules
from telephony.store.case_figures import Span, cases_told
from telephony.store.cases import JoinedCall, get_case, join_calls, save_case
from telephony.store.engine import open_engine, reading, writing
from telephony.store.migrations import migrate
from tests.databases.missed import a_case, add, try_once

NOW = datetime(2026, 11, 18, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = Span(NOW - 12 * HOUR, NOW)
OPENED = NOW - 15 * MINUTE


def test_a_case_is_told_whole(engine: Engine) -> None:
    case = a_case("+79001110001", NOW, 30, owner="101", claimed_by="102")
    over = replace(
        ended(a_case("+79001110002", NOW, owner="101"), Ending.CALLED_BACK, NOW, "103"),
        promised_at=NOW - 5 * MINUTE,
    )
    by_hand = ended(a_case("+79001110003", NOW, owner="101"), Ending.BY_HAND, NOW, "boss")
    first, _, _ = add(engine, case, over, by_hand)
    with writing(engine) as session:
        for nth in range(3):
            join_calls(session, [JoinedCall(f"1.{nth}", first, OPENED, Why.RINGING, case.did)])
        kept = replace(case, id=first)
        try_once(session, kept, OPENED + MINUTE, Ended.BUSY)
        try_once(session, kept, OPENED + 2 * MINUTE, Ended.WITHDRAWN, sent=False)
        try_once(session, kept, OPENED + 3 * MINUTE, None)
    with reading(engine) as session:
        told = sorted(cases_told(session, DAY), key=lambda one: str(one.operator))
    assert [one.operator for one in told] == ["101", "102", "103"]
    assert [one.calls for one in told] == [0, 3, 0]
    assert [one.since for one in told] == [OPENED, OPENED, NOW - 5 * MINUTE]
    assert told[1].tries == (
        (OPENED + MINUTE, Ended.BUSY),
        (OPENED + 3 * MINUTE, None),
    )
    assert (told[0].ending, told[2].ending) == (Ending.BY_HAND, Ending.CALLED_BACK)
    assert (told[2].sla_at, told[2].ended_at) == (NOW + 30 * MINUTE, NOW)
    whole, parts = figures_of(told, By.OPERATOR, UTC, HOUR, NOW)
    assert (whole.missed, whole.cases, whole.recovered, whole.by_hand) == (3, 3, 1, 1)
    assert {key: one.cases for key, one in parts.items()} == {"101": 1, "102": 1, "103": 1}


def test_a_time_agreed_hides_neither_a_broken_deadline_nor_the_wait_before_it(
    engine: Engine,
) -> None:
    late, in_time = add(
        engine, a_case("+79001110001", NOW, left=-5), a_case("+79001110002", NOW, left=5)
    )
    with writing(engine) as session:
        for key in (late, in_time):
            case = get_case(session, key)
            assert case is not None
            if key == late:
                try_once(session, case, OPENED + 4 * MINUTE, Ended.NO_ANSWER)
            agreed = scheduled(case, NOW + HOUR, NOW, CallbackRules())
            save_case(session, case, agreed, NOW)
            later = scheduled(agreed, NOW + 2 * HOUR, NOW + MINUTE, CallbackRules())
            save_case(session, agreed, later, NOW)
            over = ended(later, Ending.CALLED_BACK, NOW + 2 * HOUR + 3 * MINUTE, "101")
            save_case(session, later, over, NOW)
    with reading(engine) as session:
        told = sorted(cases_told(session, DAY), key=lambda one: not one.broken)
    assert [one.broken for one in told] == [True, False]
    assert [one.missed_at for one in told] == [OPENED, OPENED]
    assert {one.agreed_at for one in told} == {NOW + MINUTE}
    assert {one.promised_at for one in told} == {NOW + 2 * HOUR}
    figures, _ = figures_of(told, By.DID, UTC, HOUR, NOW + 3 * HOUR)
    assert (figures.kept, figures.broken) == (1, 1)
    assert (figures.median, figures.p90) == (3.5 * 60, 4 * 60)


def test_a_span_has_its_first_moment_and_not_its_last(engine: Engine) -> None:
    add(
        engine,
        a_case("+79001110001", NOW),
        a_case("+79001110002", NOW, group="support", did="7495"),
        a_case("+79001110003", NOW, group=None, did="", claimed_by="102"),
        a_case("+79001110004", NOW, opened_at=OPENED - HOUR, owner="102"),
        a_case("+79001110005", NOW, opened_at=OPENED + HOUR),
    )
    wide = Span(OPENED, OPENED + HOUR)
    for span, wanted in (
        (wide, {"74951234567", "7495", ""}),
        (replace(wide, since=OPENED + timedelta(microseconds=1)), set()),
        (replace(wide, did="7495"), {"7495"}),
        (replace(wide, group="sales"), {"74951234567"}),
        (replace(wide, operator="102"), {""}),
        (replace(wide, operator="102", since=OPENED - HOUR), {"", "74951234567"}),
        (replace(wide, operator="102", group="support"), set()),
    ):
        with reading(engine) as session:
            assert {one.did for one in cases_told(session, span)} == wanted, span


def test_cases_of_other_days_are_not_read(tmp_path: Path) -> None:
    """On an empty database: SQLite's planner has no statistics in a full one either."""
    url = f"sqlite:///{tmp_path / 'd.db'}"
    migrate(url)
    engine = open_engine(url)
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    with reading(engine) as session:
        assert list(cases_told(session, replace(DAY, did="7", group="g", operator="1"))) == []
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        plans = [
            row[3]
            for statement, values in asked
            if "FROM missed_case" in statement
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            if row[3].startswith(("SEARCH", "SCAN"))
        ]
    engine.dispose()
    assert sum("missed_case USING INDEX ix_missed_case_opened_at (" in one for one in plans) == 2
    assert any("callback_attempt USING INDEX ix_callback_attempt_case_id" in one for one in plans)
    assert any("case_call USING COVERING INDEX ix_case_call_case_id" in one for one in plans)
    assert not any(one.startswith("SCAN") for one in plans), plans
