"""Writer and feed while PostgreSQL goes away and comes back."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from telephony.domain.directory import ClientChange, Directory
from telephony.domain.setup import Setup
from telephony.feed import Feed
from telephony.store.calls import list_calls
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData
from telephony.store.engine import open_engine, reading, writing
from telephony.writer import Writer
from tests.databases.samples import a_record, wait_for
from tests.lab.postgres import Postgres

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def writer(engine: Engine, tmp_path: Path) -> Writer:
    return Writer(engine, tmp_path / "calls.jsonl", "RU", backoff=(0.05, 0.2), patience=0.3)


def test_a_server_killed_and_started_again(
    engine: Engine, postgres: Postgres, writer: Writer
) -> None:
    with writing(engine) as session:  # the lab's servers do without, for speed
        name = engine.url.database
        session.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = on"))
    engine.dispose()
    writer.start()
    for number in range(50):
        writer.put(a_record(number))
    wait_for("written", lambda: writer.pending == 0)
    postgres.kill()
    try:
        for number in range(50, 100):
            writer.put(a_record(number))
        wait_for("spilled", lambda: writer.spilled == 50 and writer.pending == 0)
        assert "connection" in str(writer.last_error)
    finally:
        postgres.start()
    wait_for("replayed", lambda: writer.spilled == 0)
    assert str(writer.last_error) == "None"
    assert writer.stop()
    with reading(engine) as session:
        assert list_calls(session, 200) == [a_record(number) for number in range(99, -1, -1)]


def test_a_frozen_server(engine: Engine, postgres: Postgres, writer: Writer) -> None:
    writer.start()
    writer.put(a_record(0))
    wait_for("written", lambda: writer.pending == 0)
    postgres.pause()
    try:
        for number in range(1, 30):
            writer.put(a_record(number))
        # Nothing fails, nothing answers: the keeper does not wait for it.
        wait_for("spilled", lambda: writer.spilled == 29)
    finally:
        postgres.resume()
    wait_for("replayed", lambda: writer.spilled == 0 and writer.pending == 0)
    assert writer.stop()
    with reading(engine) as session:
        assert len(list_calls(session, 200)) == 30


def test_a_record_that_the_server_refuses(engine: Engine, tmp_path: Path, writer: Writer) -> None:
    writer.put(a_record(0))
    writer.put(a_record(1, client_name="a\x00b"))
    writer.put(a_record(2, talk_ms=2**70))
    writer.put(a_record(3))
    writer.start()
    wait_for("written", lambda: writer.pending == 0)
    assert writer.stop()
    assert writer.buried == 2
    with reading(engine) as session:
        assert list_calls(session) == [a_record(3), a_record(0)]
    assert len((tmp_path / "calls.jsonl.dead").read_text().splitlines()) == 2


def test_the_feed_goes_on_after_an_outage(engine: Engine, postgres: Postgres) -> None:
    seen: list[str] = []
    lock = threading.Lock()

    def apply(changes: Sequence[ClientChange], setup: Setup | None) -> None:
        with lock:
            seen.extend(change.client.name for change in changes)

    feed = Feed(engine, Directory(), apply, every=0.02)
    feed.load()
    feed.start()
    postgres.stop()
    try:
        wait_for("noticed", lambda: feed.last_error)
    finally:
        postgres.start()
    other = open_engine(str(engine.url))
    with writing(other) as session:
        save_clients(session, [ClientData("Anna", ("+79001110001",))])
    other.dispose()
    wait_for("seen", lambda: seen == ["Anna"])
    wait_for("calm", lambda: feed.last_error is None)
    feed.stop()
