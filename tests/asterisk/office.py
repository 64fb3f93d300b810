"""A small company on a real Asterisk: phones, a provider, and the listener in this process."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import time as wall
from pathlib import Path

from telephony.ami.client import AmiAddress
from telephony.ami.names import HEARTBEAT
from telephony.asterisk.dialplan import dialplan
from telephony.asterisk.lines import DialplanOptions, Fallback
from telephony.asterisk.manager import ManagerOptions, manager
from telephony.asterisk.queues import queues
from telephony.domain.did import Did
from telephony.domain.directory import Assignment, Client, Directory
from telephony.domain.duty import Roster, Shift
from telephony.domain.events import Joined
from telephony.domain.queueing import QueueSettings
from telephony.domain.record import CallRecord
from telephony.domain.setup import Group, Operator, Setup
from telephony.listener import Listener
from tests.lab.asterisk import Asterisk
from tests.lab.asterisk_tree import ensure_asterisk
from tests.lab.behaviours import answer
from tests.lab.cache import default_cache
from tests.lab.phones import Phone, Trunk

TOKEN = "test-token-0123456789"
SECRET = "listener-secret"
DID = "74951234567"
KNOWN = "+79001112233"
VIP = "+79001112244"
STRANGER = "+79005556677"
MOBILE = "+79161110001"

ALWAYS = frozenset(range(1, 8))
_PLAYING = re.compile(r"<PJSIP/trunk-[^>]*> Playing '([^'.]+)")


def around_the_clock(operator: str) -> Shift:
    """Return a shift that is always on."""
    return Shift(operator, ALWAYS, wall(0, 0), wall(0, 0))


def small_setup(*duty: str, desk_seconds: int = 3, mobile_seconds: int = 6) -> Setup:
    """101 Anna (mobile, deputy 102), 102 Boris, 103 Vera, 104 Gleb; `duty` are on duty."""
    operators = {
        "101": Operator("101", "Anna", "101", MOBILE, "102"),
        "102": Operator("102", "Boris", "102"),
        "103": Operator("103", "Vera", "103"),
        "104": Operator("104", "Gleb", "104"),
    }
    roster = Roster("UTC", tuple(around_the_clock(name) for name in duty))
    did = Did(DID, "sales", "Sales", desk_seconds, mobile_seconds, desk_seconds)
    return Setup(operators, {"sales": Group("sales", roster)}, {DID: did}, "sales")


def small_directory() -> Directory:
    """Romashka has Anna as manager."""
    directory = Directory()
    directory.load(
        [
            (KNOWN, Client(1, "Ромашка", Assignment("101"))),
            (VIP, Client(2, "Very Important", Assignment("101", None, True))),
        ]
    )
    return directory


class Records:
    """A sink that keeps the newest version of each record."""

    def __init__(self) -> None:
        self.by_call: dict[str, CallRecord] = {}

    def put(self, record: CallRecord) -> None:
        self.by_call[record.call_id] = record

    async def wait(self, count: int = 1, within: float = 10.0) -> list[CallRecord]:
        """Return the records once there are `count`, in order of their start."""
        await until(lambda: len(self.by_call) >= count, within, f"{count} records")
        return sorted(self.by_call.values(), key=lambda record: record.started_at)


async def until(true: Callable[[], bool], within: float, what: str) -> None:
    """Poll until a condition holds. Raises AssertionError after `within` seconds."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        await asyncio.sleep(0.02)


class Office:
    """The parts, while the office is open."""

    def __init__(self, pbx: Asterisk, trunk: Trunk, phones: dict[str, Phone]) -> None:
        self.pbx = pbx
        self.trunk = trunk
        self.phones = phones
        self.records = Records()
        self.listener = self.new_listener(small_setup("103"), small_directory())
        self.running: asyncio.Task[None] | None = None

    def new_listener(self, setup: Setup, directory: Directory, port: int | None = None) -> Listener:
        address = AmiAddress("127.0.0.1", port or self.pbx.ami_port, "dutyline", SECRET)
        return Listener(address, TOKEN, "RU", directory, setup, self.records)

    async def start_listener(self) -> None:
        self.running = asyncio.create_task(self.listener.run())
        await until(lambda: self.listener.client.connected, 10, "the listener is connected")
        await until(lambda: self.heartbeat() > 0, 5, "a heartbeat")

    async def stop_listener(self) -> None:
        self.listener.stop()
        if self.running:
            await asyncio.wait_for(self.running, 10)
            self.running = None

    async def talking(self) -> None:
        """Wait until both sides of a call are in the bridge: before that no REFER is honoured."""
        await until(
            lambda: any(
                sum(isinstance(event, Joined) for event in live.call.events) >= 2
                for live in self.listener._calls.values()
                if live.ended is None
            ),
            5,
            "both sides are in the bridge",
        )

    def played(self) -> list[str]:
        """Return the sounds that were played to the provider's side, with `full_log`."""
        return _PLAYING.findall(self.pbx.log())

    def heartbeat(self) -> int:
        """Return the heartbeat's epoch as Asterisk has it."""
        return int(self.pbx.global_variable(HEARTBEAT) or 0)


def pbx_files(
    fallback: Fallback, version: tuple[int, int] = (22, 10), own: tuple[QueueSettings, ...] = ()
) -> dict[str, str]:
    """Return Dutyline's files for the lab's Asterisk; `own` are the groups' queues."""
    options = DialplanOptions(
        TOKEN, fallback, mobile_trunk="trunk", internal_context="internal", queues=own
    )
    return {
        "dutyline_extensions.conf": dialplan(options),
        "dutyline_manager.conf": manager(ManagerOptions("dutyline", SECRET, version)),
        "dutyline_queues.conf": queues(own),
    }


@asynccontextmanager
async def office(
    run: Path,
    *,
    duty: tuple[str, ...] = ("103",),
    fallback: Fallback = Fallback("endpoints", "104", 5),  # noqa: B008
    listening: bool = True,
    skip_modules: tuple[str, ...] = (),
    registered: tuple[str, ...] = ("101", "102", "103", "104"),
    files: Mapping[str, str] | None = None,
    full_log: bool = False,
) -> AsyncIterator[Office]:
    """Open an office: phones answer after 0.2 s until told otherwise.

    `files` replace Dutyline's own for the PBX, and the lab's of the same names. With `full_log` the
    PBX writes down which sounds it plays.
    """
    tree = await asyncio.to_thread(ensure_asterisk, default_cache())
    async with AsyncExitStack() as stack:
        pbx = Asterisk(
            tree,
            run,
            files=files or pbx_files(fallback),
            skip_modules=skip_modules,
            full_log=full_log,
        )
        await asyncio.to_thread(pbx.start)
        stack.callback(pbx.stop)
        trunk = Trunk(("127.0.0.1", pbx.sip_port), (pbx.trunk_ip, pbx.trunk_port))
        await trunk.start()
        stack.push_async_callback(trunk.stop)
        phones: dict[str, Phone] = {}
        for name in registered:
            phones[name] = Phone(name, f"pw{name}", ("127.0.0.1", pbx.sip_port), answer(0.2))
            await phones[name].start()
            stack.push_async_callback(phones[name].stop)
        place = Office(pbx, trunk, phones)
        place.listener = place.new_listener(small_setup(*duty), small_directory())
        if listening:
            await place.start_listener()
            stack.push_async_callback(place.stop_listener)
        yield place
