"""The list of channels, read strictly, and what it means for calls that were followed or not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from telephony.ami.listing import Listing
from telephony.domain.board import Board
from telephony.domain.call import Call, Phase
from telephony.domain.channels import Channel, Listed, Sorted, adopted, sort_out
from telephony.domain.events import CallEvent, DialBegan, Held, HungUp, Joined
from telephony.domain.live import LiveCall, OperatorState
from telephony.domain.record import Context, Direction, Disposition, record
from telephony.domain.telling import live_call
from telephony.livestate import LiveState

ACTION = "0123456789abcdef01234567"
DESKS = {"101": "101", "102": "102"}
CONTEXT = Context(endpoints=DESKS)
S = 1_000_000
NOW = 1795490100 * S
CALLER = Channel(
    name="PJSIP/trunk-00000000",
    uniqueid="lab-1795490000.0",
    linkedid="lab-1795490000.0",
    number="+79001112233",
    call="lab-1795490000.0",
    did="74951234567",
    bridge="b1",
    exten="74951234567",
    data="PJSIP/101/sip:101@127.0.0.1:5060,3,gt",
    answered_at=1795490010 * S,
    up=True,
    seconds=99,
)
DESK = Channel(
    name="PJSIP/101-00000001",
    uniqueid="lab-1795490000.1",
    linkedid="lab-1795490000.0",
    number="101",
    bridge="b1",
    up=True,
    seconds=95,
)


def item(channel: Channel = CALLER, *, number: str | None = None, more: str = "") -> bytes:
    """Return a Status item as Asterisk 22 writes it."""
    shown = channel.number if number is None else number
    variables = f"Variable: DL_CALL={channel.call or '(null)'}\r\n"
    variables += f"Variable: DL_DID={channel.did or '(null)'}\r\n"
    if channel.answered_at:
        variables += f"Variable: CDR(answer,u)={channel.answered_at / S:.6f}\r\n"
    return (
        "Event: Status\r\nPrivilege: Call\r\n"
        f"Channel: {channel.name}\r\nChannelState: {6 if channel.up else 4}\r\n"
        f"ChannelStateDesc: Up\r\nCallerIDNum: {shown}\r\nCallerIDName: Ромашка\r\n"
        "ConnectedLineNum: 101\r\nConnectedLineName: <unknown>\r\nLanguage: en\r\n"
        "AccountCode: \r\nContext: dutyline-steps\r\nExten: desk\r\nPriority: 7\r\n"
        f"Uniqueid: {channel.uniqueid}\r\nLinkedid: {channel.linkedid}\r\nType: PJSIP\r\n"
        f"DNID: {channel.exten}\r\nEffectiveConnectedLineNum: 101\r\n"
        "EffectiveConnectedLineName: <unknown>\r\nTimeToHangup: 0\r\n"
        f"BridgeID: {channel.bridge}\r\nApplication: Dial\r\nData: {channel.data}\r\n"
        f"{more}Nativeformats: (alaw)\r\nCallgroup: 0\r\nSeconds: {channel.seconds}\r\n"
        f"{variables}ActionID: {ACTION}"
    ).encode()


def end(count: int) -> bytes:
    """Return the end of a list."""
    return (
        f"Event: StatusComplete\r\nActionID: {ACTION}\r\nEventList: Complete\r\n"
        f"ListItems: {count}\r\nItems: {count}"
    ).encode()


async def read(*packets: bytes) -> tuple[list[Channel], list[str], bool, bool]:
    """Return what a list of these packets gives, and whether it has ended."""
    listing = Listing(ACTION, asyncio.get_running_loop().create_future())
    for packet in packets:
        for part in packet.split(b"\r\n\r\n"):
            listing.take(part)
    return (*listing.channels(), listing.done.done())


async def test_a_list_as_asterisk_writes_it() -> None:
    begin = f"Response: Success\r\nActionID: {ACTION}\r\nEventList: start".encode()
    assert await read(begin, item(), item(DESK), end(2)) == ([CALLER, DESK], [], True, True)
    assert await read(begin, item()) == ([CALLER], [], False, False)
    assert (await read(begin, item(), end(2)))[2] is False, "one is missing"


async def test_a_list_that_is_refused_ends_at_once() -> None:
    refused = f"Response: Error\r\nActionID: {ACTION}\r\nMessage: no".encode()
    assert await read(refused) == ([], [], False, True)


@pytest.mark.parametrize(
    "number",
    [
        f"1\r\n\r\nEvent: StatusComplete\r\nActionID: {ACTION}\r\nListItems: 1",
        "1\r\n\r\nEvent: StatusComplete\r\nEventList: Complete\r\nListItems: 0",
        "1\r\n\r\nResponse: Error\r\nMessage: no",
        "1\r\n\r\nEvent: Status\r\nPrivilege: Call\r\nChannel: PJSIP/101-1",
        "1\r\nUniqueid: lab-1795490000.7",
        "1\r\nLinkedid: lab-1795490000.7",
        "1\r\nVariable: DL_CALL=lab-1795490000.7",
        "1\r\nSeconds: 5",
        "1\r\nX: y",
    ],
)
async def test_a_number_with_line_ends_puts_its_own_channel_in_doubt_alone(number: str) -> None:
    hostile = replace(DESK, name="PJSIP/trunk-00000009", uniqueid="lab-1795490050.9")
    packets = (item(), item(hostile, number=number), item(DESK), end(3))
    channels, doubtful, whole, ended = await read(*packets)
    assert channels == [CALLER, DESK]
    assert "PJSIP/trunk-00000009" in doubtful
    assert (whole, ended) == (False, True)


@pytest.mark.parametrize("more", ["BridgeID: b2\r\n", "Uniqueid: x\r\n", "Variable: DL_CALL=x\r\n"])
async def test_a_header_twice_is_a_header_forged(more: str) -> None:
    assert (await read(item(more=more), end(1)))[0] == []


async def test_another_action_s_answer_is_not_this_list_s() -> None:
    other = item().replace(ACTION.encode(), b"f" * 24)
    assert (await read(other, end(1)))[0] == []
    assert (await read(end(1).replace(ACTION.encode(), b"f" * 24)))[3] is False


def _follow(events: tuple[CallEvent, ...] | list[CallEvent], board: Board | None = None) -> Board:
    board = board or Board(DESKS)
    for event in events:
        board.take(event)
    return board


def _sorted(
    board: Board, *channels: Channel, told: tuple[LiveCall, ...] = (), seen: int = NOW - S
) -> Sorted:
    followed = [call for call in board.calls.values() if call.state.phase is not Phase.ENDED]
    home = {
        name: call.id
        for channel in channels
        for name in (channel.uniqueid, channel.call, channel.linkedid)
        if (call := board.find(name)) is not None
    }
    return sort_out(followed, home, told, Listed(channels, True), seen, NOW)


def _call(board: Board) -> Call:
    (call,) = board.calls.values()
    return call


def test_a_call_that_is_found_is_followed_from_its_answer_on() -> None:
    found = _sorted(Board(DESKS), CALLER, DESK)
    assert found.found == {CALLER.uniqueid: None}
    call = _call(_follow(found.events))
    assert call.announced
    assert call.state.phase is Phase.TALKING
    live = live_call(call, CONTEXT, None, 1)
    assert (live.did, live.number, live.direction) == (CALLER.did, CALLER.number, Direction.IN)
    assert (live.talking, live.answered_at) == (("101",), CALLER.answered_at)
    board = _follow(
        [HungUp(NOW + 5 * S, call.id, call.id, CALLER.name, 16, 0)], _follow(found.events)
    )
    assert record(_call(board), CONTEXT).talk_ms == 95_000


def test_what_an_earlier_process_knew_is_believed() -> None:
    call = _call(_follow(_sorted(Board(DESKS), CALLER, DESK).events))
    known = replace(
        live_call(call, CONTEXT, None, 1),
        started_at=NOW - 99 * S - 1,
        answered_at=NOW - 93 * S - 7,
        number="+79009999999",
    )
    again = _sorted(Board(DESKS), CALLER, DESK, told=(known,))
    live = live_call(_call(_follow(again.events)), CONTEXT, None, 2)
    assert (live.started_at, live.answered_at) == (known.started_at, known.answered_at)
    assert live.number == "+79009999999", "the channel may show another number by now"
    gone = _sorted(Board(DESKS), told=(known,))
    assert gone.forgotten == (known,)


def test_a_call_that_rings_and_one_that_an_operator_placed() -> None:
    ringing = replace(DESK, up=False, bridge="")
    caller = replace(CALLER, up=False, bridge="", answered_at=None)
    call = _call(_follow(adopted(CALLER.uniqueid, [caller, ringing], None, NOW, NOW)))
    assert live_call(call, CONTEXT, None, 1).ringing == ("101",)
    placed = replace(
        CALLER,
        name="PJSIP/102-00000005",
        number="102",
        call="",
        did="",
        exten="79161110001",
        data="PJSIP/79161110001@trunk,30,g",
    )
    outside = replace(DESK, name="PJSIP/trunk-00000006")
    call = _call(_follow(adopted(placed.uniqueid, [placed, outside], None, NOW, NOW)))
    live = live_call(call, CONTEXT, None, 1)
    assert (live.direction, live.placed_by, live.number) == (Direction.OUT, "102", "79161110001")
    assert live.talking == ("102", "79161110001")


def test_a_leg_alone_that_nobody_announced_and_one_without_its_origin_are_left() -> None:
    assert adopted(CALLER.uniqueid, [replace(CALLER, call="")], None, NOW, NOW) == []
    assert adopted("lab-1795490000.0", [DESK], None, NOW, NOW) == []


def _placed(*others: Channel) -> Call:
    """Return a call that 102 placed to a client, who talks."""
    mine = replace(
        CALLER, name="PJSIP/102-00000005", number="102", call="", did="", exten="79161110001"
    )
    client = replace(DESK, name="PJSIP/trunk-00000006", uniqueid="lab-1795490000.9")
    return _call(_follow(adopted(mine.uniqueid, [mine, client, *others], None, NOW, NOW)))


def test_a_call_whose_first_leg_has_left_goes_on() -> None:
    """102 called a client and sent them on to 101; then Dutyline is started anew."""
    known = replace(
        live_call(_placed(), CONTEXT, None, 1), answered_at=NOW - 90 * S, number="+79161110001"
    )
    assert known.channel == "PJSIP/102-00000005"
    client = replace(
        DESK,
        name="PJSIP/trunk-00000006",
        uniqueid="lab-1795490000.9",
        bridge="b2",
        number="79161110001",
    )
    given = replace(DESK, bridge="b2", seconds=20)
    found = _sorted(Board(DESKS), client, given, told=(known,))
    assert (found.found, found.forgotten) == ({known.call_id: known}, ())
    board = _follow(found.events)
    live = live_call(_call(board), CONTEXT, known, 2)
    assert (live.direction, live.placed_by, live.phase) == (Direction.OUT, "102", "talking")
    assert set(live.talking) == {"101", "79161110001"}
    assert live.started_at == known.started_at
    _follow([HungUp(NOW + 5 * S, known.call_id, leg.uniqueid, leg.name, 16, 0) for leg in
             (given, client)], board)  # fmt: skip
    made = record(_call(board), CONTEXT)
    assert made.ended_at == NOW + 5 * S
    assert made.number == "79161110001"
    assert made.disposition is Disposition.ANSWERED


def test_a_caller_alone_whom_an_earlier_process_told_of_goes_on() -> None:
    """In a queue of the PBX's own dialplan between two phones, or parked."""
    call = _call(_follow(_sorted(Board(DESKS), replace(CALLER, call="", did=""), DESK).events))
    known = live_call(call, CONTEXT, None, 1)
    alone = replace(CALLER, call="", did="", bridge="", answered_at=None)
    found = _sorted(Board(DESKS), alone, told=(known,))
    assert (found.found, found.forgotten) == ({known.call_id: known}, ())
    board = _follow(found.events)
    assert _call(board).concerns_somebody
    assert live_call(_call(board), CONTEXT, known, 2).phase == "waiting"
    board.take(HungUp(NOW + S, known.call_id, known.call_id, CALLER.name, 16, 0))
    assert _call(board).state.phase is Phase.ENDED
    nobody = _sorted(Board(DESKS), alone)
    assert (nobody.found, nobody.events) == ({}, ())


@pytest.mark.parametrize("change", [{"placed_by": None}, {"channel": ""}])
def test_every_call_that_was_told_is_found_or_forgotten(change: dict[str, object]) -> None:
    """A caller who has gone ends the call, whoever of the company still talks about it."""
    known = replace(live_call(_placed(), CONTEXT, None, 1), **change)  # type: ignore[arg-type]
    found = _sorted(Board(DESKS), replace(DESK, bridge="b2"), told=(known,))
    assert (found.found, found.forgotten) == ({}, (known,))


def test_a_followed_call_catches_up() -> None:
    board = _follow(_sorted(Board(DESKS), CALLER, DESK).events)
    assert _sorted(board, CALLER, DESK).events == (), "nothing happened"
    # 101 has gone, 102 talks in another bridge now.
    other = replace(
        DESK, name="PJSIP/102-00000003", uniqueid="lab-1795490060.3", bridge="b2", seconds=3
    )
    moved = _sorted(board, replace(CALLER, bridge="b2"), other, seen=NOW - 20 * S)
    call = _call(_follow(moved.events, board))
    live = live_call(call, CONTEXT, None, 3)
    assert live.talking == ("102",)
    (first, _) = call.state.legs
    assert first.ended_at == NOW - 20 * S, "it is not known to have lived any longer"
    assert [event.at for event in moved.events if isinstance(event, Joined)] == [NOW, NOW]
    told = replace(other, began_at=NOW - 4 * S + 7, answered_at=NOW - 3 * S - 5)
    board = _follow(_sorted(Board(DESKS), CALLER, DESK).events)
    moved = _sorted(board, replace(CALLER, bridge="b2"), told, seen=NOW - 20 * S)
    began = [event.at for event in moved.events if isinstance(event, DialBegan)]
    entered = {event.leg: event.at for event in moved.events if isinstance(event, Joined)}
    assert began == [NOW - 4 * S + 7], "the PBX tells when it began and was answered"
    assert entered[told.uniqueid] == NOW - 3 * S - 5


def test_nothing_is_made_up_for_that_was_seen_to_happen_otherwise() -> None:
    board = _follow(_sorted(Board(DESKS), CALLER, DESK).events)
    held = Held(NOW - 10 * S, CALLER.uniqueid, DESK.uniqueid, DESK.name)
    board.take(held)
    gone = _sorted(board, replace(CALLER, bridge=""), seen=NOW - 20 * S)
    call = _call(_follow(gone.events, board))
    assert call.state.legs[0].ended_at == held.at, "it was there when it held the call"
    assert not call.state.legs[0].holding


def test_what_an_earlier_process_told_of_the_answer_stays() -> None:
    call = _call(_follow(_sorted(Board(DESKS), CALLER, DESK).events))
    answered = NOW - 94 * S
    context = replace(CONTEXT, answered_at=answered, answered_by="102")
    live, made = live_call(call, context, None, 1), record(call, context)
    for told in (live, made):
        assert (told.answered_at, told.answered_by) == (answered, "102")


def test_a_followed_call_that_is_not_there_is_gone_and_never_missed() -> None:
    board = _follow(_sorted(Board(DESKS), CALLER, replace(DESK, up=False, bridge="")).events)
    assert _sorted(board).gone == (CALLER.uniqueid,)
    assert _sorted(board).events == ()
    stays = _sorted(board, replace(DESK, up=False, bridge=""))
    assert stays.gone == ()
    ended = record(_call(_follow(stays.events, board)), CONTEXT)
    assert ended.disposition is not Disposition.ANSWERED


class Told:
    """A sink that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[tuple[list[LiveCall], list[OperatorState], object]] = []

    def tell(self, calls, operators=(), gone=None) -> None:  # type: ignore[no-untyped-def]
        self.said.append((list(calls), list(operators), gone))

    replace = tell


def test_only_what_changed_is_told() -> None:
    sink = Told()
    state = LiveState(sink)
    call = _call(_follow(_sorted(Board(DESKS), CALLER, DESK).events))
    devices = {"101": "INUSE", "102": "NOT_INUSE"}

    def flush(*calls: Call, at: int = NOW) -> list[tuple[list[str], list[tuple[str, str]], object]]:
        sink.said.clear()
        known = {one.id: (one, CONTEXT) for one in calls}
        state.flush(known.get, devices.get, at)
        return [
            ([one.call_id for one in said], [(one.extension, one.state.value) for one in who], gone)
            for said, who, gone in sink.said
        ]

    assert flush(call) == []
    state.changed(call.id)
    assert flush(call) == [([call.id], [("101", "busy")], {})]
    assert [one.call_id for one in state.states.values()] == [call.id]
    state.device_changed("102")
    state.device_changed(None)
    assert flush(call) == [([], [("102", "free")], {})]
    state.device_changed("102")
    assert flush(call) == [], "it is free as before"
    state.changed(call.id)
    ended = _call(_follow([HungUp(NOW, call.id, call.id, "x-1", 16, 0)], _follow(call.events)))
    assert flush(ended) == [([], [("101", "busy")], {})], "its row goes with its record"
    assert [one.call_id for one in state.states.values()] == [None, None]
    state.changed(call.id)
    flush(call)
    state.absorbed(call.id, "another")
    assert flush()[0][2] == {call.id: "another"}
    nobody = LiveState(None)
    nobody.changed(call.id)
    nobody.flush(lambda _: (call, CONTEXT), devices.get, NOW)
    assert nobody.told == {}
