"""The time zone of a client's record holds for quiet hours, whatever their number tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from telephony.callbacks.standing import standing_for
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.callback.verdicts import GO, Bar, may_dial
from telephony.domain.record import CallRecord, Disposition
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData, client, zones_of
from telephony.store.engine import reading, writing
from telephony.store.settling import settle_calls
from telephony.store.setup import load_setup, replace_setup
from tests.databases.callback_store import all_cases
from tests.databases.samples import a_record
from tests.property.callback_calls import SALES, setup_of

# Ten in the evening in Kamchatka, one in the afternoon in Moscow.
NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
MOSCOW, KAMCHATKA = "+74957654321", "+74152300001"
# Usual ones: from nine in the evening to eight in the morning.
RULES = CallbackRules()
OPENED = NOW + timedelta(minutes=RULES.sla_minutes)
NEXT_MORNING = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)


@pytest.fixture
def office(engine: Engine) -> Engine:
    """Give a company in Moscow that calls everybody back."""
    with writing(engine) as session:
        replace_setup(session, replace(setup_of(), callbacks=RULES))
    return engine


def add(engine: Engine, number: str, zone: str | None) -> int:
    with writing(engine) as session:
        return save_clients(session, [ClientData("Ромашка", (number,), zone=zone)]).ids[0]


def missed(number: str, client_id: int) -> CallRecord:
    start = int(NOW.timestamp() * 1_000_000)
    return replace(
        a_record(),
        number=number,
        did=SALES,
        client_id=client_id,
        started_at=start,
        ended_at=start + 20_000_000,
        answered_at=None,
        answered_by=None,
        talk_ms=0,
        wait_ms=20_000,
        disposition=Disposition.NO_ANSWER,
        legs=(),
    )


HELD = NEXT_MORNING + timedelta(minutes=RULES.sla_minutes)
ZONES = [
    (MOSCOW, None, OPENED, None),
    (MOSCOW, "Asia/Kamchatka", HELD, NEXT_MORNING),
    (KAMCHATKA, None, HELD, NEXT_MORNING),
    (KAMCHATKA, "Europe/Moscow", OPENED, None),
    # A zone that this machine does not know any more: the number tells.
    (MOSCOW, "Mars/Olympus", OPENED, None),
]


@pytest.mark.parametrize(("number", "zone", "deadline", "quiet_until"), ZONES)
def test_the_deadline_and_the_call_go_by_the_clients_clock(
    office: Engine,
    number: str,
    zone: str | None,
    deadline: datetime,
    quiet_until: datetime | None,
) -> None:
    key = add(office, number, zone)
    with writing(office) as session:
        settle_calls(session, [missed(number, key)], NOW, "RU")
    (case,) = all_cases(office)
    assert case.sla_at == deadline
    with reading(office) as session:
        setup = load_setup(session)
        found = may_dial(RULES, standing_for(session, setup, "RU", number, SALES, NOW))
    if quiet_until is None:
        assert found == GO
    else:
        assert (found.bar, found.until) == (Bar.QUIET, quiet_until)


def test_a_zone_is_of_one_client(office: Engine) -> None:
    key = add(office, MOSCOW, "Asia/Omsk")
    add(office, KAMCHATKA, None)
    with reading(office) as session:
        assert zones_of(session, (MOSCOW, KAMCHATKA, "+79000000000")) == {MOSCOW: "Asia/Omsk"}
    with writing(office) as session:
        session.execute(update(client).where(client.c.id == key).values(zone=None))
    with reading(office) as session:
        assert zones_of(session, [MOSCOW]) == {}


def test_a_client_who_is_added_after_the_call_has_one_clock(office: Engine) -> None:
    add(office, MOSCOW, "Asia/Kamchatka")
    with writing(office) as session:
        settle_calls(session, [replace(missed(MOSCOW, 0), client_id=None)], NOW, "RU")
    (case,) = all_cases(office)
    assert (case.client_id, case.sla_at) == (None, HELD)
