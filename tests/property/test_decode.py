"""The edge under arbitrary and under hostile input."""

from __future__ import annotations

import asyncio
import itertools
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.ami import actions, names
from telephony.ami.client import _Protocol
from telephony.ami.decode import READ, Counters, Decoder
from telephony.domain.events import Offered
from telephony.domain.routing import Kind, Plan, Rule, Step, Target
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
