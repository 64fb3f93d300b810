"""`make demo`: fetch a real Asterisk, open the office, play the day, show the records."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

from tests.demo import company
from tests.demo.day import acts, busy_manager, crash
from tests.demo.service import DemoError
from tests.demo.stage import open_stage
from tests.demo.transcript import Clock, headline, indented, progress, say
from tests.lab.asterisk_tree import AsteriskTree, ensure_asterisk
from tests.lab.cache import default_cache
from tests.lab.errors import LabError

FOLDER = Path(__file__).parents[2] / ".build" / "demo"


async def play(tree: AsteriskTree, clock: Clock) -> None:
    """Play the day in FOLDER. Raises DemoError, LabError."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    async with open_stage(FOLDER, tree, progress) as stage:
        checks = await asyncio.to_thread(stage.service.command, "doctor", "--trunk", "trunk")
        progress(f"dutyline doctor: {checks.strip().splitlines()[-1]}")
        for scene in acts(stage):
            await scene()
        await busy_manager(stage)
        await crash(stage)
        headline("The day's records: dutyline calls")
        indented(stage.service.command("calls", "--zone", company.ZONE))
        headline("Who would get a call, and why: dutyline explain")
        indented(
            stage.service.command("explain", "--number", "8 900 222-33-44", "--did", company.DID)
        )
    print()
    say(
        f"That was the real thing: Asterisk, SIP phones, the dialplan and the service, in {clock}. "
        f"Logs and the database are in {os.path.relpath(FOLDER)}; `make clean` removes everything."
    )


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
        tree = ensure_asterisk(default_cache(), progress)
        asyncio.run(play(tree, clock))
    except (DemoError, LabError) as error:
        print(f"\n✗ the demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
