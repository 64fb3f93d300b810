"""The working day: each act is one real call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from telephony.cli.explain import told
from telephony.domain.callback.cases import Ending
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


async def called_back(stage: Stage) -> None:
    """Let the operator come back: the missed call is called back, by itself. Raises DemoError."""
    headline("8. … and is called back")
    say("Vera is back. Her phone rings: “from phone number …, press 1”. She does; the client hears")
    say("her ringing, and answers.")
    stage.phones["103"].behaviour = answer(0.4, press="1")
    stage.trunk.mobiles[company.STRANGER[1:]] = answer(0.6, talk=3.0)
    print()
    await wait_until(
        lambda: [one.ending for one in stage.service.cases()] == [Ending.CALLED_BACK],
        "the stranger was called back",
        60,
    )
    (case,) = stage.service.cases()
    if case.ended_at is None or case.ended_by is None:
        raise DemoError("nobody knows who called back")
    waited = (case.ended_at - case.origin_at).total_seconds()
    stage.recorded += 1
    await asyncio.to_thread(stage.service.wait_for_records, stage.recorded)
    say(
        f"→ {company.OPERATORS[case.ended_by]} ({case.ended_by}) talked to {case.number} "
        f"{waited:.0f} s after the missed call began: the promise is kept, the case closed."
    )


async def busy_manager(stage: Stage) -> None:
    """Call the manager while she talks on another line."""
    other = await stage.phones["101"].call("106")
    await other.wait_answered(_PATIENCE)
    await act(
        stage,
        "9. The manager is talking",
        "Anna is on the phone with Reception. Dutyline sees it and tries Boris at once.",
        company.ROMASHKA,
        "102",
    )
    await other.hangup()
    stage.recorded += 1  # Anna's call to Reception is on record too, as an internal one
    await asyncio.to_thread(stage.service.wait_for_records, stage.recorded)


async def crash(stage: Stage) -> None:
    """Kill the service while a client talks: phones still ring, and nothing is forgotten."""
    headline("10. Dutyline is killed while a client talks")
    say("Romashka talks to Anna.")
    for phone in stage.phones.values():
        phone.behaviour = answer(0.4)
    talk = await stage.trunk.call(company.DID, company.ROMASHKA)
    await talk.wait_answered(_PATIENCE)
    pids = stage.service.kill()
    print()
    say(
        f"kill -9 {' '.join(map(str, pids))}: every part is gone without a word. They talk on. The "
        "next caller waits for Dutyline at most 1.5 s; 5 s later nobody waits at all."
    )
    await act(
        stage,
        "11. A client calls a dead service",
        "The dialplan takes the admin's fallback by itself: Reception.",
        company.ORION,
        "106",
        recorded=False,
    )
    print()
    say("→ Reception got it. Nobody decided: Dutyline was dead.")
    headline("12. Dutyline is started again")
    stage.service.start()
    await wait_until(stage.answers, "the service is back")
    say("A second later it answers again, and looks at what it missed.")
    await talk.hangup()
    stage.recorded += 2
    found = await asyncio.to_thread(stage.service.wait_for_records, stage.recorded, 30.0)
    print()
    # The PBX's own records know whole seconds only: the two may stand in either order.
    live, gone = sorted(found[-2:], key=lambda record: record.number != company.ROMASHKA)
    _remembered(live, company.ROMASHKA, "101", "the call that was live all the while")
    _remembered(gone, company.ORION, "106", "the call that came and went meanwhile")
    await act(
        stage,
        "13. The next client calls",
        "Business as usual.",
        company.ROMASHKA,
        "101",
    )


def _remembered(record: CallRecord, number: str, by: str, what: str) -> None:
    """Tell of a record that had every chance to be lost. Raises DemoError."""
    if (record.number, record.answered_by) != (number, by):
        raise DemoError(f"{what}: {record.number} answered by {record.answered_by}")
    say(
        f"→ {what}: {number}, {company.OPERATORS[by]} ({by}), talk {record.talk_ms / 1000:.1f} s; "
        f"from {word(record.source, 'en')}"
    )


async def heard(stage: Stage) -> None:
    """Show that another system heard of every call, by the way of relay and workers."""
    receiver = stage.receiver
    if receiver is None:
        raise DemoError("nobody listens to webhooks")
    headline("Another system was told of every call: webhooks")
    calls = {record.call_id for record in await asyncio.to_thread(stage.service.records)}

    def told() -> bool:
        ended = {one.data["call_id"] for one in receiver.heard if one.type == "call.ended"}
        return calls <= ended

    await wait_until(told, f"{len(calls)} webhooks of calls that ended")
    kinds = Counter(one.type for one in receiver.heard)
    for kind, count in sorted(kinds.items()):
        say(f"    {kind:14} {count:3} with a right signature")
    if receiver.refused:
        raise DemoError(f"{receiver.refused} webhooks had a wrong signature")
