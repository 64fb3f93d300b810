"""Who makes a pause or has no phone connected is not rung there, on the real Asterisk."""

from __future__ import annotations

from pathlib import Path

from telephony.domain.record import CallRecord, Outcome
from telephony.domain.routing import Kind, Reason, Rule
from tests.asterisk.office import DID, KNOWN, MOBILE, Office, office, small_setup
from tests.asterisk.queue_lab import dials, switched
from tests.lab.behaviours import answer
from tests.lab.call import PhoneCall

PAUSE_101 = "Custom:dutyline-pause-101"


def reasons(made: CallRecord, rule: Rule) -> list[Reason]:
    """Return what a call's trace says of a rule."""
    assert made.decision is not None
    return [line.reason for line in made.decision.trace if line.rule is rule]


def rung(calls: list[PhoneCall]) -> list[PhoneCall]:
    """Return the calls that came in; a phone that dials a feature code has others too."""
    return [call for call in calls if call.direction == "in"]


async def calls(place: Office) -> CallRecord:
    """Let Anna's client call until somebody answers; return the record."""
    place.records.by_call.clear()
    call = await place.trunk.call(DID, KNOWN)
    await call.wait_answered(8)
    await place.talking()
    await call.hangup()
    (made,) = await place.records.wait()
    return made


async def test_who_pauses_by_the_phones_code_is_passed_over_until_the_end(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.trunk.mobiles[MOBILE[1:]] = answer(0.2, press="1")
        await dials(place, "101", "*81")
        await switched(place, PAUSE_101, "BUSY")
        made = await calls(place)
        assert (made.answered_by, [leg.operator for leg in made.legs]) == ("102", ["102"])
        assert made.decision is not None
        (manager,) = [line for line in made.decision.trace if line.rule is Rule.MANAGER]
        assert (manager.used, manager.reason) == (False, Reason.PAUSED)
        assert dict(manager.values)["kind"] == "lunch"
        assert rung(place.phones["101"].calls) == [], "neither the desk"
        assert rung(place.trunk.calls) == [], "nor the mobile rings"

        await dials(place, "101", "*86")
        await switched(place, PAUSE_101, "NOT_INUSE")
        await switched(place, "PJSIP/101", "NOT_INUSE")  # she has hung up
        made = await calls(place)
        assert (made.answered_by, made.answered_on) == ("101", Kind.DESK)
        assert len(rung(place.phones["101"].calls)) == 1
        assert Reason.PAUSED not in reasons(made, Rule.MANAGER)


async def test_a_manager_whose_phone_is_not_connected_is_rung_on_the_mobile_at_once(
    tmp_path: Path,
) -> None:
    desk_seconds = 10
    async with office(tmp_path) as place:
        place.listener.apply((), small_setup("103", desk_seconds=desk_seconds))
        place.trunk.mobiles[MOBILE[1:]] = answer(0.2, press="1")
        await place.phones["101"].unregister()
        await switched(place, "PJSIP/101", "UNAVAILABLE")
        call = await place.trunk.call(DID, KNOWN)
        mobile = await place.trunk.next_call(5)
        assert mobile.dialled == MOBILE[1:]
        assert mobile.invited_at - call.invited_at < 1.5, "not a desk's seconds later"
        await call.wait_answered(10)
        assert mobile.answered_at is not None
        assert call.answered_at is not None
        # The key is pressed half a second after the pickup.
        assert call.answered_at - mobile.answered_at > 0.45, "who picks up is asked first"
        await place.talking()
        await call.hangup()
        (made,) = await place.records.wait()
        assert (made.answered_by, made.answered_on) == ("101", Kind.MOBILE)
        assert [(leg.kind, leg.outcome) for leg in made.legs] == [(Kind.MOBILE, Outcome.TALKED)]
        assert reasons(made, Rule.MANAGER_DESK) == [Reason.UNREGISTERED]
        assert reasons(made, Rule.MANAGER_MOBILE) == [Reason.HAS_MOBILE]
