"""Calls that Dutyline orders, on the real Asterisk: every way an attempt can go."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from telephony.ami import actions, names
from telephony.ami.client import AmiAddress
from telephony.ami.oneshot import session
from telephony.asterisk.lines import Fallback
from telephony.asterisk.written import cdr_rows
from telephony.domain.callback.results import Ended, ended_of
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.cdr import from_cdr
from telephony.domain.orders import Placing, channel_ids
from telephony.domain.people import People
from telephony.domain.record import CallRecord, Direction, Disposition
from tests.asterisk.office import DID, SECRET, STRANGER, Office, office, until
from tests.asterisk.ordering import place_call, placing
from tests.lab.behaviours import Behaviour, answer, busy, decline, no_answer, refuse, voicemail
from tests.lab.call import PhoneCall

RULES = CallbackRules(contact_seconds=1, callback_seconds=1)


async def ordered(place: Office, wanted: Placing, within: float = 20) -> CallRecord:
    answered = await asyncio.to_thread(place_call, place, wanted)
    assert answered["response"] == "Success", answered
    (made,) = await place.records.wait(1, within)
    return made


def stages(made: CallRecord) -> list[tuple[str, str]]:
    """Return how far an order came, in the dialplan's words."""
    return [
        (one.kind.value.removeprefix("order_"), dict(one.values).get("status", ""))
        for one in made.moments
        if one.kind.value.startswith("order_")
    ]


def legs(made: CallRecord) -> list[tuple[str, str | None, str]]:
    return [(leg.kind, leg.operator, leg.outcome.value) for leg in made.legs]


def shown_to(call: PhoneCall) -> str:
    """Return the From header of a call as the phone sees it."""
    assert call.invite is not None
    return call.invite.get("from")


def fences(place: Office) -> list[str]:
    """Return the orders that the PBX keeps as dialled."""
    rows = place.pbx.cli(f"database show {names.FENCES}").splitlines()
    return [row.split("/")[2].split()[0] for row in rows if row.startswith("/")]


def clients_calls(place: Office) -> int:
    """Return how often the client's phone was rung."""
    return sum(call.dialled.endswith(STRANGER[1:]) for call in place.trunk.calls)


async def test_an_operator_accepts_and_talks_to_the_client(tmp_path: Path) -> None:
    async with office(tmp_path, full_log=True) as place:
        place.phones["101"].behaviour = answer(0.2, press="1")
        place.trunk.default = answer(0.3, talk=2)
        wanted = placing(7)
        made = await ordered(place, wanted)
        assert made.call_id == wanted.uniqueids[0]
        assert (made.direction, made.disposition) == (Direction.OUT, Disposition.ANSWERED)
        assert (made.number, made.placed_by, made.answered_by) == (STRANGER, "101", None)
        assert 1500 < made.talk_ms < 2500, "what counts is the talk with the client"
        assert legs(made) == [("desk", "101", "talked"), ("outside", None, "talked")]
        assert stages(made) == [("accepted", ""), ("dialled", "ANSWER")]
        (rung,) = place.phones["101"].calls
        assert STRANGER in shown_to(rung)
        shown = [shown_to(one) for one in place.trunk.calls]
        assert len(shown) == 1
        assert DID in shown[0], "the client sees the number that they had called"
        assert "Playing 'vm-from-phonenumber" in place.pbx.log()


async def test_who_does_not_press_the_key_is_not_connected(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = voicemail(0.2, stay=60)
        made = await ordered(place, placing(8), 60)
        assert made.disposition is Disposition.NOT_PLACED
        assert legs(made) == [("desk", "101", "refused")]
        assert stages(made) == []
        assert clients_calls(place) == 0


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [(busy(), "busy"), (decline(), "declined"), (no_answer(), "no_answer"), (None, None)],
    ids=["busy", "declines", "no answer", "not registered"],
)
async def test_an_operator_who_is_not_reached_costs_the_client_nothing(
    tmp_path: Path, behaviour: Behaviour | None, outcome: str | None
) -> None:
    registered = ("102",) if behaviour is None else ("101", "102")
    async with office(tmp_path, registered=registered) as place:
        if behaviour is not None:
            place.phones["101"].behaviour = behaviour
        place.trunk.default = answer(0.2)
        made = await ordered(place, placing(9))
        assert (made.direction, made.disposition) == (Direction.OUT, Disposition.NOT_PLACED)
        assert (made.number, made.placed_by, made.talk_ms) == (STRANGER, "101", 0)
        assert legs(made) == ([("desk", "101", outcome)] if outcome else [])
        assert stages(made) == ([] if outcome else [("refused", "UNREGISTERED")])
        assert clients_calls(place) == 0


@pytest.mark.parametrize(
    ("behaviour", "disposition", "outcome", "status"),
    [
        (busy(0.2), Disposition.BUSY, "busy", "BUSY"),
        (no_answer(), Disposition.NO_ANSWER, "no_answer", "NOANSWER"),
        (decline(0.2), Disposition.BUSY, "declined", "CHANUNAVAIL"),
        (refuse(404), Disposition.FAILED, "unreachable", "CHANUNAVAIL"),
        (refuse(503), Disposition.FAILED, "unreachable", "CONGESTION"),
    ],
    ids=["busy", "no answer", "603", "404", "503"],
)
async def test_a_client_who_is_not_reached(
    tmp_path: Path, behaviour: Behaviour, disposition: Disposition, outcome: str, status: str
) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(0.2, press="1")
        place.trunk.default = behaviour
        made = await ordered(place, placing(10))
        assert (made.direction, made.disposition) == (Direction.OUT, disposition)
        assert legs(made) == [("desk", "101", "accepted"), ("outside", None, outcome)]
        assert stages(made) == [("accepted", ""), ("dialled", status)]
        assert made.talk_ms == 0


async def test_an_operator_hangs_up_while_the_client_rings(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(0.2, press="1")
        place.trunk.default = no_answer()
        wanted = placing(11, client_seconds=30)
        await asyncio.to_thread(place_call, place, wanted)
        rings = await place.trunk.next_call(10)
        await place.phones["101"].calls[0].hangup()
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.ABANDONED
        assert legs(made) == [("desk", "101", "accepted"), ("outside", None, "cancelled")]
        assert stages(made)[-1][0] == "dialled", "told by the handler: nothing else runs then"
        await until(lambda: rings.ended_by == "cancel", 3, "the client's phone rings no more")


async def test_an_order_that_comes_twice_dials_once(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(0.2, press="1")
        place.trunk.default = busy(0.2)
        wanted = placing(12)
        await ordered(place, wanted)
        assert clients_calls(place) == 1
        # After the hangup Asterisk takes the same ids again: the fence in its database does not.
        again = await asyncio.to_thread(place_call, place, wanted)
        assert again["response"] == "Success"
        await until(lambda: len(place.phones["101"].calls) == 2, 5, "the operator rings again")
        ended = place.phones["101"].calls[1]
        await until(lambda: ended.ended_at is not None, 10, "and is let go")
        assert clients_calls(place) == 1
        assert fences(place) == [wanted.uniqueids[0]]


async def test_an_order_that_comes_late_rings_nobody(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(0.2, press="1")
        made = await ordered(place, replace(placing(13), until=int(time.time()) - 1))
        assert made.disposition is Disposition.NOT_PLACED
        assert stages(made) == [("refused", "LATE")]
        assert place.phones["101"].calls == []


async def test_an_operator_may_take_longer_than_an_order_may_wait(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(2.5, press="1")
        place.trunk.default = busy(0.2)
        wanted = placing(14)
        made = await ordered(place, replace(wanted, until=int(time.time()) + 1))
        assert clients_calls(place) == 1
        assert ended_of(made, RULES) is Ended.BUSY


async def test_who_accepts_when_it_is_night_at_the_clients_wakes_nobody(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(2.5, press="1")
        made = await ordered(place, replace(placing(15), client_until=int(time.time()) + 1))
        assert stages(made) == [("accepted", ""), ("refused", "LATE")]
        assert clients_calls(place) == 0
        assert fences(place) == []
        assert ended_of(made, RULES) is Ended.NOT_DIALLED


@pytest.mark.parametrize("operator", ["101", None])
async def test_a_client_who_is_on_the_line_is_not_called_beside(
    tmp_path: Path, operator: str | None
) -> None:
    """They called again while the operator's phone rang: that call is theirs."""
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(0.2, press="1")
        place.phones["103"].behaviour = answer(0.1)
        call = await place.trunk.call(DID, f"8{STRANGER[2:]}")
        await until(lambda: call.answered_at is not None, 10, "somebody answers the client")
        made = await ordered(place, placing(16, operator))
        assert stages(made)[-1] == ("refused", "ONTHELINE")
        assert clients_calls(place) == 0
        assert ended_of(made, RULES) is Ended.NOT_DIALLED
        await call.hangup()
        await place.records.wait(2)  # the PBX has let them go
        place.trunk.default = busy(0.2)
        answered = await asyncio.to_thread(place_call, place, placing(17, operator))
        assert answered["response"] == "Success", answered
        await until(lambda: clients_calls(place) == 1, 10, "who has hung up is called")


async def test_a_machine_that_presses_no_key_is_not_put_through(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(0.2, press="1")
        place.trunk.default = voicemail(0.2, stay=60)
        made = await ordered(place, placing(14, client_key=True), 60)
        assert made.disposition is not Disposition.ANSWERED
        assert legs(made) == [("desk", "101", "accepted"), ("outside", None, "refused")]


async def test_old_fences_are_cleared_by_the_dialplan_itself(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["101"].behaviour = answer(0.2, press="1")
        place.trunk.default = busy(0.1)
        old = int(time.time()) - names.FENCE_SECONDS - 60
        for attempt in range(1, 4):
            name = channel_ids(attempt, old)[0]
            place.pbx.cli(f"database put {names.FENCES} {name} {old}")
        wanted = placing(15)
        await ordered(place, wanted)
        await until(
            lambda: fences(place) == [wanted.uniqueids[0]],
            3,
            "only the new one is left",
        )


async def test_the_client_is_called_first_and_routed_like_a_caller(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.phones["103"].behaviour = answer(0.3, talk=2)
        place.trunk.default = answer(0.2, press="1")
        made = await ordered(place, placing(16, None, client_key=True))
        assert (made.direction, made.disposition) == (Direction.OUT, Disposition.ANSWERED)
        assert (made.number, made.placed_by) == (STRANGER, "103")
        assert legs(made) == [("outside", None, "talked"), ("desk", "103", "talked")]
        assert 1500 < made.talk_ms < 2600
        assert made.decision is not None, "who gets the client is decided as for any caller"
        (rung,) = place.phones["103"].calls
        assert STRANGER in shown_to(rung), "operators see the client's number"


@pytest.mark.parametrize(
    ("behaviour", "disposition", "outcome"),
    [
        (busy(0.1), Disposition.BUSY, "busy"),
        (no_answer(), Disposition.NO_ANSWER, "no_answer"),
        (voicemail(0.1, 60), Disposition.NO_ANSWER, "refused"),
        (refuse(404), Disposition.FAILED, "unreachable"),
    ],
    ids=["busy", "no answer", "machine", "404"],
)
async def test_a_client_called_first_who_is_not_reached_disturbs_no_operator(
    tmp_path: Path, behaviour: Behaviour, disposition: Disposition, outcome: str
) -> None:
    async with office(tmp_path) as place:
        place.trunk.default = behaviour
        made = await ordered(place, placing(17, None, client_key=True), 40)
        assert (made.direction, made.disposition) == (Direction.OUT, disposition)
        assert legs(made) == [("outside", None, outcome)]
        assert made.placed_by is None
        assert not any(phone.calls for phone in place.phones.values())


async def test_a_client_called_first_waits_in_vain(tmp_path: Path) -> None:
    async with office(tmp_path, fallback=Fallback("endpoints", "104", 2)) as place:
        for phone in place.phones.values():
            phone.behaviour = no_answer()
        place.trunk.default = answer(0.2)
        made = await ordered(place, placing(18, None), 40)
        assert (made.direction, made.disposition) == (Direction.OUT, Disposition.NO_ANSWER)
        assert legs(made)[0] == ("outside", None, "accepted")
        assert {operator for _, operator, _ in legs(made)[1:]} >= {"103"}


async def test_the_order_outlives_a_listener_that_is_gone(tmp_path: Path) -> None:
    async with office(tmp_path, listening=False) as place:
        place.phones["101"].behaviour = answer(0.2, press="1")
        place.trunk.default = answer(0.2, talk=30)
        wanted = placing(19)
        await asyncio.to_thread(place_call, place, wanted)
        talk = await place.trunk.next_call(10)
        await talk.wait_answered(5)
        await place.start_listener()
        await talk.hangup()
        (made,) = await place.records.wait()
        await place.stop_listener()
        assert made.call_id == wanted.uniqueids[0]
        assert (made.direction, made.number, made.placed_by) == (Direction.OUT, STRANGER, "101")
        assert made.disposition is Disposition.ANSWERED


async def test_the_listeners_user_may_not_place_calls_and_the_dialler_nothing_else(
    tmp_path: Path,
) -> None:
    async with office(tmp_path, listening=False) as place:
        port = place.pbx.ami_port
        with session(AmiAddress("127.0.0.1", port, "dutyline", SECRET)) as ami:
            assert ami.ask(actions.originate(placing(20)))["response"] == "Error"
        user, secret = names.dialler_of("dutyline", SECRET)
        with session(AmiAddress("127.0.0.1", port, user, secret)) as ami:
            for probe in ("run console commands", "change the configuration"):
                assert ami.ask(actions.FORBIDDEN_PROBES[probe])["response"] == "Error"
            assert ami.ask(actions.fence(placing(21).uniqueids[0]))["response"] == "Error"


PEOPLE = People({name: name for name in ("101", "102", "103", "104")}, lambda raw: (raw, None, ""))


@pytest.mark.parametrize(
    ("operator", "client", "disposition", "ended"),
    [
        (answer(0.2, press="1"), answer(0.2, talk=2.2), Disposition.ANSWERED, Ended.TALKED),
        (answer(0.2, press="1"), busy(0.1), Disposition.BUSY, Ended.BUSY),
        (answer(0.2, press="1"), no_answer(), Disposition.NO_ANSWER, Ended.NO_ANSWER),
        (busy(0.1), answer(0.2), Disposition.NOT_PLACED, Ended.OPERATOR_BUSY),
        (no_answer(), answer(0.2), Disposition.NOT_PLACED, Ended.OPERATOR_NO_ANSWER),
    ],
    ids=["talked", "client busy", "client no answer", "operator busy", "operator no answer"],
)
@pytest.mark.parametrize("first", ["101", None], ids=["operator first", "client first"])
async def test_with_nobody_listening_the_cdr_tells_how_it_ended(
    tmp_path: Path,
    first: str | None,
    operator: Behaviour,
    client: Behaviour,
    disposition: Disposition,
    ended: Ended,
) -> None:
    async with office(tmp_path, listening=False) as place:
        place.phones["101"].behaviour = operator
        place.phones["104"].behaviour = operator  # the fallback, where nobody decides
        place.trunk.default = client
        if first is None and disposition is Disposition.NOT_PLACED:
            busy_now = ended is Ended.OPERATOR_BUSY
            disposition = Disposition.BUSY if busy_now else Disposition.NO_ANSWER
            ended = Ended.WAITED_IN_VAIN
        wanted = placing(30, first, client_seconds=2)
        await asyncio.to_thread(place_call, place, wanted)
        file = place.pbx.home / "log" / "cdr-csv" / "Master.csv"

        def made() -> list[CallRecord]:
            rows = cdr_rows(file.read_bytes()) if file.exists() else []
            return list(from_cdr(rows, PEOPLE).values())

        await until(lambda: len(made()) == 1 and no_channels(place), 30, "the call is over")
        (record,) = made()
        assert record.call_id == wanted.uniqueids[0]
        assert (record.direction, record.number) == (Direction.OUT, STRANGER)
        assert record.disposition is disposition
        assert ended_of(record, RULES) is ended
        assert (record.talk_ms > 0) is (disposition is Disposition.ANSWERED)


def no_channels(place: Office) -> bool:
    return "0 active channels" in place.pbx.cli("core show channels")
