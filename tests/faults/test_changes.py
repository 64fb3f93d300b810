"""What an admin changes is how the next call is routed, a second later, without a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from telephony.domain.record import CallRecord, Disposition
from telephony.domain.routing import Reason, Rule
from telephony.store.directory import current_version
from telephony.store.engine import open_engine, reading
from tests.demo import company
from tests.demo.stage import Stage, wait_until

_WITHIN = 1.0


async def _change(stage: Stage, *command: str) -> None:
    """Run a command that changes something; return a second after the database has the change."""
    engine = open_engine(stage.service.environment["DUTYLINE_DATABASE_URL"])

    def version() -> int:
        with reading(engine) as session:
            return current_version(session).version

    before = version()
    running = asyncio.create_task(asyncio.to_thread(stage.service.command, *command))
    while version() == before and not running.done():
        await asyncio.sleep(0.005)
    committed = time.monotonic()
    await running
    assert version() > before, "nothing was changed"
    engine.dispose()
    while time.monotonic() < committed + _WITHIN:
        await asyncio.sleep(0.005)


async def _apply(stage: Stage, old: str, new: str) -> None:
    """Replace a piece of the configuration file, which must be there once, and apply the file."""
    file = stage.service.folder / "company.yaml"
    text = file.read_text()
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new))
    await _change(stage, "config", "apply", str(file))


async def _call(stage: Stage, number: str, count: int) -> CallRecord:
    """Call the company until somebody or the PBX answers; return its record."""
    call = await stage.trunk.call(company.DID, number)
    await call.wait_answered(10)
    await wait_until(lambda: call.rtp.received > 0, "the caller hears something", 5)
    await call.hangup()
    return (await asyncio.to_thread(stage.service.wait_for_records, count, 8))[-1]


def _reasons(made: CallRecord, rule: Rule) -> list[Reason]:
    assert made.decision is not None
    return [line.reason for line in made.decision.trace if line.rule is rule]


@pytest.fixture
async def running(stage: Stage) -> AsyncIterator[Stage]:
    """Give the stage; at the end the processes must be those of the beginning."""
    parts = stage.service.children()
    yield stage
    assert stage.service.children() == parts, "a part was started anew"


async def test_a_changed_roster(running: Stage) -> None:
    assert (await _call(running, company.STRANGER, 1)).answered_by == "103"
    await _apply(running, '{operator: "103", days', '{operator: "105", days')
    made = await _call(running, company.STRANGER, 2)
    assert (made.answered_by, [leg.operator for leg in made.legs]) == ("105", ["105"])
    assert _reasons(made, Rule.DUTY) == [Reason.RINGS_DUTY]


async def test_a_changed_rule_of_a_number(running: Stage) -> None:
    assert (await _call(running, company.ROMASHKA, 1)).answered_by == "101"
    rule = "steps: {manager_desk: {enabled: false}, manager_mobile: {enabled: false}}"
    await _apply(running, "duty_seconds: 3}", f"duty_seconds: 3, {rule}}}")
    made = await _call(running, company.ROMASHKA, 2)
    assert (made.answered_by, [leg.operator for leg in made.legs]) == ("102", ["102"])
    assert _reasons(made, Rule.MANAGER_DESK) == [Reason.STEP_OFF]


async def test_changed_opening_hours(running: Stage) -> None:
    local = datetime.now(ZoneInfo(company.ZONE))
    always = '{days: daily, start: "00:00", end: "24:00"}'
    later = [f"{local + timedelta(hours=hours):%H:%M}" for hours in (3, 4)]
    hours = f"hours:\n  - {{name: office, zone: {company.ZONE}, open: [{always}]}}\n"
    await _apply(running, "dids:\n", f"{hours}dids:\n")
    await _apply(running, "duty_seconds: 3}", "duty_seconds: 3, hours: office}")
    made = await _call(running, company.ROMASHKA, 1)
    assert (made.answered_by, _reasons(made, Rule.HOURS)) == ("101", [Reason.OPEN])
    await _apply(running, always, f'{{days: daily, start: "{later[0]}", end: "{later[1]}"}}')
    made = await _call(running, company.ROMASHKA, 2)
    assert (made.disposition, made.legs) == (Disposition.CALLBACK_ASKED, ())
    assert _reasons(made, Rule.HOURS) == [Reason.CLOSED]


async def test_a_lead_is_the_sales_managers_and_a_customer_the_account_managers(
    running: Stage,
) -> None:
    file = running.service.folder / "new.csv"
    for count, (stage, operator) in enumerate((("lead", "101"), ("customer", "102")), 1):
        file.write_text(
            "name,phones,stage,manager,sales_manager\n"
            f"Newcomer,{company.STRANGER},{stage},102,101\n"
        )
        await _change(running, "import", "clients", str(file))
        made = await _call(running, company.STRANGER, count)
        assert (made.answered_by, [leg.operator for leg in made.legs]) == (operator, [operator])
        reason = Reason.CLIENT_IS_LEAD if stage == "lead" else Reason.CLIENT_KNOWN
        assert _reasons(made, Rule.CLIENT) == [reason]
