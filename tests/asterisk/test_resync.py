"""The listener loses its connection to a real Asterisk, and finds what became of its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from telephony.asterisk.lines import Fallback
from telephony.domain.record import Disposition, Side, Source
from telephony.pbxlogs import PbxLogs
from telephony.store.engine import reading
from telephony.store.live import list_operator_states
from tests.asterisk.cut_wire import cdr, no_logs, queue_log, service_on, written
from tests.asterisk.office import (
    DID,
    KNOWN,
    STRANGER,
    office,
    until,
)
from tests.asterisk.scenes import PARKING
from tests.lab.behaviours import answer, no_answer

# Written by a caller into the From number; each is aimed at the list of channels.
FORGED = (
    "1\r\n\r\nEvent: StatusComplete\r\nEventList: Complete\r\nListItems: 0",
    "1\r\n\r\nResponse: Error\r\nMessage: no",
    "1\r\nLinkedid: 1795000000.1\r\nUniqueid: 1795000000.1",
    "1\r\n\r\nEvent: Status\r\nPrivilege: Call\r\nChannel: PJSIP/101-1",
)


@pytest.mark.parametrize(
    ("logs", "source", "disposition"),
    [
        (no_logs, Source.EVENTS, Disposition.LOST),
        (cdr, Source.CDR, Disposition.NO_ANSWER),
    ],
    ids=["nothing tells", "cdr"],
)
async def test_calls_that_went_on_and_calls_that_ended_while_the_wire_was_cut(
    tmp_path: Path, logs: Callable[[Path], PbxLogs], source: Source, disposition: Disposition
) -> None:
    async with (
        office(tmp_path, listening=False) as place,
        service_on(place, tmp_path, logs) as service,
    ):
        stays = await place.trunk.call(DID, KNOWN)
        await stays.wait_answered(5)
        for phone in place.phones.values():
            phone.behaviour = no_answer()
        goes = await place.trunk.call(DID, STRANGER)
        await until(lambda: len(service.live()) == 2, 5, "both are live")
        await until(lambda: place.listener.client.seen_at is not None, 5, "a pong")
        await service.cut()
        await goes.hangup()
        await service.mend()
        lost = (await service.recorded(1))[STRANGER]
        assert (lost.disposition, lost.source) == (disposition, source)
        assert lost.decision is not None
        assert [call.number for call in service.live()] == [KNOWN]
        calls = [row for row in written(place) if row.source == STRANGER]
        assert {row.did for row in calls} == {DID}, "a CSV has no column for the DID"
        await stays.hangup()
        kept = (await service.recorded(2))[KNOWN]
        assert (kept.disposition, kept.answered_by, kept.hung_up_by, kept.source) == (
            Disposition.ANSWERED,
            "101",
            Side.CALLER,
            Source.EVENTS,
        )
        assert stays.answered_at is not None
        assert stays.ended_at is not None
        assert abs(kept.talk_ms - (stays.ended_at - stays.answered_at) * 1000) < 300
        assert service.live() == []
        # Whoever called while nobody listened, and was not answered, is somebody to call.
        assert service.facts() == {
            "call.started": 2,
            "call.answered": 1,
            "call.ended": 2,
            "callback.opened": 1,
        }


async def test_the_queue_log_tells_who_gave_up_and_who_talked(tmp_path: Path) -> None:
    async with (
        office(tmp_path, listening=False, fallback=Fallback("queue", "duty", 20)) as place,
        service_on(place, tmp_path, queue_log) as service,
    ):
        queues = (place.pbx.etc / "queues.conf").read_text()
        place.pbx.write("queues.conf", f"{queues}member => PJSIP/104\n")
        await asyncio.to_thread(place.pbx.reload)
        await service.cut()
        place.phones["104"].behaviour = answer(0.1)
        talked = await place.trunk.call(DID, KNOWN)
        await talked.wait_answered(15)
        await talked.hangup()
        place.phones["104"].behaviour = no_answer()
        gave_up = await place.trunk.call(DID, STRANGER)
        log = place.pbx.home / "log" / "queue_log"
        await until(lambda: log.read_text().count("ENTERQUEUE") == 2, 15, "it waits")
        await gave_up.hangup()
        await until(lambda: "|ABANDON|" in log.read_text(), 5, "it is written")
        await service.mend()
        found = await service.recorded(2)
        assert found[KNOWN].disposition is Disposition.ANSWERED
        assert (found[KNOWN].answered_by, found[KNOWN].client_name) == ("104", "Ромашка")
        assert found[STRANGER].disposition is Disposition.ABANDONED
        assert {record.source for record in found.values()} == {Source.QUEUE_LOG}


async def test_what_was_answered_and_who_was_asked_unseen(tmp_path: Path) -> None:
    """An answer while the wire is cut; then a consultation and a parked call at a new start."""
    async with (
        office(tmp_path, listening=False) as place,
        service_on(place, tmp_path, no_logs) as service,
    ):
        place.phones["101"].behaviour = answer(1.0)
        call = await place.trunk.call(DID, KNOWN)
        await until(lambda: [one.ringing for one in service.live()] == [("101",)], 5, "it rings")
        await service.cut()
        await call.wait_answered(5)
        await service.mend()
        (held,) = [one for one in place.phones["101"].calls if one.live]
        await held.hold()
        asking = await place.phones["101"].call("102")
        asked = await place.phones["102"].next_call(5)
        await asking.wait_answered(5)
        await until(lambda: [one.talking for one in service.live()] == [("101", "102")], 5, "asked")
        await service.restart()
        await until(lambda: [one.talking for one in service.live()] == [("101", "102")], 5, "found")
        await asking.hangup()
        await asked.wait_ended(5)
        await held.refer(PARKING)
        await held.wait_ended(5)
        await until(lambda: [one.talking for one in service.live()] == [()], 5, "it is parked")
        await service.restart()
        await call.hangup()
        made = (await service.recorded(1))[KNOWN]
        assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "101")
        assert made.hung_up_by is Side.CALLER
        assert made.answered_at is not None
        assert call.answered_at is not None
        assert call.ended_at is not None
        length = (made.ended_at - made.answered_at) / 1000
        assert abs(length - (call.ended_at - call.answered_at) * 1000) < 300
        assert service.live() == []
        assert service.facts() == {"call.started": 1, "call.answered": 1, "call.ended": 1}


async def test_a_caller_forges_nothing_in_the_list_of_channels(tmp_path: Path) -> None:
    async with (
        office(tmp_path, listening=False) as place,
        service_on(place, tmp_path, no_logs) as service,
    ):
        dialplan = (place.pbx.etc / "extensions.conf").read_text()
        waiting = "exten => 999,1,Answer()\n same => n,Wait(60)\n"
        place.pbx.write(
            "extensions.conf", dialplan.replace("[from-trunk]\n", f"[from-trunk]\n{waiting}")
        )
        await asyncio.to_thread(place.pbx.reload)
        genuine = await place.trunk.call(DID, KNOWN)
        await genuine.wait_answered(5)
        await until(lambda: len(service.live()) == 1, 5, "it is live")
        for number in FORGED:
            # Not through our dialplan, which would leave digits only.
            attack = await place.trunk.call(
                "999", from_header=f"<sip:{quote(number, safe='')}@127.0.0.2>"
            )
            await attack.wait_answered(5)
            listed = await place.listener.client.list_channels()
            assert not listed.whole
            assert {"PJSIP/101-00000001", "PJSIP/trunk-00000000"} <= {
                channel.name for channel in listed.channels
            }
        await service.cut()
        await service.mend()
        assert genuine.live
        assert [call.number for call in service.live()] == [KNOWN]
        assert not service.records()
        await genuine.hangup()
        made = (await service.recorded(1))[KNOWN]
        assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "101")
        assert service.facts() == {"call.started": 1, "call.answered": 1, "call.ended": 1}


async def test_who_is_paused_in_the_queues_is_known_after_a_cut_too(tmp_path: Path) -> None:
    async with (
        office(tmp_path, listening=False) as place,
        service_on(place, tmp_path, no_logs) as service,
    ):

        def doing(extension: str) -> str:
            with reading(service.engine) as session:
                states = list_operator_states(session)
            return next((str(one.state) for one in states if one.extension == extension), "")

        async def console(command: str) -> None:
            await asyncio.to_thread(place.pbx.cli, command)

        await until(lambda: doing("102") == "free", 5, "it is free")
        await console("queue add member PJSIP/102 to duty")
        await console("queue pause member PJSIP/102")
        await until(lambda: doing("102") == "paused", 5, "a pause is seen")
        await console("queue unpause member PJSIP/102")
        await until(lambda: doing("102") == "free", 5, "its end is seen")
        await service.cut()
        await console("queue pause member PJSIP/102")
        await service.mend()
        await until(lambda: doing("102") == "paused", 5, "a pause unseen is known")
        await console("queue remove member PJSIP/102 from duty")
        await until(lambda: doing("102") == "free", 5, "no member, no pause")
