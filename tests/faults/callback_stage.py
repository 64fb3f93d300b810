"""A company whose callers are all promised a callback, run for real, and what must hold of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise, product
from pathlib import Path

from sqlalchemy import Engine, func, select

from telephony.callbacks.asking import Asker, Desk, Refusal, RefusedError, call_number
from telephony.domain.callback.cases import Attention, Case
from telephony.privateredis import redis_url
from telephony.store.attempts import AttemptState
from telephony.store.case_tables import callback_attempt, case_call, missed_case
from telephony.store.cases import case_of
from telephony.store.engine import open_engine, reading, writing
from telephony.store.setup import load_setup
from telephony.transport import open_redis
from tests.demo import company
from tests.demo.stage import Stage, open_stage, wait_until
from tests.lab.asterisk_tree import AsteriskTree
from tests.lab.behaviours import answer
from tests.lab.call import PhoneCall
from tests.lab.redis import RedisTree

OPERATORS = ("101", "102", "103", "104")
# So many that the caps, which must hold, leave each its callbacks for 200 kills.
CLIENTS = tuple(f"+790055500{nth:02}" for nth in range(1, 33))
COUNTRY = "RU"
# Jamaica: in the country code of the US, and dear. Nobody is called back there.
DEAR = "+18765550001"
ATTEMPTS, NUMBER_DAY = 20, 20
_EVERYBODY = (*OPERATORS, "105", "106")
CONFIGURATION = f"""\
operators:
{
    "".join(
        f'  - {{extension: "{name}", name: "{name}"}}' + chr(10)
        for name in (*OPERATORS, "105", "106")
    )
}
groups:
  - name: duty
    zone: {company.ZONE}
    default: true
    shifts:
{
    "".join(
        f'      - {{operator: "{name}", days: daily, start: "00:00", end: "00:00"}}' + chr(10)
        for name in OPERATORS
    )
}
dids:
  - number: "{company.DID}"
    group: duty
    steps: {{duty: {{enabled: false}}, duty_mobile: {{enabled: false}}}}
    unanswered: {{action: promise}}
callbacks:
  delay_seconds: 0
  contact_seconds: 1
  callback_seconds: 1
  claim_minutes: 0
  quiet: {{start: "00:00", end: "00:00"}}
  operator_seconds: 10
  client_seconds: 10
  spacing: {{busy: 1, no_answer: 1, declined: 1, unreachable: 1, not_a_person: 1, operator: 1}}
  caps:
    {{attempts: {ATTEMPTS}, number_day: {
    NUMBER_DAY
}, number_week: 50, prefix_hour: 1000, hour: 1000}}
"""


@dataclass(slots=True)
class CallbackStage:
    """The running company; `promised` counts the calls of each client that were told so.

    `made` are the calls that clients made, `broke` when the PBX was killed.
    """

    stage: Stage
    engine: Engine
    promised: dict[str, int] = field(default_factory=dict)
    made: list[tuple[str, PhoneCall]] = field(default_factory=list)
    broke: list[float] = field(default_factory=list)
    clicked: int = 0

    def cases(self) -> list[Case]:
        with reading(self.engine) as session:
            return [case_of(row) for row in session.execute(select(missed_case))]

    def joined(self) -> dict[str, int]:
        """Return how many missed calls of each number are in cases."""
        query = select(missed_case.c.number, func.count()).join_from(case_call, missed_case)
        with reading(self.engine) as session:
            rows = session.execute(query.group_by(missed_case.c.number)).all()
        return {number: found for number, found in rows}  # noqa: C416

    async def miss(self, number: str) -> None:
        """A client calls and is promised a call; counted when they heard it out."""
        call = await self.stage.trunk.call(company.DID, number)
        self.made.append((number, call))
        try:
            await call.wait_ended(8)
        except TimeoutError:
            await call.hangup()
            return
        if call.answered_at is not None and call.ended_by == "remote":
            self.promised[number] = self.promised.get(number, 0) + 1

    async def calls_again(self, number: str, after: float) -> None:
        """A client does not wait for the callback, and calls so many seconds later once more."""
        await asyncio.sleep(after)
        await self.miss(number)

    def click(self, number: str, operator: str) -> None:
        """An operator asks for a call to a client, who may have no case; it may be refused."""
        try:
            with writing(self.engine) as session:
                desk = Desk(load_setup(session), COUNTRY)
                call_number(session, desk, number, Asker("boss", operator), datetime.now(UTC))
        except RefusedError as error:
            if error.why not in _REFUSED:
                raise
        else:
            self.clicked += 1

    def rung(self) -> list[PhoneCall]:
        """Return the calls that came to clients' phones."""
        return [call for call in self.stage.trunk.calls if call.invite is not None]

    def processes(self) -> dict[str, int]:
        """Return part → process id of what runs now."""
        found = {}
        for pid in self.stage.service.children():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"telephony" in words:
                name = b"-".join(words[words.index(b"telephony") + 1 :]).strip(b"-").decode()
            else:
                name = "redis"
            found[name] = pid
        return found

    async def well(self) -> None:
        """Wait until every part runs, is ready, and hears the PBX."""
        await wait_until(self.stage.service.is_ready, "every part is ready", 60)
        await wait_until(self.stage.answers, "the listener's heartbeat", 30)

    async def reaches(self, step: str, since: float) -> None:
        """Wait until a callback is at a step; one that began before `since` does not count."""
        operators = [phone for name, phone in self.stage.phones.items() if name in OPERATORS]

        def here() -> bool:
            if step == "promised":
                return any(
                    call.answered_at is not None and call.invited_at > since
                    for call in self.stage.trunk.calls
                    if call.invite is None
                )
            if step == "claimed":
                return self._under_way()
            phones = operators if step in ("rings", "accepted") else [self.stage.trunk]
            calls = [
                call
                for phone in phones
                for call in phone.calls
                if call.invite is not None and call.live and call.invited_at > since
            ]
            if step in ("accepted", "talking"):
                return any(call.answered_at is not None for call in calls)
            return bool(calls)

        await wait_until(here, f"a callback is at {step}", 60)

    def _under_way(self) -> bool:
        query = select(callback_attempt.c.id).where(callback_attempt.c.state != "done")
        with reading(self.engine) as session:
            return session.execute(query.limit(1)).first() is not None

    async def kill(self, part: str) -> None:
        """Kill a part with -9; what restarts it does so."""
        if part == "asterisk":
            await asyncio.to_thread(self.stage.pbx.kill)
            self.broke.append(time.monotonic())
            await asyncio.to_thread(self.stage.pbx.start)
            for phone in self.stage.phones.values():
                await phone.register()
        elif part == "flush":
            url = redis_url("", self.stage.service.folder)
            await asyncio.to_thread(open_redis(url).flushall)
        elif part == "everything":
            await asyncio.to_thread(self.stage.service.kill)
            self.stage.service.start()
        else:
            os.kill(self.processes()[part], signal.SIGKILL)

    async def settled(self, within: float) -> None:
        """Wait until every case is over, or waits for a person since nobody knows of its try, and
        no try goes on.
        """

        def over() -> bool:
            joined = self.joined()
            known = all(joined.get(number, 0) >= times for number, times in self.promised.items())
            return known and not self.waiting() and not self._under_way()

        await wait_until(over, "every case is over", within)

    def waiting(self) -> list[Case]:
        return [one for one in self.cases() if one.open and one.attention is not Attention.UNKNOWN]

    def check(self) -> None:
        """Hold what must be true whatever was killed. Raises AssertionError."""
        self._one_at_a_time()
        joined = self.joined()
        for number, times in self.promised.items():
            assert joined.get(number, 0) >= times, f"{number}: {times} promised, {joined}"
        with reading(self.engine) as session:
            tries = session.execute(select(callback_attempt)).all()
        for case in self.cases():
            mine = [one for one in tries if one.case_id == case.id]
            assert sum(one.state != AttemptState.DONE for one in mine) <= int(case.open)
            assert case.tries <= ATTEMPTS
        sent = [one for one in tries if one.sent_at is not None]
        for number in CLIENTS:
            assert sum(one.number == number for one in sent) <= NUMBER_DAY
        # A client's phone rings for a try that was written down, and for nothing else.
        for number in (*CLIENTS, DEAR):
            rung = sum(call.dialled.endswith(number[1:]) for call in self.rung())
            assert rung <= sum(one.number == number for one in sent), number
        assert not any(one.number == DEAR for one in tries)

    def _one_at_a_time(self) -> None:
        by_number: dict[str, list[PhoneCall]] = {}
        for call in self.rung():
            by_number.setdefault(call.dialled, []).append(call)
        for number, calls in by_number.items():
            calls.sort(key=lambda call: call.invited_at)
            for one, two in pairwise(calls):
                over = one.ended_at if one.ended_at is not None else time.monotonic()
                assert over <= two.invited_at, f"two calls to {number} at once"
        for number, own in self.made:
            for call in by_number.get(number[1:], []):
                assert not self._in_the_midst(own, call), f"{number} is called while they call"

    def _in_the_midst(self, own: PhoneCall, call: PhoneCall) -> bool:
        """Tell whether a client was called in the midst of a call they made.

        One that the PBX forgot when it was killed is none, and it takes a moment to dial.
        """
        over = own.ended_at if own.ended_at is not None else time.monotonic()
        if any(own.invited_at <= at <= over for at in self.broke):
            return False
        return own.invited_at + _DIALLING < call.invited_at < over


@asynccontextmanager
async def open_callback_stage(
    folder: Path, tree: AsteriskTree, redis: RedisTree, database_url: str | None
) -> AsyncIterator[CallbackStage]:
    """Open the company; operators accept callbacks, clients talk for a moment."""
    async with open_stage(folder, tree, print, database_url, redis) as stage:
        file = folder / "callbacks.yaml"
        file.write_text(CONFIGURATION)
        stage.service.command("config", "apply", str(file))
        for name in list(stage.phones):
            stage.phones[name].behaviour = answer(0.2, press="1")
        stage.trunk.default = answer(0.2, talk=2.0)
        seconds = [_beside(stage, *words) for words in (("relay",), ("work", "now"))]
        engine = open_engine(stage.service.environment["DUTYLINE_DATABASE_URL"])
        opened = CallbackStage(stage, engine)
        try:
            await opened.well()
            yield opened
        finally:
            for process in seconds:
                process.kill()
                process.wait()
            print(await asyncio.to_thread(stage.service.last_words))
            engine.dispose()


def _beside(stage: Stage, *words: str) -> subprocess.Popen[bytes]:
    """Start a second one of a part: two relays and two workers at once must do no harm."""
    with stage.service.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "telephony", *words],
            env=stage.service.environment,
            stdout=log,
            stderr=log,
        )


# From the last look at who is on the line to the client's phone, on a machine that is busy.
_DIALLING = 0.5
# What may stand in the way of a click while parts are killed.
_REFUSED = (Refusal.BARRED, Refusal.BUSY, Refusal.UNDER_WAY, Refusal.NOT_LISTENING, Refusal.TAKEN,
            Refusal.UNKNOWN_NUMBER, Refusal.ON_A_CALL, Refusal.RINGING, Refusal.AWAY,
            Refusal.UNSEEN)  # fmt: skip

PARTS = ("listen", "relay", "work-now", "redis", "flush", "asterisk", "everything")
# Where a callback is when a part is killed.
STEPS = ("promised", "claimed", "rings", "accepted", "client_rings", "talking")


def plan(seed: int, times: int) -> list[tuple[str, str]]:
    """Return which part is killed at which step, each pair before any comes a second time."""
    chance = random.Random(seed)
    found: list[tuple[str, str]] = []
    while len(found) < times:
        pairs = list(product(PARTS, STEPS))
        chance.shuffle(pairs)
        found += pairs
    return found[:times]


async def killings(
    place: CallbackStage, seed: int, times: int, say: Callable[[str], None] = print
) -> None:
    """Kill a part in the midst of callbacks, so many times; all must come right each time."""
    chance = random.Random(seed)
    for nth, (part, step) in enumerate(plan(seed, times), start=1):
        numbers = chance.sample(CLIENTS, 2)
        after = chance.uniform(0.0, 0.6)
        began = time.monotonic()
        calls: list[Awaitable[None]] = [place.miss(number) for number in (*numbers, DEAR)]
        if chance.random() < 0.5:
            calls.append(place.calls_again(numbers[0], chance.uniform(2.0, 8.0)))
        if chance.random() < 0.5:
            known = chance.choice([number for number, _ in place.made])
            await asyncio.to_thread(place.click, known, chance.choice(OPERATORS))
        waiting = asyncio.gather(*calls)
        await place.reaches(step, began)
        await asyncio.sleep(after)
        await place.kill(part)
        await waiting
        await place.well()
        await place.settled(240)
        place.check()
        took = time.monotonic() - began
        say(f"{nth}/{times}: {part}, {after:.2f} s after {step}: right again in {took:.0f} s")
