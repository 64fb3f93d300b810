"""The real service with PostgreSQL stopped under it."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from telephony.domain.record import Disposition
from telephony.store.engine import open_engine, reading
from telephony.store.live import list_live_calls
from telephony.store.outbox import outbox
from tests.demo import company
from tests.demo.stage import Stage, open_stage, wait_until
from tests.lab.asterisk_tree import AsteriskTree
from tests.lab.cache import default_cache
from tests.lab.postgres import Postgres, ensure_postgres


async def _call(stage: Stage) -> float:
    """Make one answered call; return the seconds until somebody picked up."""
    caller = await stage.trunk.call(company.DID, company.ROMASHKA)
    await caller.wait_answered(10)
    await caller.hangup()
    assert caller.answered_at is not None
    return caller.answered_at - caller.invited_at


async def test_calls_go_on_and_no_record_is_lost_while_postgresql_is_down(
    tree: AsteriskTree, tmp_path: Path
) -> None:
    server = Postgres(ensure_postgres(default_cache(), print), tmp_path / "pg")
    await asyncio.to_thread(server.start)
    try:
        url = await asyncio.to_thread(server.create_database, "office")
        async with open_stage(tmp_path / "office", tree, print, url) as stage:
            await _call(stage)
            await asyncio.to_thread(stage.service.wait_for_records, 1)
            await asyncio.to_thread(server.stop)
            waits = [await _call(stage) for _ in range(3)]
            assert max(waits) < 1.5, "a stopped database slows no call"
            spill = stage.service.folder / "spill.jsonl"
            await wait_until(
                lambda: spill.exists() and spill.stat().st_size > 0, "records are spilled", 15
            )
            await asyncio.to_thread(server.start)
            found = await asyncio.to_thread(stage.service.wait_for_records, 4, 30)
            assert {made.disposition for made in found} == {Disposition.ANSWERED}
            assert all(made.decision and made.decision.trace for made in found)
            # Live state of the outage was never written; the facts were, each once.
            engine = open_engine(url)
            with reading(engine) as session:
                kinds = session.execute(select(outbox.c.kind)).scalars().all()
                live = list_live_calls(session)
            engine.dispose()
            assert live == []
            facts = ("call.started", "call.answered", "call.ended")
            assert Counter(kinds) == dict.fromkeys(facts, 4)
    finally:
        await asyncio.to_thread(server.stop)
