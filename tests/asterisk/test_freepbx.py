"""Dutyline behind a FreePBX: the Custom Destination, transfers, “do not disturb”, mobiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony.domain.record import Disposition, Outcome
from tests.asterisk.freepbx_lab import freepbx_files
from tests.asterisk.office import DID, KNOWN, MOBILE, office, until
from tests.lab.behaviours import answer, busy


@pytest.mark.parametrize("dialled", [DID, f"+{DID}"])
async def test_a_call_through_the_custom_destination_reaches_the_manager(
    tmp_path: Path, dialled: str
) -> None:
    async with office(tmp_path, files=freepbx_files()) as place:
        call = await place.trunk.call(dialled, KNOWN)
        ringing = await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        assert ringing.from_name == "Sales: Ромашка"
        await call.hangup()
        (made,) = await place.records.wait()
        assert (made.did, made.number, made.answered_by) == (DID, KNOWN, "101")
        assert made.disposition is Disposition.ANSWERED


async def test_the_fallback_enters_the_queue_of_freepbx(tmp_path: Path) -> None:
    async with office(tmp_path, files=freepbx_files(), listening=False) as place:
        call = await place.trunk.call(DID, KNOWN)
        await place.phones["104"].next_call(5)
        await call.wait_answered(5)
        await call.hangup()


async def test_transfers_go_where_extensions_dial(tmp_path: Path) -> None:
    async with office(tmp_path, files=freepbx_files()) as place:
        call = await place.trunk.call(DID, KNOWN)
        desk = await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        await place.talking()
        assert await desk.refer("400") in (200, 202)
        queue = await place.phones["104"].next_call(5)
        await queue.wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert {leg.operator for leg in made.legs} == {"101", "104"}
        assert made.fallback is None


async def test_an_extension_that_wants_no_calls_is_left_alone(tmp_path: Path) -> None:
    async with office(tmp_path, files=freepbx_files()) as place:
        place.pbx.cli("database put DND 101 YES")
        call = await place.trunk.call(DID, KNOWN)
        # Anna's mobile is next in the plan, then her deputy.
        place.trunk.mobiles[MOBILE[1:]] = busy()
        await place.phones["102"].next_call(10)
        await call.wait_answered(5)
        assert place.phones["101"].calls == []
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.answered_by == "102"
        place.pbx.cli("database del DND 101")
        again = await place.trunk.call(DID, KNOWN)
        await place.phones["101"].next_call(5)
        await again.hangup()


async def test_the_mobile_of_who_forwards_calls_rings_at_once(tmp_path: Path) -> None:
    async with office(tmp_path, files=freepbx_files()) as place:
        # As FreePBX's feature code *72 does.
        place.pbx.cli("devstate change Custom:CF101 BUSY")
        await until(
            lambda: place.listener.devices.get("Custom:CF101") == "BUSY", 5, "forwarding is seen"
        )
        place.trunk.mobiles[MOBILE[1:]] = answer(0.2, press="1")
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(10)
        await place.talking()
        assert place.phones["101"].calls == []
        await call.hangup()
        (made,) = await place.records.wait(within=20)
        assert [(leg.kind, leg.operator) for leg in made.legs] == [("mobile", "101")]


async def test_a_transfer_to_one_who_wants_no_calls_is_freepbxs_to_decide(tmp_path: Path) -> None:
    async with office(tmp_path, files=freepbx_files()) as place:
        place.pbx.cli("database put DND 103 YES")
        call = await place.trunk.call(DID, KNOWN)
        desk = await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        await place.talking()
        assert await desk.refer("103") in (200, 202)
        await place.phones["102"].next_call(5)
        assert place.phones["103"].calls == []
        await call.hangup()
        await place.records.wait()


@pytest.mark.parametrize("routes", [False, True], ids=["trunk", "outbound-routes"])
async def test_a_mobile_is_reached_and_screened_either_way(tmp_path: Path, routes: bool) -> None:
    async with office(tmp_path, files=freepbx_files(routes=routes)) as place:
        place.phones["101"].behaviour = busy()
        place.trunk.mobiles[MOBILE[1:]] = answer(0.2, press="1")
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(20)
        await place.talking()
        await call.hangup()
        (made,) = await place.records.wait(within=20)
        assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "101")
        assert made.talk_ms > 0
        talked = [leg for leg in made.legs if leg.outcome is Outcome.TALKED]
        assert [(leg.kind, leg.operator) for leg in talked] == [("mobile", "101")]
