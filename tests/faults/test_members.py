"""The members of a queue equal the roster, whichever side is killed, with the real service."""

from __future__ import annotations

import asyncio
import os
import signal

from tests.asterisk.queue_lab import becomes, console, members
from tests.demo import company
from tests.demo.stage import Stage, wait_until, write_pbx_files
from tests.lab.asterisk_tree import AsteriskTree
from tests.lab.behaviours import no_answer

QUEUE = "dutyline-duty"
ON_DUTY = {"PJSIP/103": "", "PJSIP/105": ""}


async def _give_a_queue(stage: Stage, tree: AsteriskTree) -> None:
    """Give the duty group a queue and a second one on duty, as an admin would."""
    file = stage.service.folder / "company.yaml"
    text = file.read_text().replace(
        "  - name: duty\n", "  - name: duty\n    queue: {name: duty, wrapup_seconds: 0}\n"
    )
    line = next(one for one in text.splitlines() if 'operator: "103"' in one)
    file.write_text(text.replace(line, f"{line}\n{line.replace('103', '105')}"))
    await asyncio.to_thread(stage.service.command, "config", "apply", str(file))
    await asyncio.to_thread(write_pbx_files, stage.service, stage.pbx, tree)
    await asyncio.to_thread(stage.pbx.reload)


async def test_kill_9_of_either_side_leaves_the_members_of_the_roster(
    stage: Stage, tree: AsteriskTree
) -> None:
    await _give_a_queue(stage, tree)
    await becomes(stage, ON_DUTY, 10, QUEUE)

    # Dutyline is killed, and everything of it: the members stay, and callers are taken.
    stage.service.kill()
    assert await members(stage, QUEUE) == ON_DUTY
    await console(stage, f"queue remove member PJSIP/103 from {QUEUE}")
    await console(stage, f"queue add member PJSIP/104 to {QUEUE}")
    stage.service.start()
    await becomes(stage, ON_DUTY, 20, QUEUE)

    # Only the listener is killed; its supervisor starts it again.
    (listener,) = stage.service.children()
    os.kill(listener, signal.SIGKILL)
    await console(stage, f"queue remove member PJSIP/103 from {QUEUE}")
    await becomes(stage, ON_DUTY, 20, QUEUE)

    # Asterisk is killed: it remembers the members by itself, and the listener looks again.
    await asyncio.to_thread(stage.pbx.kill)
    await asyncio.to_thread(stage.pbx.start)
    for name in ("103", "105"):
        await stage.phones[name].register()
    await becomes(stage, ON_DUTY, 20, QUEUE)
    await console(stage, f"queue remove member PJSIP/105 from {QUEUE}")
    await becomes(stage, ON_DUTY, 20, QUEUE)

    await wait_until(stage.answers, "it answers again")
    stage.phones["105"].behaviour = no_answer()
    call = await stage.trunk.call(company.DID, company.STRANGER)
    ringing = await stage.phones["103"].next_call(15)
    await ringing.wait_answered(5)
    await call.hangup()
    (made,) = await asyncio.to_thread(stage.service.wait_for_records, 1, 10)
    assert made.answered_by == "103"
