"""Web sites with a callback button in the database, on both."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from telephony.store import sites
from telephony.store.engine import reading, writing
from telephony.store.sites import Answered, Counted, Site

NOW = datetime(2026, 11, 18, 10, 30, tzinfo=UTC)
SITE = Site("k1", "Shop", ("https://shop.example",), "74951234567", "", True, 60, 5, 3, NOW)


def test_a_site_is_kept_changed_and_removed(engine: Engine) -> None:
    other = replace(SITE, key="k2", title="Blog", did="", language="ru", enabled=False)
    with writing(engine) as session:
        sites.add_site(session, SITE)
        sites.add_site(session, other)
        sites.count_day(session, "k1", Counted.TAKEN, NOW)
    with reading(engine) as session:
        assert sites.list_sites(session) == [other, SITE]
        assert sites.get_site(session, "k1") == SITE
        assert sites.get_site(session, "K1") is None
    changed = replace(SITE, origins=("https://a.example", "https://b.example"), site_hour=7)
    with writing(engine) as session:
        assert sites.save_site(session, changed)
        assert not sites.save_site(session, replace(SITE, key="none"))
        assert sites.remove_site(session, "k2")
        assert not sites.remove_site(session, "k2")
    with writing(engine) as session:
        assert sites.list_sites(session) == [changed]
        assert sites.remove_site(session, "k1")
        assert sites.count_lately(session, NOW, 7) == {}


def test_requests_are_counted_by_the_hour(engine: Engine) -> None:
    with writing(engine) as session:
        counts = [
            sites.count_request(session, "address", "a", NOW + timedelta(minutes=nth))
            for nth in range(3)
        ]
        assert counts == [(1, NOW), (2, NOW), (3, NOW)]
        assert sites.count_request(session, "number", "a", NOW) == (1, NOW)
        later = NOW + timedelta(hours=1)
        assert sites.count_request(session, "address", "a", later) == (1, later)


def test_a_proof_is_used_once_and_forgotten_when_it_is_over(engine: Engine) -> None:
    until = NOW + timedelta(minutes=10)
    with writing(engine) as session:
        assert sites.spend_proof(session, "n", until)
        assert not sites.spend_proof(session, "n", until)
        sites.forget_old_requests(session, until)
        assert not sites.spend_proof(session, "n", until)
        sites.forget_old_requests(session, until + timedelta(seconds=1))
        assert sites.spend_proof(session, "n", until)


def test_days_are_counted_and_added_up(engine: Engine) -> None:
    with writing(engine) as session:
        sites.add_site(session, SITE)
        for days, kind in ((0, Counted.TAKEN), (6, Counted.TAKEN), (7, Counted.TAKEN)):
            sites.count_day(session, "k1", kind, NOW - timedelta(days=days))
        sites.count_day(session, "k1", Counted.REFUSED, NOW)
        sites.count_day(session, "k1", Counted.REFUSED, NOW)
        found = sites.count_lately(session, NOW, 7)
    assert found == {("k1", Counted.TAKEN): 2, ("k1", Counted.REFUSED): 2}


def test_answers_are_kept_for_a_day(engine: Engine) -> None:
    answered = Answered("body", 7, True)
    with writing(engine) as session:
        sites.keep_request(session, 1, "key", answered, NOW)
        almost = NOW + timedelta(hours=23, minutes=59)
        assert sites.find_request(session, 1, "key", almost) == answered
        assert sites.find_request(session, 2, "key", NOW) is None
        assert sites.find_request(session, 1, "key", NOW + timedelta(days=1)) is None
