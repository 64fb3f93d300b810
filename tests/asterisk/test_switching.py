"""Everything a PBX does to a call, on the real Asterisk: each scene is one true record."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from telephony.domain.record import CallRecord, Direction
from tests.asterisk import scenes
from tests.asterisk.expected import SCENES, Expected, check
from tests.asterisk.office import KNOWN, Office
from tests.lab.lateness import lateness

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Between what a phone does and what Asterisk writes down lies a busy machine, never this much more
# than this process itself was late: the phones live in it.
CLOCKS_MS = 350
OPERATORS = ("101", "102", "103", "104")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """One office for all scenes."""
    async with scenes.open_office(tmp_path_factory.mktemp("office")) as opened:
        yield opened


@pytest.mark.parametrize("expected", SCENES, ids=lambda one: one.scene.__name__)
async def test_a_scene_is_one_true_record(place: Office, expected: Expected) -> None:
    await scenes.clear(place)
    async with lateness() as late:
        await expected.scene(place)
        await place.records.wait()
    await scenes.rested(place)
    assert len(place.records.by_call) == 1, "one record for one caller's call"
    (made,) = place.records.by_call.values()
    check(made, expected)
    if made.direction is not Direction.INTERNAL:
        assert (made.number, made.client_id) == (KNOWN, 1)
    _agrees_with_the_phones(place, made, CLOCKS_MS + late.most_ms)
    assert place.listener.decoder.counters.malformed == 0
    assert not [
        live.call.id for live in place.listener._calls.values() if live.call.state.anomalies
    ]


async def test_a_call_that_rings_nobody_is_no_record(place: Office) -> None:
    await scenes.clear(place)
    await scenes.nobody_called(place)
    # A call that is one: its record comes after whatever the first would have left.
    await scenes.inside(place)
    await place.records.wait()
    await scenes.rested(place)
    assert [made.direction for made in place.records.by_call.values()] == [Direction.INTERNAL]


def _agrees_with_the_phones(place: Office, made: CallRecord, within_ms: float) -> None:
    """Hold each operator's talk and the call's length against the phones' own clocks."""
    # Of whoever talks on when the client has gone, only the time until then is of the call.
    client = [call for call in place.trunk.calls if call.answered_at is not None]
    end = max((_us(call.ended_at) for call in client), default=None)
    for name in OPERATORS:
        seen = [span for leg in made.legs if leg.operator == name for span in leg.talks]
        own = [
            (_us(call.answered_at), min(_us(call.ended_at), end or _us(call.ended_at)))
            for call in place.phones[name].calls
            if call.answered_at is not None
        ]
        told, felt = _covered(seen) / 1000, _covered(own) / 1000
        assert abs(told - felt) < within_ms, f"{name}: {told} ms on record, {felt} on the phone"
    # A queue answers before anybody talks.
    if client and (made.did or made.direction is Direction.OUT):
        length = (_us(client[0].ended_at) - _us(client[0].answered_at)) / 1000
        assert made.answered_at is not None
        assert abs((made.ended_at - made.answered_at) / 1000 - length) < within_ms


def _us(seconds: float | None) -> int:
    assert seconds is not None
    return round(seconds * 1e6)


def _covered(spans: list[tuple[int, int]]) -> int:
    total = reached = 0
    for begin, end in sorted(spans):
        start = max(begin, reached)
        if end > start:
            total += end - start
            reached = end
    return total
