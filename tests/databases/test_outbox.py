"""The outbox: facts are claimed, fenced, postponed and pruned."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from telephony.store.deliveries import Wanted, add_deliveries
from telephony.store.engine import reading, writing
from telephony.store.outbox import (
    Claim,
    Fact,
    add_facts,
    claim_facts,
    delete_facts,
    due_facts,
    finish_fact,
    get_fact,
    old_facts,
    pending_facts,
    postpone_fact,
    release_facts,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEASE = timedelta(seconds=15)


def _add(engine: Engine, count: int = 1, now: datetime = NOW) -> list[int]:
    with writing(engine) as session:
        facts = [Fact("call.started", f"key:{nth}", {"call_id": str(nth)}) for nth in range(count)]
        add_facts(session, facts, now)
    with reading(engine) as session:
        return list(due_facts(session, now, 1000))


def _claim(engine: Engine, ids: list[int], now: datetime = NOW) -> list[Claim]:
    with writing(engine) as session:
        return claim_facts(session, ids, now, LEASE)


def test_a_fact_is_claimed_once_until_its_lease_runs_out(emptied: Engine) -> None:
    ids = _add(emptied, 3)
    assert [claim.attempt for claim in _claim(emptied, ids)] == [1, 1, 1]
    assert _claim(emptied, ids) == []
    with reading(emptied) as session:
        assert due_facts(session, NOW + LEASE - timedelta(seconds=1), 10) == []
        assert list(due_facts(session, NOW + LEASE, 10)) == ids
    again = _claim(emptied, ids, NOW + LEASE)
    assert [(claim.id, claim.kind, claim.attempt) for claim in again] == [
        (key, "call.started", 2) for key in ids
    ]


def test_only_the_latest_attempt_finishes_a_fact_and_once(emptied: Engine) -> None:
    (key,) = _add(emptied)
    _claim(emptied, [key])
    _claim(emptied, [key], NOW + LEASE)
    with writing(emptied) as session:
        assert finish_fact(session, key, 1, NOW) is None
        fact = finish_fact(session, key, 2, NOW)
        assert fact is not None
        assert (fact.key, fact.payload, fact.created_at) == ("key:0", {"call_id": "0"}, NOW)
        assert finish_fact(session, key, 2, NOW) is None
    with reading(emptied) as session:
        assert pending_facts(session) == (0, None)
        assert due_facts(session, NOW + 10 * LEASE, 10) == []


def test_a_transaction_that_fails_leaves_the_fact_due(emptied: Engine) -> None:
    (key,) = _add(emptied)
    _claim(emptied, [key])
    try:
        with writing(emptied) as session:
            assert finish_fact(session, key, 1, NOW) is not None
            raise RuntimeError("the job failed")
    except RuntimeError:
        pass
    with writing(emptied) as session:
        postpone_fact(session, key, 1, NOW + timedelta(minutes=1), "it failed")
    with reading(emptied) as session:
        assert pending_facts(session) == (1, NOW)
        assert due_facts(session, NOW + LEASE, 10) == []
        assert list(due_facts(session, NOW + timedelta(minutes=1), 10)) == [key]


def test_what_could_not_be_enqueued_is_due_at_once(emptied: Engine) -> None:
    ids = _add(emptied, 2)
    claims = _claim(emptied, ids)
    with writing(emptied) as session:
        release_facts(session, claims)
        assert list(due_facts(session, NOW, 10)) == ids


def test_relays_that_claim_at_once_share_the_facts(emptied: Engine) -> None:
    ids = _add(emptied, 60)
    gate = threading.Barrier(4)
    taken: list[int] = []

    def relay() -> None:
        gate.wait(10)
        for start in range(0, len(ids), 10):
            taken.extend(claim.id for claim in _claim(emptied, ids[start : start + 10]))

    threads = [threading.Thread(target=relay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == ids


def test_old_facts_go_with_their_deliveries(emptied: Engine) -> None:
    ids = _add(emptied, 2)
    for claim in _claim(emptied, ids):
        with writing(emptied) as session:
            finish_fact(session, claim.id, 1, NOW)
            wanted = [Wanted("call.started", "webhook:1", "webhook:1", NOW + LEASE)]
            add_deliveries(session, claim.id, wanted, NOW)
    with writing(emptied) as session:
        assert old_facts(session, NOW, 10) == []
        # The newest stays: ids must never begin anew.
        assert sorted(old_facts(session, NOW + timedelta(days=1), 10)) == ids[:1]
        delete_facts(session, ids)
    with reading(emptied) as session:
        assert get_fact(session, ids[0]) is None
