"""Calls: what is saved is what comes back, once, and the newest version of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import StatementError

from telephony.domain.record import Disposition
from telephony.store.calls import (
    Filter,
    Revised,
    call,
    count_calls,
    get_call,
    list_calls,
    save_call,
    save_calls,
)
from telephony.store.engine import reading, writing
from telephony.store.outbox import outbox
from telephony.store.tables import moment
from tests.databases.samples import START, a_leg, a_record


def test_a_call_comes_back_as_it_was(engine: Engine) -> None:
    whole = a_record()
    bare = a_record(
        1,
        decision=None,
        decided_ms=None,
        legs=(),
        answered_at=None,
        client_id=None,
        client_name="",
        disposition=Disposition.ABANDONED,
        abandoned_in="waiting",
    )
    with writing(engine) as session:
        save_call(session, whole)
        save_call(session, bare)
    with reading(engine) as session:
        assert get_call(session, whole.call_id) == whole
        assert get_call(session, bare.call_id) == bare
        assert get_call(session, "1.1") is None


def test_a_call_saved_again_stays_one_call_with_one_fact(engine: Engine) -> None:
    first = a_record(legs=(a_leg("a"), a_leg("b")))
    second = replace(first, talk_ms=5, legs=(a_leg("c"), a_leg("b")))
    for record in (first, second, second):
        with writing(engine) as session:
            save_call(session, record)
    with reading(engine) as session:
        assert list_calls(session) == [second]
        facts = session.execute(select(outbox.c.kind, outbox.c.key, outbox.c.payload)).all()
        key = f"call.ended:{first.call_id}"
        assert [tuple(fact) for fact in facts] == [("call.ended", key, {"call_id": first.call_id})]


def test_an_older_version_never_overwrites_a_newer_one(engine: Engine) -> None:
    newer, older = a_record(talk_ms=2), a_record(talk_ms=1, legs=(a_leg("x"), a_leg("y")))
    with writing(engine) as session:
        save_call(session, newer, revision=20)
    with writing(engine) as session:
        save_call(session, older, revision=10)
    with writing(engine) as session:
        save_calls(session, [Revised(newer, 21), Revised(older, 11)])
    with reading(engine) as session:
        assert list_calls(session) == [newer]


def test_nothing_is_saved_when_the_transaction_fails(engine: Engine) -> None:
    def save_and_fail() -> None:
        with writing(engine) as session:
            save_call(session, a_record())
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        save_and_fail()
    with reading(engine) as session:
        assert count_calls(session) == 0
        assert session.execute(select(outbox)).all() == []


def test_calls_are_paged_newest_first(engine: Engine) -> None:
    records = [a_record(number) for number in range(25)]
    with writing(engine) as session:
        save_calls(session, [Revised(record, 1) for record in records])
    with reading(engine) as session:
        pages = [list_calls(session, 10, offset) for offset in (0, 10, 20, 30)]
        assert [record for page in pages for record in page] == records[::-1]
        assert [len(page) for page in pages] == [10, 10, 5, 0]
        assert count_calls(session) == 25


def test_calls_are_filtered(engine: Engine) -> None:
    records = [
        a_record(0),
        a_record(1, number="+4930123456"),
        a_record(2, did="100", disposition=Disposition.LOST),
        a_record(3, answered_by="102"),
    ]
    with writing(engine) as session:
        save_calls(session, [Revised(record, 1) for record in records])
    second = timedelta(seconds=1)
    with reading(engine) as session:
        for where, wanted in (
            (Filter(number="+4930123456"), [1]),
            (Filter(did="100"), [2]),
            (Filter(operator="102"), [3]),
            (Filter(disposition=Disposition.LOST), [2]),
            (Filter(since=moment(START) + second, until=moment(START) + 3 * second), [2, 1]),
            (Filter(did="74951234567", number="+79001112233"), [3, 0]),
        ):
            assert list_calls(session, where=where) == [records[place] for place in wanted]
            assert count_calls(session, where) == len(wanted)


def test_times_are_utc_to_the_microsecond_and_never_naive(engine: Engine) -> None:
    with writing(engine) as session:
        save_call(session, a_record())
    with reading(engine) as session:
        started = session.execute(select(call.c.started_at)).scalar_one()
        assert started == moment(START)
        assert started.tzinfo is UTC
        assert started.microsecond == 123_457
        naive = datetime(2026, 1, 1)  # noqa: DTZ001
        with pytest.raises(StatementError, match="naive"):
            session.execute(select(call).where(call.c.started_at > naive))
