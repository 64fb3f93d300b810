"""From the caller's hangup to what people see of it: a call's record in the API, a missed call in
the panel's list; and beside it, when each is in the database.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from sqlalchemy import Engine, Select, select

from telephony.accounts import Role, Scope
from telephony.accounts.passwords import Passwords
from telephony.accounts.tokens import new_token
from telephony.accounts.users import make_user
from telephony.domain.callback.rules import Automatic
from telephony.store.accounts import ApiToken
from telephony.store.call_tables import call
from telephony.store.callback_rules import load_callback_rules, replace_callback_rules
from telephony.store.case_tables import missed_case
from telephony.store.engine import open_engine, reading, writing
from telephony.store.sessions import add_token
from tests.bench.tables import Report, Table, quantile
from tests.demo import company
from tests.demo.stage import Stage, open_stage, wait_until
from tests.lab.asterisk_tree import ensure_asterisk
from tests.lab.behaviours import answer, no_answer
from tests.lab.cache import default_cache
from tests.lab.postgres import Postgres, ensure_postgres
from tests.lab.redis import ensure_redis

MOST_P99_MS = 1000.0
_PASSWORD = "a long password for a benchmark"
_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
_LOOK_EVERY = 0.01
_GIVE_UP = 20.0
_TALK = 0.5
# Calls a second. Each of the two lookers costs more than the call does.
_RATE = 3.0


@dataclass(frozen=True)
class Wait:
    """Seconds from the hangup until a call was seen in the database, and where people look."""

    stored: float
    told: float


def run(quick: bool) -> Report:
    """Measure on both databases. Prints progress."""
    report = Report()
    table = Table(
        f"Hangup → seen, ms, {_RATE:g} calls/s",
        ("", "calls", "p50", "p95", "p99", "p99 ÷ p99 in the database"),
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dutyline-bench-")))
        folder.chmod(0o755)
        server = stack.enter_context(Postgres(ensure_postgres(default_cache(), print), folder))
        urls = {"SQLite": None, "PostgreSQL": server.create_database("readable")}
        for name, url in urls.items():
            records, cases = asyncio.run(_measure(folder / name, url, 30 if quick else 150))
            _tell(report, table, records, f"{name}, a record", "in the API")
            _tell(report, table, cases, f"{name}, a missed call", "in the panel")
    report.tables.append(table)
    return report


def _tell(report: Report, table: Table, waits: list[Wait], what: str, where: str) -> None:
    stored = [one.stored * 1000 for one in waits]
    told = [one.told * 1000 for one in waits]
    for place, values in (("in the database", stored), (where, told)):
        p50, p95, p99 = (quantile(values, part) for part in (0.5, 0.95, 0.99))
        table.add(
            f"{what}, {place}",
            str(len(values)),
            f"{p50:.0f}",
            f"{p95:.0f}",
            f"{p99:.0f}",
            f"{p99 / quantile(stored, 0.99):.2f}",
        )
    p99 = quantile(told, 0.99)
    report.target(
        p99 <= MOST_P99_MS,
        f"{what} is seen {where} {p99:.0f} ms after the hangup (p99; target ≤ {MOST_P99_MS:.0f})",
    )


async def _measure(folder: Path, url: str | None, count: int) -> tuple[list[Wait], list[Wait]]:
    """Return the waits for records of answered calls, and for cases of missed ones."""
    cache = default_cache()
    tree, redis = ensure_asterisk(cache), ensure_redis(cache)
    async with open_stage(folder, tree, print, url, redis) as stage:
        await wait_until(stage.service.is_ready, "every part is ready")
        engine = open_engine(stage.service.environment["DUTYLINE_DATABASE_URL"])
        tokens = _tokens(engine, count)
        with writing(engine) as session:
            # A caller need not wait long to have been missed, and nobody is called back meanwhile.
            rules = replace(load_callback_rules(session), short_seconds=0)
            replace_callback_rules(session, replace(rules, automatic=Automatic.NOBODY))
        async with httpx.AsyncClient(base_url=stage.service.panel, timeout=_GIVE_UP) as client:
            for phone in stage.phones.values():
                phone.behaviour = answer(0.05)
            records = await _in_turns(
                count, lambda nth: _answered(stage, engine, client, tokens[nth], nth)
            )
            for phone in stage.phones.values():
                phone.behaviour = no_answer()
            await _sign_in(client)
            cases = await _in_turns(count, lambda nth: _missed(stage, engine, client, nth))
        engine.dispose()
    return records, cases


async def _in_turns(count: int, one: Callable[[int], Awaitable[Wait]]) -> list[Wait]:
    await one(0)  # whatever is slow only once
    began = time.monotonic()
    tasks = []
    for number in range(1, count + 1):
        await asyncio.sleep(max(0.0, began + number / _RATE - time.monotonic()))
        tasks.append(asyncio.ensure_future(one(number)))
    return list(await asyncio.gather(*tasks))


async def _sign_in(client: httpx.AsyncClient) -> None:
    token = _CSRF.search((await client.get("/sign-in")).text)
    if token is None:
        raise RuntimeError("the page to sign in has no token")
    form = {"csrf_token": unescape(token[1]), "login": "bench", "password": _PASSWORD}
    answer = await client.post("/sign-in", data=form)
    if answer.status_code != 302:
        raise RuntimeError(f"signing in was answered with {answer.status_code}")


def _tokens(engine: Engine, count: int) -> list[str]:
    """Return a token for each call: one alone may ask only so often."""
    made: list[str] = []
    now = datetime.now(UTC)
    hashed = Passwords().hash(_PASSWORD)
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


async def _answered(
    stage: Stage, engine: Engine, client: httpx.AsyncClient, token: str, index: int
) -> Wait:
    """Make one call from a number of its own, hang up, and look for its record both ways."""
    number = f"+7900555{index:04d}"
    made = await stage.trunk.call(company.DID, number)
    await made.wait_answered(_GIVE_UP)
    await asyncio.sleep(_TALK)
    await made.hangup()

    async def told() -> bool:
        path = f"/api/v1/calls?limit=1&number={quote(number)}"
        answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
        return bool(answer.json()["items"])

    return await _seen(engine, select(call.c.id).where(call.c.number == number), told)


async def _missed(stage: Stage, engine: Engine, client: httpx.AsyncClient, index: int) -> Wait:
    """Let one call ring in vain, hang up, and look for its case both ways."""
    number = f"+7900556{index:04d}"
    made = await stage.trunk.call(company.DID, number)
    await made.wait_ringing(_GIVE_UP)
    await asyncio.sleep(_TALK)
    await made.hangup()

    async def told() -> bool:
        answer = await client.get("/missed", params={"q": number})
        answer.raise_for_status()
        return 'href="/missed/' in answer.text.partition("<tbody>")[2]

    return await _seen(engine, select(missed_case.c.id).where(missed_case.c.number == number), told)


async def _seen(engine: Engine, query: Select[Any], told: Callable[[], Awaitable[bool]]) -> Wait:
    """Look in both places at once; the call was hung up just now. Raises TimeoutError."""
    ended = time.monotonic()

    def read() -> bool:
        with reading(engine) as session:
            return session.execute(query).first() is not None

    async def stored() -> bool:
        return await asyncio.to_thread(read)

    async def until(there: Callable[[], Awaitable[bool]]) -> float:
        while not await there():
            if time.monotonic() > ended + _GIVE_UP:
                raise TimeoutError("a call was not seen")
            await asyncio.sleep(_LOOK_EVERY)
        return time.monotonic() - ended

    return Wait(*await asyncio.gather(until(stored), until(told)))
