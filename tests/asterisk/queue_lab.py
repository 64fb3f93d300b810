"""An office in which callers wait in a queue of Dutyline's, on a real Asterisk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from telephony.asterisk.lines import Fallback
from telephony.domain.duty import Shift
from telephony.domain.queueing import QueueSettings
from telephony.domain.setup import Setup
from tests.asterisk.office import Office, office, pbx_files, small_directory, small_setup, until
from tests.lab.asterisk import Asterisk

# Without announcements: app_queue rings nobody for a caller to whom it talks.
QUEUE = QueueSettings(
    "sales",
    ring_seconds=5,
    wrapup_seconds=2,
    max_wait_seconds=20,
    announce_position=False,
    announce_wait=False,
)
# The PBX's own way into the queue: where callers go for whom there is no plan.
WAITING = f"""
[waiting]
exten => s,1,Answer()
 same => n,Queue({QUEUE.pbx_name},ct,,,20)
 same => n,Hangup(17)
"""


class Place(Protocol):
    """Where there is a PBX: an office, or a stage on which the real service runs."""

    pbx: Asterisk


@asynccontextmanager
async def queue_office(
    run: Path, *, listening: bool = True, duty: tuple[str, ...] = ()
) -> AsyncIterator[Office]:
    """Open an office whose fallback is the queue of the group sales."""
    files = pbx_files(Fallback("goto", "waiting,s,1"), own=(QUEUE,))
    files["dutyline_extensions.conf"] += WAITING
    async with office(run, files=files, listening=False) as place:
        place.listener = place.new_listener(queue_setup(*duty), small_directory())
        if listening:
            await place.start_listener()
        try:
            yield place
        finally:
            await place.stop_listener()


def queue_setup(*duty: str, shifts: tuple[Shift, ...] = ()) -> Setup:
    """Return the small set-up with the queue; `duty` are on duty around the clock."""
    setup = small_setup(*duty)
    group = setup.groups["sales"]
    roster = replace(group.roster, shifts=(*group.roster.shifts, *shifts))
    return replace(
        setup,
        groups={"sales": replace(group, roster=roster, queue=QUEUE)},
        default_group=None,
    )


async def console(place: Place, command: str) -> str:
    """Run a console command."""
    return await asyncio.to_thread(place.pbx.cli, command)


async def switch(place: Office, device: str) -> str:
    """Return the state of one of the PBX's custom devices."""
    shown = await console(place, "devstate list")
    found = re.search(rf"{re.escape(device)}'\s+State: '([A-Z_]+)'", shown)
    return found[1] if found else ""


async def members(place: Place, queue: str = QUEUE.pbx_name) -> dict[str, str]:
    """Return interface → the reason of its pause in words of ours, or empty, of a queue."""
    shown = await console(place, f"queue show {queue}")
    found = {}
    for line in shown.splitlines():
        member = re.match(r"\s+(\S+) .*\(realtime|^\s+(\S+/\S+)", line)
        if member is not None:
            paused = re.search(r"\(paused(?::([a-z_]+))?", line)
            found[member[1] or member[2]] = (paused[1] or "paused") if paused else ""
    return found


async def becomes(
    place: Place,
    expected: dict[str, str],
    within: float = 5.0,
    queue: str = QUEUE.pbx_name,
) -> None:
    """Wait until a queue has exactly these members. Raises AssertionError."""
    seen: dict[str, str] = {}

    deadline = asyncio.get_running_loop().time() + within
    while (seen := await members(place, queue)) != expected:
        assert asyncio.get_running_loop().time() < deadline, f"{seen}, not {expected}"
        await asyncio.sleep(0.05)


async def dials(place: Office, extension: str, code: str) -> None:
    """Let a phone dial a feature code and hear it out."""
    call = await place.phones[extension].call(code)
    await call.wait_ended(10)


async def switched(place: Office, device: str, state: str) -> None:
    """Wait until one of the PBX's switches is in a state."""
    await until(lambda: state in place.listener.devices.get(device, ""), 5, f"{device} is {state}")
