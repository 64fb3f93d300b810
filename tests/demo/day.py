"""The working day: each act is one real call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from telephony.cli.explain import told
from telephony.domain.record import CallRecord, Disposition
from telephony.domain.routing import Kind
from telephony.words import say as word
from tests.demo import company
from tests.demo.service import DemoError
from tests.demo.stage import Stage, wait_until
from tests.demo.transcript import Watch, headline, indented, say
from tests.lab.behaviours import Behaviour, answer, no_answer, voicemail

_PATIENCE = 30.0


async def act(
    stage: Stage,
    title: str,
    story: str,
    number: str,
    expected: str | None,
    behaviours: Mapping[str, Behaviour] | None = None,
    mobile: Behaviour | None = None,
    recorded: bool = True,
) -> None:
    """Play one call and print it. `expected` is who must get it: an extension, None for nobody.

    Raises DemoError when somebody else gets it: the demo proves what it shows.
    """
    headline(title)
    say(story)
    print()
    for name, phone in stage.phones.items():
        phone.behaviour = (behaviours or {}).get(name, answer(0.4))
    if mobile is not None:
        stage.trunk.mobiles[company.MOBILE[1:]] = mobile
    caller = await stage.trunk.call(company.DID, number)
    watch = Watch(caller, stage.titles())
    try:
        if expected is None:
            await caller.wait_ended(_PATIENCE)
        else:
            await caller.wait_answered(_PATIENCE)
            await asyncio.sleep(0.6)  # they talk
            await caller.hangup()
        await asyncio.sleep(0.15)
    finally:
        await watch.stop()
    if recorded:
        stage.recorded += 1
        found = await asyncio.to_thread(stage.service.wait_for_records, stage.recorded)
        _verdict(found[-1], stage, expected)


def _verdict(record: CallRecord, stage: Stage, expected: str | None) -> None:
    language = stage.service.language
    if record.answered_by != expected:
        raise DemoError(f"{expected} should have got this call, but {record.answered_by} did")
    print()
    if record.disposition is Disposition.ANSWERED and record.answered_by and record.answered_on:
        who = company.OPERATORS[record.answered_by]
        how = word(Kind(record.answered_on), language)
        say(
            f"→ {who} ({record.answered_by}) got it on the {how} after {record.wait_ms:,} ms; "
            f"Dutyline decided in {record.decided_ms:.1f} ms."
        )
    else:
        say(
            f"→ Missed after {record.wait_ms:,} ms, recorded as "
            f"“{word(record.disposition, language)}”."
        )
    if record.decision is not None:
        indented(told(record.decision, stage.setup, language))


def acts(stage: Stage) -> list[Callable[[], Awaitable[None]]]:
    """Return the day, act by act."""
    quiet = no_answer()
    return [
        lambda: act(
            stage,
            "1. A known client calls",
            "Romashka's manager is Anna. She is at her desk.",
            company.ROMASHKA,
            "101",
        ),
        lambda: act(
            stage,
            "2. The manager is not at her desk",
            "After 2 s her mobile rings. Whoever picks it up must press 1; the caller hears "
            "ringing until then.",
            company.ROMASHKA,
            "101",
            {"101": quiet},
            answer(0.4, press="1"),
        ),
        lambda: act(
            stage,
            "3. Her mobile's voicemail picks up",
            "A voicemail presses nothing, so it cannot swallow the call: her deputy Boris gets it.",
            company.ROMASHKA,
            "102",
            {"101": quiet},
            voicemail(0.2),
        ),
        lambda: act(
            stage,
            "4. The manager is at lunch",
            "Orion's manager Gleb is at lunch, without a deputy: whoever is on duty takes it.",
            company.ORION,
            "103",
        ),
        lambda: act(
            stage,
            "5. The manager has gone home",
            "Vega's manager Dina is off shift since an hour.",
            company.VEGA,
            "103",
        ),
        lambda: act(
            stage,
            "6. A stranger calls",
            "Nobody knows this number: Vera is on duty.",
            company.STRANGER,
            "103",
        ),
        lambda: act(
            stage,
            "7. Nobody answers",
            "Vera is away from her desk. The caller is not forgotten: the call is on record.",
            company.STRANGER,
            None,
            {"103": quiet},
        ),
    ]


async def busy_manager(stage: Stage) -> None:
    """Call the manager while she talks on another line."""
    other = await stage.phones["101"].call("106")
    await other.wait_answered(_PATIENCE)
    await act(
        stage,
        "8. The manager is talking",
        "Anna is on the phone with Reception. Dutyline sees it and tries Boris at once.",
        company.ROMASHKA,
        "102",
    )
    await other.hangup()


async def crash(stage: Stage) -> None:
    """Kill the service in mid-day: phones still ring; start it again: calls are routed again."""
    headline("9. Dutyline is killed")
    pids = stage.service.kill()
    say(
        f"kill -9 {' '.join(map(str, pids))}: the service is gone without a word. The next caller "
        "waits for it at most 1.5 s; 5 s later nobody waits at all."
    )
    await act(
        stage,
        "10. A client calls a dead service",
        "The dialplan takes the admin's fallback by itself: Reception.",
        company.ROMASHKA,
        "106",
        recorded=False,
    )
    print()
    say("→ Reception got it. Nobody decided and nobody recorded: Dutyline was dead.")
    headline("11. Dutyline is started again")
    stage.service.start()
    await wait_until(stage.answers, "the service is back")
    say("A second later it answers again.")
    await act(
        stage,
        "12. The next client calls",
        "Business as usual.",
        company.ROMASHKA,
        "101",
    )
