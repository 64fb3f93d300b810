"""Whatever happens to Dutyline, phones ring: the fallback is 104."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from telephony.domain.record import Disposition
from tests.asterisk.office import (
    DID,
    KNOWN,
    STRANGER,
    Office,
    office,
    small_directory,
    small_setup,
    until,
)
from tests.lab.behaviours import answer
from tests.lab.call import PhoneCall


async def _rings_the_fallback(place: Office, within: float) -> PhoneCall:
    call = await place.trunk.call(DID, KNOWN)
    ringing = await place.phones["104"].next_call(within)
    await call.wait_answered(5)
    assert ringing.invited_at - call.invited_at < within
    assert not place.phones["101"].calls
    return call


def _deaf(event: object, arrived: float) -> None:
    """Hear every event and do nothing about it."""


async def test_never_started(tmp_path: Path) -> None:
    async with office(tmp_path, listening=False) as place:
        call = await _rings_the_fallback(place, 1.0)
        await call.hangup()


async def test_stopped_cleanly_nobody_waits(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        await place.stop_listener()
        call = await _rings_the_fallback(place, 1.0)
        await call.hangup()


async def test_logged_in_but_deaf_costs_at_most_the_wait(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.listener.client._on_event = _deaf
        call = await _rings_the_fallback(place, 2.5)
        await call.hangup()


async def test_a_decision_that_fails_sends_the_caller_to_the_fallback_at_once(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        broken = small_setup("103")
        object.__setattr__(broken, "dids", None)
        place.listener._setup = broken
        call = await _rings_the_fallback(place, 1.0)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.fallback == "planned"
        assert (made.answered_by, made.answered_on) == ("104", "fallback")


async def test_without_app_waitforcond_calls_are_still_routed(tmp_path: Path) -> None:
    async with office(tmp_path, skip_modules=("app_waitforcond",)) as place:
        call = await place.trunk.call(DID, KNOWN)
        await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.answered_by == "101"


async def test_without_app_waitforcond_and_deaf(tmp_path: Path) -> None:
    async with office(tmp_path, skip_modules=("app_waitforcond",)) as place:
        place.listener.client._on_event = _deaf
        call = await _rings_the_fallback(place, 3.5)
        await call.hangup()


async def test_a_call_goes_on_when_the_listener_dies_with_the_plan_sent(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(1.0)
        call = await place.trunk.call(DID, KNOWN)
        await place.phones["101"].next_call(5)
        assert place.running is not None
        place.running.cancel()
        await asyncio.gather(place.running, return_exceptions=True)
        place.running = None
        await call.wait_answered(5)
        await call.hangup()


async def test_nobody_on_duty_and_no_manager_goes_to_the_fallback(tmp_path: Path) -> None:
    async with office(tmp_path, duty=()) as place:
        call = await place.trunk.call(DID, STRANGER)
        await place.phones["104"].next_call(5)
        await call.wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert (made.disposition, made.fallback) == (Disposition.ANSWERED, "planned")
        assert made.answered_by == "104"


class _Cut:
    """A TCP relay to the AMI port that can be cut or go silent."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writers: list[asyncio.StreamWriter] = []
        self.silent = False
        self.connections = 0

    async def start(self) -> int:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self.server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers += [writer, far_writer]
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if not self.silent:
                    writer.write(data)
        writer.close()

    def cut(self) -> None:
        for writer in self.writers:
            writer.close()
        self.writers.clear()


async def _relayed(place: Office) -> _Cut:
    relay = _Cut(place.pbx.ami_port)
    place.listener = place.new_listener(small_setup("103"), small_directory(), await relay.start())
    await place.start_listener()
    return relay


async def test_a_dropped_connection_comes_back_and_the_live_call_is_recorded(
    tmp_path: Path,
) -> None:
    async with office(tmp_path, listening=False) as place:
        relay = await _relayed(place)
        try:
            call = await place.trunk.call(DID, KNOWN)
            await call.wait_answered(5)
            relay.cut()
            await until(lambda: relay.connections == 2, 10, "a new connection")
            await until(lambda: place.listener.client.connected, 10, "logged in again")
            await call.hangup()
            (made,) = await place.records.wait()
            assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "101")
        finally:
            await place.stop_listener()


async def test_a_call_that_ended_during_an_outage_is_lost_not_guessed(tmp_path: Path) -> None:
    async with office(tmp_path, listening=False) as place:
        relay = await _relayed(place)
        try:
            place.phones["103"].behaviour = answer(20)
            call = await place.trunk.call(DID, STRANGER)
            await place.phones["103"].next_call(5)
            relay.silent = True
            relay.cut()
            await call.hangup()
            relay.silent = False
            await until(lambda: place.listener.client.connected, 15, "logged in again")
            (made,) = await place.records.wait()
            assert made.disposition is Disposition.LOST
        finally:
            await place.stop_listener()


async def test_a_silent_link_is_noticed_by_the_missing_pong(tmp_path: Path) -> None:
    async with office(tmp_path, listening=False) as place:
        relay = await _relayed(place)
        try:
            relay.silent = True
            await until(lambda: not place.listener.client.connected, 15, "the silence is noticed")
            relay.silent = False
            await until(lambda: place.listener.client.connected, 15, "logged in again")
        finally:
            await place.stop_listener()


async def test_asterisk_killed_and_started_again(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        await asyncio.to_thread(place.pbx.kill)
        await until(lambda: not place.listener.client.connected, 10, "the loss is noticed")
        await asyncio.to_thread(place.pbx.start)
        await until(lambda: place.listener.client.connected, 20, "logged in again")
        await until(lambda: place.heartbeat() > 0, 5, "a heartbeat")
        for phone in place.phones.values():
            await phone.register()
        call = await place.trunk.call(DID, KNOWN)
        await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        await call.hangup()
        await place.records.wait()
