"""The edge under arbitrary and under hostile input."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.ami import actions, names
from telephony.ami.client import _Protocol
from telephony.ami.decode import READ, Counters, Decoder
from telephony.domain.events import DialBegan, DialEnded, MemberChanged, Offered
from telephony.domain.routing import Kind, Plan, Rule, Step, Target
from tests.asterisk.expected import SCENES
from tests.golden.streams import TOKEN, packets

ATTACKERS_BUDGET = 79
_GENUINE = [packet for packet in packets("hostile.all") if b"\r\nCallerIDNum: " in packet]
_SPLIT = {
    kind: next(
        packet.partition(b"\r\nCallerIDNum: ")
        for packet in _GENUINE
        if packet.startswith(b"Event: " + kind.encode() + b"\r\n")
    )
    for kind in ("Newchannel", "NewCallerid", "Newstate", "Hangup", "BridgeEnter", "UserEvent")
}


# Every place of every event where a caller's number or name can stand, with the rest around it.
_SHOWN = ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")


def _places(packet: bytes) -> list[tuple[bytes, bytes]]:
    """Return (what stands before, what after) each value that a caller may have chosen."""
    lines = packet.split(b"\r\n")
    return [
        (
            b"\r\n".join([*lines[:index], line.partition(b": ")[0] + b": "]),
            b"\r\n".join(lines[index + 1 :]),
        )
        for index, line in enumerate(lines)
        if line.partition(b": ")[0].decode().endswith(_SHOWN)
    ]


_OF_SCENES = {
    (packet.partition(b"\r\n")[0], len(_places(packet))): packet
    for expected in SCENES
    for packet in packets(f"scenes/{expected.scene.__name__}")
    if packet.partition(b"\r\n")[0] in READ and _places(packet)
}
_PLACES = [place for _, packet in sorted(_OF_SCENES.items()) for place in _places(packet)]


def _is_read(packet: bytes) -> bool:
    return packet.partition(b"\r\n")[0] in READ


def _received(chunks: list[bytes]) -> list[bytes]:
    """Return the event packets a protocol frames out of chunks."""

    async def feed() -> list[bytes]:
        protocol = _Protocol(Counters())
        protocol.connection_made(Mock())
        for chunk in chunks:
            protocol.data_received(chunk)
        return [packet for _, packet in protocol.packets]

    return asyncio.run(feed())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_chunking_gives_the_same_messages_in_order(data: st.DataObject) -> None:
    stream = (
        b"Asterisk Call Manager/11.0.0\r\n"
        + b"\r\n\r\n".join(packets("answered.all"))
        + b"\r\n\r\n"
    )
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=40).map(sorted))
    edges = [0, *cuts, len(stream)]
    chunks = [stream[a:b] for a, b in itertools.pairwise(edges)]
    expected = [packet for packet in packets("answered.all") if _is_read(packet)]
    assert _received(chunks) == expected


def test_one_byte_at_a_time_gives_the_same_messages() -> None:
    stream = (
        b"Asterisk Call Manager/11.0.0\r\n"
        + b"\r\n\r\n".join(packets("busy.filtered"))
        + b"\r\n\r\n"
    )
    chunks = [stream[i : i + 1] for i in range(len(stream))]
    expected = [packet for packet in packets("busy.filtered") if _is_read(packet)]
    assert _received(chunks) == expected


@given(st.binary(max_size=400))
def test_no_bytes_make_the_decoder_raise(junk: bytes) -> None:
    decoder = Decoder(TOKEN)
    for packet in junk.split(b"\r\n\r\n"):
        assert decoder.decode(packet) is None
        assert decoder.decode(b"Event: Hangup\r\n" + packet) is None


_PIECES = st.sampled_from(
    [
        "\r\n\r\n",
        "\r\n",
        "Event: Hangup",
        "Event: UserEvent",
        "Event: BridgeEnter",
        "Event: DeviceStateChange",
        "\r\nTimestamp: 1795000000.000001\r\nDevice: PJSIP/101\r\nState: BUSY\r\n\r\n",
        "Privilege: call,all",
        "Timestamp: 1795000000.000001",
        "Channel: P/1-1",
        "Uniqueid: 1795000000.1",
        "Linkedid: 1795000000.1",
        "Cause: 16",
        "Device: PJSIP/101",
        "State: BUSY",
        "UserEvent: DutylineIncoming",
        "CallId: 1795000000.1",
        "X: ",
    ]
)
_ATTACK = (
    st.lists(_PIECES | st.text(max_size=8), max_size=14)
    .map("".join)
    .map(lambda text: text.encode("utf-8", "replace")[:ATTACKERS_BUDGET])
)


@settings(max_examples=3000, deadline=None)
@given(_ATTACK, st.sampled_from(sorted(_SPLIT)))
def test_nothing_forged_in_79_characters_is_believed(attack: bytes, kind: str) -> None:
    head, header, tail = _SPLIT[kind]
    rest = tail.partition(b"\r\n")[2]
    stream = head + header + attack + b"\r\n" + rest
    decoder = Decoder(TOKEN)
    for packet in stream.split(b"\r\n\r\n"):
        event = decoder.decode(packet)
        if event is None:
            continue
        # What is believed carries the genuine event's ids: nothing of the attacker's.
        assert "1795000000" not in repr(event)
        assert event == Decoder(TOKEN).decode(head + header + b"+7900\r\n" + rest)


_HEADS = st.sampled_from(sorted(READ)).map(
    lambda head: b"\r\n\r\n" + head + b"\r\nPrivilege: call,all\r\nTimestamp: 1795000000.000001\r\n"
)
_HEADED = st.tuples(_HEADS, _ATTACK).map(lambda parts: b"".join(parts)[:ATTACKERS_BUDGET])


@settings(max_examples=1000, deadline=None)
@given(_ATTACK | _HEADED, st.sampled_from(_PLACES))
def test_nothing_forged_in_any_event_is_believed(attack: bytes, place: tuple[bytes, bytes]) -> None:
    before, rest = place
    decoder = Decoder(TOKEN)
    genuine = Decoder(TOKEN).decode(before + b"+7900\r\n" + rest)
    for packet in (before + attack + b"\r\n" + rest).split(b"\r\n\r\n"):
        event = decoder.decode(packet)
        if event is not None:
            assert "1795000000" not in repr(event)
            # The number that is shown may be the caller's; nothing else of the event.
            assert _without_number(event) == _without_number(genuine)


def _without_number(event: object) -> object:
    return replace(event, number="") if isinstance(event, DialBegan | DialEnded) else event


def test_all_that_is_read_is_attacked() -> None:
    attacked = {before.partition(b"\r\n")[0] for before, _ in _PLACES}
    apart = (b"Event: DeviceStateChange", b"Event: QueueMember")
    assert attacked == {event for event in READ if not event.startswith(apart)}


def test_a_forged_member_of_a_queue_needs_more_than_the_budget() -> None:
    stamp = b"Timestamp: 1795644942.096625\r\n"
    required = [name for name in names.WANTED["QueueMemberPause"] if not str(name).endswith("?")]
    values = {"Paused": b"1", "Penalty": b"0"}
    lines = [f"{name}: ".encode() + values.get(str(name), b"x") + b"\r\n" for name in required]
    forged = b"Event: QueueMemberPause\r\nPrivilege: agent,all\r\n" + stamp + b"".join(lines)
    event = Decoder(TOKEN).decode(forged.removesuffix(b"\r\n"))
    shortest = MemberChanged(1795644942_096625, "x", "x", True, "x")
    assert event == shortest, "the shortest one is taken"
    assert len(b"1\r\n\r\n" + forged) > ATTACKERS_BUDGET


def test_a_forged_device_state_needs_more_than_the_budget() -> None:
    forged = (
        b"\r\n\r\nEvent: DeviceStateChange\r\nPrivilege: call,all\r\n"
        b"Timestamp: 1.000001\r\nDevice: P\r\nState: B"
    )
    assert len(forged) > ATTACKERS_BUDGET


_TEXT = st.text(st.characters(blacklist_categories=()), max_size=60)


@given(st.lists(st.tuples(_TEXT, _TEXT), min_size=1, max_size=5))
def test_any_text_in_any_field_gives_exactly_one_action_frame(
    fields: list[tuple[str, str]],
) -> None:
    try:
        data = actions.render((("Action", "Ping"), *fields))
    except actions.BadValue:
        return
    assert data.endswith(b"\r\n\r\n")
    assert data.count(b"\r\n\r\n") == 1
    assert data.count(b"\n") == data.count(b"\r") == len(fields) + 2
    assert b"\0" not in data


@given(_TEXT, _TEXT, _TEXT)
def test_a_plan_with_any_texts_is_whole_frames_or_nothing(
    channel: str, address: str, name: str
) -> None:
    step = Step(Kind.DESK, Rule.DUTY, (Target("101", address),), 20)
    try:
        batch = actions.plan(channel, Plan((step,), name))
        data = b"".join(actions.render(fields) for fields in batch)
    except actions.BadValue:
        return
    frames = data.split(b"\r\n\r\n")[:-1]
    assert len(frames) == len(batch)
    assert all(frame.count(b"Action: Setvar\r\n") == 1 for frame in frames)
    assert frames[-1].endswith(b"Variable: DL_PLAN\r\nValue: 1")


@pytest.mark.parametrize(
    "variable", ["CHANNEL(hangup_handler_push)", "DL_HB", "SHELL(id)", "DL_STEP_1,X"]
)
def test_only_the_plans_variables_can_be_set(variable: str) -> None:
    with pytest.raises(actions.BadValue):
        actions.set_variable("PJSIP/trunk-00000001", variable, "x")


@given(st.sampled_from(names.USER_EVENTS), st.text("abcdef0123456789-", min_size=16, max_size=30))
def test_a_user_event_with_another_token_is_foreign(
    layout: names.UserEventLayout, token: str
) -> None:
    decoder = Decoder("another-token-0123456789")
    seen = [packet for packet in _GENUINE if packet.startswith(b"Event: UserEvent")]
    for packet in seen:
        assert decoder.decode(packet.replace(TOKEN.encode(), token.encode())) is None
    assert decoder.counters.foreign == len(seen)


def test_the_genuine_announcements_are_decoded() -> None:
    decoder = Decoder(TOKEN)
    offered = [event for packet in _GENUINE if isinstance(event := decoder.decode(packet), Offered)]
    assert offered
    assert offered[0].did == "74951234567"
