"""Missed calls become kept promises, on the real Asterisk and both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from telephony.domain.callback.cases import CaseState, Ending, Source
from telephony.domain.callback.results import Ended, Why
from telephony.store.engine import open_engine
from telephony.store.migrations import migrate
from tests.asterisk.callback_desk import CallbackOffice, callback_office
from tests.asterisk.office import DID, STRANGER
from tests.lab.behaviours import answer, no_answer
from tests.lab.cache import default_cache
from tests.lab.postgres import Postgres, ensure_postgres


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(ensure_postgres(default_cache(), print), tmp_path_factory.mktemp("pg")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'dutyline.db'}"
    else:
        url = request.getfixturevalue("postgres").create_database(f"t{abs(hash(str(tmp_path)))}")
    migrate(url)
    made = open_engine(url)
    yield made
    made.dispose()


async def missed_call(place: CallbackOffice, seconds: float = 1.5) -> None:
    """A stranger calls, hears it ring, and gives up."""
    call = await place.place.trunk.call(DID, STRANGER)
    await call.wait_ringing()
    rung = await place.place.phones["103"].next_call(5)
    assert rung

    await asyncio.sleep(seconds)
    await call.hangup()


async def test_a_missed_call_is_called_back(tmp_path: Path, engine: Engine) -> None:
    async with callback_office(tmp_path, engine) as place:
        place.place.phones["103"].behaviour = no_answer()
        await missed_call(place)
        case = await place.case(lambda one: one.due_at is not None)
        assert (case.number, case.why, case.source) == (STRANGER, Why.RINGING, Source.MISSED)
        assert (case.owner, case.group, case.missed) == ("103", "sales", 1)
        place.place.phones["103"].behaviour = answer(0.2, press="1")
        place.place.trunk.default = answer(0.2, talk=3)
        await place.call_back()
        assert place.cases()[0].state is CaseState.DIALLING
        case = await place.case(lambda one: not one.open, 20)
        assert (case.state, case.ending, case.ended_by) == (
            CaseState.CLOSED,
            Ending.CALLED_BACK,
            "103",
        )
        assert case.kept is True
        (attempt,) = place.attempts(case)
        assert (attempt.ended, attempt.operator) == (Ended.TALKED, "103")
        assert attempt.talk_ms > 2000
