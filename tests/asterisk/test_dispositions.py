"""Every way a call can end, on the real Asterisk with real SIP phones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from telephony.domain.call import Phase
from telephony.domain.did import Did
from telephony.domain.directory import Assignment, Client, ClientChange
from telephony.domain.duty import Roster
from telephony.domain.record import Disposition, Outcome, Side
from telephony.domain.routing import Kind
from telephony.domain.setup import Group, Operator, Setup
from tests.asterisk.office import (
    DID,
    KNOWN,
    MOBILE,
    STRANGER,
    around_the_clock,
    office,
    small_setup,
    until,
)
from tests.lab.behaviours import answer, busy, decline, no_answer, voicemail
from tests.lab.phones import Phone


async def test_the_manager_answers_at_the_desk_and_the_caller_hangs_up(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        call = await place.trunk.call(DID, KNOWN)
        ringing = await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.ANSWERED
        assert (made.answered_by, made.answered_on) == ("101", Kind.DESK)
        assert made.hung_up_by is Side.CALLER
        assert made.client_id == 1
        assert 150 <= made.wait_ms < 2000
        assert made.decided_ms is not None
        assert ringing.from_name == "Sales: Ромашка"
        assert ringing.from_number == KNOWN


async def test_the_operator_hangs_up(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(0.1, talk=0.5)
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_ended(8)
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.ANSWERED
        assert made.hung_up_by is Side.OPERATOR
        assert 400 <= made.talk_ms < 1500


async def test_desk_then_screened_mobile(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = no_answer()
        place.trunk.mobiles[MOBILE[1:]] = answer(0.2, press="1")
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(15)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.ANSWERED
        assert (made.answered_by, made.answered_on) == ("101", Kind.MOBILE)
        assert [leg.outcome for leg in made.legs] == [Outcome.NO_ANSWER, Outcome.TALKED]


async def test_a_mobiles_voicemail_does_not_swallow_the_call(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = no_answer()
        place.trunk.mobiles[MOBILE[1:]] = voicemail(0.2)
        call = await place.trunk.call(DID, KNOWN)
        await place.phones["102"].next_call(30)
        assert call.answered_at is None, "the caller must not hear the voicemail"
        await call.wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "102")
        assert [leg.outcome for leg in made.legs] == [
            Outcome.NO_ANSWER,
            Outcome.REFUSED,
            Outcome.TALKED,
        ]


async def test_a_busy_manager_then_the_deputy(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = busy()
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(10)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.answered_by == "102"
        assert made.legs[0].outcome is Outcome.BUSY


async def test_a_stranger_reaches_whoever_is_on_duty_on_all_contacts(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        second = Phone("103", "pw103", ("127.0.0.1", place.pbx.sip_port), answer(0.3))
        await second.start()
        place.phones["103"].behaviour = no_answer()
        try:
            call = await place.trunk.call(DID, STRANGER)
            await place.phones["103"].next_call(5)
            await second.next_call(5)
            await call.wait_answered(5)
            await call.hangup()
            (made,) = await place.records.wait()
            assert made.answered_by == "103"
            assert sorted(leg.outcome for leg in made.legs) == [Outcome.CANCELLED, Outcome.TALKED]
        finally:
            await second.stop()


async def test_abandoned_while_ringing(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["103"].behaviour = no_answer()
        call = await place.trunk.call(DID, STRANGER)
        await place.phones["103"].next_call(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert (made.disposition, made.abandoned_in) == (Disposition.ABANDONED, "ringing")
        assert made.hung_up_by is Side.CALLER
        assert made.legs[0].outcome is Outcome.CANCELLED


async def test_abandoned_while_the_mobile_is_screened(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = busy()
        place.listener.apply([], small_setup("103"))
        place.trunk.mobiles[MOBILE[1:]] = voicemail(0.1)
        call = await place.trunk.call(DID, KNOWN)
        await until(
            lambda: (
                [live.call.state.phase for live in place.listener._calls.values()]
                == [Phase.CONNECTING]
            ),
            10,
            "the mobile was picked up and is asked",
        )
        await call.hangup()
        (made,) = await place.records.wait(within=20)
        assert (made.disposition, made.abandoned_in) == (Disposition.ABANDONED, "connecting")


async def test_nobody_answers(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["103"].behaviour = no_answer()
        call = await place.trunk.call(DID, STRANGER)
        await call.wait_ended(10)
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.NO_ANSWER
        assert made.hung_up_by is Side.SYSTEM
        assert made.wait_ms >= 2500


async def test_everybody_is_busy_or_declines(tmp_path: Path) -> None:
    async with office(tmp_path, duty=("103", "104")) as place:
        place.phones["103"].behaviour = busy()
        place.phones["104"].behaviour = decline(0.1)
        call = await place.trunk.call(DID, STRANGER)
        await call.wait_ended(10)
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.BUSY
        assert sorted(leg.outcome for leg in made.legs) == [Outcome.BUSY, Outcome.DECLINED]


async def test_failed_when_the_only_way_out_is_dead(tmp_path: Path) -> None:
    async with office(tmp_path, registered=("104",)) as place:
        # The mobile's network says there is no such number; nobody else is registered.
        place.listener.apply([], small_setup())
        await place.phones["104"].unregister()
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_ended(10)
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.FAILED
        assert [leg.outcome for leg in made.legs] == [Outcome.UNREACHABLE]


async def test_a_transferred_caller_is_still_one_record(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        call = await place.trunk.call(DID, KNOWN)
        desk = await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        await place.talking()
        assert await desk.refer("102") in (200, 202)
        colleague = await place.phones["102"].next_call(5)
        await colleague.wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.ANSWERED
        assert {leg.operator for leg in made.legs} == {"101", "102"}
        assert made.answered_by == "101"


async def test_a_callers_refer_is_refused(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(5)
        status = await call.refer("79009990000")
        assert status >= 400
        assert [past.dialled for past in place.trunk.calls if past.direction == "in"] == []
        assert call.live, "the conversation goes on"
        await call.hangup()
        await place.records.wait()


async def test_fifty_calls_at_once_each_get_a_record(tmp_path: Path) -> None:
    async with office(tmp_path, duty=("101", "102", "103")) as place:
        for phone in place.phones.values():
            phone.behaviour = answer(0.3)
        calls = [await place.trunk.call(DID, f"+7900222{number:04}") for number in range(50)]
        for call in calls:
            await call.wait_answered(30)
        for call in calls:
            await call.hangup()
        made = await place.records.wait(50, 20)
        assert {record.disposition for record in made} == {Disposition.ANSWERED}
        assert {record.number for record in made} == {f"+7900222{n:04}" for n in range(50)}
        assert place.listener.decoder.counters.malformed == 0


async def test_a_mobile_that_hangs_up_during_the_screen_drops_nobody(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = busy()
        place.trunk.mobiles[MOBILE[1:]] = answer(0.1, talk=1.5)
        call = await place.trunk.call(DID, KNOWN)
        await place.phones["102"].next_call(10)
        assert call.answered_at is None
        await call.wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "102")
        assert [leg.outcome for leg in made.legs] == [
            Outcome.BUSY,
            Outcome.REFUSED,
            Outcome.TALKED,
        ]


@pytest.mark.parametrize(
    "name", ['ООО "Ромашка"', 'x"|INC(DL_STEP)|"x', "${SHELL(id)}", "a,b;c&d|e\\f", "Ω" * 200]
)
async def test_no_clients_name_is_evaluated(tmp_path: Path, name: str) -> None:
    async with office(tmp_path) as place:
        change = ClientChange(Client(1, name, Assignment("101")), (KNOWN,))
        place.listener.apply([change], None)
        call = await place.trunk.call(DID, KNOWN)
        ringing = await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        await call.hangup()
        await place.records.wait()
        shown = ringing.from_name.replace("\\", "")
        assert shown == f"Sales: {name}".replace("\\", "")[:80]
        assert "ERROR" not in place.pbx.log()
        assert "WARNING" not in place.pbx.log()


async def test_a_caller_transferred_into_another_did_gets_that_dids_plan(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        setup = small_setup("103")
        other = Group("support", Roster("UTC", (around_the_clock("104"),)))
        place.listener.apply(
            [],
            replace(
                setup,
                groups={**setup.groups, "support": other},
                dids={**setup.dids, "74950000001": Did("74950000001", "support")},
            ),
        )
        place.pbx.write(
            "extensions.conf",
            (place.pbx.etc / "extensions.conf").read_text()
            + "\n[internal](+)\nexten => 700,1,Goto(dutyline-incoming,74950000001,1)\n",
        )
        place.pbx.reload()
        call = await place.trunk.call(DID, STRANGER)
        desk = await place.phones["103"].next_call(5)
        await call.wait_answered(5)
        await place.talking()
        assert await desk.refer("700") in (200, 202)
        await place.phones["104"].next_call(5)
        assert len(place.phones["103"].calls) == 1
        await place.phones["104"].calls[0].wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert [leg.operator for leg in made.legs] == ["103", "104"]
        assert {leg.outcome for leg in made.legs} == {Outcome.TALKED}


async def test_a_transfer_to_a_number_that_is_not_there_keeps_the_caller(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        call = await place.trunk.call(DID, KNOWN)
        desk = await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        await place.talking()
        await desk.refer("55")
        await place.phones["104"].next_call(5)
        await place.phones["104"].calls[0].wait_answered(5)
        assert call.live
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.fallback == "transfer"


async def test_a_hundred_operators_on_duty_ring_in_steps(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        names = [str(number) for number in range(200, 300)]
        operators = {name: Operator(name, name, "103") for name in names}
        roster = Roster("UTC", tuple(around_the_clock(name) for name in names))
        place.listener.apply(
            [],
            Setup(operators, {"sales": Group("sales", roster)}, {DID: Did(DID, "sales")}, "sales"),
        )
        call = await place.trunk.call(DID, STRANGER)
        await place.phones["103"].next_call(5)
        await call.wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.ANSWERED
        assert made.fallback is None
