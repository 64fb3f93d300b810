"""Missed calls become kept promises, on the real Asterisk and both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import time as clock
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import Engine

from telephony.asterisk.lines import Fallback
from telephony.callbacks import placing
from telephony.domain.callback.cases import Attention, Case, CaseState, Ending, Source
from telephony.domain.callback.results import Ended, Why
from telephony.domain.callback.rules import First
from telephony.domain.did import Action, ActionKind
from telephony.domain.hours import Hours, Opening
from telephony.domain.setup import Setup
from telephony.store.engine import open_engine
from telephony.store.migrations import migrate
from tests.asterisk import scenes
from tests.asterisk.callback_desk import (
    RULES,
    CallbackOffice,
    callback_office,
    callback_setup,
    empty,
)
from tests.asterisk.mailbox import SALES_BOX, spoken
from tests.asterisk.office import DID, STRANGER, pbx_files, until
from tests.asterisk.queue_lab import QUEUE
from tests.lab.behaviours import Behaviour, answer, busy, decline, no_answer, refuse, voicemail
from tests.lab.cache import default_cache
from tests.lab.call import PhoneCall
from tests.lab.postgres import Postgres, ensure_postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENT = STRANGER[1:]
NEVER = Hours("never", "UTC", (Opening(frozenset({1}), clock(3), clock(3, 1)),))
ACCEPTS = answer(0.1, press="1")
LONG, SHORT_TALK = 2.6, 0.6


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(ensure_postgres(default_cache(), print), tmp_path_factory.mktemp("pg")) as server:
        yield server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that are marked so on both databases; what they store is tested on both anyway."""
    if "desk" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_databases") is not None
        engines = ["sqlite", "postgresql"] if both else ["sqlite"]
        metafunc.parametrize("engine", engines, indirect=True, scope="module")


@pytest.fixture(scope="module")
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('db') / 'dutyline.db'}"
    else:
        url = request.getfixturevalue("postgres").create_database("callbacks")
    migrate(url)
    made = open_engine(url)
    yield made
    made.dispose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallbackOffice]:
    """One office for all tests on a database; its group has a queue on the PBX."""
    files = pbx_files(Fallback("endpoints", "104", 2), own=(QUEUE,)) | SALES_BOX
    async with callback_office(tmp_path_factory.mktemp("office"), engine, files=files) as place:
        yield place


@pytest_asyncio.fixture(loop_scope="module")
async def desk(opened: CallbackOffice) -> CallbackOffice:
    """The office at rest, without calls and cases."""
    await scenes.clear(opened.place)
    empty(opened.engine)
    opened.later = timedelta(0)
    opened.place.trunk.default = refuse(404)
    opened.store(callback_setup("103"))
    return opened


async def rings_in_vain(desk: CallbackOffice, seconds: float = 1.2) -> None:
    """A stranger calls, hears it ring for a while, and gives up."""
    desk.place.phones["103"].behaviour = no_answer()
    call = await desk.place.trunk.call(DID, STRANGER)
    await desk.place.phones["103"].next_call(5)
    await asyncio.sleep(seconds)
    await call.hangup()


async def missed(desk: CallbackOffice) -> Case:
    """Return the open case of a stranger whose call was missed; 103 would accept a callback."""
    await rings_in_vain(desk)
    case = await desk.case(lambda one: one.open)
    await free(desk)
    desk.place.phones["103"].behaviour = ACCEPTS
    return case


async def free(desk: CallbackOffice) -> None:
    """Wait until 103's phone rests, for the database too."""
    desk.watched()
    await scenes.rested(desk.place)


# What opens a case


@pytest.mark.both_databases
async def test_a_caller_gives_up_while_it_rings(desk: CallbackOffice) -> None:
    case = await missed(desk)
    assert (case.number, case.why, case.source) == (STRANGER, Why.RINGING, Source.MISSED)
    assert (case.owner, case.group, case.did, case.missed) == ("103", "sales", DID, 1)
    assert case.sla_at == case.origin_at + timedelta(minutes=RULES.sla_minutes)


async def test_who_hangs_up_at_once_is_counted_apart(desk: CallbackOffice) -> None:
    await rings_in_vain(desk, 0.0)
    case = await desk.case()
    assert (case.state, case.why, case.ending) == (CaseState.SUPPRESSED, Why.SHORT, Ending.SHORT)


@pytest.mark.parametrize(
    "behaviour", [no_answer(), busy(), decline(0.1)], ids=["no answer", "busy", "declined"]
)
async def test_nobody_takes_the_call(desk: CallbackOffice, behaviour: Behaviour) -> None:
    desk.store(callback_setup("103", duty_seconds=2))
    desk.place.phones["103"].behaviour = behaviour
    call = await desk.place.trunk.call(DID, STRANGER)
    await call.wait_ended(15)
    case = await desk.case()
    assert (case.state, case.why) == (CaseState.OPEN, Why.NOBODY)


async def test_out_of_hours_a_callback_is_promised(desk: CallbackOffice) -> None:
    setup = callback_setup("103", hours="never")
    desk.store(replace(setup, hours={"never": NEVER}))
    call = await desk.place.trunk.call(DID, STRANGER)
    await call.wait_ended(20)
    case = await desk.case()
    assert (case.state, case.why, case.source) == (CaseState.OPEN, Why.CLOSED, Source.KEY)
    # It is due, and nobody is called before it opens: on the next Monday.
    desk.watched()
    assert desk.dispatcher.claim(desk.now()) == []
    case = await desk.case()
    assert case.due_at is not None
    assert (case.due_at.isoweekday(), case.due_at.hour) == (1, 3)


async def test_a_message_is_left_and_somebody_calls_back(desk: CallbackOffice) -> None:
    desk.place.phones["103"].behaviour = busy()
    desk.store(callback_setup("103", unanswered=Action(ActionKind.VOICEMAIL, "vm-goodbye", "1")))
    call = await desk.place.trunk.call(DID, STRANGER)
    await call.wait_answered(10)
    await until(lambda: any(spoken(desk.place)), 20, "three seconds of a message")
    await call.hangup()
    case = await desk.case()
    assert (case.state, case.why) == (CaseState.OPEN, Why.VOICEMAIL)
    assert case.due_at == case.opened_at + timedelta(seconds=RULES.delay_seconds)


def with_queue(setup: Setup) -> Setup:
    sales = replace(setup.groups["sales"], queue=QUEUE)
    return replace(setup, groups={"sales": sales})


async def waits(desk: CallbackOffice) -> PhoneCall:
    """Return the call of somebody who waits in the queue: 103, who is on duty, is on the phone."""
    desk.store(with_queue(callback_setup("103")))
    desk.place.phones["102"].behaviour = answer(0.1)
    talk = await desk.place.phones["103"].call("102")
    await talk.wait_answered(5)
    await until(lambda: desk.seen("103") == "busy", 5, "103 is on the phone")
    call = await desk.place.trunk.call(DID, STRANGER)
    await call.wait_answered(5)
    return call


async def test_a_caller_who_waits_in_a_queue_keeps_the_place_by_a_key(
    desk: CallbackOffice,
) -> None:
    call = await waits(desk)
    await asyncio.sleep(0.5)
    await call.dtmf("1")
    await call.wait_ended(10)
    case = await desk.case()
    assert (case.state, case.why, case.source) == (CaseState.OPEN, Why.ASKED, Source.KEY)
    assert case.due_at is not None
    assert case.origin_at < case.opened_at, "the place is that of the call's begin"
    assert case.due_at == case.opened_at, "who asked is called at once"


async def test_a_caller_gives_up_in_a_queue(desk: CallbackOffice) -> None:
    call = await waits(desk)
    await asyncio.sleep(1.2)
    await call.hangup()
    case = await desk.case()
    assert (case.state, case.why, case.source) == (CaseState.OPEN, Why.WAITING, Source.MISSED)


@pytest.mark.both_databases
async def test_a_call_that_vanishes_with_the_pbx_is_somebody_to_call(desk: CallbackOffice) -> None:
    desk.place.phones["103"].behaviour = no_answer()
    await desk.place.trunk.call(DID, STRANGER)
    await desk.place.phones["103"].next_call(5)
    await asyncio.to_thread(desk.place.pbx.kill)
    await asyncio.to_thread(desk.place.pbx.start)
    case = await desk.case(within=30)
    assert (case.state, case.why) == (CaseState.OPEN, Why.LOST)
    for phone in desk.place.phones.values():
        await phone.register()
    await until(lambda: desk.place.heartbeat() > 0, 10, "the listener is back")


# What belongs to it, and what ends it


@pytest.mark.both_databases
async def test_further_missed_calls_join_and_keep_the_place(desk: CallbackOffice) -> None:
    first = await missed(desk)
    await rings_in_vain(desk)
    case = await desk.case(lambda one: one.missed == 2)
    assert (case.id, case.origin_at) == (first.id, first.origin_at)
    assert case.last_missed_at > first.last_missed_at


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("talk", "over"), [(LONG, True), (SHORT_TALK, False)], ids=["talks", "not long enough"]
)
async def test_the_client_calls_again_and_is_answered(
    desk: CallbackOffice, talk: float, over: bool
) -> None:
    await missed(desk)
    desk.place.phones["103"].behaviour = answer(0.1, talk=talk)
    call = await desk.place.trunk.call(DID, STRANGER)
    await call.wait_ended(15)
    await desk.place.records.wait(2)
    await scenes.rested(desk.place)
    await until(lambda: len(desk.place.records.by_call) == 2, 5, "both calls")
    if over:
        case = await desk.case(lambda one: not one.open)
        assert (case.ending, case.ended_by, case.kept) == (Ending.CLIENT_CALLED, "103", True)
    else:
        await asyncio.to_thread(desk.written, 2)
        assert (await desk.case()).open


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("talk", "over"), [(LONG, True), (SHORT_TALK, False)], ids=["talks", "a machine, likely"]
)
async def test_an_operator_calls_from_a_desk_phone(
    desk: CallbackOffice, talk: float, over: bool
) -> None:
    await missed(desk)
    desk.place.trunk.default = answer(0.1, talk=talk)
    call = await desk.place.phones["102"].call(CLIENT)
    await call.wait_ended(15)
    await desk.place.records.wait(2)
    if over:
        case = await desk.case(lambda one: not one.open)
        assert (case.ending, case.ended_by) == (Ending.OPERATOR_CALLED, "102")
    else:
        await asyncio.to_thread(desk.written, 2)
        assert (await desk.case()).open


# The callback


@pytest.mark.both_databases
async def test_a_missed_call_is_called_back(desk: CallbackOffice) -> None:
    await missed(desk)
    desk.place.trunk.default = answer(0.2, talk=LONG)
    attempt = await desk.tried()
    case = await desk.case(lambda one: not one.open)
    assert (case.state, case.ending, case.ended_by) == (
        CaseState.CLOSED,
        Ending.CALLED_BACK,
        "103",
    )
    assert case.kept is True
    assert (attempt.ended, attempt.operator) == (Ended.TALKED, "103")
    assert attempt.talk_ms > 2000


@pytest.mark.parametrize(
    ("behaviour", "ended"),
    [
        (busy(), Ended.OPERATOR_BUSY),
        (decline(0.1), Ended.OPERATOR_DECLINED),
        (no_answer(), Ended.OPERATOR_NO_ANSWER),
    ],
    ids=["busy", "declines", "no answer"],
)
async def test_an_operator_cannot_be_had(
    desk: CallbackOffice, behaviour: Behaviour, ended: Ended
) -> None:
    await missed(desk)
    desk.place.phones["103"].behaviour = behaviour
    attempt = await desk.tried(60)
    assert attempt.ended is ended
    case = await desk.case()
    assert (case.state, case.tries, case.misses) == (CaseState.OPEN, 0, 1)
    assert case.due_at is not None
    assert timedelta(0) < case.due_at - desk.now() <= timedelta(minutes=1)
    assert case.for_now(desk.now()) is None, "the next one may be anybody on duty"
    assert not desk.place.trunk.calls[1:], "the client's phone was not rung"


async def test_when_one_operator_declines_the_next_one_takes_it(desk: CallbackOffice) -> None:
    desk.store(callback_setup("103"))
    await missed(desk)
    desk.store(callback_setup("102", "103"))
    desk.place.phones["103"].behaviour = decline(0.1)
    desk.place.phones["102"].behaviour = ACCEPTS
    desk.place.trunk.default = answer(0.1, talk=LONG)
    assert (await desk.tried()).ended is Ended.OPERATOR_DECLINED
    desk.later = timedelta(minutes=2)
    await free(desk)
    # 103 hears of it first again, being the owner: away from the desk now.
    await desk.place.phones["103"].unregister()
    await until(lambda: desk.seen("103") == "away", 5, "103 is gone")
    attempt = await desk.tried()
    await desk.place.phones["103"].register()
    await until(lambda: desk.seen("103") == "free", 5, "103 is back")
    assert (attempt.operator, attempt.ended) == ("102", Ended.TALKED)
    assert (await desk.case(lambda one: not one.open)).ended_by == "102"


async def test_an_operator_hangs_up_while_the_client_rings(desk: CallbackOffice) -> None:
    await missed(desk)
    desk.place.trunk.default = no_answer()
    await desk.call_back()
    await until(lambda: len(desk.place.trunk.calls) == 2, 10, "the client's phone rings")
    await desk.place.phones["103"].calls[-1].hangup()
    case = await desk.case(lambda one: one.state is CaseState.OPEN)
    assert desk.attempts(case)[0].ended is Ended.OPERATOR_GONE
    assert case.tries == 1, "the client's phone rang: that counts"


@pytest.mark.parametrize(
    ("behaviour", "ended", "minutes"),
    [
        (busy(0.1), Ended.BUSY, 5),
        (no_answer(), Ended.NO_ANSWER, 30),
        (decline(0.1), Ended.DECLINED, 120),
        (refuse(404), Ended.UNREACHABLE, 60),
        (voicemail(0.1, 1.0), Ended.NOT_A_PERSON, 60),
    ],
    ids=["busy", "no answer", "603", "404", "voicemail"],
)
async def test_a_client_cannot_be_had(
    desk: CallbackOffice, behaviour: Behaviour, ended: Ended, minutes: int
) -> None:
    await missed(desk)
    desk.place.trunk.default = behaviour
    attempt = await desk.tried(30)
    assert attempt.ended is ended
    case = await desk.case()
    assert (case.state, case.tries, case.last) == (CaseState.OPEN, 1, ended)
    assert case.due_at is not None
    wait = case.due_at - desk.now()
    assert timedelta(minutes=minutes - 1) < wait <= timedelta(minutes=minutes)


@pytest.mark.both_databases
async def test_a_client_is_tried_so_often_and_then_a_person_has_to(desk: CallbackOffice) -> None:
    rules = replace(RULES, caps=replace(RULES.caps, attempts=2))
    desk.store(callback_setup("103", rules=rules))
    await missed(desk)
    desk.place.trunk.default = busy(0.1)
    for minutes in (0, 6):
        desk.later = timedelta(minutes=minutes)
        await free(desk)
        await desk.tried()
    case = await desk.case()
    assert (case.state, case.attention, case.due_at) == (
        CaseState.OPEN,
        Attention.ATTEMPTS,
        None,
    )


async def test_the_client_first_and_then_the_queue_under_their_own_number(
    desk: CallbackOffice,
) -> None:
    rules = replace(RULES, first=First.CLIENT, client_key=True)
    desk.store(callback_setup("103", rules=rules))
    await missed(desk)
    desk.place.phones["103"].behaviour = answer(0.2, talk=LONG)
    desk.place.trunk.default = answer(0.1, press="1")
    attempt = await desk.tried(30)
    assert attempt.ended is Ended.TALKED
    case = await desk.case(lambda one: not one.open)
    assert (case.ending, case.ended_by) == (Ending.CALLED_BACK, "103")
    shown = desk.place.phones["103"].calls[-1].invite
    assert shown is not None
    assert STRANGER in shown.get("from")


async def test_an_operator_takes_their_time(
    desk: CallbackOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phone rings for longer than an order may be under way before it is begun."""
    monkeypatch.setattr(placing, "WINDOW_SECONDS", 2)
    desk.store(callback_setup("103", rules=replace(RULES, operator_seconds=10)))
    await missed(desk)
    desk.place.phones["103"].behaviour = answer(4, press="1")
    desk.place.trunk.default = answer(0.1, talk=LONG)
    attempt = await desk.tried(40)
    assert attempt.ended is Ended.TALKED
    case = await desk.case(lambda one: not one.open)
    assert (case.ending, case.ended_by) == (Ending.CALLED_BACK, "103")


async def test_the_client_calls_again_while_the_operators_phone_rings(
    desk: CallbackOffice,
) -> None:
    """They talk to somebody else by the time the operator accepts: one call is enough."""
    await missed(desk)
    rang = len(desk.place.trunk.calls)
    desk.place.phones["103"].behaviour = answer(2.5, press="1")
    await desk.call_back()
    await until(lambda: len(desk.place.phones["103"].calls) > 1, 5, "the operator's phone rings")
    desk.store(callback_setup("102", "103"))
    desk.place.phones["102"].behaviour = answer(0.1, talk=5)
    call = await desk.place.trunk.call(DID, STRANGER)
    case = await desk.case(lambda one: one.state is CaseState.OPEN, 20)
    (attempt,) = desk.attempts(case)
    assert (attempt.ended, attempt.cause) == (Ended.NOT_DIALLED, "ONTHELINE")
    assert len(desk.place.trunk.calls) == rang + 1, "the call they made themselves"
    await call.wait_ended(20)
    case = await desk.case(lambda one: not one.open, 20)
    assert (case.ending, case.ended_by) == (Ending.CLIENT_CALLED, "102")


@pytest.mark.both_databases
async def test_the_client_calls_while_they_are_called_back(desk: CallbackOffice) -> None:
    await missed(desk)
    desk.place.trunk.default = no_answer()
    await desk.call_back()
    await until(lambda: len(desk.place.trunk.calls) == 2, 10, "the client's phone rings")
    # 103 is busy with the callback; 102 is on duty too by now, and answers the client.
    desk.store(callback_setup("102", "103"))
    desk.place.phones["102"].behaviour = answer(0.1, talk=LONG)
    call = await desk.place.trunk.call(DID, STRANGER)
    await call.wait_ended(20)
    case = await desk.case(lambda one: not one.open, 20)
    assert (case.ending, case.ended_by) == (Ending.CLIENT_CALLED, "102")
    await scenes.rested(desk.place)
    assert not (await desk.case()).open, "the end of the try does not open it again"
