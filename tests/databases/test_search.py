"""Finding calls: whatever is asked, the page and the total are those of plain Python."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select, update

from telephony.domain.record import CallRecord, Direction, Disposition, Outcome
from telephony.store import search
from telephony.store.call_index import took_part
from telephony.store.call_lines import every_call, find_calls
from telephony.store.call_tables import call, call_count, call_operator
from telephony.store.calls import Revised, save_call, save_calls
from telephony.store.engine import reading, writing
from telephony.store.search import Filter, Order, find_page, involves
from telephony.store.tables import microseconds, moment
from tests.databases.samples import a_leg, a_record

FIRST = datetime(2026, 3, 28, 20, tzinfo=UTC)
NUMBERS = ("+79001112233", "+79002222233", "+74951112233", "+4930123456", "101", "112", "")
DIDS = ("74951234567", "74951234568")
DAYS = 40


def _some_record(chance: random.Random, nth: int) -> CallRecord:
    # Several calls begin in the same microsecond: the order must be a whole one.
    start = microseconds(FIRST) + chance.randrange(DAYS * 24) * 3_600_000_000
    direction = chance.choice(list(Direction))
    legs = tuple(
        replace(
            a_leg(f"{nth}-{place}"),
            operator=chance.choice(("101", "102", "103", None)),
            outcome=chance.choice(list(Outcome)),
        )
        for place in range(chance.randrange(3))
    )
    client = chance.choice((None, 1, 2, 3))
    return a_record(
        nth,
        started_at=start,
        answered_at=None,
        ended_at=start + 1_000_000,
        number=chance.choice(NUMBERS),
        did=chance.choice(DIDS),
        client_id=client,
        direction=direction,
        disposition=chance.choice(list(Disposition)),
        legs=legs,
        answered_by=chance.choice((None, "101", "104")),
        placed_by=None if direction is Direction.IN else chance.choice(("102", "103")),
    )


def _fits(record: CallRecord, where: Filter) -> bool:
    started = moment(record.started_at)
    parts = took_part(record)
    return (
        (where.since is None or started >= where.since)
        and (where.until is None or started < where.until)
        and where.number in (None, record.number)
        and record.number.startswith(where.head or "")
        and record.number.endswith(where.tail or "")
        and where.did in (None, record.did)
        and (where.operator is None or where.operator in parts)
        and (where.involving is None or where.involving in parts)
        and where.disposition in (None, record.disposition)
        and where.direction in (None, record.direction)
        and where.client_id in (None, record.client_id)
        and (where.clients is None or record.client_id in where.clients)
    )


def _filters() -> Iterator[Filter]:
    """Yield filters of one field, and of every pair of fields."""
    hour = timedelta(hours=1)
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    one: list[dict[str, Any]] = [
        {"since": FIRST + 30 * hour},
        {"until": midnight},
        {"since": midnight, "until": midnight + 24 * hour},
        {"since": midnight - 3 * hour, "until": midnight + 21 * hour},
        {"since": midnight + hour, "until": midnight + 5 * hour},
        {"since": midnight, "until": midnight},
        {"since": midnight - 30 * hour, "until": midnight + 33 * 24 * hour},
        {"since": midnight, "until": datetime(2026, 5, 1, tzinfo=UTC)},
        {"number": "+79001112233"},
        {"head": "+7900"},
        {"tail": "2233"},
        {"did": DIDS[0]},
        {"operator": "101"},
        {"operator": "999"},
        {"disposition": Disposition.LOST},
        {"direction": Direction.OUT},
        {"client_id": 2},
        {"clients": (1, 3)},
        {"clients": ()},
        {"involving": "103"},
        {"involving": ""},
    ]
    yield Filter()
    for given in one:
        yield Filter(**given)
    for left, right in itertools.combinations(one, 2):
        if not set(left) & set(right):
            yield Filter(**left, **right)


@pytest.fixture
def records(engine: Engine) -> list[CallRecord]:
    """Calls stored in several batches, many of them twice and changed; newest first."""
    chance = random.Random(7)
    stored = {nth: _some_record(chance, nth) for nth in range(300)}
    for part in range(0, 300, 60):
        with writing(engine) as session:
            save_calls(session, [Revised(stored[nth], 1) for nth in range(part, part + 60)])
    again = {nth: _some_record(chance, nth) for nth in chance.sample(range(300), 120)}
    for nth, record in again.items():
        stored[nth] = record
    with writing(engine) as session:
        save_calls(session, [Revised(record, 2) for record in again.values()])
        # An older version changes neither the call nor what it is found by.
        save_calls(session, [Revised(_some_record(chance, nth), 1) for nth in again])
    with reading(engine) as session:
        rows = session.execute(select(call.c.call_id, call.c.id))
        keys = {call_id: key for call_id, key in rows}  # noqa: C416
    return sorted(stored.values(), key=lambda one: (one.started_at, keys[one.call_id]))[::-1]


@pytest.mark.parametrize("near", [1000, 0])
def test_pages_and_totals_are_right(
    engine: Engine, records: list[CallRecord], near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_NEAR", near)
    if not near:
        monkeypatch.setattr(search, "_FEW", 2)
    checked = 0
    with reading(engine) as session:
        for where in _filters():
            fitting = [record.call_id for record in records if _fits(record, where)]
            for order, ids in ((Order.DESCENDING, fitting), (Order.ASCENDING, fitting[::-1])):
                for offset in {0, 1, len(ids) // 2, max(0, len(ids) - 3), len(ids), len(ids) + 9}:
                    page = find_calls(session, where, 7, offset, order)
                    found = [line.call_id for line in page.items]
                    assert (found, page.total) == (ids[offset : offset + 7], len(ids)), where
                    checked += bool(found)
    assert checked > 500


def test_a_line_says_what_the_record_says(engine: Engine) -> None:
    record = a_record(direction=Direction.OUT, placed_by="102", hold_ms=7)
    with writing(engine) as session:
        save_call(session, record)
    with reading(engine) as session:
        (line,) = find_calls(session).items
    for name in type(line).__slots__:
        said, meant = getattr(line, name), getattr(record, name)
        assert said == (moment(meant) if isinstance(said, datetime) else meant), name


def test_calls_come_one_after_the_other_up_to_a_number(
    engine: Engine, records: list[CallRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.store.call_lines._PART", 40)
    ids = [record.call_id for record in records]
    with reading(engine) as session:
        assert [line.call_id for line in every_call(session, Filter(), 1000)] == ids
        assert [line.call_id for line in every_call(session, Filter(), 100)] == ids[:100]


def test_who_takes_part(engine: Engine) -> None:
    legs = (
        replace(a_leg("a"), operator="101", outcome=Outcome.NO_ANSWER),
        replace(a_leg("b"), operator="102", outcome=Outcome.UNREACHABLE),
        replace(a_leg("c"), operator=None),
    )
    record = a_record(legs=legs, answered_by="103", placed_by="104")
    assert took_part(record) == {"101", "103", "104"}
    with writing(engine) as session:
        save_call(session, record)
    with reading(engine) as session:
        for extension, right in (("101", True), ("102", False), ("103", True), ("104", True)):
            assert involves(session, record.call_id, extension) is right
        assert involves(session, "no.such", "101") is False


def test_a_deleted_call_leaves_no_operator(engine: Engine) -> None:
    with writing(engine) as session:
        save_call(session, a_record())
    with writing(engine) as session:
        session.execute(delete(call))
        assert session.execute(select(func.count()).select_from(call_operator)).scalar_one() == 0


def test_counts_are_read_and_not_the_calls(engine: Engine, records: list[CallRecord]) -> None:
    """The total of a wide filter comes from the counts: falsified, they show."""
    with writing(engine) as session:
        session.execute(update(call_count).values(calls=call_count.c.calls + 1000))
    with reading(engine) as session:
        assert find_page(session, Filter(operator="101")).total > len(records)
        narrow = Filter(number=NUMBERS[0])
        assert find_page(session, narrow).total == sum(_fits(one, narrow) for one in records)
