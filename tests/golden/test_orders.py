"""Calls that Dutyline ordered, as the real Asterisk told of them (see record.py)."""

from __future__ import annotations

import random

import pytest

from telephony.ami.decode import Decoder
from telephony.domain.board import Board
from telephony.domain.call import Phase
from telephony.domain.record import Context
from telephony.domain.telling import live_call
from tests.golden.streams import ENDPOINTS, TOKEN, events, packets, together

CLIENT = "+79005556677"
ORDERS = {
    "ordered": ("answered", "101", [("101", "talked"), (None, "talked")]),
    "ordered_in_vain": ("busy", "101", [("101", "accepted"), (None, "busy")]),
    "ordered_declined": ("not_placed", "101", [("101", "declined")]),
    "recalled": ("answered", "103", [(None, "talked"), ("103", "talked")]),
}


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_is_one_true_record(name: str) -> None:
    disposition, by, legs = ORDERS[name]
    (made,) = together(events(f"{name}.filtered"))
    assert (made.direction, made.disposition, made.number) == ("out", disposition, CLIENT)
    assert made.placed_by == by
    assert [(leg.operator, leg.outcome) for leg in made.legs] == legs
    assert (made.talk_ms > 2000) is (disposition == "answered")


@pytest.mark.parametrize("name", ORDERS)
def test_in_any_order_and_twice_it_is_the_same_record(name: str) -> None:
    told = events(f"{name}.filtered")
    (expected,) = together(told)
    for seed in range(40):
        chance = random.Random(seed)
        mixed = [*told[1:], *chance.sample(told, len(told) // 3)]
        chance.shuffle(mixed)
        # What is said of an unknown leg is nobody's: the first ringing comes first.
        assert together([told[0], *mixed]) == [expected], seed


@pytest.mark.parametrize("name", ORDERS)
def test_whoever_begins_to_listen_in_the_midst_knows_whose_call_it_is(name: str) -> None:
    told = events(f"{name}.filtered")
    (expected,) = together(told)
    for missing in range(1, len(told)):
        for made in together(told[missing:]):
            assert made.direction == "out"
            assert made.number == CLIENT, missing
            assert made.placed_by in (expected.placed_by, None)
            if expected.disposition != "answered":
                assert made.talk_ms == 0, "an operator who waits talks to nobody"


def test_while_the_client_rings_nobody_talks() -> None:
    board = Board(ENDPOINTS)
    seen = []
    for event in events("ordered.filtered"):
        change = board.take(event)
        if change is not None:
            live = live_call(change.call, Context(endpoints=ENDPOINTS), None, 1)
            seen.append((change.call.state.phase, live.placed_by, live.answered_at is not None))
            if live.phase == Phase.RINGING:
                assert (live.ringing, live.talking) == (("79005556677",), ("101",)), "101 waits"
    phases = list(dict.fromkeys(phase for phase, _, _ in seen))
    assert phases == [
        Phase.NEW,
        Phase.RINGING,
        Phase.CONNECTING,
        Phase.TALKING,
        Phase.ENDED,
    ]
    assert {by for _, by, _ in seen} == {"101"}
    assert all(answered == (phase in (Phase.TALKING, Phase.ENDED)) for phase, _, answered in seen)


def test_every_event_of_orders_is_decoded() -> None:
    decoder = Decoder(TOKEN)
    for name in ORDERS:
        for packet in packets(f"{name}.filtered"):
            decoder.decode(packet)
    assert decoder.counters.malformed == 0
    assert decoder.counters.foreign == 0
