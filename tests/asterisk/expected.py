"""What the record of each scene says: for the real Asterisk and for its recordings."""

from __future__ import annotations

from dataclasses import dataclass, field

from telephony.domain.numbers import digits
from telephony.domain.record import CallRecord, Direction, Disposition, Side
from tests.asterisk import scenes
from tests.asterisk.scenes import CLIENT as CLIENT_NUMBER


@dataclass(frozen=True)
class Expected:
    """What a record must say. `legs` are (operator or address, outcome); `moments` their codes."""

    scene: scenes.Scene
    direction: str = "in"
    disposition: str = "answered"
    by: str | None = "101"
    hung_up_by: str = "caller"
    legs: tuple[tuple[str, str], ...] = (("101", "talked"),)
    moments: tuple[tuple[str, ...], ...] = ()
    values: dict[str, object] = field(default_factory=dict)


CLIENT = (CLIENT_NUMBER, "talked")
BOTH = (("101", "talked"), ("102", "talked"))
ASKED = ("consulted", "101", "102")
SCENES = [
    Expected(scenes.held, moments=(("held", "101"), ("resumed", "101"))),
    Expected(
        scenes.blind,
        hung_up_by="operator",
        legs=BOTH,
        moments=(("blind_transfer", "101", "102"),),
    ),
    Expected(
        scenes.blind_outside,
        legs=(("101", "talked"), ("79005550000", "talked")),
        moments=(("blind_transfer", "101", "79005550000"),),
    ),
    Expected(
        scenes.attended,
        hung_up_by="operator",
        legs=(*BOTH, ("101", "talked")),
        moments=(("held", "101"), ASKED, ("attended_transfer", "101", "102")),
    ),
    Expected(
        scenes.attended_ringing,
        legs=BOTH,
        moments=(("held", "101"), ("attended_transfer", "101", "102")),
    ),
    Expected(
        scenes.attended_by_keys,
        legs=BOTH,
        moments=(("held", "101"), ASKED, ("attended_transfer", "101", "102")),
    ),
    Expected(
        scenes.consulted,
        legs=(*BOTH, ("101", "talked")),
        moments=(("held", "101"), ASKED, ("resumed", "101")),
    ),
    Expected(
        scenes.consulted_outside,
        legs=(("101", "talked"), ("79005550000", "talked"), ("101", "talked")),
        moments=(
            ("held", "101"),
            ("consulted", "101", "79005550000"),
            ("attended_transfer", "101", "79005550000"),
        ),
    ),
    Expected(
        scenes.left_alone,
        legs=(*BOTH, ("101", "talked")),
        moments=(("held", "101"), ASKED),
    ),
    Expected(
        scenes.picked_up,
        by="104",
        hung_up_by="operator",
        legs=(("101", "cancelled"), ("104", "talked")),
        moments=(("picked_up", "104", "101"),),
    ),
    Expected(
        scenes.picked_up_at,
        by="104",
        legs=(("101", "cancelled"), ("104", "talked")),
        moments=(("picked_up", "104", "101"),),
    ),
    Expected(
        scenes.parked,
        hung_up_by="operator",
        legs=(("101", "talked"), ("103", "talked")),
        moments=(("parked", "101", scenes.SLOT), ("unparked", "103", scenes.SLOT)),
    ),
    Expected(
        scenes.parked_too_long,
        legs=(("101", "talked"), ("101", "talked")),
        moments=(("parked", "101", scenes.SLOT),),
    ),
    Expected(scenes.parked_and_gone, moments=(("parked", "101", scenes.SLOT),)),
    Expected(
        scenes.out_answered,
        direction="out",
        by=None,
        hung_up_by="operator",
        legs=(("101", "talked"), CLIENT),
    ),
    Expected(scenes.out_client_left, direction="out", by=None, legs=(("101", "talked"), CLIENT)),
    Expected(
        scenes.out_busy,
        direction="out",
        by=None,
        disposition="busy",
        hung_up_by="system",
        legs=((CLIENT_NUMBER, "busy"),),
    ),
    Expected(
        scenes.out_not_found,
        direction="out",
        by=None,
        disposition="failed",
        hung_up_by="system",
        legs=((CLIENT_NUMBER, "unreachable"),),
    ),
    Expected(
        scenes.out_forbidden,
        direction="out",
        by=None,
        disposition="failed",
        hung_up_by="system",
        legs=((CLIENT_NUMBER, "unreachable"),),
    ),
    Expected(
        scenes.out_no_answer,
        direction="out",
        by=None,
        disposition="no_answer",
        hung_up_by="system",
        legs=((CLIENT_NUMBER, "no_answer"),),
    ),
    Expected(
        scenes.out_abandoned,
        direction="out",
        by=None,
        disposition="abandoned",
        hung_up_by="operator",
        legs=((CLIENT_NUMBER, "cancelled"),),
        values={"abandoned_in": "ringing"},
    ),
    Expected(
        scenes.out_transferred,
        direction="out",
        by=None,
        legs=(("101", "talked"), CLIENT, ("102", "talked")),
        moments=(("blind_transfer", "101", "102"),),
    ),
    Expected(
        scenes.out_handed_over,
        direction="out",
        by=None,
        hung_up_by="operator",
        legs=(("101", "talked"), CLIENT, ("102", "talked"), ("101", "talked")),
        moments=(("held", "101"), ASKED, ("attended_transfer", "101", "102")),
    ),
    Expected(
        scenes.inside,
        direction="internal",
        by="102",
        hung_up_by="operator",
        legs=BOTH,
        values={"client_id": None},
    ),
    Expected(
        scenes.inside_unanswered,
        direction="internal",
        disposition="abandoned",
        by=None,
        hung_up_by="operator",
        legs=(("102", "cancelled"),),
        values={"client_id": None},
    ),
    Expected(
        scenes.own_dialplan,
        by="103",
        hung_up_by="operator",
        legs=(("103", "talked"),),
        values={"decision": None},
    ),
    *(
        Expected(
            scene,
            by="103",
            hung_up_by="operator",
            legs=(("103", "talked"),),
            values={"decision": None},
        )
        for scene in (scenes.queued, scenes.queued_local, scenes.queued_local_optimised)
    ),
]


def check(made: CallRecord, expected: Expected) -> None:
    """Hold a record against what it must say. Raises AssertionError."""
    assert made.direction is Direction(expected.direction)
    assert made.disposition is Disposition(expected.disposition)
    assert made.answered_by == expected.by
    assert made.hung_up_by is Side(expected.hung_up_by)
    assert made.placed_by == (None if made.direction is Direction.IN else "101")
    assert legs_of(made) == expected.legs
    told = tuple((one.kind.value, *dict(one.values).values()) for one in made.moments)
    assert told == expected.moments
    assert digits(made.number) == ("102" if made.direction is Direction.INTERNAL else CLIENT_NUMBER)
    for name, value in expected.values.items():
        assert getattr(made, name) == value
    assert made.talk_ms <= sum(leg.talk_ms + 1 for leg in made.legs)
    assert made.hold_ms <= made.talk_ms
    assert (made.hold_ms > 0) == any(kind == "held" for kind, *_ in expected.moments)


def legs_of(made: CallRecord) -> tuple[tuple[str, str], ...]:
    """Return (operator or address, outcome) of each leg."""
    return tuple((leg.operator or leg.address, leg.outcome.value) for leg in made.legs)
