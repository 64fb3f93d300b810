"""`make demo`: fetch a real Asterisk, open the office, play the day, show the records.

Then it stays, with its panel, until Ctrl-C; DEMO_EXIT=1 ends it at once.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sys
from pathlib import Path

from tests.demo import company
from tests.demo.day import acts, busy_manager, called_back, crash, heard
from tests.demo.service import DemoError
from tests.demo.stage import Stage, open_stage, wait_until
from tests.demo.transcript import Clock, headline, indented, progress, say
from tests.lab.asterisk_tree import AsteriskTree, ensure_asterisk
from tests.lab.behaviours import answer
from tests.lab.cache import default_cache
from tests.lab.errors import LabError
from tests.lab.redis import RedisTree, ensure_redis

ADMIN = "admin"
FOLDER = Path(__file__).parents[2] / ".build" / "demo"


async def play(tree: AsteriskTree, redis: RedisTree, clock: Clock) -> None:
    """Play the day in FOLDER. Raises DemoError, LabError."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    async with open_stage(FOLDER, tree, progress, redis=redis) as stage:
        password = _add_admin(stage)
        await wait_until(stage.service.is_ready, "every part is ready")
        progress(f"Redis, relay, workers and the panel run: {stage.service.panel}")
        checks = await asyncio.to_thread(stage.service.command, "doctor", "--trunk", "trunk")
        progress(f"dutyline doctor: {checks.strip().splitlines()[-1]}")
        for scene in acts(stage):
            await scene()
        await called_back(stage)
        await busy_manager(stage)
        await crash(stage)
        await heard(stage)
        headline("The day's records: dutyline calls")
        indented(stage.service.command("calls", "--zone", company.ZONE))
        headline("Who would get a call, and why: dutyline explain")
        indented(
            stage.service.command("explain", "--number", "8 900 222-33-44", "--did", company.DID)
        )
        headline("The panel")
        say(
            f"That was the real thing: Asterisk, SIP phones, the dialplan and the service, in "
            f"{clock}. Logs and the database are in {os.path.relpath(FOLDER)}; `make clean` "
            "removes everything."
        )
        print()
        say(f"    {stage.service.panel}")
        say(f"    login {ADMIN}, password {password} (the panel asks for one of your own)")
        print()
        clock.played = True
        if os.environ.get("DEMO_EXIT") != "1":
            await _stay(stage)


def _add_admin(stage: Stage) -> str:
    """Make the panel's first user, as an admin would; return the password."""
    said = stage.service.command("users", "add", ADMIN, "--role", "admin", "--name", "Demo admin")
    return said.rpartition("password:")[2].split()[0]


async def _stay(stage: Stage) -> None:
    """Let clients call now and then, so that the panel has something to show, until Ctrl-C."""
    say("It stays up, and a client calls every 20 seconds, until you press Ctrl-C.")
    for phone in stage.phones.values():
        phone.behaviour = answer(2.0)
    for number in itertools.cycle((company.ROMASHKA, company.STRANGER, company.ORION)):
        caller = await stage.trunk.call(company.DID, number)
        await asyncio.sleep(12)  # ringing and talking
        await caller.hangup()
        await asyncio.sleep(8)


def main() -> int:
    """Run the demo; return its exit code."""
    clock = Clock()
    headline("Dutyline demo: a short working day")
    say(
        "A company with six phones on a real Asterisk. Callers come in through a SIP trunk; "
        "scripted phones ring, answer, stay silent. Times are in ms since the caller dialled."
    )
    print()
    try:
        cache = default_cache()
        tree, redis = ensure_asterisk(cache, progress), ensure_redis(cache, progress)
        asyncio.run(play(tree, redis, clock))
    except (DemoError, LabError) as error:
        print(f"\n✗ the demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n  · stopped")
        return 0 if clock.played else 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
