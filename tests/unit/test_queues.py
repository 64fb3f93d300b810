"""The members of the PBX's queues: read strictly, and who of them makes a pause."""

from __future__ import annotations

import asyncio

import pytest

from telephony.ami.queues import QueueListing
from telephony.domain.events import MemberChanged
from telephony.domain.live import OperatorActivity, activity
from telephony.domain.membership import Key, Member, paused_devices
from telephony.domain.queues import extension_of_member, is_paused
from telephony.livestate import LiveState

ACTION = "0123456789abcdef01234567"
PAUSED = Member(5, "paused", "PJSIP/101", True)
DESKS = {"101": "101", "boris-desk": "102"}


def member(device: str = "PJSIP/101", paused: int = 1, *, action: str = ACTION) -> bytes:
    """Return an item as Asterisk 22 writes it."""
    return (
        f"Event: QueueMember\r\nQueue: duty\r\nName: Vera\r\nLocation: {device}\r\n"
        f"StateInterface: {device}\r\nMembership: static\r\nPenalty: 5\r\nCallsTaken: 0\r\n"
        "LastCall: 0\r\nLastPause: 0\r\nLoginTime: 1795644933\r\nInCall: 0\r\nStatus: 1\r\n"
        f"Paused: {paused}\r\nPausedReason: \r\nWrapuptime: 0\r\nActionID: {action}"
    ).encode()


def caller(number: str) -> bytes:
    """Return the item of a caller who waits; Asterisk prints the number raw."""
    return (
        "Event: QueueEntry\r\nQueue: duty\r\nPosition: 1\r\nChannel: PJSIP/trunk-00000001\r\n"
        f"Uniqueid: 1795644933.1\r\nCallerIDNum: {number}\r\nCallerIDName: x\r\n"
        "ConnectedLineNum: x\r\nConnectedLineName: x\r\nWait: 3\r\nPriority: 0\r\n"
        f"ActionID: {ACTION}"
    ).encode()


def end(count: int) -> bytes:
    return (
        f"Event: QueueStatusComplete\r\nActionID: {ACTION}\r\nEventList: Complete\r\n"
        f"ListItems: {count}"
    ).encode()


async def read(*packets: bytes) -> tuple[dict[Key, Member], bool]:
    listing = QueueListing(ACTION, asyncio.get_running_loop().create_future())
    for packet in packets:
        for part in packet.split(b"\r\n\r\n"):
            listing.take(part)
    return listing.queues().members, listing.done.done()


async def test_members_as_asterisk_writes_them() -> None:
    found = await read(member(), member("hint:102@ext-local", 0), caller("+7900"), end(3))
    members = {
        ("duty", "PJSIP/101"): PAUSED,
        ("duty", "hint:102@ext-local"): Member(5, "", "hint:102@ext-local", True),
    }
    assert found == (members, True)
    assert paused_devices(members) == {
        ("duty", "PJSIP/101"): True,
        ("duty", "hint:102@ext-local"): False,
    }


async def test_the_reason_of_a_pause_and_a_member_that_can_be_removed() -> None:
    told = member().replace(b"PausedReason: ", b"PausedReason: lunch")
    added = told.replace(b"Membership: static", b"Membership: dynamic")
    assert await read(added, end(1)) == (
        {("duty", "PJSIP/101"): Member(5, "lunch", "PJSIP/101", False)},
        True,
    )


@pytest.mark.parametrize(
    "number",
    [
        "1\r\n\r\nEvent: QueueMember\r\nQueue: duty\r\nStateInterface: PJSIP/101\r\nPaused: 1",
        "1\r\n\r\nEvent: QueueStatusComplete\r\nEventList: Complete\r\nListItems: 0",
        f"1\r\n\r\nEvent: QueueStatusComplete\r\nActionID: {ACTION[:5]}",
        "1\r\n\r\nResponse: Error\r\nMessage: no",
    ],
)
async def test_a_caller_who_waits_forges_no_member(number: str) -> None:
    assert await read(caller(number)) == ({}, False)
    assert await read(member(), caller(number), end(2)) == ({("duty", "PJSIP/101"): PAUSED}, True)


async def test_another_action_s_answer_is_not_this_list_s() -> None:
    assert await read(member(action="f" * 24)) == ({}, False)


@pytest.mark.parametrize(
    ("device", "extension"),
    [
        ("PJSIP/101", "101"),
        ("PJSIP/boris-desk", "102"),
        ("hint:102@ext-local", "102"),
        ("Local/101@from-queue/n", "101"),
        ("Local/999@from-queue/n", None),
        ("hint:999@ext-local", None),
        ("PJSIP/trunk", None),
        ("Custom:DND101", None),
    ],
)
def test_whose_member_a_device_is(device: str, extension: str | None) -> None:
    assert extension_of_member(device, DESKS) == extension


def test_a_pause_is_one_in_all_queues() -> None:
    members = {("duty", "PJSIP/101"): True, ("sales", "PJSIP/101"): False}
    assert not is_paused(members, "101", DESKS)
    members["sales", "PJSIP/101"] = True
    assert is_paused(members, "101", DESKS)
    assert not is_paused(members, "102", DESKS), "a member of none"
    assert activity("NOT_INUSE", True) is OperatorActivity.PAUSED
    assert activity("INUSE", True) is OperatorActivity.BUSY, "a pause ends no conversation"


def test_live_state_follows_the_members() -> None:
    state = LiveState(None, DESKS)
    for paused, now in ((False, False), (True, True), (None, False)):
        state.member_changed(MemberChanged(1, "duty", "PJSIP/101", paused))
        assert is_paused(state.members, "101", DESKS) == now
    assert state.members == {}
