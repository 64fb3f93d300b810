"""From the caller's hangup to the call's record: in the database, and readable in the API."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx
from sqlalchemy import Engine, select

from telephony.accounts import Role, Scope
from telephony.accounts.passwords import Passwords
from telephony.accounts.tokens import new_token
from telephony.accounts.users import make_user
from telephony.store.accounts import ApiToken
from telephony.store.call_tables import call
from telephony.store.engine import open_engine, reading, writing
from telephony.store.sessions import add_token
from tests.bench.tables import Report, Table, quantile
from tests.demo import company
from tests.demo.stage import Stage, open_stage, wait_until
from tests.lab.asterisk_tree import ensure_asterisk
from tests.lab.behaviours import answer
from tests.lab.cache import default_cache
from tests.lab.postgres import Postgres, ensure_postgres
from tests.lab.redis import ensure_redis

MOST_P99_MS = 1000.0
_LOOK_EVERY = 0.01
_GIVE_UP = 20.0
_TALK = 0.5
# Calls a second. Each of the two lookers costs more than the call does.
_RATE = 3.0


@dataclass(frozen=True)
class Wait:
    """Seconds from the hangup until one call's record was seen."""

    stored: float
    told: float


def run(quick: bool) -> Report:
    """Measure on both databases. Prints progress."""
    report = Report()
    table = Table(
        f"Hangup → record, ms, {_RATE:g} calls/s",
        ("", "calls", "p50", "p95", "p99", "p99 ÷ p99 in the database"),
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dutyline-bench-")))
        folder.chmod(0o755)
        server = stack.enter_context(Postgres(ensure_postgres(default_cache(), print), folder))
        urls = {"SQLite": None, "PostgreSQL": server.create_database("readable")}
        for name, url in urls.items():
            waits = asyncio.run(_measure(folder / name, url, 30 if quick else 150))
            stored = [one.stored * 1000 for one in waits]
            told = [one.told * 1000 for one in waits]
            for what, values in (("in the database", stored), ("in the API", told)):
                p50, p95, p99 = (quantile(values, part) for part in (0.5, 0.95, 0.99))
                table.add(
                    f"{name}, {what}",
                    str(len(values)),
                    f"{p50:.0f}",
                    f"{p95:.0f}",
                    f"{p99:.0f}",
                    f"{p99 / quantile(stored, 0.99):.2f}",
                )
            p99 = quantile(told, 0.99)
            report.target(
                p99 <= MOST_P99_MS,
                f"{name}: a record is readable in the API {p99:.0f} ms after the hangup (p99; "
                f"target ≤ {MOST_P99_MS:.0f})",
            )
    report.tables.append(table)
    return report


async def _measure(folder: Path, url: str | None, count: int) -> list[Wait]:
    cache = default_cache()
    tree, redis = ensure_asterisk(cache), ensure_redis(cache)
    async with open_stage(folder, tree, print, url, redis) as stage:
        await wait_until(stage.service.is_ready, "every part is ready")
        engine = open_engine(stage.service.environment["DUTYLINE_DATABASE_URL"])
        tokens = _tokens(engine, count)
        for phone in stage.phones.values():
            phone.behaviour = answer(0.05)
        async with httpx.AsyncClient(base_url=stage.service.panel, timeout=_GIVE_UP) as client:
            await _one(stage, engine, client, tokens[0], 0)  # whatever is slow only once
            began = time.monotonic()
            tasks = []
            for number in range(1, count + 1):
                await asyncio.sleep(max(0.0, began + number / _RATE - time.monotonic()))
                token = tokens[number]
                tasks.append(asyncio.create_task(_one(stage, engine, client, token, number)))
            waits = await asyncio.gather(*tasks)
        engine.dispose()
    return list(waits)


def _tokens(engine: Engine, count: int) -> list[str]:
    """Return a token for each call: one alone may ask only so often."""
    made: list[str] = []
    now = datetime.now(UTC)
    hashed = Passwords().hash("a long password for a benchmark")
    with writing(engine) as session:
        user = make_user(session, "bench", "Bench", Role.ADMIN, None, hashed, now)
        for number in range(count + 1):
            token, kept = new_token()
            scopes = frozenset({Scope.CALLS_READ})
            add_token(
                session, kept, ApiToken(0, f"bench {number}", scopes, user, now, None, None, None)
            )
            made.append(token)
    return made


async def _one(
    stage: Stage, engine: Engine, client: httpx.AsyncClient, token: str, index: int
) -> Wait:
    """Make one call from a number of its own, hang up, and look for its record both ways."""
    number = f"+7900555{index:04d}"
    made = await stage.trunk.call(company.DID, number)
    await made.wait_answered(_GIVE_UP)
    await asyncio.sleep(_TALK)
    await made.hangup()
    ended = time.monotonic()
    stored, told = await asyncio.gather(
        _until_stored(engine, number), _until_told(client, token, number)
    )
    return Wait(stored - ended, told - ended)


async def _until_stored(engine: Engine, number: str) -> float:
    query = select(call.c.id).where(call.c.number == number)

    def there() -> bool:
        with reading(engine) as session:
            return session.execute(query).first() is not None

    deadline = time.monotonic() + _GIVE_UP
    while not await asyncio.to_thread(there):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no record of {number}")
        await asyncio.sleep(_LOOK_EVERY)
    return time.monotonic()


async def _until_told(client: httpx.AsyncClient, token: str, number: str) -> float:
    path = f"/api/v1/calls?limit=1&number={quote(number)}"
    deadline = time.monotonic() + _GIVE_UP
    while True:
        answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
        if answer.json()["items"]:
            return time.monotonic()
        if time.monotonic() > deadline:
            raise TimeoutError(f"the API does not know {number}")
        await asyncio.sleep(_LOOK_EVERY)
