"""How long callers wait after a reconnect: 500 live calls looked at before events are handled."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import time
from pathlib import Path

from telephony.ami import actions
from telephony.ami.client import AmiAddress
from telephony.ami.listing import VARIABLES
from telephony.ami.oneshot import session
from telephony.asterisk.manager import ManagerOptions, manager
from telephony.domain.directory import Directory
from telephony.domain.record import CallRecord
from telephony.listener import Listener
from tests.bench import people
from tests.bench.tables import Report, Table, quantile
from tests.lab.asterisk import Asterisk
from tests.lab.asterisk_tree import ensure_asterisk
from tests.lab.cache import default_cache
from tests.lab.errors import LabError

CALLS = 500
MOST_SECONDS = 1.5  # a caller who comes meanwhile goes to the fallback after that
USER, SECRET, TOKEN = "dutyline", "bench-secret", "bench-token-0123456789"
# Both halves of a Local channel: two channels for each call, as with a caller and a phone.
_DIALPLAN = """\
[bench]
exten => hold,1,Set(__DL_CALL=${CHANNEL(linkedid)})
 same => n,Set(__DL_DID=74951234567)
 same => n,Answer()
 same => n,Wait(600)
"""


class _Nowhere:
    def put(self, record: CallRecord) -> None:
        """Take no record."""


def run(quick: bool) -> Report:
    """Measure the bare list and both kinds of resync, in turns."""
    tree = ensure_asterisk(default_cache(), print)
    version = [int(part) for part in tree.version.split(".")]
    files = {
        "dutyline_extensions.conf": _DIALPLAN,
        "dutyline_manager.conf": manager(ManagerOptions(USER, SECRET, (version[0], version[1]))),
    }
    rounds = 3 if quick else 12
    with (
        tempfile.TemporaryDirectory(prefix="dutyline-bench-") as folder,
        Asterisk(tree, Path(folder), files=files) as pbx,
    ):
        _make_calls(pbx)
        measured = asyncio.run(_measure(pbx.ami_port, rounds))
    report = Report()
    table = Table(
        f"{CALLS} live calls, {2 * CALLS} channels, ms over {rounds} rounds",
        ("", "p50", "longest", "ratio"),
    )
    bare = quantile(measured["bare Status list"], 0.5)
    for name, values in measured.items():
        middle = quantile(values, 0.5)
        table.add(name, f"{middle:.0f}", f"{max(values):.0f}", f"× {middle / bare:.2f}")
    report.tables.append(table)
    longest = max(max(values) for values in measured.values()) / 1000
    report.target(
        longest <= MOST_SECONDS,
        f"resync of {CALLS} live calls takes at most {MOST_SECONDS:.1f} s: {longest:.2f} s",
    )
    return report


def _make_calls(pbx: Asterisk) -> None:
    address = AmiAddress("127.0.0.1", pbx.ami_port, "lab", "labsecret")
    with session(address) as ami:
        for _ in range(CALLS):
            ami.ask(
                (
                    ("Action", "Originate"),
                    ("Channel", "Local/hold@bench/n"),
                    ("Application", "Wait"),
                    ("Data", "600"),
                    ("Async", "true"),
                )
            )
    deadline = time.monotonic() + 60
    while f"{2 * CALLS} active channels" not in pbx.cli("core show channels count"):
        if time.monotonic() > deadline:
            raise LabError(pbx.cli("core show channels count"))
        time.sleep(0.1)


async def _measure(port: int, rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of each round by what was measured."""
    found: dict[str, list[float]] = {
        "bare Status list": [],
        "resync, calls not known": [],
        "resync, calls followed": [],
    }
    address = AmiAddress("127.0.0.1", port, USER, SECRET)
    for _ in range(rounds):
        found["bare Status list"].append(await asyncio.to_thread(_bare, port) * 1000)
        listener = Listener(address, TOKEN, "RU", Directory(), people.setup(200), _Nowhere())
        running = asyncio.create_task(listener.run())
        found["resync, calls not known"].append(await _connected(listener) * 1000)
        protocol = listener.client._protocol
        assert protocol is not None
        protocol.transport.abort()
        while listener.client.connected:
            await asyncio.sleep(0.005)
        found["resync, calls followed"].append(await _connected(listener) * 1000)
        listener.stop()
        await running
    return found


async def _connected(listener: Listener) -> float:
    """Wait until it is up and return how long its resync took, in seconds."""
    deadline = time.monotonic() + 30
    while not listener.client.connected:
        if time.monotonic() > deadline:
            raise LabError("the listener does not connect")
        await asyncio.sleep(0.005)
    if listener.live_calls != CALLS:
        raise LabError(f"{listener.live_calls} calls are followed instead of {CALLS}")
    return listener.resync_seconds


def _bare(port: int) -> float:
    """Return the seconds from asking for the list to its last byte, without reading it."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        peer.sendall(actions.render(actions.login(USER, SECRET)))
        _until(peer, b"Authentication accepted")
        began = time.perf_counter()
        peer.sendall(actions.render((*actions.channels(VARIABLES), ("ActionID", "bare"))))
        _until(peer, b"Event: StatusComplete")
        return time.perf_counter() - began


def _until(peer: socket.socket, mark: bytes) -> None:
    read = b""
    while mark not in read:
        more = peer.recv(1 << 20)
        if not more:
            raise LabError("the connection broke")
        read = read[-len(mark) :] + more
