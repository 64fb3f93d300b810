"""The writer: it never holds up its caller and loses nothing that a disk can hold."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from telephony.domain.record import CallRecord
from telephony.store.calls import count_calls, get_call, list_calls, save_call
from telephony.store.codec import record_to_json
from telephony.store.engine import StoreError, open_engine, reading, writing
from telephony.store.migrations import migrate
from telephony.writer import Writer
from tests.databases.samples import a_record, wait_for

ROOT = Path(__file__).resolve().parents[2]
MakeWriter = Callable[..., Writer]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    migrate(url)
    engine = open_engine(url, busy_ms=100)
    yield engine
    engine.dispose()


@pytest.fixture
def spill(tmp_path: Path) -> Path:
    return tmp_path / "spool" / "calls.jsonl"


@pytest.fixture
def make(engine: Engine, spill: Path) -> Iterator[MakeWriter]:
    """Make writers on the database and the spill file; they are stopped at the end."""
    made: list[Writer] = []

    def new(**options: object) -> Writer:
        writer = Writer(engine, spill, "RU", backoff=(0.02, 0.1), **options)  # type: ignore[arg-type]
        made.append(writer)
        return writer

    yield new
    for writer in made:
        writer.stop(1)


def stored(engine: Engine) -> list[CallRecord]:
    with reading(engine) as session:
        return list_calls(session, 10_000)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class Lock:
    """Another program that holds SQLite's write lock."""

    def __init__(self, engine: Engine) -> None:
        self.connection = sqlite3.connect(engine.url.database or "", isolation_level=None)
        self.connection.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        self.connection.execute("ROLLBACK")
        self.connection.close()


def test_records_are_written_in_batches(engine: Engine, make: MakeWriter) -> None:
    writer = make()
    records = [a_record(number) for number in range(450)]
    for record in records:
        writer.put(record)
    assert writer.pending == 450
    writer.start()
    wait_for("all written", lambda: writer.pending == 0)
    assert stored(engine) == records[::-1]
    assert writer.last_commit_at is not None
    assert (writer.last_error, writer.spilled, writer.lost) == (None, 0, 0)


def test_the_last_version_of_a_call_wins(engine: Engine, make: MakeWriter) -> None:
    writer = make(batch=3)
    for talk in range(20):
        writer.put(a_record(talk_ms=talk))
    writer.start()
    assert writer.stop(10)
    assert [record.talk_ms for record in stored(engine)] == [19]


def test_a_lock_of_a_second_is_waited_out(engine: Engine, make: MakeWriter) -> None:
    lock = Lock(engine)
    writer = make()
    writer.start()
    slowest = 0.0
    start = time.monotonic()
    number = 0
    while (now := time.monotonic()) < start + 1:
        if now >= start + number * 0.01:  # 100 calls a second
            number += 1
            writer.put(a_record(number))
            slowest = max(slowest, time.monotonic() - now)
    lock.release()
    wait_for("all written", lambda: writer.pending == 0 and writer.spilled == 0)
    assert len(stored(engine)) == number
    assert slowest < 0.5  # as long as the machine may pause us; the lock held a second
    assert writer.last_error is None


def test_what_the_database_does_not_take_is_spilled_and_replayed(
    engine: Engine, spill: Path, make: MakeWriter
) -> None:
    lock = Lock(engine)
    writer = make()
    writer.start()
    for number in range(30):
        writer.put(a_record(number))
    wait_for("spilled", lambda: writer.spilled == 30 and writer.pending == 0)
    assert writer.last_error is not None
    assert "locked" in writer.last_error
    kept = (spill if spill.exists() else spill.with_name("calls.jsonl.replay")).read_text()
    assert len(kept.splitlines()) == 30
    lock.release()
    wait_for("replayed", lambda: writer.spilled == 0)
    assert len(stored(engine)) == 30
    assert not list(spill.parent.glob("calls.jsonl*[!k]"))  # all but the .lock


def test_an_older_version_in_the_spill_does_not_win(engine: Engine, make: MakeWriter) -> None:
    lock = Lock(engine)
    writer = make()
    writer.start()
    writer.put(a_record(talk_ms=1))
    wait_for("spilled", lambda: writer.spilled == 1)
    writer.put(a_record(talk_ms=2))
    lock.release()
    wait_for("written", lambda: writer.spilled == 0 and writer.pending == 0)
    assert [record.talk_ms for record in stored(engine)] == [2]


def test_a_hung_database_leaves_nothing_in_memory_alone(
    engine: Engine, make: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = Lock(engine)
    slow = open_engine(str(engine.url), busy_ms=60_000)
    writer = make(patience=0.1, batch=5)
    monkeypatch.setattr(writer, "_engine", slow)
    writer.start()
    for number in range(20):
        writer.put(a_record(number))
    # Those of the transaction that hangs are kept too.
    wait_for("spilled", lambda: writer.spilled == 20)
    assert writer.last_error is None
    lock.release()
    wait_for("written", lambda: writer.spilled == 0 and writer.pending == 0)
    assert len(stored(engine)) == 20
    slow.dispose()


def test_an_overflow_goes_to_the_spill(
    engine: Engine, make: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = Lock(engine)
    slow = open_engine(str(engine.url), busy_ms=60_000)
    writer = make(patience=60, limit=40)
    monkeypatch.setattr(writer, "_engine", slow)
    writer.start()
    for number in range(200):
        writer.put(a_record(number))
        wait_for("room", lambda: writer.pending < 40)
    assert writer.spilled >= 100
    lock.release()
    wait_for("written", lambda: writer.spilled == 0 and writer.pending == 0)
    assert writer.lost == 0
    assert len(stored(engine)) == 200
    slow.dispose()


def test_stop_spills_what_cannot_be_written(engine: Engine, spill: Path, make: MakeWriter) -> None:
    lock = Lock(engine)
    writer = make()
    writer.start()
    for number in range(10):
        writer.put(a_record(number))
    assert writer.stop(5)
    writer.put(a_record(10))  # too late, but not lost
    lock.release()
    assert stored(engine) == []
    second = make()
    assert second.spilled == 11
    second.start()
    wait_for("replayed", lambda: second.spilled == 0)
    assert len(stored(engine)) == 11


def test_a_full_disk_and_a_failing_database_raise_nothing(
    engine: Engine, spill: Path, make: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    spill.parent.write_text("a file where the folder should be")
    monkeypatch.setattr("telephony.writer._SPILL_PAUSE", 0.05)
    lock = Lock(engine)
    writer = make(limit=10)
    writer.start()
    for number in range(15):
        writer.put(a_record(number))
    wait_for("failed", lambda: writer.last_error)
    assert writer.lost >= 4
    assert not writer.stop(0.1)
    spill.parent.unlink()
    assert not writer.stop(0.1)  # what was lost stays told
    lock.release()
    kept = 15 - writer.lost
    assert writer.spilled == kept
    again = make()
    again.start()
    wait_for("replayed", lambda: again.spilled == 0)
    assert len(stored(engine)) == kept


def test_a_disk_that_has_room_again_is_used(
    engine: Engine, spill: Path, make: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    spill.parent.write_text("a file where the folder should be")
    monkeypatch.setattr("telephony.writer._SPILL_PAUSE", 0.05)
    lock = Lock(engine)
    writer = make()
    writer.start()
    writer.put(a_record())
    wait_for("failed", lambda: writer.last_error)
    assert writer.spilled == 0
    spill.parent.unlink()
    wait_for("spilled", lambda: writer.spilled == 1)
    lock.release()
    wait_for("written", lambda: writer.spilled == 0)
    assert len(stored(engine)) == 1


@pytest.mark.parametrize(
    "poison",
    [
        a_record(5, started_at=10**30),
        a_record(5, client_name="\ud800"),
        a_record(5, wait_ms=2**70),
        a_record(5, did=None),
        a_record(5, disposition="words"),
    ],
)
def test_a_poison_record_goes_aside_and_the_others_proceed(
    engine: Engine, spill: Path, make: MakeWriter, poison: CallRecord
) -> None:
    writer = make()
    for number in range(5):
        writer.put(a_record(number))
    writer.put(poison)
    for number in range(6, 10):
        writer.put(a_record(number))
    writer.start()
    wait_for("written", lambda: writer.pending == 0)
    assert len(stored(engine)) == 9
    assert (writer.buried, writer.lost, writer.last_error) == (1, 0, None)
    assert len(lines(spill.with_name("calls.jsonl.dead"))) == 1


def test_a_line_cut_off_by_a_crash_is_kept_aside(
    engine: Engine, spill: Path, make: MakeWriter
) -> None:
    whole = [
        json.dumps({"revision": number + 1, "record": record_to_json(a_record(number))})
        for number in range(3)
    ]
    spill.parent.mkdir()
    spill.with_name("calls.jsonl.replay").write_text(whole[0] + "\n" + whole[1][:200])
    spill.write_text(whole[1] + "\n" + whole[2][:100])
    writer = make()
    writer.start()
    wait_for("replayed", lambda: writer.spilled == 0)
    writer.put(a_record(9))
    assert writer.stop(5)
    assert {record.call_id[-1] for record in stored(engine)} == {"0", "1", "9"}
    kept = spill.with_name("calls.jsonl.damaged").read_text().splitlines()
    assert kept == [whole[1][:200], whole[2][:100]]


def test_a_record_stored_later_is_not_overwritten_by_the_spill(
    engine: Engine, spill: Path, make: MakeWriter
) -> None:
    old = {"revision": 5, "record": record_to_json(a_record(talk_ms=1))}
    spill.parent.mkdir()
    spill.write_text(json.dumps(old) + "\n")
    with writing(engine) as session:
        save_call(session, a_record(talk_ms=2), revision=6)
    writer = make()
    writer.start()
    wait_for("replayed", lambda: writer.spilled == 0)
    assert [record.talk_ms for record in stored(engine)] == [2]


def test_a_second_process_is_kept_away(make: MakeWriter) -> None:
    make()
    with pytest.raises(StoreError, match="another process"):
        make()


KILLED = """
import sys, time
from pathlib import Path
from telephony.store.engine import open_engine
from telephony.writer import Writer
from tests.databases.samples import a_record
writer = Writer(open_engine(sys.argv[1], busy_ms=20), Path(sys.argv[2]), "RU", backoff=(0.01, 0.05))
writer.start()
number = 0
while True:
    while writer.pending > 50:
        time.sleep(0.001)
    writer.put(a_record(number))
    number += 1
    if writer.pending == 0 or number % 50 == 0:
        print(number - writer.pending, writer.spilled, file=sys.stderr, flush=True)
"""


def test_a_process_killed_in_mid_write_loses_nothing_it_had_put_away(
    engine: Engine, spill: Path, make: MakeWriter
) -> None:
    lock: Lock | None = None
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(engine.url), str(spill)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    safe = spilled = 0
    try:
        for line in process.stderr:
            safe, spilled = map(int, line.split())
            if lock is None and safe > 200:
                lock = Lock(engine)  # from here on it spills
            if spilled > 200:
                break
    finally:
        process.kill()
        process.communicate(timeout=10)
    assert lock is not None
    lock.release()
    before = len(stored(engine))
    assert before >= 150
    writer = make()
    assert writer.spilled > 200
    writer.start()
    wait_for("replayed", lambda: writer.spilled == 0)
    found = {int(record.call_id.partition(".")[2]) for record in stored(engine)}
    # All that had left its memory, each once.
    assert set(range(safe)) <= found
    with reading(engine) as session:
        assert count_calls(session) == len(found)
        assert get_call(session, "1795000000.0") == a_record(0)
