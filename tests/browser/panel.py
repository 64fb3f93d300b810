"""The real service on a real Asterisk, calls made on it, and the panel that shows them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from flask import Flask
from playwright.async_api import Page
from sqlalchemy.orm import Session

from telephony.accounts import Role
from telephony.accounts.passwords import Passwords
from telephony.accounts.users import make_user
from telephony.configfile import Author, Data, change
from telephony.domain.blocklist import Blocked
from telephony.domain.duty import Absence, OneOff
from telephony.domain.duty.calendars import Complaint, Flaw, Takes
from telephony.domain.record import CallRecord
from telephony.settings import Settings, read_settings
from telephony.sounds import convert, keep
from telephony.store.audit import AuditEntry, add_audit
from telephony.store.blocklist import block
from telephony.store.calendars import Copy, Owner, add_feed, get_feed, note_failure, use_feed
from telephony.store.engine import open_engine, writing
from telephony.store.shares import Share, add_share
from telephony.store.sites import Site, add_site
from tests.browser.cases import add_cases
from tests.browser.pages import every_page
from tests.databases.telling import tell_everybody
from tests.demo import company
from tests.demo.stage import Stage, open_stage
from tests.lab.asterisk_tree import ensure_asterisk
from tests.lab.behaviours import no_answer
from tests.lab.browser import Chrome, Scheme, Visitor
from tests.lab.cache import default_cache
from tests.lab.errors import LabError
from tests.lab.ports import free_port
from tests.lab.process import tail
from tests.unit.test_sounds import wav
from web import create_app

PASSWORD = "a calm long password"
# Login → role and extension.
USERS = {
    "chief": (Role.ADMIN, "106"),
    "lead": (Role.SUPERVISOR, None),
    "anna": (Role.OPERATOR, "101"),
    "victim": (Role.SUPERVISOR, None),
    "steps": (Role.SUPERVISOR, None),
}

_AUDITED = 120  # lines of the audit log: more than a page
PAYLOAD = "<script>window.ran = 1</script>"
EVIL = "+79007778899"
EVIL_NAME = f'"><img src=x onerror="window.ran=1">{PAYLOAD}\'{{{{7*7}}}}'
_EVIL_CLIENT = f'name,phones,manager\n"{EVIL_NAME.replace(chr(34), chr(34) * 2)}",{EVIL},102\n'


@dataclass
class Panel:
    """An open panel: its address and application, the stage behind it, the calls made so far."""

    url: str
    app: Flask
    stage: Stage
    records: list[CallRecord]

    @asynccontextmanager
    async def visitor(
        self,
        chrome: Chrome,
        login: str | None = None,
        *,
        screen: str = "desktop",
        language: str = "en",
        scheme: Scheme = "light",
        address: str = "192.0.2.1",
    ) -> AsyncIterator[Visitor]:
        """Open a browser window, signed in as `login` if that is given.

        `address` is the visitor's, as a reverse proxy would tell it.
        """
        async with chrome.visitor(
            base_url=self.url, screen=screen, language=language, scheme=scheme
        ) as visitor:
            await visitor.page.context.set_extra_http_headers({"X-Forwarded-For": address})
            if login is not None:
                await sign_in(visitor.page, login)
            yield visitor

    async def pages(self, page: Page) -> dict[str, str]:
        """Return the address of every page that an admin may open → its name for people.

        `page` must be signed in as an admin.
        """
        found = await every_page(page, self.app)
        # The newest call is linked first and was missed; the first one has everything.
        found[f"/calls/{self.records[0].call_id}"] = "calls.show.transferred"
        return found


async def sign_in(page: Page, login: str, password: str = PASSWORD) -> int:
    """Fill in the form and send it; return the status of the page that comes in the end."""
    await page.goto("/sign-in")
    await page.locator("#login").fill(login)
    await page.locator("#password").fill(password)
    async with page.expect_navigation() as navigation:
        await page.keyboard.press("Enter")
    answer = await navigation.value
    assert answer is not None
    return answer.status


@asynccontextmanager
async def open_panel(folder: Path, progress: Callable[[str], None] = print) -> AsyncIterator[Panel]:
    """Open the office and the panel, with users and the records of a few calls."""
    tree = await asyncio.to_thread(ensure_asterisk, default_cache(), progress)
    async with open_stage(folder, tree, progress) as stage:
        (folder / "evil.csv").write_text(_EVIL_CLIENT, encoding="utf-8")
        stage.service.command("import", "clients", str(folder / "evil.csv"))
        settings = read_settings(stage.service.environment)
        await asyncio.to_thread(_add_users, settings)
        await asyncio.to_thread(_add_rosters, settings)
        records = await _make_calls(stage)
        await asyncio.to_thread(_add_cases, settings)
        with served(stage.service.environment, folder / "web.log") as url:
            # The application once more, to ask it which pages it has.
            yield Panel(url, create_app(settings), stage, records)


@contextmanager
def served(environment: dict[str, str], log: Path) -> Iterator[str]:
    """Run `dutyline web` behind what it takes for a reverse proxy; give its address."""
    port = free_port()
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "telephony", "web", "--port", str(port)],
            env={**environment, "DUTYLINE_WEB_PROXIES": "1"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 30
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"the panel does not answer:\n{tail(log)}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _add_users(settings: Settings) -> None:
    engine = open_engine(settings.database_url)
    hashed = Passwords().hash(PASSWORD)
    with writing(engine) as session:
        for login, (role, extension) in USERS.items():
            make_user(session, login, login.title(), role, extension, hashed, datetime.now(UTC))
        for number in range(_AUDITED):
            at = datetime.now(UTC) - timedelta(days=1, minutes=number)
            add_audit(session, AuditEntry(at, None, "lead", "", "signin.done", "lead", {}))
        now = datetime.now(UTC)
        for kind, owner, uses in ((Owner.GROUP, "duty", False), (Owner.OPERATOR, "103", True)):
            _add_calendar(session, kind, owner, uses, now)
        address = ("https://shop.example",)
        tell_everybody(session, now, PAYLOAD)
        add_site(session, Site("shop", PAYLOAD, address, "", "", True, 60, 5, 3, now))
        keep(session, "welcome", PAYLOAD, convert(wav(0.5)), now)
        block(session, [Blocked(one, PAYLOAD, "lead", now) for one in ("+79990000000", "+7999*")])
    engine.dispose()


def _add_cases(settings: Settings) -> None:
    engine = open_engine(settings.database_url)
    with writing(engine) as session:
        add_cases(session, datetime.now(UTC), company.DID, (EVIL, EVIL_NAME), PAYLOAD)
    engine.dispose()


def _add_calendar(session: Session, kind: Owner, owner: str, uses: bool, now: datetime) -> None:
    """Add a calendar of somebody who means harm: one in use that fails, one to be looked at."""
    begin = now.replace(second=0, microsecond=0, tzinfo=None) + timedelta(days=200 if uses else 2)
    key = add_feed(
        session,
        owner_kind=kind,
        owner=owner,
        title=PAYLOAD,
        place="https://calendar.example.com" if uses else None,
        url="sealed" if uses else None,
        zone="Europe/Moscow" if uses else None,
        layer=1,
        takes=Takes.BUSY,
        copy=Copy(
            "BEGIN:VCALENDAR",
            () if uses else (OneOff("101", begin, begin + timedelta(hours=8)),),
            (Absence(owner, begin, begin + timedelta(days=2), "UTC"),) if uses else (),
            tuple(Complaint(flaw, PAYLOAD, PAYLOAD, now) for flaw in Flaw),
        ),
        now=now,
    )
    if uses:
        use_feed(session, key, True, now + timedelta(days=1))
        feed = get_feed(session, key)
        assert feed is not None
        later = now + timedelta(days=1)
        note_failure(session, feed, fault="status", detail=PAYLOAD, now=now, next_at=later)
    add_share(session, f"hash {owner}", Share(0, kind, owner, uses, "en", PAYLOAD, now))


def _add_rosters(settings: Settings) -> None:
    """Add entries of every kind, none of which puts anybody on duty who takes calls."""
    today = datetime.now(UTC).date()
    days = [(today + timedelta(days=days)).isoformat() for days in range(4)]
    support = {
        "name": "support",
        "zone": "Europe/Berlin",
        "queue": {"name": "support"},
        "shifts": [
            {"operator": "105", "days": "mon-fri", "start": "09:00", "end": "17:30",
             "lunch": "12:00-12:45", "cover": "106"},
        ],
        "rotations": [
            {"turns": ["104", ["105", "106"]], "first": days[0], "length": "1",
             "handover": "18:00", "start": "18:00", "end": "08:00"},
        ],
        "one_offs": [
            {"operator": "106", "start": f"{days[1]} 08:00", "end": f"{days[1]} 09:00"}
        ],
        "overrides": [
            {"operators": ["106"], "start": f"{days[2]} 18:00", "end": f"{days[2]} 23:00",
             "instead_of": "everybody"}
        ],
        "swaps": [
            {"between": ["104", "105"], "start": f"{days[3]} 00:00", "end": f"{days[3]} 24:00"}
        ],
    }  # fmt: skip
    away = {"operator": "106", "from": days[3], "to": days[3], "kind": "vacation", "cover": "104"}

    def edit(data: Data) -> None:
        data["groups"].append(support)
        data["absences"].append(away)
        data["trunks"].append({"endpoint": "city", "template": "8{national}"})
        week = {"days": "mon-fri", "start": "09:00", "end": "18:00"}
        data["hours"].append(
            {"name": "office", "zone": company.ZONE, "country": "RU", "open": [week]}
        )

    engine = open_engine(settings.database_url)
    assert change(engine, Author("lead"), edit, now=datetime.now(UTC)).errors == []
    engine.dispose()


async def _make_calls(stage: Stage) -> list[CallRecord]:
    """Held and transferred, answered, missed; some by people who mean harm."""
    trunk, phones = stage.trunk, stage.phones
    call = await trunk.call(company.DID, company.ROMASHKA)
    anna = await phones["101"].next_call(10)
    await call.wait_answered(10)
    await asyncio.sleep(1.0)  # conversations have lengths that can be seen
    await anna.hold()
    await asyncio.sleep(0.5)
    await anna.hold(False)
    await asyncio.sleep(1.2)  # one that is taken back just before a transfer is no moment
    assert await anna.refer("102") in (200, 202)
    boris = await phones["102"].next_call(10)
    await boris.wait_answered(10)
    await asyncio.sleep(1.0)
    await call.hangup()
    await _recorded(stage, 1)

    call = await trunk.call(company.DID, EVIL, name=PAYLOAD)
    await call.wait_answered(10)
    await call.hangup()
    await _recorded(stage, 2)

    number = f'"{PAYLOAD}" <sip:%3Cscript%3Ewindow.ran=1%3C/script%3E@127.0.0.2>'
    call = await trunk.call(company.DID, from_header=number)
    await phones["103"].next_call(10)
    await call.wait_answered(10)
    await call.hangup()
    await _recorded(stage, 3)

    phones["103"].behaviour = no_answer()
    call = await trunk.call(company.DID, company.STRANGER)
    await phones["103"].next_call(10)
    await asyncio.sleep(0.5)
    await call.hangup()
    return await _recorded(stage, 4)


async def _recorded(stage: Stage, count: int) -> list[CallRecord]:
    """Wait for the records: by then the phones count as free again, too."""
    return await asyncio.to_thread(stage.service.wait_for_records, count, 15.0)
