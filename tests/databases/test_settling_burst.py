"""Many calls in one transaction: few statements, and the cases and facts of one call at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, update

from telephony.domain.callback.cases import Ending, Source, Wish
from telephony.domain.callback.results import Why
from telephony.domain.directory import Stage
from telephony.domain.record import CallRecord, Disposition
from telephony.store.case_tables import case_call, missed_case
from telephony.store.clients import client
from telephony.store.engine import reading, writing
from telephony.store.outbox import outbox
from telephony.store.settling import wish_for
from tests.databases.callback_store import all_cases, begin, empty, save
from tests.property.callback_calls import (
    BEGIN,
    CLIENTS,
    RULES,
    SALES,
    SUPPORT,
    micros,
    missed,
    setup_of,
    talk,
)


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


@pytest.fixture
def store(shared_engine: Engine) -> Engine:
    return begin(shared_engine, setup_of())


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Give the statements that are executed meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def burst(first: int, count: int, keys: Sequence[int], began: datetime) -> list[CallRecord]:
    """Return missed calls, every other one of a client, to both numbers of ours."""
    return [
        replace(
            missed("nobody", f"9.{first}.{nth}", f"+7495{7_000_000 + first + nth}", began),
            did=(SALES, SUPPORT)[nth % 2],
            client_id=keys[nth % len(keys)] if nth % 3 else None,
        )
        for nth in range(count)
    ]


def test_a_burst_takes_no_more_statements_than_a_few_calls(store: Engine) -> None:
    with writing(store) as session:
        plain = {"manager": None, "vip": False, "notes": "", "stage": Stage.CUSTOMER.value}
        rows = [{"name": f"Client {nth}", **plain} for nth in range(10)]
        made = session.execute(insert(client).returning(client.c.id), rows)
        keys = list(made.scalars())
    taken = {}
    for first, count in ((0, 4), (1000, 60)):
        save(store, burst(first, count // 2, keys, at(0)))  # half of them wait already
        again = [
            replace(one, call_id=f"{one.call_id}.again")
            for one in burst(first, count, keys, at(10))
        ]
        with counted(store) as seen:
            save(store, again)
        taken[count] = seen
    assert len(taken[60]) <= len(taken[4]), "\n".join(sorted(set(taken[60])))
    assert sorted(one.missed for one in all_cases(store)) == [1] * 32 + [2] * 32


def test_answered_calls_ask_nothing_about_groups(store: Engine) -> None:
    with counted(store) as seen:
        save(store, [talk("1.1", CLIENTS[0], at(0), 60, "101")])
    assert seen
    assert not [one for one in seen if "operator_group" in one]


def facts(engine: Engine) -> list[tuple[str, datetime, dict[str, Any]]]:
    """Return what was told of cases, in order; cases are numbered as they were opened."""
    order = {one.id: place for place, one in enumerate(all_cases(engine))}
    with reading(engine) as session:
        query = select(outbox).where(outbox.c.kind.startswith("callback."))
        rows = session.execute(query.order_by(outbox.c.id)).all()
    for row in rows:
        assert row.key.startswith(f"{row.kind}:{row.payload['case_id']}")
    return [
        (row.kind, row.created_at, {**row.payload, "case_id": order[row.payload["case_id"]]})
        for row in rows
    ]


def test_a_burst_tells_what_one_call_at_a_time_tells(store: Engine) -> None:
    one, two = CLIENTS[:2]
    before = [missed("ringing", "1.1", one, at(0)), missed("nobody", "1.2", one, at(2))]
    records = [
        missed("nobody", "1.3", two, at(3)),
        talk("1.4", one, at(5), 60, "101"),  # ends a case, and the number gets another one
        missed("short", "1.5", two, at(8)),
        missed("waiting", "1.6", one, at(10)),
        missed("nobody", "1.7", two, at(12)),
    ]
    told = []
    for batches in ([[record] for record in records], [records]):
        empty(store)
        save(store, before)
        for batch in batches:
            save(store, batch)
        told.append((facts(store), [replace(case, id=0) for case in all_cases(store)]))
    separate, together = told
    assert together == separate
    kinds = [kind.removeprefix("callback.") for kind, _, _ in together[0]]
    assert kinds == ["opened", "opened", "closed", "opened"]


def test_a_call_that_says_otherwise_after_its_case_was_parted_in_the_same_burst(
    store: Engine,
) -> None:
    """A call that waited through a conversation of its number goes with that to another case."""
    number = CLIENTS[0]
    early = replace(missed("waiting", "1.1", number, at(0)), ended_at=micros(at(40)))
    late = missed("ringing", "1.2", number, at(30))
    found = replace(early, disposition=Disposition.LOST)
    save(store, [found, late], 1)
    (case,) = all_cases(store)
    assert case.missed == 2
    save(store, [talk("1.3", number, at(20), 60, "101"), early], early.ended_at)
    still, over = sorted(all_cases(store), key=lambda one: one.id)
    assert (still.open, still.origin_at, still.missed) == (True, at(30), 1)
    assert (over.ending, over.missed) == (Ending.CLIENT_CALLED, 1)
    with reading(store) as session:
        rows = session.execute(select(case_call).order_by(case_call.c.call_id)).all()
    assert [(row.call_id, row.case_id, row.why) for row in rows] == [
        ("1.1", over.id, Why.WAITING),
        ("1.2", still.id, Why.RINGING),
    ]


def test_a_new_promise_may_be_broken_as_the_first_was(store: Engine) -> None:
    number = CLIENTS[0]
    save(store, [missed("ringing", "1.1", number, at(0))])
    with writing(store) as session:
        session.execute(update(missed_case).values(told="overdue"))
        asked = Wish(number, Why.ASKED, at(90), at(90), Source.SCHEDULED, promised_at=at(300))
        case = wish_for(session, asked, RULES, at(90), "RU")
    with reading(store) as session:
        (row,) = session.execute(select(missed_case)).all()
    assert (row.id, row.told, row.promised_at) == (case.id, "", at(300))
