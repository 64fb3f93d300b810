"""The block list in the database, and on its way to the listener."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from telephony.domain.blocklist import HIDDEN, Blocked, Blocklist
from telephony.domain.directory import ClientChange, Directory
from telephony.domain.setup import Setup
from telephony.feed import Feed
from telephony.store import blocklist
from telephony.store.blocklist import (
    TooManyError,
    block,
    find_pattern,
    get_blocked,
    list_blocked,
    load_blocklist,
    unblock,
)
from telephony.store.directory import current_version
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup, replace_setup
from tests.databases.samples import a_setup

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SPAM = Blocked("+79001112233", "Спам 100% off", "anna", NOW)
RANGE = Blocked("+7900*", "call centre", "boris", NOW, NOW + timedelta(days=1))
NOBODY = Blocked(HIDDEN, "", "anna", NOW)


def put(engine: Engine, *lines: Blocked) -> list[int]:
    with writing(engine) as session:
        return block(session, lines)


def test_lines_come_back_searched_and_paged(engine: Engine) -> None:
    first, second, third = put(engine, SPAM, RANGE, NOBODY)
    with reading(engine) as session:
        assert load_blocklist(session) == Blocklist((SPAM, RANGE, NOBODY))
        assert get_blocked(session, second) == RANGE
        assert get_blocked(session, 99) is None
        assert find_pattern(session, HIDDEN) == (third, NOBODY)
        assert find_pattern(session, "+7900") is None
        page = list_blocked(session, limit=2, offset=0)
        assert page.items == ((third, NOBODY), (second, RANGE))
        assert page.total == 3
        for text, wanted in [
            ("100%", [first]),
            ("ANNA", [third, first]),
            ("+7900", [second, first]),
            ("_", []),
        ]:
            found = list_blocked(session, limit=50, offset=0, search=text)
            assert [line_id for line_id, _ in found.items] == wanted, text
        later = NOW + timedelta(days=2)
        found = list_blocked(session, limit=50, offset=0, now=later)
        assert [line for _, line in found.items] == [NOBODY, SPAM]


def test_a_pattern_stands_once(engine: Engine) -> None:
    (first,) = put(engine, SPAM)
    (second,) = put(engine, replace(SPAM, reason="again"))
    assert second > first
    with reading(engine) as session:
        assert load_blocklist(session).lines == (replace(SPAM, reason="again"),)


def test_too_many_lines_are_refused_whole(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocklist, "MOST", 2)
    put(engine, SPAM, RANGE)
    put(engine, replace(SPAM, reason="in its own place"))
    with reading(engine) as session:
        before = current_version(session)
    with pytest.raises(TooManyError):
        put(engine, replace(RANGE, reason="other"), NOBODY)
    with reading(engine) as session:
        assert current_version(session) == before
        assert RANGE in load_blocklist(session).lines


def test_the_listener_gets_it_and_a_replaced_set_up_leaves_it(engine: Engine) -> None:
    given: list[Setup] = []

    def apply(_: Sequence[ClientChange], setup: Setup | None) -> None:
        if setup is not None:
            given.append(setup)

    feed = Feed(engine, Directory(), apply)
    feed.load()
    (line_id,) = put(engine, SPAM)
    feed.poll()
    assert given[-1].blocked.find("+79001112233", NOW) == SPAM
    with writing(engine) as session:
        replace_setup(session, a_setup())
    with reading(engine) as session:
        assert load_setup(session).blocked == Blocklist((SPAM,))
    with writing(engine) as session:
        assert unblock(session, [line_id, 99]) == 1
        assert unblock(session, [line_id]) == 0
    feed.poll()
    assert given[-1].blocked == Blocklist()
