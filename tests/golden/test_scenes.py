"""What the real Asterisk said while people used their phones (see record.py) is one true record."""

from __future__ import annotations

import pytest

from telephony.ami.decode import Decoder
from tests.asterisk.expected import SCENES, Expected, check
from tests.golden.streams import TOKEN, events, packets, together


@pytest.mark.parametrize("expected", SCENES, ids=lambda one: one.scene.__name__)
def test_a_recorded_scene_is_one_true_record(expected: Expected) -> None:
    (made,) = together(events(f"scenes/{expected.scene.__name__}"))
    check(made, expected)


def test_every_event_of_the_scenes_is_decoded() -> None:
    """A header that Asterisk writes and the decoder does not expect would lose events."""
    decoder = Decoder(TOKEN)
    for expected in SCENES:
        for packet in packets(f"scenes/{expected.scene.__name__}"):
            decoder.decode(packet)
    assert decoder.counters.malformed == 0
    assert decoder.counters.foreign == 0
    # The answers to the logins, and who enters or leaves a parking space.
    assert decoder.counters.unwanted <= 2 * len(SCENES) + 6
