"""Dutyline's own queues, feature codes and switches on the real Asterisk."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from telephony.ami.oneshot import session as ami_session
from telephony.asterisk.lines import Fallback
from telephony.cli.common import ami_address
from telephony.cli.findings import Level
from telephony.cli.queuecheck import check_queues
from telephony.domain.duty import Roster
from telephony.domain.pauses import MISSING
from telephony.domain.record import Disposition, MomentKind
from telephony.domain.routing import Kind, Reason
from telephony.domain.setup import Group
from telephony.settings import read_settings
from telephony.store.engine import open_engine, reading, writing
from telephony.store.migrations import migrate
from telephony.store.setup import replace_setup
from telephony.store.switches import Switch, ask_switch, find_switches
from telephony.switching import Switching
from tests.asterisk.office import (
    DID,
    SECRET,
    STRANGER,
    TOKEN,
    around_the_clock,
    office,
    pbx_files,
    small_directory,
    until,
)
from tests.asterisk.queue_lab import (
    QUEUE,
    becomes,
    console,
    dials,
    queue_office,
    queue_setup,
    switch,
)
from tests.lab.behaviours import no_answer

NO_DID = "74950001122"  # of no group: callers wait where the fallback leads to
PAUSE_101 = "Custom:dutyline-pause-101"


async def test_feature_codes_work_while_dutyline_is_down(tmp_path: Path) -> None:
    async with queue_office(tmp_path, listening=False) as place:
        for name in ("101", "102"):
            await console(place, f"queue add member PJSIP/{name} to {QUEUE.pbx_name}")
        await dials(place, "101", "*81")
        assert await switch(place, PAUSE_101) == "BUSY"
        await becomes(place, {"PJSIP/101": "lunch", "PJSIP/102": ""})
        hints = await console(place, "core show hints")
        assert "*84@dutyline-features" in hints
        await dials(place, "101", "*82")
        assert await switch(place, PAUSE_101) == "ONHOLD"
        await dials(place, "101", "*87")
        assert await switch(place, PAUSE_101) == "RINGINUSE"
        await becomes(place, {"PJSIP/101": "wrap_up", "PJSIP/102": ""})
        await dials(place, "101", "*82")
        # A restart forgets neither the switch nor the members.
        place.pbx.stop()
        place.pbx.start()
        assert await switch(place, PAUSE_101) == "ONHOLD"
        await place.phones["101"].register()
        await dials(place, "101", "*86")
        assert await switch(place, PAUSE_101) == "NOT_INUSE"
        await becomes(place, {"PJSIP/101": "", "PJSIP/102": ""})


async def test_the_key_of_a_lamp_is_its_owners(tmp_path: Path) -> None:
    async with queue_office(tmp_path, listening=False) as place:
        await dials(place, "101", "*86101")
        assert await switch(place, PAUSE_101) == "ONHOLD"
        await dials(place, "102", "*86101")
        assert await switch(place, PAUSE_101) == "ONHOLD"
        await dials(place, "101", "*86101")
        assert await switch(place, PAUSE_101) == "NOT_INUSE"


async def test_closing_by_feature_code(tmp_path: Path) -> None:
    async with queue_office(tmp_path, listening=False) as place:
        await dials(place, "101", "*84")
        assert await switch(place, "Custom:dutyline-closed") == "INUSE"
        await dials(place, "102", "*84")
        assert await switch(place, "Custom:dutyline-closed") == "NOT_INUSE"
        await dials(place, "102", f"*84{DID}")
        assert await switch(place, f"Custom:dutyline-closed-{DID}") == "INUSE"


async def test_a_caller_who_waits_asks_to_be_called_back(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        await becomes(place, {"PJSIP/101": ""})
        place.phones["101"].behaviour = no_answer()
        call = await place.trunk.call(NO_DID, STRANGER)  # into the fallback's queue
        await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        await call.dtmf("1")
        await call.wait_ended(10)
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.CALLBACK_ASKED
        assert [one.kind for one in made.moments] == [MomentKind.CALLBACK_ASKED]
        assert made.moments[0].values == (("queue", QUEUE.pbx_name),)


async def test_nobody_waits_where_no_phone_is_connected(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("102",)) as place:
        await place.phones["102"].unregister()
        await becomes(place, {"PJSIP/102": ""})
        call = await place.trunk.call(NO_DID, STRANGER)
        await call.wait_ended(5)
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.FAILED


async def test_what_is_asked_for_in_the_panel_the_pbx_does_and_tells(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    migrate(url)
    engine = open_engine(url)
    loop = asyncio.get_running_loop()
    async with queue_office(tmp_path / "pbx", duty=("101",), listening=False) as place:
        members = place.listener.members

        def do(device: str, state: str) -> None:
            loop.call_soon_threadsafe(members.switch, device, state)

        switching = Switching(engine, do)
        members.tell = switching.seen
        await place.start_listener()
        await becomes(place, {"PJSIP/101": ""})
        switching.start()
        try:
            for state, pause in (("ONHOLD", "break"), ("NOT_INUSE", "")):
                with writing(engine) as session:
                    ask_switch(session, PAUSE_101, state, datetime.now(UTC))
                await becomes(place, {"PJSIP/101": pause})
                await until(lambda: not _switch(engine).pending, 5, "the PBX's word is written")
                assert (_switch(engine).state, _switch(engine).problem) == (state, None)
            # A code dialled on a phone is seen too.
            await dials(place, "101", "*83")
            await until(lambda: _switch(engine).state == "INUSE", 5, "the code was seen")
        finally:
            switching.stop()
            engine.dispose()


def _switch(engine: Engine) -> Switch:
    with reading(engine) as session:
        return find_switches(session).get(PAUSE_101, Switch(PAUSE_101))


async def test_a_caller_waits_in_the_plans_queue(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        await becomes(place, {"PJSIP/101": ""})
        call = await place.trunk.call(DID, STRANGER)
        await place.phones["101"].next_call(5)
        await place.talking()
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.decision is not None
        assert [step.kind for step in made.decision.plan.steps] == [Kind.QUEUE, Kind.END]
        assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "101")
        assert made.fallback is None
        await becomes(place, {"PJSIP/101": "wrap_up"})
        # Whoever calls meanwhile waits: the rest is short.
        again = await place.trunk.call(DID, STRANGER)
        await place.phones["101"].next_call(8)
        await again.hangup()


async def test_callers_are_taken_without_a_queue_that_the_pbx_does_not_have(
    tmp_path: Path,
) -> None:
    files = pbx_files(Fallback("endpoints", "104", 5), own=(QUEUE,))
    async with office(tmp_path, files=files, listening=False) as place:
        place.listener = place.new_listener(queue_setup("101"), small_directory())
        await place.start_listener()
        await becomes(place, {"PJSIP/101": ""})
        without = files["dutyline_queues.conf"].replace(QUEUE.pbx_name, "another")
        place.pbx.write("dutyline_queues.conf", without)
        await asyncio.to_thread(place.pbx.reload)
        # Nobody knows yet that the queue is gone: the fallback has the caller.
        first = await place.trunk.call(DID, STRANGER)
        await place.phones["104"].next_call(5)
        await first.wait_answered(5)
        await first.hangup()
        (made,) = await place.records.wait()
        assert (made.fallback, made.answered_by) == ("noqueue", "104")
        # From then on those on duty are rung as if there were no queue.
        device = f"Queue:{QUEUE.pbx_name}"
        await until(lambda: place.listener.devices.get(device) == MISSING, 5, "it is known")
        second = await place.trunk.call(DID, STRANGER)
        await place.phones["101"].next_call(5)
        await place.talking()
        await second.hangup()
        made = (await place.records.wait(2))[-1]
        assert (made.fallback, made.answered_by) == (None, "101")
        assert made.decision is not None
        assert Reason.QUEUE_MISSING in [line.reason for line in made.decision.trace]
        # `pbx-config` was run: the queue is used again.
        place.pbx.write("dutyline_queues.conf", files["dutyline_queues.conf"])
        await asyncio.to_thread(place.pbx.reload)
        place.listener.members.look_again()
        await becomes(place, {"PJSIP/101": ""})
        assert place.listener.devices[device] != MISSING


async def test_a_queue_that_went_a_moment_ago_costs_a_step_not_the_call(tmp_path: Path) -> None:
    async with queue_office(tmp_path) as place:
        setup = queue_setup("101")
        helping = Group("help", Roster("UTC", (around_the_clock("104"),)))
        did = replace(setup.dids[DID], overflow="help")
        groups = {**setup.groups, "help": helping}
        place.listener.apply((), replace(setup, groups=groups, dids={DID: did}))
        await becomes(place, {"PJSIP/101": ""})
        place.pbx.write("dutyline_queues.conf", "")
        await asyncio.to_thread(place.pbx.reload)
        call = await place.trunk.call(DID, STRANGER)
        await place.phones["104"].next_call(5)
        await place.talking()
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.decision is not None
        kinds = [step.kind for step in made.decision.plan.steps]
        assert kinds == [Kind.QUEUE, Kind.DESK, Kind.END]
        assert (made.fallback, made.answered_by) == (None, "104")


async def test_a_wait_that_is_too_long_leads_to_the_next_step(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        setup = queue_setup("101")
        group = setup.groups["sales"]
        assert group.queue is not None
        short = replace(group, queue=replace(group.queue, max_wait_seconds=1))
        place.listener.apply((), replace(setup, groups={"sales": short}))
        place.phones["101"].behaviour = no_answer()
        call = await place.trunk.call(DID, STRANGER)
        await place.phones["101"].next_call(5)
        await call.wait_ended(10)
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.NO_ANSWER


async def test_the_key_in_the_plans_queue(tmp_path: Path) -> None:
    async with queue_office(tmp_path, duty=("101",)) as place:
        place.phones["101"].behaviour = no_answer()
        call = await place.trunk.call(DID, STRANGER)
        await place.phones["101"].next_call(5)
        await call.dtmf("1")
        await call.wait_ended(10)
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.CALLBACK_ASKED


async def test_doctor_compares_the_queues_with_the_set_up(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    migrate(url)
    engine = open_engine(url)
    setup = queue_setup("101")
    async with queue_office(tmp_path / "pbx", listening=False) as place:
        settings = read_settings(
            {
                "DUTYLINE_DATABASE_URL": url,
                "DUTYLINE_AMI_PORT": str(place.pbx.ami_port),
                "DUTYLINE_AMI_SECRET": SECRET,
                "DUTYLINE_TOKEN": TOKEN,
            }
        )

        def found() -> list[tuple[Level, str]]:
            with ami_session(ami_address(settings)) as pbx:
                return [(one.level, one.what) for one in check_queues(pbx, settings)]

        assert await asyncio.to_thread(found) == [], "nothing is set up yet"
        with writing(engine) as session:
            replace_setup(session, setup)
        ((level, _),) = await asyncio.to_thread(found)
        assert level is Level.OK
        group = setup.groups["sales"]
        longer = replace(group, queue=replace(QUEUE, wrapup_seconds=33))
        with writing(engine) as session:
            replace_setup(session, replace(setup, groups={"sales": longer}))
        ((level, what),) = await asyncio.to_thread(found)
        assert (level, "were changed" in what) == (Level.WARNING, True)
        place.pbx.write("dutyline_queues.conf", "")
        text = (place.pbx.etc / "dutyline_manager.conf").read_text()
        place.pbx.write("dutyline_manager.conf", text.replace("reporting,agent", "reporting"))
        await asyncio.to_thread(place.pbx.reload)
        seen = await asyncio.to_thread(found)
        assert [level for level, _ in seen] == [Level.FAILED, Level.FAILED]
        assert "may not keep the members" in seen[0][1]
        assert QUEUE.pbx_name in seen[1][1]
    engine.dispose()
