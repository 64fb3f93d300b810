"""An office whose calls are written to a database, and who calls its clients back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, select

from telephony.ami.client import AmiAddress
from telephony.ami.names import dialler_of
from telephony.asterisk.lines import Fallback
from telephony.callbacks.desk import Desk
from telephony.callbacks.dispatching import Dispatcher
from telephony.callbacks.looking import look
from telephony.callbacks.placing import place as place_call
from telephony.domain.callback.cases import Case, CaseState
from telephony.domain.callback.rules import CallbackRules, QuietHours, Spacing
from telephony.domain.setup import Setup
from telephony.listener import Listener
from telephony.status import identity
from telephony.store.attempts import Attempt, attempts_of
from telephony.store.calls import call, call_leg, count_calls
from telephony.store.case_tables import callback_attempt, case_call, missed_case
from telephony.store.cases import case_of
from telephony.store.engine import reading, writing
from telephony.store.live import list_operator_states, save_process
from telephony.store.outbox import Claim
from telephony.store.setup import replace_setup
from telephony.writer import Writer
from tests.asterisk.office import (
    SECRET,
    TOKEN,
    Office,
    office,
    small_directory,
    small_setup,
    until,
)

# Nobody is quiet here: tests run at any hour. What is spaced in minutes is due when a test says so.
RULES = CallbackRules(
    quiet=QuietHours(start=datetime.min.time(), end=datetime.min.time()),
    delay_seconds=0,
    short_seconds=1,
    contact_seconds=1,
    callback_seconds=2,
    claim_minutes=10,
    operator_seconds=4,
    client_seconds=5,
    spacing=Spacing(5, 30, 120, 60, 60, 5, 1),
)


class CallbackOffice:
    """The parts; `later` is how far the clock of who calls back is set forward."""

    def __init__(self, place: Office, engine: Engine, setup: Setup) -> None:
        self.place = place
        self.engine = engine
        self.setup = setup
        self.later = timedelta(0)
        user, secret = dialler_of("dutyline", SECRET)
        address = AmiAddress("127.0.0.1", place.pbx.ami_port, user, secret, 2.0, 2.0)
        self.desk = Desk(engine, "RU", address, self.now)
        self.dispatcher = Dispatcher(engine, "RU")

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def store(self, setup: Setup) -> None:
        self.setup = setup
        with writing(self.engine) as session:
            replace_setup(session, setup)
        self.place.listener.apply((), setup)

    def cases(self) -> list[Case]:
        with reading(self.engine) as session:
            rows = session.execute(select(missed_case).order_by(missed_case.c.id)).all()
        return [case_of(row) for row in rows]

    def seen(self, extension: str) -> str | None:
        """Return what the database says that an operator does."""
        with reading(self.engine) as session:
            states = list_operator_states(session)
        return next((one.state.value for one in states if one.extension == extension), None)

    def attempts(self, case: Case) -> list[Attempt]:
        with reading(self.engine) as session:
            return attempts_of(session, case.id)

    async def case(
        self, which: Callable[[Case], bool] = lambda _: True, within: float = 10
    ) -> Case:
        """Return the one case there is, once it is as wanted."""
        await until(lambda: any(which(one) for one in self.cases()), within, "a case as wanted")
        (found,) = self.cases()
        return found

    def written(self, calls: int) -> None:
        """Wait until so many calls are in the database."""
        deadline = time.monotonic() + 5
        while True:
            with reading(self.engine) as session:
                if count_calls(session) >= calls:
                    return
            assert time.monotonic() < deadline, f"not {calls} calls in the database"
            time.sleep(0.02)

    def watched(self) -> None:
        """Tell the database that the listener is well, as its own beat would."""
        told = identity("listener").told((True, None, {}), self.now())
        with writing(self.engine) as session:
            save_process(session, told)

    async def claim(self, within: float = 5) -> list[Claim]:
        """Return the tries that are to be made now, once there are any."""
        claims: list[Claim] = []

        def some() -> bool:
            self.watched()
            now = self.now()
            if self.dispatcher.ready(now):
                claims.extend(self.dispatcher.claim(now))
            return bool(claims)

        await until(some, within, "a try to be made")
        return claims

    async def call_back(self) -> None:
        """Make the tries that are due."""
        for claim in await self.claim():
            await asyncio.to_thread(place_call, self.desk, claim.id, claim.attempt)

    async def tried(self, within: float = 20) -> Attempt:
        """Make the one try that is due, and return it once it has ended."""
        await self.call_back()
        case = await self.case(lambda one: one.state is not CaseState.DIALLING, within)
        return self.attempts(case)[0]

    async def look(self) -> None:
        """Look up the tries that are beyond their lease."""
        self.watched()
        for claim in self.dispatcher.sweep(self.now()):
            await asyncio.to_thread(look, self.desk, claim.id, claim.attempt)


def callback_setup(*duty: str, rules: CallbackRules = RULES, **did: Any) -> Setup:
    setup = small_setup(*duty)
    (number,) = setup.dids
    known = replace(setup.dids[number], **did)
    return replace(setup, dids={number: known}, callbacks=rules)


@asynccontextmanager
async def callback_office(
    run: Path,
    engine: Engine,
    *,
    setup: Setup | None = None,
    **options: Any,
) -> AsyncIterator[CallbackOffice]:
    """Open an office on a migrated database; see `office` for the options."""
    setup = setup or callback_setup("103")
    options.setdefault("fallback", Fallback("endpoints", "104", 2))
    async with office(run, listening=False, **options) as place:
        desk = CallbackOffice(place, engine, setup)
        with writing(engine) as session:
            replace_setup(session, setup)
        writer = Writer(engine, run / "spill", "RU", window=0.02)
        writer.start()
        place.listener = Listener(
            AmiAddress("127.0.0.1", place.pbx.ami_port, "dutyline", SECRET),
            TOKEN,
            "RU",
            small_directory(),
            setup,
            _Both(place, writer),
            writer,
        )
        await place.start_listener()
        try:
            yield desk
        finally:
            await place.stop_listener()
            await asyncio.to_thread(writer.stop)


class _Both:
    """Records into the database, and into the test's own hands."""

    def __init__(self, place: Office, writer: Writer) -> None:
        self._place = place
        self._writer = writer

    def put(self, record: Any) -> None:
        self._place.records.put(record)
        self._writer.put(record)


def empty(engine: Engine) -> None:
    """Delete all calls, cases and tries."""
    with writing(engine) as session:
        for table in (callback_attempt, case_call, missed_case, call_leg, call):
            session.execute(delete(table))
