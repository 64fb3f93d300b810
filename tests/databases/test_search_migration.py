"""Calls that were there before: the migration makes them found as if they had been saved today."""

from collections import Counter

from sqlalchemy import func, select

from telephony.store.call_index import (
    EVERYTHING,
    did_scope,
    facets,
    month_of,
    operator_scope,
)
from telephony.store.call_tables import call, call_count, call_operator
from telephony.store.calls import list_calls
from telephony.store.engine import open_engine, reading
from telephony.store.names import client_word
from tests.bench import many_calls


def test_older_calls_are_found_and_counted(database_url: str) -> None:
    many_calls.make(database_url, 700)
    engine = open_engine(database_url)
    with reading(engine) as session:
        records = list_calls(session, 1000)
        assert len(records) == 700
        parts: set[tuple[str, str]] = set()
        counts: Counter[tuple[object, ...]] = Counter()
        for record in records:
            one = facets(record)
            day, kind = one.started_at.date(), (one.direction, one.disposition)
            counts[EVERYTHING, day, *kind] += 1
            counts[did_scope(one.did), day, *kind] += 1
            for extension in one.operators:
                parts.add((record.call_id, extension))
                counts[operator_scope(extension), month_of(day), *kind] += 1
        query = select(call.c.call_id, call_operator.c.extension).join_from(call_operator, call)
        assert {(row[0], row[1]) for row in session.execute(query)} == parts
        stored = {tuple(row[:4]): row[4] for row in session.execute(select(call_count))}
        assert stored == dict(counts)
        backwards = session.execute(select(call.c.number, call.c.tail)).all()
        assert all(tail == number[::-1] for number, tail in backwards)
        assert session.execute(select(func.count()).select_from(client_word)).scalar_one() == 0
    engine.dispose()
