"""What the real Asterisk said (see record.py) becomes the right records."""

from __future__ import annotations

import pytest

from telephony.ami.decode import Decoder
from telephony.domain.events import Offered
from tests.golden.record import FORGED
from tests.golden.streams import TOKEN, events_by_call, packets, records

KNOWN, STRANGER = "+79001112233", "+79005556677"


@pytest.mark.parametrize(
    ("name", "number", "disposition", "by", "hung_up_by", "outcomes"),
    [
        ("answered.all", KNOWN, "answered", "101", "caller", ["talked"]),
        ("answered.filtered", KNOWN, "answered", "101", "caller", ["talked"]),
        (
            "voicemail.filtered",
            KNOWN,
            "answered",
            "102",
            "caller",
            ["no_answer", "refused", "talked"],
        ),
        ("abandoned.filtered", STRANGER, "abandoned", None, "caller", ["cancelled"]),
        ("busy.filtered", STRANGER, "busy", None, "system", ["busy"]),
        ("no_answer.filtered", STRANGER, "no_answer", None, "system", ["no_answer"]),
        ("transferred.filtered", KNOWN, "answered", "101", "caller", ["talked", "talked"]),
    ],
)
def test_a_recording_becomes_its_record(
    name: str, number: str, disposition: str, by: str | None, hung_up_by: str, outcomes: list[str]
) -> None:
    (made,) = records(name)
    assert made.number == number
    assert made.did == "74951234567"
    assert (made.disposition, made.hung_up_by) == (disposition, hung_up_by)
    talked = [leg.operator for leg in made.legs if leg.outcome == "talked"]
    assert talked[:1] == ([by] if by else [])
    assert [leg.outcome for leg in made.legs] == outcomes
    assert 0 <= made.ring_ms <= made.wait_ms
    assert (made.talk_ms > 0) == (by is not None)


def test_the_filters_leave_what_the_decoder_wants_and_little_else() -> None:
    everything, filtered = Decoder(TOKEN), Decoder(TOKEN)
    assert events_by_call("answered.all", everything) == events_by_call(
        "answered.filtered", filtered
    )
    assert filtered.counters.unwanted <= 2  # the answer to the login
    assert filtered.counters.malformed == everything.counters.malformed == 0


@pytest.mark.parametrize("name", ["hostile.all", "hostile.filtered"])
def test_forged_events_change_no_record(name: str) -> None:
    made = {record.number: record for record in records(name)}
    genuine = made[KNOWN]
    assert (genuine.disposition, genuine.answered_by or genuine.legs[0].operator) == (
        "answered",
        "101",
    )
    assert genuine.hung_up_by == "caller"
    assert len(genuine.legs) == 1
    assert not any(call_id.startswith("1795000000") for call_id in events_by_call(name))


def test_the_attacks_are_in_the_recording_and_are_cut_from_the_filtered_one() -> None:
    everything = b"\r\n\r\n".join(packets("hostile.all"))
    filtered = b"\r\n\r\n".join(packets("hostile.filtered"))
    for number in FORGED:
        forged = number.strip().encode()[:30]
        assert forged in everything
        assert forged not in filtered


def test_every_attackers_call_is_still_routed_and_recorded_by_its_digits() -> None:
    offered = [
        event
        for events in events_by_call("hostile.all").values()
        for event in events
        if isinstance(event, Offered)
    ]
    assert len(offered) == 1 + 2 * len(FORGED)
    assert all(event.number.lstrip("+").isdigit() or not event.number for event in offered)
