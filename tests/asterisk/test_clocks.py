"""Holidays and night shifts at fixed dates, on the real Asterisk."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as clock
from pathlib import Path
from zoneinfo import ZoneInfo

from telephony.domain.did import Action, ActionKind
from telephony.domain.duty import Roster, Shift
from telephony.domain.hours import Hours, Opening
from telephony.domain.record import CallRecord, Disposition
from telephony.domain.routing import Checked, Reason, Rule
from telephony.domain.setup import Group, Setup
from tests.asterisk.clock import clocked_office
from tests.asterisk.office import ALWAYS, DID, KNOWN, STRANGER, Office, small_setup, until

MINUTE = timedelta(minutes=1)
# What callers hear out of hours; nothing else in the dialplan of these calls plays it.
AWAY = "vm-goodbye"


def open_always(zone: str, country: str, region: str = "") -> Hours:
    """Return hours that only a public holiday closes."""
    return Hours("office", zone, (Opening(ALWAYS, clock(0), clock(0)),), country, region)


def with_hours(hours: Hours) -> Setup:
    setup = small_setup("103")
    promised = Action(ActionKind.PROMISE, AWAY)
    did = replace(setup.dids[DID], hours=hours.name, closed=promised)
    return replace(setup, dids={DID: did}, hours={hours.name: hours})


def line(made: CallRecord, rule: Rule) -> Checked:
    """Return the one line of a call's trace that is of this rule."""
    assert made.decision is not None
    (found,) = [one for one in made.decision.trace if one.rule is rule]
    return found


async def answered(place: Office, count: int) -> CallRecord:
    """Call as Anna's client, who is put through; return the record, which is the last."""
    call = await place.trunk.call(DID, KNOWN)
    await call.wait_answered(5)
    await place.talking()
    await call.hangup()
    made = (await place.records.wait(count))[-1]
    assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "101")
    assert AWAY not in place.played()
    return made


async def told(place: Office, count: int) -> CallRecord:
    """Call as Anna's client, who only hears what is said out of hours; return the record."""
    rung = len(place.phones["101"].calls)
    call = await place.trunk.call(DID, KNOWN)
    await call.wait_ended(10)
    made = (await place.records.wait(count))[-1]
    await until(lambda: place.played() == [AWAY], 5, "it was played, and nothing else")
    assert call.rtp.received > 10, "the caller hears it"
    assert (made.disposition, made.legs) == (Disposition.CALLBACK_ASKED, ())
    assert len(place.phones["101"].calls) == rung
    return made


async def test_a_countrys_public_holiday_closes_from_local_midnight(tmp_path: Path) -> None:
    zone = "Europe/Moscow"
    begins = datetime(2026, 5, 1, tzinfo=ZoneInfo(zone))  # by UTC it is still the last of April
    setup = with_hours(open_always(zone, "RU"))
    async with clocked_office(tmp_path, setup) as (place, listener):
        listener.it_is(begins - 2 * MINUTE)
        assert line(await answered(place, 1), Rule.HOURS).reason is Reason.OPEN
        listener.it_is(begins + MINUTE)
        seen = line(await told(place, 2), Rule.HOURS)
        assert (seen.used, seen.reason) == (True, Reason.CLOSED_HOLIDAY)
        assert dict(seen.values) == {"hours": "office", "day": "Праздник Весны и Труда"}


async def test_a_regions_public_holiday_closes_in_that_region_alone(tmp_path: Path) -> None:
    zone = "Europe/Berlin"
    epiphany = datetime(2026, 1, 6, 12, tzinfo=ZoneInfo(zone))
    berlin, bavaria = (with_hours(open_always(zone, "DE", region)) for region in ("BE", "BY"))
    async with clocked_office(tmp_path, berlin) as (place, listener):
        listener.it_is(epiphany)
        assert line(await answered(place, 1), Rule.HOURS).reason is Reason.OPEN
        listener.apply((), bavaria)
        seen = line(await told(place, 2), Rule.HOURS)
        assert (seen.used, seen.reason) == (True, Reason.CLOSED_HOLIDAY)
        assert dict(seen.values) == {"hours": "office", "day": "Heilige Drei Könige"}


async def test_a_night_shift_holds_on_both_sides_of_midnight(tmp_path: Path) -> None:
    zone = "Europe/Moscow"
    monday = frozenset({1})
    shifts = (
        Shift("103", monday, clock(20), clock(8)),
        Shift("104", ALWAYS, clock(8), clock(20)),
    )
    setup = small_setup()
    setup = replace(setup, groups={"sales": Group("sales", Roster(zone, shifts))})
    midnight = datetime(2026, 3, 3, tzinfo=ZoneInfo(zone))  # of a Tuesday
    async with clocked_office(tmp_path, setup) as (place, listener):
        for moment, operator in (
            (midnight - 2 * MINUTE, "103"),
            (midnight + MINUTE, "103"),
            (midnight + timedelta(hours=8), "104"),
        ):
            listener.it_is(moment)
            place.records.by_call.clear()
            call = await place.trunk.call(DID, STRANGER)
            await call.wait_answered(8)
            await place.talking()
            await call.hangup()
            (made,) = await place.records.wait()
            assert [leg.operator for leg in made.legs] == [operator]
            assert made.answered_by == operator
            assert made.decision is not None
            duty = [one.reason for one in made.decision.trace if one.rule is Rule.DUTY]
            assert duty == [Reason.OFF_SHIFT, Reason.RINGS_DUTY]
            assert abs(made.started_at / 1e6 - moment.timestamp()) < 60
