"""Which events are one call: sequences that are hard to get from phones, made by hand."""

from __future__ import annotations

import pytest

from telephony.domain.board import Board
from telephony.domain.events import (
    CallEvent,
    DialBegan,
    DialEnded,
    Finished,
    HangupAsked,
    HungUp,
    Joined,
    Left,
    Offered,
    dialled_number,
    extension_of,
)
from telephony.domain.record import CallRecord, Context, Direction, LegKind, record

DESKS = {"101": "101", "102": "102", "reception": "103"}
MOBILES = {"79161110001": "101"}


def s(seconds: float) -> int:
    return 1_795_331_600_000_000 + round(seconds * 1e6)


def channel(leg: str) -> str:
    """Return the channel of a leg such as `101.7`: the endpoint stands before the dot."""
    return f"PJSIP/{leg.partition('.')[0]}-{leg.partition('.')[2]:0>8}"


def rings(at: float, call: str, by: str, leg: str, dialled: str = "") -> DialBegan:
    return DialBegan(s(at), call, leg, channel(leg), dialled, by, channel(by))


def picks_up(at: float, call: str, by: str, leg: str) -> DialEnded:
    return DialEnded(s(at), call, leg, channel(leg), "ANSWER", by, channel(by))


def joins(at: float, call: str, leg: str, bridge: str, *, private: bool = True) -> Joined:
    return Joined(s(at), call, leg, channel(leg), bridge, private)


def leaves(at: float, call: str, leg: str, bridge: str) -> Left:
    return Left(s(at), call, leg, channel(leg), bridge)


def asks(at: float, call: str, leg: str) -> HangupAsked:
    return HangupAsked(s(at), call, leg, channel(leg))


def gone(at: float, call: str, leg: str) -> HungUp:
    return HungUp(s(at), call, leg, channel(leg), 16, 0)


def talk(at: float, one: str, other: str, bridge: str, dialled: str = "") -> list[CallEvent]:
    """Return a call of `one` to `other` until both talk."""
    return [
        rings(at, one, one, other, dialled),
        picks_up(at + 1, one, one, other),
        joins(at + 1, one, other, bridge),
        joins(at + 1, one, one, bridge),
    ]


def made(*events: CallEvent) -> list[CallRecord]:
    board = Board(DESKS)
    for event in events:
        board.take(event)
    context = Context(endpoints=DESKS, mobiles=MOBILES)
    found = [record(call, context) for call in board.calls.values()]
    return sorted(found, key=lambda one: one.started_at)


def test_two_callers_stay_two_calls_though_an_operator_joins_them() -> None:
    one, two = made(
        *talk(0, "trunk.1", "101.2", "b"),
        *talk(5, "trunk.3", "101.4", "c"),
        leaves(9, "trunk.3", "trunk.3", "c"),
        joins(9, "trunk.1", "trunk.3", "b"),
        asks(20, "trunk.1", "trunk.1"),
        gone(20, "trunk.1", "trunk.1"),
        gone(21, "trunk.1", "trunk.3"),
    )
    assert (one.call_id, two.call_id) == ("trunk.1", "trunk.3")
    assert one.direction is two.direction is Direction.IN
    assert (one.ended_at, two.ended_at) == (s(20), s(21))


def test_a_colleague_called_in_the_midst_of_a_call_is_part_of_it() -> None:
    (whole,) = made(*talk(0, "trunk.1", "101.2", "b"), rings(5, "101.3", "101.3", "102.4"))
    assert (whole.call_id, whole.direction) == ("trunk.1", Direction.IN)
    assert [leg.operator for leg in whole.legs] == ["101", "102"]


def test_a_colleague_called_before_or_after_a_call_is_not() -> None:
    before = made(rings(0, "101.3", "101.3", "102.4"), *talk(5, "trunk.1", "101.2", "b"))
    after = made(
        *talk(0, "trunk.1", "101.2", "b"),
        leaves(4, "trunk.1", "101.2", "b"),
        rings(5, "101.3", "101.3", "102.4"),
    )
    assert [one.direction for one in before] == [Direction.INTERNAL, Direction.IN]
    assert [one.direction for one in after] == [Direction.IN, Direction.INTERNAL]


def test_a_number_outside_called_in_the_midst_is_a_call_until_it_is_handed_over() -> None:
    apart = [
        *talk(0, "trunk.1", "101.2", "b"),
        *talk(5, "101.3", "trunk.4", "c", "79005550000@trunk"),
    ]
    assert [one.direction for one in made(*apart)] == [Direction.IN, Direction.OUT]
    (together,) = made(
        *apart,
        leaves(9, "trunk.1", "trunk.1", "b"),
        joins(9, "trunk.1", "trunk.1", "c"),
    )
    assert (together.call_id, together.direction) == ("trunk.1", Direction.IN)
    assert {leg.address for leg in together.legs} == {"101", "79005550000"}


def test_a_caller_handed_to_a_colleague_who_was_on_the_line_first_is_the_callers_call() -> None:
    (whole,) = made(
        *talk(0, "101.1", "102.2", "b"),
        Offered(s(3), "trunk.3", channel("trunk.3"), "74951234567", "+79001112233"),
        *talk(3.1, "trunk.3", "101.4", "c"),
        leaves(9, "trunk.3", "trunk.3", "c"),
        joins(9, "101.1", "trunk.3", "b"),
        gone(9, "trunk.3", "101.4"),
        gone(9, "101.1", "101.1"),
        asks(15, "101.1", "trunk.3"),
    )
    assert (whole.call_id, whole.direction, whole.did) == ("trunk.3", Direction.IN, "74951234567")
    assert (whole.started_at, whole.ended_at) == (s(3), s(15))


def test_a_phone_that_is_no_operators_is_still_no_caller_from_outside() -> None:
    (out,) = made(*talk(0, "201.1", "trunk.2", "b", "79001112233@trunk"), asks(9, "201.1", "201.1"))
    assert (out.direction, out.placed_by, out.number) == (Direction.OUT, "201", "79001112233")
    (inside,) = made(*talk(0, "101.1", "201.2", "b", "201"), asks(9, "101.1", "101.1"))
    assert (inside.direction, inside.number) == (Direction.INTERNAL, "201")


def test_a_mobile_that_the_pbx_rings_is_a_leg_of_the_callers_call() -> None:
    (whole,) = made(*talk(0, "trunk.1", "trunk.2", "b", "79161110001@trunk"))
    assert whole.direction is Direction.IN
    assert [(leg.kind, leg.operator) for leg in whole.legs] == [(LegKind.MOBILE, "101")]
    assert (whole.answered_by, whole.answered_on) == ("101", LegKind.MOBILE)


def test_a_conference_joins_no_calls_and_begins_none() -> None:
    assert made(joins(0, "101.1", "101.1", "room", private=False)) == []
    found = made(
        *talk(0, "trunk.1", "101.2", "b"),
        *talk(0, "trunk.3", "102.4", "c"),
        joins(5, "trunk.1", "101.2", "room", private=False),
        joins(5, "trunk.3", "102.4", "room", private=False),
    )
    assert len(found) == 2


def test_an_operator_behind_a_queues_local_channel_is_named_by_the_summary() -> None:
    peer = "Local/102@from-queue-00000001;1"
    (whole,) = made(
        Finished(
            s(30), "trunk.1", channel("trunk.1"), "7", "", 1_795_331_600, 0, "", 9000, peer, ""
        )
    )
    assert whole.answered_by == "102"


def test_what_is_forgotten_leaves_nothing_behind() -> None:
    board = Board(DESKS)
    for event in talk(0, "trunk.1", "101.2", "b"):
        board.take(event)
    board.forget("trunk.1")
    kept = (board.calls, board._home, board._keys, board._linked, board._at_desk)
    assert not any(kept)
    assert board.take(gone(9, "trunk.1", "101.2")) is None


@pytest.mark.parametrize(
    ("dialled", "number"),
    [
        ("79001112233@trunk", "79001112233"),
        ("+79001112233@trunk", "+79001112233"),
        ("trunk/79001112233", "79001112233"),
        ("g0/79001112233", "79001112233"),
        ("trunk/sip:79001112233@203.0.113.5", "79001112233"),
        ("Local/79001112233@from-internal/n", "79001112233"),
        ("PJSIP/101", "101"),
        ("102", "102"),
        ("102/sip:102@127.0.0.1:5061", "102"),
        ("", ""),
        ("trunk/x;y", ""),
        ("79001112233\r\nX: y@trunk", ""),
    ],
)
def test_the_number_in_a_dial_string(dialled: str, number: str) -> None:
    assert dialled_number(dialled) == number


@pytest.mark.parametrize(
    ("channel_name", "extension"),
    [
        ("PJSIP/101-0000002a", "101"),
        ("PJSIP/reception-0000002a", "103"),
        ("PJSIP/201-0000002a", "201"),
        ("PJSIP/trunk-0000002a", None),
        ("PJSIP/74951234567-0000002a", None),
        ("Local/101@from-queue-0000002a;1", None),
    ],
)
def test_whose_phone_a_channel_is(channel_name: str, extension: str | None) -> None:
    assert extension_of(channel_name, DESKS) == extension
