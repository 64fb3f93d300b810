"""What goes on now, the facts of it, and who tells that it runs: on both databases."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from telephony.domain.live import LiveCall, OperatorActivity, OperatorState, activity
from telephony.domain.record import Direction
from telephony.status import Beat, identity
from telephony.store.calls import get_call
from telephony.store.cursors import Cursor, load_cursors, save_cursors
from telephony.store.engine import reading, writing
from telephony.store.live import (
    list_live_calls,
    list_operator_states,
    list_processes,
    save_process,
)
from telephony.store.outbox import outbox
from telephony.store.tables import moment
from telephony.writer import Writer
from tests.databases.samples import START, a_decision, a_record, wait_for


def a_live(nth: int = 0, **changes: object) -> LiveCall:
    """The ringing call that `a_record` of the same number is in the end."""
    record = a_record(nth)
    live = LiveCall(
        call_id=record.call_id,
        revision=START,
        direction=Direction.IN,
        did=record.did,
        number=record.number,
        client_id=record.client_id,
        client_name=record.client_name,
        placed_by=None,
        phase="ringing",
        since=record.started_at + 200_000,
        started_at=record.started_at,
        ringing=("101", "102"),
        decision=a_decision(),
        decided_ms=1.25,
        queue="dutyline-sales",
        queued_at=record.started_at + 100_000,
    )
    return replace(live, **changes)  # type: ignore[arg-type]


TALKING: dict[str, Any] = {
    "phase": "talking",
    "revision": START + 1,
    "ringing": (),
    "talking": ("101",),
    "answered_at": START + 4_200_000,
    "answered_by": "101",
}


def _live(engine: Engine) -> list[LiveCall]:
    with reading(engine) as session:
        return list_live_calls(session)


def _facts(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        query = select(outbox.c.kind, outbox.c.key).order_by(outbox.c.id)
        return [(row.kind, row.key) for row in session.execute(query)]


def _writer(engine: Engine, folder: Path) -> Writer:
    writer = Writer(engine, folder / "spill.jsonl", "RU", window=0.02, backoff=(0.05, 0.1))
    writer.start()
    return writer


def test_a_call_goes_on_and_ends_with_each_fact_once_and_in_order(
    engine: Engine, tmp_path: Path
) -> None:
    writer = _writer(engine, tmp_path)
    writer.tell([a_live()])
    wait_for("the call is live", lambda: _live(engine) == [a_live()])
    writer.tell([a_live(**TALKING)])
    wait_for("it is answered", lambda: _live(engine) == [a_live(**TALKING)])
    writer.tell([a_live(**TALKING)])
    writer.put(a_record())
    assert writer.stop()
    assert _live(engine) == []
    name = a_record().call_id
    assert _facts(engine) == [
        (kind, f"{kind}:{name}") for kind in ("call.started", "call.answered", "call.ended")
    ]
    with reading(engine) as session:
        payloads = {row.kind: row.payload for row in session.execute(select(outbox))}
    assert payloads["call.answered"] == {
        "call_id": name,
        "direction": "in",
        "did": "74951234567",
        "number": "+79001112233",
        "client_id": 7,
        "client_name": "Ромашка",
        "placed_by": None,
        "operator": "101",
        "at": moment(START + 4_200_000).isoformat().replace("+00:00", "Z"),
    }
    assert payloads["call.started"]["operator"] is None


def test_a_call_that_nobody_was_told_of_has_its_facts_all_the_same(
    engine: Engine, tmp_path: Path
) -> None:
    writer = _writer(engine, tmp_path)
    for nth in range(3):
        writer.put(a_record(nth))
    assert writer.stop()
    kinds = ("call.started", "call.answered", "call.ended")
    assert Counter(kind for kind, _ in _facts(engine)) == dict.fromkeys(kinds, 3)


def test_the_latest_of_many_changes_wins_and_an_older_one_never_comes_back(
    engine: Engine, tmp_path: Path
) -> None:
    writer = _writer(engine, tmp_path)
    for revision in range(100):
        writer.tell([a_live(revision=START + revision, on_hold=revision)])
    wait_for("the last one", lambda: [one.on_hold for one in _live(engine)] == [99])
    writer.tell([a_live(revision=START + 5, on_hold=5)])
    assert writer.stop()
    assert [one.on_hold for one in _live(engine)] == [99]


def test_a_start_sweeps_out_what_was_left_behind(engine: Engine, tmp_path: Path) -> None:
    states = [OperatorState(name, "INUSE", activity("INUSE"), START) for name in ("101", "102")]
    writer = _writer(engine, tmp_path)
    writer.tell([a_live(nth) for nth in range(4)], states)
    wait_for("four calls", lambda: len(_live(engine)) == 4)
    kept, waits = a_live(1, on_hold=1, revision=START + 1), a_live(2)
    writer.replace([kept], states[:1], [waits.call_id])
    wait_for("two calls", lambda: _live(engine) == [kept, waits])
    writer.tell([], [], {kept.call_id: waits.call_id, "never told": waits.call_id})
    assert writer.stop()
    assert _live(engine) == [waits], "what became part of another call goes too"
    with reading(engine) as session:
        ended = select(outbox.c.payload).where(outbox.c.kind == "call.ended")
        (told,) = session.execute(ended).scalars()
    assert (told["call_id"], told["part_of"]) == (kept.call_id, waits.call_id), "and has ended"
    with reading(engine) as session:
        assert list_operator_states(session) == states[:1]


def test_live_state_waits_for_a_database_that_fails_and_is_not_spilled(
    engine: Engine, tmp_path: Path
) -> None:
    writer = _writer(engine, tmp_path)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE live_call RENAME TO away"))
    writer.tell([a_live(1)], [OperatorState("101", "RINGING", OperatorActivity.RINGING, START)])
    wait_for("it fails", lambda: writer.last_error)
    writer.tell([a_live(2)])
    writer.put(a_record(1))  # this one ended meanwhile
    wait_for("the record is safe", lambda: writer.spilled == 1)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO live_call"))
    wait_for("the other call is live", lambda: _live(engine) == [a_live(2)])
    wait_for("the record is written", lambda: writer.spilled == 0)
    assert writer.stop()
    assert _live(engine) == [a_live(2)]
    with reading(engine) as session:
        assert get_call(session, a_record(1).call_id) == a_record(1)
        assert [one.extension for one in list_operator_states(session)] == ["101"]
    assert not list(tmp_path.glob("spill.jsonl.dead"))


def test_a_live_call_that_the_database_refuses_costs_no_record(
    engine: Engine, tmp_path: Path
) -> None:
    writer = Writer(engine, tmp_path / "spill.jsonl", "RU", window=0.02)
    writer.put(a_record(1))
    writer.tell([a_live(2, number=None)])
    writer.start()
    assert writer.stop()
    assert _live(engine) == []
    with reading(engine) as session:
        assert get_call(session, a_record(1).call_id) == a_record(1)
    assert writer.buried == 0


@pytest.mark.parametrize(
    ("device", "state"),
    [
        ("NOT_INUSE", "free"),
        ("INUSE", "busy"),
        ("ONHOLD", "busy"),
        ("RINGING", "ringing"),
        ("RINGINUSE", "busy"),
        ("UNAVAILABLE", "away"),
        ("INVALID", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_states_of_phones(device: str, state: str) -> None:
    assert activity(device) == state


def test_a_process_tells_of_itself_until_it_stops(engine: Engine) -> None:
    beat = Beat(engine, "relay")
    looks = iter([(True, None, {"pending": 3}), (False, "redis_down", {"pending": 4})])
    beat.start(lambda: next(looks), every=0.05)

    def told() -> tuple[bool, str | None, object]:
        with reading(engine) as session:
            found = list_processes(session)
        return (found[0].ready, found[0].problem, found[0].figures) if found else (False, None, {})

    wait_for("the second look", lambda: told() == (False, "redis_down", {"pending": 4}))
    # The third one raises.
    wait_for("the failed look", lambda: told()[1] == "look_failed")
    beat.stop()
    assert told() == (False, "stopped", {})
    with reading(engine) as session:
        (process,) = list_processes(session)
    assert process.is_alive(datetime.now(UTC))
    assert not process.is_alive(datetime.now(UTC) + timedelta(seconds=20))


def test_two_processes_of_a_part_have_a_row_each(engine: Engine) -> None:
    """The other one is this test's parent, which runs as well."""
    now = datetime.now(UTC)
    other = replace(identity("worker-bulk"), pid=os.getppid())
    with writing(engine) as session:
        save_process(session, other.told((True, None, {"jobs_done": 5}), now))
    beat = Beat(engine, "worker-bulk", several=True)
    beat.tell(True, None, {"jobs_done": 1})

    def told() -> dict[str, int]:
        with reading(engine) as session:
            return {process.name: process.pid for process in list_processes(session)}

    assert told() == {"worker-bulk": os.getppid(), "worker-bulk-2": os.getpid()}
    beat.tell(False, "stopped", {})
    assert told() == {"worker-bulk": os.getppid()}
    beat.tell(True, None, {})
    with writing(engine) as session:
        save_process(session, other.told((False, "stopped", {}), now))
    beat.tell(True, None, {})
    assert told() == {"worker-bulk": os.getpid()}, "it takes the place of one that is gone"


def test_telling_never_raises(engine: Engine) -> None:
    beat = Beat(engine, "worker-now")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE process_status"))
    beat.tell(True, None, {})


def test_the_writer_tells_of_its_process(engine: Engine, tmp_path: Path) -> None:
    writer = _writer(engine, tmp_path)
    me = identity("listener")
    writer.tell_process(me.told((True, None, {"calls_live": 2}), datetime.now(UTC)))
    assert writer.stop()
    with reading(engine) as session:
        (process,) = list_processes(session)
    assert (process.name, process.pid, process.figures) == ("listener", me.pid, {"calls_live": 2})


def test_cursors(engine: Engine) -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    with writing(engine) as session:
        save_cursors(session, [])
        save_cursors(session, [Cursor("queue_log", 5, 100, at), Cursor("events", 0, 0, at)])
        save_cursors(session, [Cursor("queue_log", 5, 200, at)])
    with reading(engine) as session:
        assert load_cursors(session)["queue_log"] == Cursor("queue_log", 5, 200, at)
        assert len(load_cursors(session)) == 2
