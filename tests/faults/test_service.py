"""The real service, killed, hung, stopped, starved: calls go on, records are not lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from telephony.asking import seen_now
from telephony.domain.record import CallRecord, Disposition
from telephony.store.engine import open_engine, reading
from tests.demo import company
from tests.demo.service import DemoError
from tests.demo.stage import Stage, wait_until
from tests.lab.behaviours import answer
from tests.lab.call import PhoneCall


async def _call(stage: Stage, number: str = company.ROMASHKA) -> PhoneCall:
    caller = await stage.trunk.call(company.DID, number)
    await caller.wait_answered(10)
    await caller.hangup()
    return caller


async def _records(stage: Stage, count: int, within: float = 8) -> list[CallRecord]:
    return await asyncio.to_thread(stage.service.wait_for_records, count, within)


def _waited(call: PhoneCall) -> float:
    """Return the seconds from the caller's INVITE to the fallback phone's."""
    assert call.answered_at is not None
    return call.answered_at - call.invited_at


async def test_killed_the_fallback_rings_and_after_five_seconds_nobody_waits(
    stage: Stage,
) -> None:
    stage.service.kill()
    first = await _call(stage)
    assert stage.phones["106"].calls
    assert not stage.phones["101"].calls
    assert _waited(first) < 2.5
    stale = time.time() + 6 - (time.time() - stage.heartbeat())
    await wait_until(lambda: time.time() > stale, "the heartbeat is stale", 10)
    second = await _call(stage)
    assert _waited(second) < 1.0


async def test_hung_by_sigstop_the_fallback_rings_and_it_recovers(stage: Stage) -> None:
    (listener,) = stage.service.children()
    os.kill(listener, signal.SIGSTOP)
    try:
        call = await _call(stage)
        assert stage.phones["106"].calls
        assert _waited(call) < 2.5
    finally:
        os.kill(listener, signal.SIGCONT)
    # It finds the call in its socket's buffer and records it, with what the dialplan did.
    (made,) = await _records(stage, 1)
    assert (made.disposition, made.fallback, made.answered_by) == (
        Disposition.ANSWERED,
        "late",
        "106",
    )
    await wait_until(stage.answers, "it answers again")
    await _call(stage)
    assert (await _records(stage, 2))[-1].answered_by == "101"


async def test_a_killed_listener_is_started_again_by_the_supervisor(stage: Stage) -> None:
    (listener,) = stage.service.children()
    os.kill(listener, signal.SIGKILL)
    await wait_until(
        lambda: [pid for pid in stage.service.children() if pid != listener] != [], "a new listener"
    )
    before = stage.heartbeat()
    await wait_until(lambda: stage.heartbeat() > before + 1, "the new listener's heartbeat")
    await _call(stage)
    assert (await _records(stage, 1))[0].answered_by == "101"


async def test_killed_in_mid_call_the_call_goes_on_and_is_recorded_at_its_end(
    stage: Stage,
) -> None:
    caller = await stage.trunk.call(company.DID, company.ROMASHKA)
    await caller.wait_answered(10)
    (listener,) = stage.service.children()
    os.kill(listener, signal.SIGKILL)
    before = stage.heartbeat()
    await wait_until(lambda: stage.heartbeat() > before + 1, "the new listener's heartbeat")
    assert caller.live
    await caller.hangup()
    (made,) = await _records(stage, 1)
    # The hangup handler's summary is enough for a record.
    assert (made.disposition, made.number, made.did) == (
        Disposition.ANSWERED,
        company.ROMASHKA,
        company.DID,
    )
    assert made.answered_by == "101"
    assert caller.answered_at is not None
    assert caller.ended_at is not None
    talked_ms = (caller.ended_at - caller.answered_at) * 1000
    assert abs(made.talk_ms - talked_ms) < 1000


async def test_stopped_cleanly_it_exits_zero_and_nobody_waits(stage: Stage) -> None:
    await _call(stage)
    assert stage.service.stop() == 0
    call = await _call(stage)
    assert _waited(call) < 1.0
    assert stage.phones["106"].calls
    # The record of the call before the stop is there.
    assert len(await _records(stage, 1)) == 1


async def test_no_part_outlives_a_killed_supervisor(stage: Stage) -> None:
    (listener,) = stage.service.children()
    assert stage.service.pid is not None
    os.kill(stage.service.pid, signal.SIGKILL)

    def gone() -> bool:
        try:
            state = Path(f"/proc/{listener}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        return state == "Z"

    await wait_until(gone, "the listener stopped", 15)


async def test_records_wait_while_the_database_is_locked(stage: Stage) -> None:
    path = stage.service.environment["DUTYLINE_DATABASE_URL"].removeprefix("sqlite:///")
    lock = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(lock):
        lock.execute("BEGIN IMMEDIATE")
        calls = [await _call(stage) for _ in range(3)]
        assert all(_waited(call) < 1.5 for call in calls), "a locked database slows no call"
        lock.execute("ROLLBACK")
        assert len(await _records(stage, 3, 15)) == 3


async def test_a_killed_service_with_a_locked_database_loses_no_record(stage: Stage) -> None:
    path = stage.service.environment["DUTYLINE_DATABASE_URL"].removeprefix("sqlite:///")
    spill = stage.service.folder / "spill.jsonl"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        await _call(stage)
        await wait_until(lambda: spill.exists() and spill.stat().st_size > 0, "it is spilled", 15)
        stage.service.kill()
        lock.execute("ROLLBACK")
    stage.service.start()
    assert len(await _records(stage, 1, 15)) == 1


async def test_a_changed_client_is_routed_anew_within_a_second(stage: Stage) -> None:
    changed = company.CLIENTS.replace(
        f"Orion Ltd,{company.ORION},104", f"Orion Ltd,{company.ORION},102"
    )
    file = stage.service.folder / "new.csv"
    file.write_text(changed)
    await asyncio.to_thread(stage.service.command, "import", "clients", str(file))
    deadline = time.monotonic() + 1.0
    await wait_until(lambda: time.monotonic() > deadline, "a second has passed")
    await _call(stage, company.ORION)
    assert (await _records(stage, 1))[0].answered_by == "102"


async def test_a_second_listener_is_refused(stage: Stage) -> None:
    with pytest.raises(DemoError, match="another listener runs"):
        await asyncio.to_thread(stage.service.command, "listen")


async def test_doctor_is_content_then_names_what_is_wrong(whole_stage: Stage) -> None:
    stage = whole_stage
    said = await asyncio.to_thread(stage.service.command, "doctor", "--trunk", "trunk")
    assert re.findall(r"! .*", said) == [
        f"! DUTYLINE_CDR_FILE {stage.service.environment['DUTYLINE_CDR_FILE']} is not there"
    ]
    await _call(stage)
    await _records(stage, 1)
    said = await asyncio.to_thread(stage.service.command, "doctor", "--trunk", "trunk")
    assert "calls can be taken" in said
    assert "✗" not in said
    assert "!" not in said, said
    await asyncio.to_thread(stage.service.stop)
    with pytest.raises(DemoError, match=r"heartbeat is missing or stale.*\n.*dutyline run"):
        await asyncio.to_thread(stage.service.command, "doctor")
    with pytest.raises(DemoError, match="trunk nosuch does not exist"):
        await asyncio.to_thread(stage.service.command, "doctor", "--trunk", "nosuch")
    stage.service.environment["DUTYLINE_AMI_SECRET"] = "not-the-secret"
    with pytest.raises(DemoError, match=r"refused user dutyline(.|\n)*compare DUTYLINE_AMI_USER"):
        await asyncio.to_thread(stage.service.command, "doctor")
    stage.pbx.stop()
    with pytest.raises(
        DemoError, match=r"cannot connect to 127.0.0.1(.|\n)*check DUTYLINE_AMI_HOST"
    ):
        await asyncio.to_thread(stage.service.command, "doctor")


async def test_doctor_sees_a_trunk_that_lets_callers_transfer(stage: Stage) -> None:
    config = (stage.pbx.etc / "pjsip.conf").read_text()
    stage.pbx.write("pjsip.conf", config.replace("allow_transfer = no", "allow_transfer = yes"))
    stage.pbx.cli("module reload res_pjsip.so")
    with pytest.raises(DemoError, match="callers can transfer calls at your cost"):
        await asyncio.to_thread(stage.service.command, "doctor", "--trunk", "trunk")


async def test_explain_live_sees_a_busy_manager(stage: Stage) -> None:
    stage.phones["106"].behaviour = answer(0.1)
    talking = await stage.phones["101"].call("106")
    await talking.wait_answered(5)
    said = await asyncio.to_thread(
        stage.service.command,
        "explain",
        "--number",
        company.ROMASHKA,
        "--did",
        company.DID,
        "--live",
    )
    assert "Anna (101) is busy" in said
    assert "1. desk phone: Boris (102)" in said
    await talking.hangup()


async def test_explain_live_and_the_panel_see_freepbxs_switches(stage: Stage) -> None:
    stage.pbx.cli("devstate change Custom:CF101 BUSY")
    stage.pbx.cli("devstate change Custom:DND102 BUSY")
    call = ("--number", company.ROMASHKA, "--did", company.DID)
    said = await asyncio.to_thread(stage.service.command, "explain", *call, "--live")
    assert "Anna (101) forwards calls: the mobile is rung instead" in said
    assert "1. mobile: Anna" in said
    # The panel asks no PBX: it has from the listener what that saw.
    engine = open_engine(stage.service.environment["DUTYLINE_DATABASE_URL"])

    def known() -> bool:
        with reading(engine) as session:
            seen = seen_now(session, stage.setup, datetime.now(UTC)).devices
        return (seen.get("Custom:CF101"), seen.get("Custom:DND102")) == ("BUSY", "BUSY")

    await wait_until(known, "the listener stores what it saw of the switches", 10)
    engine.dispose()
