"""What happens in the gaps of sight of a listener: before a restart, in a cut, at a login."""

from __future__ import annotations

import asyncio
from pathlib import Path

from telephony.domain.channels import Listed
from telephony.domain.record import Direction, Disposition, Side, Source
from tests.asterisk import scenes
from tests.asterisk.cut_wire import Service, cdr, no_logs, queue_log, service_on
from tests.asterisk.office import DID, KNOWN, office, until
from tests.lab.behaviours import answer

CLIENT = "79161110001"


async def _one_record(service: Service) -> None:
    """Wait until nothing is live and everything has been written."""
    await until(lambda: not service.live(), 10, "nothing is live")
    await until(lambda: service.facts().get("call.ended", 0) >= 1, 10, "it is recorded")


async def test_a_call_sent_on_before_a_restart_is_recorded_whole(tmp_path: Path) -> None:
    """101 calls a client and sends them to 102; then Dutyline starts anew."""
    async with (
        office(tmp_path, listening=False) as place,
        service_on(place, tmp_path, no_logs) as service,
    ):
        call = await scenes._placed(place, answer(0.1))
        client = await place.trunk.next_call(5)
        await call.wait_answered(5)
        await place.talking()
        await call.refer("102")
        colleague = await place.phones["102"].next_call(5)
        await colleague.wait_answered(5)
        await call.wait_ended(5)
        await until(
            lambda: ["102" in one.talking for one in service.live()] == [True], 5, "sent on"
        )
        (before,) = service.live()
        await service.restart()
        # What the process before told of it stands there until it is found again.
        await until(
            lambda: [one.revision > before.revision for one in service.live()] == [True],
            5,
            "it is found",
        )
        (found,) = service.live()
        assert found.call_id == before.call_id
        assert (found.direction, found.placed_by) == (Direction.OUT, "101")
        assert set(found.talking) == set(before.talking)
        await client.hangup()
        await _one_record(service)
        (made,) = service.records().values()
        assert (made.direction, made.placed_by, made.disposition) == (
            Direction.OUT,
            "101",
            Disposition.ANSWERED,
        )
        assert (made.number, made.client_name) == (before.number, before.client_name)
        assert made.answered_at == before.answered_at
        assert service.facts() == {"call.started": 1, "call.answered": 1, "call.ended": 1}


async def test_a_consultation_that_ends_in_a_cut_is_no_call_of_its_own(tmp_path: Path) -> None:
    async with (
        office(tmp_path, listening=False) as place,
        service_on(place, tmp_path, cdr) as service,
    ):
        call, desk = await scenes._called(place)
        asking, asked = await scenes._consulting(place, desk)
        await until(lambda: [one.talking for one in service.live()] == [("101", "102")], 5, "asked")
        await service.cut()
        await asking.hangup()
        await asked.wait_ended(5)
        await service.mend()
        await desk.hold(on=False)
        await call.hangup()
        await _one_record(service)
        await until(lambda: not service.resync.unwritten, 10, "the outage is settled")
        await until(lambda: service.resync._pending is None, 10, "the logs are read")
        (made,) = service.records().values()
        assert made.direction is Direction.IN
        assert service.facts() == {"call.started": 1, "call.answered": 1, "call.ended": 1}


async def test_a_call_that_ends_between_the_login_and_the_list_keeps_its_events(
    tmp_path: Path,
) -> None:
    async with (
        office(tmp_path, listening=False) as place,
        service_on(place, tmp_path, no_logs) as service,
    ):
        call, _ = await scenes._called(place)
        await until(lambda: [one.talking for one in service.live()] == [("101",)], 5, "they talk")
        await service.cut()
        client = service.listener.client
        real, entered, go = client.list_channels, asyncio.Event(), asyncio.Event()

        async def late() -> Listed:
            entered.set()
            await go.wait()
            return await real()

        client.list_channels = late  # type: ignore[method-assign]
        service.wire.mend()
        await asyncio.wait_for(entered.wait(), 20)
        await call.hangup()
        await until(lambda: len(client._protocol.packets) > 3, 5, "its end has come in")  # type: ignore[union-attr]
        go.set()
        await until(lambda: client.connected, 20, "it is connected")
        made = (await service.recorded(1))[KNOWN]
        await until(lambda: service.records()[KNOWN].hung_up_by is Side.CALLER, 5, "by its events")
        made = service.records()[KNOWN]
        assert call.answered_at is not None
        assert call.ended_at is not None
        assert abs(made.talk_ms - (call.ended_at - call.answered_at) * 1000) < 300
        assert made.decision is not None
        assert [(leg.operator, leg.talk_ms) for leg in made.legs] == [("101", made.talk_ms)]
        assert service.facts() == {"call.started": 1, "call.answered": 1, "call.ended": 1}


async def test_a_call_that_is_gone_stays_live_over_a_second_login(tmp_path: Path) -> None:
    """Until its record is written, so that the next process would find it."""
    async with (
        office(tmp_path, listening=False) as place,
        service_on(place, tmp_path, queue_log) as service,
    ):
        call, _ = await scenes._called(place)
        await until(lambda: [one.talking for one in service.live()] == [("101",)], 5, "they talk")
        await service.cut()
        await call.hangup()
        await service.mend()
        await until(lambda: len(service.resync.unwritten) == 1, 5, "it waits for the queue_log")
        await service.cut()
        await service.mend()
        looks = 0
        while service.resync.unwritten:
            assert service.live() or service.records(), "it is nowhere, should this process die"
            looks += 1
            await asyncio.sleep(0.05)
        assert looks > 10, "it has waited, and the second login has been told meanwhile"
        made = (await service.recorded(1))[KNOWN]
        assert made.disposition is Disposition.ANSWERED
        assert service.live() == []


async def test_what_the_cdr_tells_of_a_call_reaches_its_legs(tmp_path: Path) -> None:
    async with (
        office(tmp_path, listening=False) as place,
        service_on(place, tmp_path, cdr) as service,
    ):
        call, _ = await scenes._called(place)
        await until(lambda: [one.talking for one in service.live()] == [("101",)], 5, "they talk")
        await until(lambda: place.listener.client.seen_at is not None, 5, "a pong")
        await service.cut()
        assert call.answered_at is not None
        over = call.answered_at + 3
        loop = asyncio.get_running_loop()
        await until(lambda: loop.time() > over, 5, "they have talked a while")
        await call.hangup()
        await service.mend()
        made = (await service.recorded(1))[KNOWN]
        assert made.source is Source.CDR
        assert made.talk_ms >= 1500, "the CDR tells whole seconds"
        assert [(leg.operator, leg.talk_ms) for leg in made.legs] == [("101", made.talk_ms)]


async def test_a_feature_code_in_an_outage_is_no_call(tmp_path: Path) -> None:
    async with (
        office(tmp_path, listening=False) as place,
        service_on(place, tmp_path, cdr) as service,
    ):
        await scenes.give_dialplan(place)
        await until(lambda: place.listener.client.seen_at is not None, 5, "a pong")
        await service.cut()
        echo = await place.phones["101"].call(scenes.ECHO)
        await echo.wait_answered(5)
        await echo.hangup()
        known = await place.trunk.call(DID, KNOWN)
        await known.wait_answered(15)
        await known.hangup()
        await service.mend()
        await service.recorded(1)
        await until(lambda: service.resync._pending is None, 10, "the outage is settled")
        assert set(service.records()) == {KNOWN}
