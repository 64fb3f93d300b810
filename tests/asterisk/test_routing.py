"""The rules around a call on the real Asterisk: hours, block list, menu, mailbox, trunk, last."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from pathlib import Path

import pytest

from telephony.asterisk.lines import Fallback
from telephony.domain.blocklist import Blocked, Blocklist
from telephony.domain.did import Action, ActionKind, Menu, StepName, StepRule
from telephony.domain.duty import Roster, Shift
from telephony.domain.hours import Hours, Opening, OwnDay
from telephony.domain.pauses import closed_device
from telephony.domain.record import Disposition, MomentKind
from telephony.domain.routing import Reason
from telephony.domain.setup import Group, Setup, Trunk
from telephony.sounds import convert, keep, put
from telephony.store.engine import open_engine, reading, writing
from telephony.store.migrations import migrate
from tests.asterisk.mailbox import SALES_BOX, spoken
from tests.asterisk.office import (
    ALWAYS,
    DID,
    KNOWN,
    MOBILE,
    STRANGER,
    VIP,
    Office,
    around_the_clock,
    office,
    pbx_files,
    small_setup,
    until,
)
from tests.lab.behaviours import answer, busy, no_answer
from tests.lab.call import PhoneCall
from tests.unit.test_sounds import wav

OPEN = Hours("office", "UTC", (Opening(ALWAYS, clock(0), clock(0)),))


def closed(*, holiday: str = "") -> Hours:
    """Return opening hours that are closed all of these days."""
    today = datetime.now(UTC).date()
    day = OwnDay(today.replace(day=1), today.replace(year=today.year + 1, day=1), holiday or "off")
    return replace(OPEN, days=(day,))


def rules(*duty: str, hours: Hours = OPEN, **changed: object) -> Setup:
    place = small_setup(*duty)
    did = replace(place.dids[DID], hours="office", **changed)  # type: ignore[arg-type]
    return replace(place, dids={DID: did}, hours={"office": hours})


def use(place: Office, setup: Setup) -> None:
    place.listener.apply((), setup)


def reasons(made: object) -> set[Reason]:
    decision = made.decision  # type: ignore[attr-defined]
    return {line.reason for line in decision.trace}


async def test_on_a_holiday_the_caller_is_promised_a_callback(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        use(place, rules("103", hours=closed(holiday="New Year")))
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_ended(20)
        (made,) = await place.records.wait()
        assert Reason.CLOSED_OWN_DAY in reasons(made)
        assert [one.kind for one in made.moments] == [MomentKind.PROMISED]
        assert made.disposition is Disposition.CALLBACK_ASKED
        assert made.legs == ()


async def test_whoever_hangs_up_in_the_announcement_is_promised_a_callback_too(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        use(place, rules("103", hours=closed()))
        call = await place.trunk.call(DID, STRANGER)
        await call.wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.CALLBACK_ASKED
        assert [one.kind for one in made.moments] == [MomentKind.PROMISED]


async def test_a_vip_reaches_the_manager_out_of_hours(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        use(place, rules("103", hours=closed(), vip_always=True))
        call = await place.trunk.call(DID, VIP)
        await call.wait_answered(5)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.answered_by == "101"
        assert Reason.VIP_ALWAYS in reasons(made)


async def test_the_switch_on_the_pbx_closes_at_once(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        use(place, rules("103"))
        device = closed_device()
        place.pbx.cli(f"devstate change {device} INUSE")
        await until(lambda: place.listener.devices.get(device) == "INUSE", 5, "the switch is seen")
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_ended(20)
        place.pbx.cli(f"devstate change {device} NOT_INUSE")
        await until(lambda: place.listener.devices.get(device) == "NOT_INUSE", 5, "it is off")
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(5)
        await call.hangup()
        first, second = await place.records.wait(2)
        assert Reason.SWITCHED_CLOSED in reasons(first)
        assert second.answered_by == "101"


async def test_a_blocked_caller_hears_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        entry = Blocked(STRANGER, "spam", "admin", datetime.now(UTC))
        use(place, replace(rules("103"), blocked=Blocklist((entry,))))
        call = await place.trunk.call(DID, STRANGER)
        await call.wait_ended(5)
        assert call.answered_at is None
        (made,) = await place.records.wait()
        assert (made.disposition, made.legs) == (Disposition.BLOCKED, ())


async def test_the_menu_leads_to_a_group_and_the_record_tells_the_key(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        chosen = rules("103", menu=Menu("vm-press", {"1": "sales", "2": "help"}, 3, 2))
        roster = Roster("UTC", (around_the_clock("104"),))
        use(place, replace(chosen, groups={**chosen.groups, "help": Group("help", roster)}))
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(5)
        await call.dtmf("2")
        ringing = await place.phones["104"].next_call(10)
        await until(lambda: bool(ringing.answered_at), 5, "104 answers")
        await place.talking()
        await call.hangup()
        (made,) = await place.records.wait()
        assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "104")
        assert Reason.KEY_PRESSED in reasons(made)
        assert len(made.legs) == 1


async def test_without_a_key_the_call_goes_on_as_without_a_menu(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        use(place, rules("103", menu=Menu("vm-press", {"2": "sales"}, 1, 2)))
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(5)
        await call.dtmf("9")
        await place.phones["101"].next_call(15)
        await place.talking()
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.answered_by == "101"
        assert Reason.NO_KEY in reasons(made)


async def test_behind_the_menu_the_fallback_takes_over_when_dutyline_is_gone(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        use(place, rules("103", menu=Menu("vm-press", {"2": "sales"}, 5, 2)))
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(5)
        await place.stop_listener()
        await call.dtmf("2")
        await place.phones["104"].next_call(15)
        await call.hangup()


async def test_a_message_is_left_in_the_mailbox(tmp_path: Path) -> None:
    files = pbx_files(Fallback("endpoints", "104", 5)) | SALES_BOX
    async with office(tmp_path, files=files) as place:
        use(place, rules(unanswered=Action(ActionKind.VOICEMAIL, "vm-goodbye", "1")))
        call = await place.trunk.call(DID, STRANGER)
        await call.wait_answered(5)
        await until(lambda: any(spoken(place)), 20, "three seconds of a message")
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.VOICEMAIL
        assert [one.kind for one in made.moments] == [MomentKind.VOICEMAIL]


async def test_a_mailbox_that_is_not_there_loses_no_caller(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        use(place, rules(unanswered=Action(ActionKind.VOICEMAIL, "", "9")))
        call = await place.trunk.call(DID, STRANGER)
        assert await spoken_to(call) > 1.0
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.CALLBACK_ASKED


@pytest.mark.parametrize("sound", ["", "@not-there"])
async def test_nobody_is_promised_a_callback_in_silence(tmp_path: Path, sound: str) -> None:
    async with office(tmp_path) as place:
        use(place, rules(hours=closed(), closed=Action(ActionKind.PROMISE, sound)))
        call = await place.trunk.call(DID, STRANGER)
        assert await spoken_to(call) > 1.0


@pytest.mark.parametrize("trunk", ["gone", "trunk"])
async def test_another_number_that_cannot_be_reached_drops_nobody(
    tmp_path: Path, trunk: str
) -> None:
    async with office(tmp_path) as place:
        number = Action(ActionKind.NUMBER, "", MOBILE, trunk, 2)
        setup = rules(hours=closed(), closed=number)
        use(place, replace(setup, trunks={trunk: Trunk(trunk, "{digits}")}))
        place.trunk.mobiles[MOBILE[1:]] = busy()
        call = await place.trunk.call(DID, STRANGER)
        assert await spoken_to(call) > 1.0
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.CALLBACK_ASKED


async def spoken_to(call: PhoneCall) -> float:
    """Return the seconds from the answer to the end of a call that the PBX ends."""
    await call.wait_answered(10)
    answered = time.monotonic()
    await call.wait_ended(20)
    return time.monotonic() - answered


async def test_a_menu_whose_sound_is_not_there_still_takes_a_key(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        use(place, rules("103", menu=Menu("@not-there", {"2": "sales"}, 4, 1)))
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(5)
        await call.dtmf("2")
        await place.phones["103"].next_call(10)
        await call.hangup()
        (made,) = await place.records.wait()
        assert Reason.KEY_PRESSED in reasons(made)


async def test_another_number_through_a_trunk_in_its_own_form(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        number = Action(ActionKind.NUMBER, "", MOBILE, "trunk", 5)
        setup = rules(hours=closed(), closed=number)
        use(place, replace(setup, trunks={"trunk": Trunk("trunk", "8{national}")}))
        place.trunk.mobiles["89161110001"] = answer(0.2)
        call = await place.trunk.call(DID, STRANGER)
        await call.wait_answered(8)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.ANSWERED


async def test_a_mobile_through_its_operators_trunk_is_known_as_the_operators(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        setup = rules("103", steps={StepName.MANAGER_DESK: StepRule(enabled=False)})
        anna = replace(setup.operators["101"], trunk="trunk")
        use(
            place,
            replace(
                setup,
                operators={**setup.operators, "101": anna},
                trunks={"trunk": Trunk("trunk", "8{national}")},
            ),
        )
        place.trunk.mobiles["89161110001"] = answer(0.2, press="1")
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(15)
        await call.hangup()
        (made,) = await place.records.wait()
        assert (made.answered_by, made.answered_on) == ("101", "mobile")


async def test_who_talked_last_is_rung_first(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        use(place, rules("103", last_operator_days=7))
        first = await place.trunk.call(DID, STRANGER)
        await first.wait_answered(5)
        await first.hangup()
        await place.records.wait()
        # Somebody else is on duty now; the caller still gets who they know, if there by the roster.
        later = rules("104", last_operator_days=7)
        vera = Shift("103", ALWAYS, clock(0), clock(0))
        other = Group("other", Roster("UTC", (vera,)))
        use(place, replace(later, groups={**later.groups, "other": other}))
        place.phones["103"].behaviour = no_answer()
        second = await place.trunk.call(DID, STRANGER)
        await place.phones["103"].next_call(5)
        await second.wait_answered(10)
        await second.hangup()
        _, made = await place.records.wait(2)
        assert made.answered_by == "104"
        assert Reason.TALKED_LATELY in reasons(made)


async def test_an_uploaded_announcement_is_heard_before_anybody_rings(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        url = f"sqlite:///{tmp_path / 'd.db'}"
        migrate(url)
        engine = open_engine(url)
        name = f"test-{os.getpid()}"
        folder = place.pbx.tree.data / "sounds" / "dutyline"
        with writing(engine) as session:
            keep(session, name, "Welcome", convert(wav(1.5)), datetime.now(UTC))
        try:
            with reading(engine) as session:
                assert put(session, folder) >= 1
            use(place, rules("103", greeting=f"@{name}"))
            call = await place.trunk.call(DID, KNOWN)
            await call.wait_answered(5)
            answered = time.monotonic()
            await place.phones["101"].next_call(10)
            assert 1.3 <= time.monotonic() - answered < 5
            await call.hangup()
        finally:
            (folder / f"{name}.wav").unlink()


def around_now(hours: float) -> clock:
    """Return the time of day (UTC) so many hours from now, to the minute."""
    return (datetime.now(UTC) + timedelta(hours=hours)).time().replace(second=0, microsecond=0)


async def test_at_lunch_the_cover_is_rung_and_not_the_manager(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        setup = rules()
        at_lunch = Shift(
            "101",
            ALWAYS,
            around_now(-3),
            around_now(3),
            (around_now(-0.5), around_now(0.5)),
            cover="103",
        )
        sales = Group("sales", Roster("UTC", (at_lunch,)))
        anna = replace(setup.operators["101"], deputy=None)
        use(
            place,
            replace(setup, groups={"sales": sales}, operators={**setup.operators, "101": anna}),
        )
        call = await place.trunk.call(DID, KNOWN)
        await call.wait_answered(8)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.answered_by == "103"
        assert [leg.operator for leg in made.legs] == ["103"]
        assert {Reason.AT_LUNCH, Reason.RINGS_DUTY} <= reasons(made)
