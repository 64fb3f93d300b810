"""The AMI client against a scripted manager that misbehaves in every way we know."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from telephony.ami import actions
from telephony.ami.client import AmiAddress, AmiClient, AmiError
from telephony.ami.decode import Decoder
from telephony.domain.events import DeviceChanged, Event

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


def device(name: str, state: str = "BUSY") -> bytes:
    return (
        b"Event: DeviceStateChange\r\nPrivilege: call,all\r\nTimestamp: 1795331600.000001\r\n"
        + f"Device: {name}\r\nState: {state}\r\n\r\n".encode()
    )


class Manager:
    """A manager interface that answers as told and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.connections = 0
        self.refuse_login = False
        self.refused = 0
        self.silent: set[str] = set()
        self.extra: dict[str, bytes] = {}
        self.writer: asyncio.StreamWriter | None = None
        self.greeting = GREETING

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writer = writer
        writer.write(self.greeting)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                packet = (await reader.readuntil(b"\r\n\r\n")).decode()
                pairs = [line.partition(": ") for line in packet.strip().split("\r\n")]
                fields = {name: value for name, _, value in pairs}
                self.asked.append(fields)
                self._answer(fields, writer)

    def _answer(self, fields: dict[str, str], writer: asyncio.StreamWriter) -> None:
        name = fields["Action"]
        if name in self.silent or "ActionID" not in fields:
            return
        head = f"ActionID: {fields['ActionID']}\r\n"
        if name == "Login" and self.refuse_login:
            self.refused += 1
            writer.write(
                f"Response: Error\r\n{head}Message: Authentication failed\r\n\r\n".encode()
            )
            return
        if name == "DeviceStateList":
            writer.write(
                f"Response: Success\r\n{head}EventList: start\r\n"
                "Message: Device State Changes will follow\r\n\r\n"
                f"Event: DeviceStateChange\r\n{head}Device: PJSIP/1\r\nState: INUSE\r\n\r\n"
                f"Event: DeviceStateChange\r\n{head}Device: PJSIP/2\r\nState: BUSY\r\n\r\n"
                f"Event: DeviceStateListComplete\r\n{head}EventList: Complete\r\n\r\n".encode()
            )
            return
        pong = f"Ping: Pong\r\nTimestamp: {time.time():.6f}\r\n" if name == "Ping" else ""
        writer.write(self.extra.get(name, b""))
        writer.write(f"Response: Success\r\n{head}{pong}\r\n".encode())

    def said(self, action: str) -> list[dict[str, str]]:
        return [fields for fields in self.asked if fields["Action"] == action]


class Bench:
    """A client, its manager, and the events it handed on."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.events: list[Event] = []
        self.fail_on: str | None = None
        self.client: AmiClient

    def take(self, event: Event, _arrived: float) -> None:
        if isinstance(event, DeviceChanged) and event.device == self.fail_on:
            raise RuntimeError("poison")
        self.events.append(event)

    def devices(self) -> list[str]:
        return [event.device for event in self.events if isinstance(event, DeviceChanged)]


@asynccontextmanager
async def running(
    manager: Manager | None = None,
    on_up: Callable[[], Awaitable[None]] | None = None,
    wait: bool = True,
    answer_timeout: float = 0.4,
) -> AsyncIterator[Bench]:
    manager = manager or Manager()
    server = await asyncio.start_server(manager.serve, "127.0.0.1", 0)
    bench = Bench(manager)
    address = AmiAddress(
        "127.0.0.1",
        server.sockets[0].getsockname()[1],
        "dutyline",
        "secret",
        connect_timeout=0.5,
        answer_timeout=answer_timeout,
        heartbeat_every=0.05,
    )
    bench.client = AmiClient(address, Decoder("t"), bench.take, on_up)
    task = asyncio.create_task(bench.client.run())
    try:
        if wait:
            await until(lambda: bench.client.connected)
        yield bench
    finally:
        bench.client.stop()
        await asyncio.wait_for(task, 10)
        server.close()


async def until(true: Callable[[], bool], within: float = 8.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_it_logs_in_beats_and_says_goodbye() -> None:
    async with running() as bench:
        await until(lambda: len(bench.manager.said("Ping")) >= 3)
        assert bench.client.clock_offset is not None
        assert abs(bench.client.clock_offset) < 2
    beats = [fields["Value"] for fields in bench.manager.said("Setvar")]
    assert abs(int(beats[0]) - time.time()) < 10
    assert beats[-1] == "0", "callers who come after a clean stop do not wait"
    assert bench.manager.said("Logoff")


async def test_a_list_is_answered_whole() -> None:
    async with running() as bench:
        answer = await bench.client.ask(actions.device_states())
    assert [item.get("device") for item in answer] == [None, "PJSIP/1", "PJSIP/2", None]
    assert not bench.events, "items of a list are no events"


async def test_bad_packets_and_a_raising_handler_cost_only_themselves() -> None:
    async with running() as bench:
        bench.fail_on = "PJSIP/2"
        assert bench.manager.writer is not None
        bench.manager.writer.write(
            b"\xff\xfe\r\n\r\n"
            + b"Response: Success\r\nActionID: guessed\r\n\r\n"
            + b"Response\r\n\r\n\r\n\r\n"
            + device("PJSIP/1")
            + device("PJSIP/2")
            + b"Event: DeviceStateChange\r\nDevice: PJSIP/9\r\n\r\n"
            + b"Event: Unheard\r\nPrivilege: call,all\r\n\r\n"
            + device("PJSIP/3")
        )
        await until(lambda: len(bench.events) == 2)
        assert bench.devices() == ["PJSIP/1", "PJSIP/3"]
        counters = bench.client.decoder.counters
        assert (counters.malformed, counters.unwanted) == (1, 1)
        assert bench.manager.connections == 1


async def test_a_burst_is_handled_in_order_and_pongs_still_pass() -> None:
    async with running(answer_timeout=5.0) as bench:
        assert bench.manager.writer is not None
        names = [f"PJSIP/{n}" for n in range(60_000)]
        bench.manager.writer.write(b"".join(map(device, names)))
        await until(lambda: len(bench.events) == 60_000, 30)
        assert bench.devices() == names
        assert bench.manager.connections == 1


async def test_a_missing_pong_ends_the_connection() -> None:
    async with running() as bench:
        bench.manager.silent.add("Ping")
        await until(lambda: not bench.client.connected)
        bench.manager.silent.clear()
        await until(lambda: bench.client.connected)
        assert bench.manager.connections == 2


async def test_an_action_in_flight_when_the_link_breaks_is_unknown_and_never_sent_again() -> None:
    async with running() as bench:
        bench.manager.silent.add("Getvar")
        asked = asyncio.create_task(bench.client.ask(actions.call_of("PJSIP/1-1")))
        await until(lambda: len(bench.manager.said("Getvar")) == 1)
        assert bench.manager.writer is not None
        bench.manager.writer.close()
        with pytest.raises(AmiError, match="outcome unknown"):
            await asked
        await until(lambda: bench.manager.connections == 2 and bench.client.connected)
        await until(lambda: len(bench.manager.said("Ping")) > 3)
        assert len(bench.manager.said("Getvar")) == 1


async def test_no_answer_in_time_is_an_unknown_outcome() -> None:
    async with running() as bench:
        bench.manager.silent.add("Getvar")
        with pytest.raises(AmiError, match="no answer to Getvar: outcome unknown"):
            await bench.client.ask(actions.call_of("PJSIP/1-1"), within=0.05)


async def test_a_refused_login_is_tried_again_ever_more_slowly() -> None:
    manager = Manager()
    manager.refuse_login = True
    async with running(manager, wait=False) as bench:
        await until(lambda: manager.refused >= 1)
        with pytest.raises(AmiError, match="nothing was sent"):
            await bench.client.ask(actions.ping())
        with pytest.raises(AmiError, match="nothing was sent"):
            bench.client.send((actions.heartbeat(1),))
        began = time.monotonic()
        manager.refuse_login = False
        await until(lambda: bench.client.connected)
        assert time.monotonic() - began > 0.5, "it did not storm"


async def test_what_is_no_manager_is_left_alone_and_tried_again() -> None:
    manager = Manager()
    manager.greeting = b""
    async with running(manager, wait=False) as bench:
        await until(lambda: manager.connections >= 2)
        manager.greeting = GREETING
        await until(lambda: bench.client.connected)


async def test_on_up_runs_before_any_event_is_handled() -> None:
    order: list[str] = []
    manager = Manager()
    manager.extra["Getvar"] = device("PJSIP/1")
    bench_box: list[Bench] = []

    async def on_up() -> None:
        await bench_box[0].client.ask(actions.call_of("PJSIP/1-1"))
        order.append("up")

    async with running(manager, on_up, wait=False) as bench:
        bench_box.append(bench)
        bench.client._on_event = lambda _event, _arrived: order.append("event")
        await until(lambda: "event" in order)
    assert order[:2] == ["up", "event"]


async def test_an_endless_packet_ends_the_connection() -> None:
    async with running() as bench:
        assert bench.manager.writer is not None
        bench.manager.writer.write(b"Event: X" * 200_000)
        await until(lambda: bench.manager.connections == 2)
        await until(lambda: bench.client.connected)


async def test_a_break_with_an_answer_pending_is_noticed_at_once() -> None:
    async with running() as bench:
        bench.manager.silent |= {"Getvar", "Ping"}
        asked = asyncio.create_task(bench.client.ask(actions.call_of("PJSIP/1-1"), within=30))
        await until(lambda: len(bench.manager.said("Getvar")) == 1)
        began = time.monotonic()
        assert bench.manager.writer is not None
        bench.manager.writer.transport.abort()
        with pytest.raises(AmiError, match="the connection broke"):
            await asked
        assert time.monotonic() - began < 0.3
        bench.manager.silent.clear()
        await until(lambda: bench.manager.connections == 2 and bench.client.connected)


async def test_events_that_came_before_the_break_are_handled() -> None:
    async with running() as bench:
        assert bench.manager.writer is not None
        bench.manager.writer.write(b"".join(device(f"PJSIP/{n}") for n in range(5000)))
        bench.manager.writer.close()
        await until(lambda: bench.manager.connections == 2)
        await until(lambda: len(bench.events) == 5000)
