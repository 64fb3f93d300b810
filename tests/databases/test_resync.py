"""What the PBX wrote down while nobody listened: files, tables, cursors; written once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from telephony.domain.directory import Assignment, Client, Directory
from telephony.domain.record import CallRecord, Disposition, Source
from telephony.domain.recovery import Outage, lost
from telephony.pbxlogs import PbxLogs
from telephony.resync import Resync, recall
from telephony.store.calls import Revised, list_calls, save_calls
from telephony.store.cursors import load_cursors
from telephony.store.engine import reading, writing
from telephony.store.live import list_live_calls, save_live_calls
from telephony.store.progress import save_ended
from telephony.store.tables import microseconds
from telephony.writer import Writer
from tests.databases.samples import a_setup, wait_for
from tests.databases.test_live import a_live

S = 1_000_000
BEGAN = 1_795_490_000


def row(second: int, number: str, peer: str = "PJSIP/101-1", result: str = "ANSWERED") -> str:
    """Return a row of the CDR of a call that came at `second` after `BEGAN` and took 5 s."""
    came = BEGAN + second
    uniqueid = f"{came}.{second}"
    start, end = _clock(came), _clock(came + 5)
    answer = start if result == "ANSWERED" else ""
    return (
        f'"","{number}","s","x","","PJSIP/trunk-{second}","{peer}","Dial","x","{start}",'
        f'"{answer}","{end}",5,5,"{result}","DOCUMENTATION","{uniqueid}","","","{uniqueid}",1\n'
    )


@pytest.fixture
def directory() -> Directory:
    """Give a directory with one client."""
    made = Directory()
    made.load([("+79001112233", Client(7, "Ромашка", Assignment("101")))])
    return made


def _resync(engine: Engine, logs: PbxLogs, directory: Directory, patience: float = 0.3) -> Resync:
    made = Resync(engine, logs, directory, "RU", a_setup(), patience=patience, every=0.02)
    made.start()
    return made


def _records(engine: Engine) -> dict[str, CallRecord]:
    with reading(engine) as session:
        return {record.number: record for record in list_calls(session)}


def _seen(engine: Engine) -> int | None:
    return recall(engine).seen_at


def test_the_first_start_takes_nothing_of_what_was_before(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    cdr = tmp_path / "Master.csv"
    cdr.write_text(row(0, "79001112233"))
    resync = _resync(engine, PbxLogs(None, cdr, None), directory)
    resync.over(Outage(None, (BEGAN + 10) * S))
    wait_for("it is remembered", lambda: _seen(engine) == (BEGAN + 10) * S)
    with cdr.open("a") as file:
        file.write(row(20, "79001112233"))
    resync.over(Outage(None, (BEGAN + 30) * S))
    wait_for("the later one is recorded", lambda: len(_records(engine)) == 1)
    resync.stop()
    (made,) = _records(engine).values()
    assert made.started_at == (BEGAN + 20) * S
    assert (made.client_name, made.source) == ("Ромашка", Source.CDR)


def test_a_call_is_recorded_once_over_rotation_and_restarts(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    cdr = tmp_path / "Master.csv"
    cdr.write_text("")
    logs = PbxLogs(None, cdr, None)
    resync = _resync(engine, logs, directory)
    resync.over(Outage(None, BEGAN * S))
    wait_for("it is remembered", lambda: _seen(engine) == BEGAN * S)
    with cdr.open("a") as file:
        file.write(row(1, "79000000001"))
        file.write(row(2, "79000000002", result="NO ANSWER"))
    cdr.rename(tmp_path / "Master.csv.1")
    cdr.write_text(row(3, "79000000003") + row(4, "79000000004")[:40])
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S))
    wait_for("three are recorded", lambda: len(_records(engine)) == 3)
    assert _records(engine)["+79000000002"].disposition is Disposition.NO_ANSWER
    with cdr.open("a") as file:
        file.write(row(4, "79000000004")[40:])
    resync.stop()
    again = _resync(engine, PbxLogs(None, cdr, None), directory)
    again.over(Outage(BEGAN * S, (BEGAN + 30) * S))
    wait_for("the half row has become a whole one", lambda: len(_records(engine)) == 4)
    again.over(Outage(BEGAN * S, (BEGAN + 40) * S))
    wait_for("it has looked again", lambda: _seen(engine) == (BEGAN + 40) * S)
    again.stop()
    assert len(_records(engine)) == 4


def test_what_is_recorded_or_live_is_left_alone(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    cdr = tmp_path / "Master.csv"
    cdr.write_text("".join(row(second, f"7900000000{second}") for second in range(1, 5)))
    known = lost(a_live(call_id=f"{BEGAN + 1}.1", number="known"), (BEGAN + 6) * S)
    with writing(engine) as session:
        save_calls(session, [Revised(known, (BEGAN + 7) * S)])
    resync = _resync(engine, PbxLogs(None, cdr, None), directory)
    live = frozenset({f"{BEGAN + 2}.2"})
    resync.over(Outage((BEGAN + 8) * S, (BEGAN + 20) * S, (), live))
    wait_for("it has looked", lambda: _seen(engine) == (BEGAN + 20) * S)
    resync.stop()
    # The third ended in the moment in which the sight was lost, the fourth behind it.
    assert set(_records(engine)) == {"known", "+79000000003", "+79000000004"}
    assert _records(engine)["known"] == known


def test_a_record_of_events_that_comes_late_wins(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    cdr = tmp_path / "Master.csv"
    cdr.write_text(row(1, "79001112233"))
    resync = _resync(engine, PbxLogs(None, cdr, None), directory)
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S))
    wait_for("it is recorded", lambda: len(_records(engine)) == 1)
    resync.stop()
    late = lost(a_live(call_id=f"{BEGAN + 1}.1"), (BEGAN + 6) * S)
    with writing(engine) as session:
        save_calls(session, [Revised(late, (BEGAN + 6) * S + 150_000)])
    assert _records(engine) == {late.number: late}


def test_a_call_that_is_gone_waits_for_its_row_and_then_is_lost(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    cdr = tmp_path / "Master.csv"
    cdr.write_text("")
    calls = [a_live(nth, call_id=f"{BEGAN + nth}.{nth}") for nth in (1, 2)]
    with writing(engine) as session:
        save_live_calls(session, calls)
    resync = _resync(engine, PbxLogs(None, cdr, None), directory, patience=1.0)
    gone = tuple(lost(call, (BEGAN + 6) * S) for call in calls)
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S, gone))
    wait_for("it waits", lambda: len(resync.unwritten) == 2)
    assert _records(engine) == {}
    with reading(engine) as session:
        assert list_live_calls(session) == calls, "not forgotten, should this process die"
    cdr.write_text(row(1, "79001112233"))
    wait_for("both are written", lambda: len(_all(engine)) == 2)
    resync.stop()
    found = {record.call_id: record for record in _all(engine)}
    answered, unknown = found[calls[0].call_id], found[calls[1].call_id]
    assert (answered.disposition, answered.source) == (Disposition.ANSWERED, Source.CDR)
    assert answered.decision == calls[0].decision
    assert (unknown.disposition, unknown.source) == (Disposition.LOST, Source.EVENTS)
    with reading(engine) as session:
        assert list_live_calls(session) == []
    assert (resync.recovered, resync.lost) == (1, 1)


def _all(engine: Engine) -> list[CallRecord]:
    with reading(engine) as session:
        return list_calls(session)


def test_while_the_database_fails_nothing_is_forgotten(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    resync = _resync(engine, PbxLogs(None, None, None), directory)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE log_cursor RENAME TO away"))
    gone = lost(a_live(), (BEGAN + 6) * S)
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S, (gone,)))
    wait_for("it fails", lambda: resync._fails)
    assert len(resync.unwritten) == 1
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO log_cursor"))
    wait_for("it is written", lambda: _records(engine) == {gone.number: gone})
    resync.stop()


def test_cursors_follow_only_behind_what_was_surely_seen(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    log = tmp_path / "queue_log"
    log.write_text("a\n")
    resync = _resync(engine, PbxLogs(log, None, None), directory)
    for second in (1, 2):
        resync.seen((BEGAN + second) * S)
        wait_for("it was taken", lambda: resync._before is not None)
    wait_for("the first sight is remembered", lambda: _seen(engine) == (BEGAN + 1) * S)
    with log.open("a") as file:
        file.write("b\n")
    resync.seen((BEGAN + 3) * S)
    wait_for("the second sight is remembered", lambda: _seen(engine) == (BEGAN + 2) * S)
    with reading(engine) as session:
        cursor = load_cursors(session)["queue_log"]
    assert cursor.offset == 2, "the row that was written behind it is not passed over"
    assert microseconds(cursor.seen_at) == (BEGAN + 2) * S
    resync.seen((BEGAN + 3) * S)  # no pong since
    resync.stop()
    assert _seen(engine) == (BEGAN + 2) * S


@pytest.mark.parametrize("ahead", [0, 3, -5])
def test_a_table_of_the_cdr_in_a_zone_of_its_own(
    engine: Engine, tmp_path: Path, directory: Directory, ahead: int
) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE cdr (calldate TIMESTAMP NOT NULL, clid VARCHAR(80), src VARCHAR(80),"
                " dst VARCHAR(80), channel VARCHAR(80), dstchannel VARCHAR(80), duration INTEGER,"
                " billsec INTEGER, disposition VARCHAR(45), uniqueid VARCHAR(32), did VARCHAR(50),"
                " linkedid VARCHAR(32))"
            )
        )
        for second, number in ((-200_000, "79000000009"), (1, "79001112233"), (2, "79000000002")):
            came = BEGAN + second
            connection.execute(
                text(
                    "INSERT INTO cdr VALUES (:at, '', :number, 's', 'PJSIP/trunk-1',"
                    " 'PJSIP/101-2', 5, 4, 'ANSWERED', :id, '74951234567', :id)"
                ),
                {
                    "at": _clock(came + ahead * 3600),
                    "number": number,
                    "id": f"{came}.1",
                },
            )
    url = engine.url.render_as_string(hide_password=False)
    resync = _resync(engine, PbxLogs(None, None, url), directory)
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S))
    wait_for("two are recorded", lambda: len(_records(engine)) == 2)
    resync.stop()
    made = _records(engine)["+79001112233"]
    assert (made.started_at, made.talk_ms, made.did) == ((BEGAN + 1) * S, 4000, "74951234567")


def _clock(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S")


def test_what_cannot_be_read_is_told_and_costs_nothing_else(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    cdr = tmp_path / "Master.csv"
    cdr.write_text(row(1, "79001112233"))
    logs = PbxLogs(tmp_path / "nosuch", cdr, f"sqlite:///{tmp_path / 'no.db'}")
    assert logs
    assert "queue_log" not in logs.places()
    resync = _resync(engine, logs, directory)
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S))
    wait_for("the CDR is recorded", lambda: len(_records(engine)) == 1)
    resync.stop()


def _table(engine: Engine, *rows: tuple[int, str]) -> None:
    """Make a CDR's table, if there is none, and add answered calls: (second, number)."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE IF NOT EXISTS cdr (calldate TIMESTAMP NOT NULL, src VARCHAR(80),"
                " dst VARCHAR(80), channel VARCHAR(80), dstchannel VARCHAR(80), duration INTEGER,"
                " billsec INTEGER, disposition VARCHAR(45), uniqueid VARCHAR(32), did VARCHAR(50),"
                " linkedid VARCHAR(32))"
            )
        )
        connection.execute(
            text(
                "INSERT INTO cdr VALUES (:at, :number, 's', 'PJSIP/trunk-1', 'PJSIP/101-2',"
                " 5, 4, 'ANSWERED', :id, '74951234567', :id)"
            ),
            [
                {"at": _clock(BEGAN + second), "number": number, "id": f"{BEGAN + second}.{nth}"}
                for nth, (second, number) in enumerate(rows)
            ],
        )


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_a_table_that_cannot_be_read_yet_is_waited_for(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    """The PBX's database comes up later than Asterisk; what the file tells is written at once."""
    cdr = tmp_path / "Master.csv"
    cdr.write_text(row(2, "79000000002"))
    resync = _resync(engine, PbxLogs(None, cdr, _url(engine)), directory)
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S))
    wait_for("the file's is recorded", lambda: set(_records(engine)) == {"+79000000002"})
    wait_for("the table is missed", lambda: resync.unread == {"cdr_url"})
    assert _seen(engine) is None, "as long as a source is missing the outage is not done"
    _table(engine, (1, "79001112233"))
    wait_for("both are", lambda: set(_records(engine)) == {"+79001112233", "+79000000002"})
    wait_for("it is done", lambda: _seen(engine) == (BEGAN + 20) * S)
    resync.stop()
    assert resync.unread == frozenset()


def test_a_source_is_not_waited_for_for_ever(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    live = a_live(call_id=f"{BEGAN + 2}.2")
    logs = PbxLogs(None, None, f"sqlite:///{tmp_path / 'none' / 'no.db'}")
    resync = Resync(engine, logs, directory, "RU", a_setup(), patience=0.1, every=0.01, longest=1.0)
    resync.start()
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S, (lost(live, (BEGAN + 3) * S),)))
    wait_for("it is written as lost", lambda: len(_all(engine)) == 1)
    wait_for("it is done", lambda: _seen(engine) == (BEGAN + 20) * S)
    resync.stop()
    assert (resync.lost, resync.unread) == (1, frozenset())


def test_a_row_that_is_written_a_moment_later_is_found(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    cdr = tmp_path / "Master.csv"
    cdr.write_text("")
    resync = _resync(engine, PbxLogs(None, cdr, None), directory, patience=1.0)
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S))
    wait_for("it has looked", lambda: resync._pending is not None and not resync._fails)
    cdr.write_text(row(1, "79001112233"))
    wait_for("it is recorded", lambda: len(_records(engine)) == 1)
    resync.stop()


def test_calls_behind_the_outage_are_the_listeners(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    """The PBX writes a row at the hangup, the listener its record a moment later."""
    cdr = tmp_path / "Master.csv"
    # The third came in the second of the login, and was over before it.
    at_once = row(20, "79000000022").replace(_clock(BEGAN + 25), _clock(BEGAN + 20))
    at_once = at_once.replace(",5,5,", ",0,0,").replace(f"{BEGAN + 20}.20", f"{BEGAN + 20}.29")
    cdr.write_text(
        row(1, "79001112233") + row(20, "79000000020") + row(21, "79000000021") + at_once
    )
    resync = _resync(engine, PbxLogs(None, cdr, None), directory)
    until = (BEGAN + 20) * S + 900_000
    resync.over(Outage(BEGAN * S, until))
    wait_for("it is done", lambda: _seen(engine) == until)
    resync.stop()
    assert set(_records(engine)) == {"+79001112233", "+79000000022"}


def test_a_second_outage_before_the_first_is_settled(
    engine: Engine, tmp_path: Path, directory: Directory
) -> None:
    """The second call is live at the first login and ends while the link is down once more."""
    cdr = tmp_path / "Master.csv"
    cdr.write_text("")
    first, second = (a_live(nth, call_id=f"{BEGAN + nth}.{nth}") for nth in (1, 2))
    resync = _resync(engine, PbxLogs(None, cdr, None), directory, patience=0.5)
    gone = lost(first, (BEGAN + 3) * S)
    resync.over(Outage(BEGAN * S, (BEGAN + 3) * S, (gone,), frozenset({second.call_id})))
    wait_for("the first waits", lambda: resync.unwritten == (gone,))
    cdr.write_text(row(2, "79000000002"))
    late = lost(second, (BEGAN + 5) * S)
    resync.over(Outage((BEGAN + 5) * S, (BEGAN + 9) * S, (late,)))
    assert {one.call_id for one in resync.unwritten} == {first.call_id, second.call_id}
    wait_for("both are written", lambda: len(_all(engine)) == 2)
    wait_for("it is done", lambda: _seen(engine) == (BEGAN + 9) * S)
    resync.stop()
    found = {made.call_id: (made.disposition, made.source) for made in _all(engine)}
    assert found[second.call_id] == (Disposition.ANSWERED, Source.CDR)
    assert found[first.call_id] == (Disposition.LOST, Source.EVENTS)


def test_an_outage_of_many_calls_with_many_rows_before_it(
    engine: Engine, directory: Directory
) -> None:
    """Databases take only so many values in a statement; rows of before are not in the way."""
    before = [(-30_000 + nth // 4, "79000000009") for nth in range(100_000)]
    _table(engine, *before)
    _table(engine, *((1 + nth % 10, "79001112233") for nth in range(1200)))
    resync = _resync(engine, PbxLogs(None, None, _url(engine)), directory)
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S))
    wait_for("it is done", lambda: _seen(engine) == (BEGAN + 20) * S, 60)
    resync.stop()
    with reading(engine) as session:
        made = list_calls(session, 5000)
    assert len(made) == 1200
    assert {one.number for one in made} == {"+79001112233"}


def test_calls_of_an_outage_outlive_a_database_that_is_down(
    tmp_path: Path, engine: Engine, directory: Directory
) -> None:
    """Stopped while nothing can be written: the next process has them from the spill file."""
    writer = Writer(engine, tmp_path / "spill.jsonl", "RU", window=0.01)
    resync = _resync(engine, PbxLogs(None, None, None), directory)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE log_cursor RENAME TO away"))
    gone = lost(a_live(call_id=f"{BEGAN + 1}.1"), (BEGAN + 6) * S)
    resync.over(Outage(BEGAN * S, (BEGAN + 20) * S, (gone,)))
    wait_for("it fails", lambda: resync.fails)
    assert writer.keep(resync.unwritten)
    resync.stop()
    writer.stop()
    assert _all(engine) == []
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO log_cursor"))
    again = Writer(engine, tmp_path / "spill.jsonl", "RU", window=0.01)
    again.start()
    wait_for("it is written", lambda: _all(engine) == [gone])
    cdr = tmp_path / "Master.csv"
    cdr.write_text(row(1, "79001112233"))
    better = _resync(engine, PbxLogs(None, cdr, None), directory)
    better.over(Outage(BEGAN * S, (BEGAN + 20) * S, (gone,)))
    wait_for("the CDR's is the better one", lambda: _all(engine)[0].source is Source.CDR)
    better.stop()
    again.stop()


def test_an_ended_call_is_not_live_any_more(engine: Engine) -> None:
    with writing(engine) as session:
        save_live_calls(session, [a_live()])
        made = lost(a_live(), BEGAN * S)
        save_ended(session, [Revised(made, 1)], datetime.now(UTC), "RU")
    with reading(engine) as session:
        assert list_live_calls(session) == []
