"""Outages of the service, of its connection and of Asterisk: every call is recorded, once."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from sqlalchemy import select

from telephony.domain.live import LiveCall
from telephony.domain.record import CallRecord, Disposition, Source
from telephony.store.engine import open_engine, reading
from telephony.store.live import list_live_calls, list_operator_states, list_processes
from telephony.store.outbox import outbox
from tests.demo import company
from tests.demo.stage import Stage, wait_until
from tests.lab.behaviours import answer, no_answer
from tests.lab.call import PhoneCall


class Rows:
    """What the service has written, read from outside."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.engine = open_engine(stage.service.environment["DUTYLINE_DATABASE_URL"])

    def live(self) -> list[LiveCall]:
        with reading(self.engine) as session:
            return list_live_calls(session)

    def operators(self) -> dict[str, str]:
        with reading(self.engine) as session:
            return {one.extension: one.state.value for one in list_operator_states(session)}

    def facts(self) -> dict[str, int]:
        with reading(self.engine) as session:
            of_calls = select(outbox.c.kind).where(outbox.c.kind.startswith("call."))
            return dict(Counter(session.execute(of_calls).scalars()))

    def figures(self) -> dict[str, float]:
        with reading(self.engine) as session:
            (listener,) = [one for one in list_processes(session) if one.name == "listener"]
            return {**listener.figures, "ready": listener.ready}

    async def until_live(self, count: int, phase: str = "") -> list[LiveCall]:
        def there() -> bool:
            found = self.live()
            return len(found) == count and all(phase in ("", one.phase) for one in found)

        await wait_until(there, f"{count} live calls {phase}", 20)
        return self.live()


@pytest.fixture
def rows(stage: Stage) -> Rows:
    """Give a look at the database."""
    return Rows(stage)


async def _talk(stage: Stage, number: str = company.ROMASHKA) -> PhoneCall:
    caller = await stage.trunk.call(company.DID, number)
    await caller.wait_answered(10)
    return caller


async def _records(stage: Stage, count: int, within: float = 20) -> list[CallRecord]:
    return await asyncio.to_thread(stage.service.wait_for_records, count, within)


async def test_what_goes_on_is_in_the_database_and_goes_with_the_record(
    stage: Stage, rows: Rows
) -> None:
    await wait_until(lambda: rows.operators().get("101") == "free", "101 is free")
    stage.phones["101"].behaviour = no_answer()
    caller = await stage.trunk.call(company.DID, company.ROMASHKA)
    (ringing,) = await rows.until_live(1, "ringing")
    assert (ringing.number, ringing.did) == (company.ROMASHKA, company.DID)
    assert ringing.ringing == ("101",)
    await wait_until(lambda: rows.operators()["101"] == "ringing", "101 rings")
    await caller.hangup()
    await rows.until_live(0)
    talking = await _talk(stage, company.ORION)
    (live,) = await rows.until_live(1, "talking")
    assert live.talking == (live.answered_by,)
    assert live.answered_at is not None
    assert rows.facts() == {"call.started": 2, "call.answered": 1, "call.ended": 1}
    await talking.hangup()
    await rows.until_live(0)
    await wait_until(lambda: set(rows.operators().values()) == {"free"}, "all are free")
    assert rows.facts() == {"call.started": 2, "call.answered": 1, "call.ended": 2}
    await wait_until(lambda: rows.figures()["decisions"] == 2, "the figures are told", 10)
    assert rows.figures()["ready"]
    await asyncio.to_thread(stage.service.stop)
    assert not rows.figures()["ready"]


async def _both(stage: Stage, rows: Rows) -> tuple[PhoneCall, PhoneCall]:
    """Bring one call into a conversation and let another one ring."""
    talking = await _talk(stage, company.ORION)
    await rows.until_live(1, "talking")
    for phone in stage.phones.values():
        phone.behaviour = no_answer()
    ringing = await stage.trunk.call(company.DID, company.ROMASHKA)
    await wait_until(lambda: {one.phase for one in rows.live()} == {"talking", "ringing"}, "both")
    return talking, ringing


async def test_killed_in_mid_call_and_started_again_there_is_one_full_record(
    stage: Stage, rows: Rows
) -> None:
    talking, ringing = await _both(stage, rows)
    before = {one.number: one for one in rows.live()}
    stage.service.kill()
    stage.service.start()
    await wait_until(lambda: rows.figures()["calls_live"] == 2, "both are followed again")
    after = {one.number: one for one in rows.live()}
    known = after[company.ORION]
    assert known.talking == before[company.ORION].talking
    assert known.answered_at == before[company.ORION].answered_at
    assert after[company.ROMASHKA].phase in ("ringing", "waiting")
    await ringing.hangup()
    await talking.hangup()
    made = {one.number: one for one in await _records(stage, 2)}
    talked, missed = made[company.ORION], made[company.ROMASHKA]
    assert (talked.disposition, talked.answered_by) == (
        Disposition.ANSWERED,
        before[company.ORION].answered_by,
    )
    assert talking.answered_at is not None
    assert talking.ended_at is not None
    assert abs(talked.talk_ms - (talking.ended_at - talking.answered_at) * 1000) < 1000
    assert missed.disposition is Disposition.ABANDONED
    for record in (talked, missed):
        assert record.decision is not None
        assert record.decision.trace
        assert record.decided_ms
        assert (record.did, record.source) == (company.DID, Source.EVENTS)
    assert rows.live() == []
    assert rows.facts() == {"call.started": 2, "call.answered": 1, "call.ended": 2}


async def test_what_ended_while_the_service_was_dead_is_lost_when_nothing_tells_of_it(
    stage: Stage, rows: Rows
) -> None:
    talking, ringing = await _both(stage, rows)
    stage.service.kill()
    await ringing.hangup()
    await talking.hangup()
    stage.service.start()
    made = {one.number: one for one in await _records(stage, 2)}
    # Whoever answered is known from before; who gave up, or whether, is not.
    assert made[company.ORION].disposition is Disposition.ANSWERED
    assert made[company.ROMASHKA].disposition is Disposition.LOST
    assert made[company.ROMASHKA].decision is not None
    assert rows.live() == []
    assert rows.facts() == {"call.started": 2, "call.answered": 1, "call.ended": 2}


async def test_the_cdr_tells_of_calls_that_ended_and_of_calls_that_came_and_went(
    stage: Stage, rows: Rows
) -> None:
    cdr = stage.pbx.home / "log" / "cdr-csv" / "Master.csv"
    stage.service.environment["DUTYLINE_CDR_FILE"] = str(cdr)
    await asyncio.to_thread(stage.service.stop)
    stage.service.start()
    await wait_until(stage.answers, "it answers")
    await (await _talk(stage, company.VEGA)).hangup()
    await _records(stage, 1)
    talking, ringing = await _both(stage, rows)
    stage.service.kill()
    await ringing.hangup()
    await talking.hangup()
    stage.phones["106"].behaviour = no_answer()
    unheard = await stage.trunk.call(company.DID, "+79005550001")
    await wait_until(lambda: bool(stage.phones["106"].calls), "the fallback rings")
    await unheard.hangup()
    stage.phones["106"].behaviour = answer(0.1)
    await (await _talk(stage, "+79005550002")).hangup()
    stage.service.start()
    made = {one.number: one for one in await _records(stage, 5)}
    assert made[company.ORION].disposition is Disposition.ANSWERED
    assert made[company.ORION].source is Source.CDR
    assert made[company.ORION].decision is not None, "what was known before stays"
    assert made[company.ROMASHKA].disposition is Disposition.NO_ANSWER
    assert made[company.VEGA].source is Source.EVENTS
    unheard_record, heard = made["+79005550001"], made["+79005550002"]
    assert (unheard_record.disposition, unheard_record.source) == (
        Disposition.NO_ANSWER,
        Source.CDR,
    )
    assert (heard.disposition, heard.answered_by, heard.source) == (
        Disposition.ANSWERED,
        "106",
        Source.CDR,
    )
    assert (unheard_record.did, heard.did) == (company.DID, company.DID)
    expected = {"call.started": 5, "call.answered": 3, "call.ended": 5}
    assert rows.facts() == expected
    # Started once more, it finds nothing new.
    await asyncio.to_thread(stage.service.stop)
    stage.service.start()
    await wait_until(lambda: bool(rows.figures()["ready"]), "it is up again")
    stage.phones["103"].behaviour = answer(0.1)
    await (await _talk(stage, "+79005550003")).hangup()
    assert len(await _records(stage, 6)) == 6
    assert rows.live() == []
    assert rows.facts() == {kind: count + 1 for kind, count in expected.items()}


async def test_asterisk_killed_with_live_calls_leaves_no_zombies(stage: Stage, rows: Rows) -> None:
    await _both(stage, rows)
    stage.pbx.kill()
    await asyncio.to_thread(stage.pbx.start)
    made = {one.number: one for one in await _records(stage, 2)}
    assert made[company.ORION].disposition is Disposition.ANSWERED
    assert made[company.ROMASHKA].disposition is Disposition.LOST
    await wait_until(stage.answers, "it answers again")
    assert rows.live() == []
    assert rows.facts() == {"call.started": 2, "call.answered": 1, "call.ended": 2}
