"""Gaps that are near: which are told of, once each, and by which mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import Engine

from telephony.domain.did import Did
from telephony.domain.duty import Roster, Shift
from telephony.domain.hours import Hours, Opening
from telephony.domain.setup import Group, Operator, Setup
from telephony.dutywatch import gap_facts, watch
from telephony.notify import gap_mail
from telephony.store.engine import reading, writing
from telephony.store.outbox import claim_facts, due_facts, get_fact
from telephony.store.setup import replace_setup

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)  # a Tuesday
WEEK = frozenset(range(1, 8))
DAY = Roster("UTC", (Shift("101", WEEK, time(8), time(20)),))
SETUP = Setup(
    {"101": Operator("101", "Anna", "101")},
    {"sales": Group("sales", DAY), "managers": Group("managers", Roster("UTC"))},
    {"74951234567": Did("74951234567", "sales")},
)


def gaps(setup: Setup, now: datetime = NOON) -> list[tuple[str, str, str | None]]:
    def short(at: str | None) -> str | None:
        return None if at is None else f"{datetime.fromisoformat(at):%d %H:%M}"

    return [
        (one.payload["group"], short(one.payload["start"]) or "", short(one.payload["end"]))
        for one in gap_facts(setup, now)
    ]


def test_gaps_of_the_next_day_in_groups_that_are_called() -> None:
    assert gaps(SETUP) == [("sales", "01 20:00", "02 08:00")]
    # One that lasts already keeps its name, and one that goes on beyond the look has no end.
    assert gaps(SETUP, NOON.replace(hour=22))[0] == ("sales", "01 20:00", "02 08:00")
    assert gaps(SETUP, NOON.replace(hour=4)) == [
        ("sales", "30 20:00", "01 08:00"),
        ("sales", "01 20:00", None),
    ]


def test_nobody_is_missed_while_the_numbers_are_closed() -> None:
    hours = Hours("day", "UTC", (Opening(WEEK, time(8), time(21)),))
    open_late = replace(
        SETUP, hours={"day": hours}, dids={"1234": Did("1234", "sales", hours="day")}
    )
    assert gaps(open_late) == [("sales", "01 20:00", "01 21:00")]


def test_the_default_group_is_called_too() -> None:
    found = gaps(replace(SETUP, default_group="managers"))
    assert [group for group, _, _ in found] == ["sales", "managers"]


def test_each_gap_is_a_fact_once(engine: Engine) -> None:
    with writing(engine) as session:
        replace_setup(session, SETUP)
    assert len(watch(engine, NOON)) == 1
    assert len(watch(engine, NOON + timedelta(hours=1))) == 1
    with writing(engine) as session:
        facts = claim_facts(session, due_facts(session, NOON, 10), NOON, timedelta(minutes=1))
    assert [fact.kind for fact in facts] == ["duty.gap"]
    watch(engine, NOON + timedelta(days=1))
    with reading(engine) as session:
        again = due_facts(session, NOON + timedelta(days=1), 10)
    assert len(again) == 2, "that of the next night, and the first, whose job was not done"


@pytest.mark.parametrize(
    ("language", "subject", "until"),
    [
        ("en", "Nobody is on duty: sales, 2026-12-01 23:00 MSK", "Until: 2026-12-02 11:00 MSK"),
        ("ru", "Нет дежурных: sales, 2026-12-01 23:00 MSK", "До: 2026-12-02 11:00 MSK"),
    ],
)
def test_the_mail(engine: Engine, language: str, subject: str, until: str) -> None:
    with writing(engine) as session:
        replace_setup(session, SETUP)
    watch(engine, NOON)
    with writing(engine) as session:
        (claim,) = claim_facts(session, due_facts(session, NOON, 10), NOON, timedelta(minutes=1))
        fact = get_fact(session, claim.id)
    assert fact is not None
    mail = gap_mail(
        fact, sender="pbx@example.com", to="lead@example.com", language=language,
        zone="Europe/Moscow", key="msg_1",
    )  # fmt: skip
    read = message_from_bytes(bytes(mail), policy=policy.default)
    assert isinstance(read, EmailMessage)
    assert read["Subject"] == subject
    assert until in read.get_content()
