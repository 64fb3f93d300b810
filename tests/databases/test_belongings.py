"""Calendars and links follow the groups and operators they belong to, and come back by undo."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from telephony.configfile import Data, change, find, rename_references, undo
from telephony.domain.duty import OneOff
from telephony.domain.duty.calendars import Takes
from telephony.store.calendars import Copy, Owner, add_feed, list_feeds, use_feed
from telephony.store.engine import reading, writing
from telephony.store.shares import Share, add_share, list_shares, share_by_hash
from tests.databases.test_editing import ANNA, NOW, office, rename, said, stored

__all__ = ["office"]


def test_what_belongs_to_who_goes_comes_back_with_the_undo(office: Engine) -> None:
    group = next(iter(stored(office).groups))
    shift = OneOff("102", datetime(2026, 12, 24, 9), datetime(2026, 12, 24, 12), 5)  # noqa: DTZ001
    with writing(office) as session:
        key = add_feed(
            session, owner_kind=Owner.GROUP, owner=group, title="Team", place="a.example",
            url="sealed", zone="Europe/Moscow", layer=5, takes=Takes.BUSY,
            copy=Copy("BEGIN", (shift,)), now=NOW,
        )  # fmt: skip
        use_feed(session, key, True, NOW)
        link = add_share(session, "hash", Share(0, Owner.GROUP, group, True, "en", "anna", NOW))
        feeds, shares = list_feeds(session), list_shares(session)
    before = stored(office)
    assert before.groups[group].roster.imported == (shift,)

    def empty(data: Data) -> None:
        data["groups"], data["dids"] = [], []

    gone = change(office, ANNA, empty, now=NOW)
    with reading(office) as session:
        assert (list_feeds(session), list_shares(session)) == ([], [])
    again = change(office, ANNA, rename("101", "Anya"), now=NOW)
    back = undo(office, ANNA, gone.version, now=NOW)
    assert stored(office) == before == back.after
    with reading(office) as session:
        assert (list_feeds(session), list_shares(session)) == (feeds, shares)
        found = share_by_hash(session, "hash")
    assert found is not None
    assert found.id == link
    # The undo is undone, and that, too.
    redone = undo(office, ANNA, back.version, now=NOW)
    assert stored(office) == again.after
    undo(office, ANNA, redone.version, now=NOW)
    assert stored(office) == before
    with reading(office) as session:
        assert (list_feeds(session), list_shares(session)) == (feeds, shares)


def test_a_new_group_of_an_old_name_gets_no_old_calendar(office: Engine) -> None:
    group = next(iter(stored(office).groups))
    with writing(office) as session:
        add_share(session, "hash", Share(0, Owner.GROUP, group, True, "en", "anna", NOW))

    def empty(data: Data) -> None:
        data["groups"], data["dids"] = [], []

    change(office, ANNA, empty, now=NOW)
    change(
        office, ANNA, lambda data: data["groups"].append({"name": group, "zone": "UTC"}), now=NOW
    )
    with reading(office) as session:
        assert list_shares(session) == []


def test_what_belongs_to_a_group_follows_its_new_name_and_back(office: Engine) -> None:
    old = next(iter(stored(office).groups))
    shift = OneOff("102", datetime(2026, 12, 24, 9), datetime(2026, 12, 24, 12), 5)  # noqa: DTZ001
    with writing(office) as session:
        key = add_feed(
            session, owner_kind=Owner.GROUP, owner=old, title="Team", place=None, url=None,
            zone=None, layer=5, takes=Takes.BUSY, copy=Copy("BEGIN", (shift,)), now=NOW,
        )  # fmt: skip
        use_feed(session, key, True, NOW)
        add_share(session, "hash", Share(0, Owner.GROUP, old, True, "en", "anna", NOW))
        add_share(session, "own", Share(0, Owner.OPERATOR, "101", True, "en", "anna", NOW))
    before = stored(office)

    def edit(data: Data) -> None:
        find(data, "groups", old)["name"] = "Продажи"
        rename_references(data, "groups", old, "Продажи")

    done = change(office, ANNA, edit, now=NOW, renamed={old: "Продажи"})
    assert done.errors == []
    assert said(done) == [
        f"group Продажи changed: name {old} → Продажи",
        f"did 74951234567 changed: group {old} → Продажи",
    ]
    assert stored(office) == done.after
    assert done.after.groups["Продажи"].roster.imported == (shift,)

    def owners() -> tuple[list[str], list[str]]:
        with reading(office) as session:
            feeds, shares = list_feeds(session), list_shares(session)
        return [one.owner for one in feeds], [one.owner for one in shares]

    assert owners() == (["Продажи"], ["Продажи", "101"])
    back = undo(office, ANNA, done.version, now=NOW)
    assert said(back)[0] == f"group {old} changed: name Продажи → {old}"
    assert (stored(office), owners()) == (before, ([old], [old, "101"]))
    undo(office, ANNA, back.version, now=NOW)
    assert (stored(office), owners()) == (done.after, (["Продажи"], ["Продажи", "101"]))


def test_a_group_that_was_renamed_and_deleted_comes_back_with_what_it_had(office: Engine) -> None:
    old = next(iter(stored(office).groups))
    with writing(office) as session:
        add_share(session, "hash", Share(0, Owner.GROUP, old, True, "en", "anna", NOW))
    before = stored(office)

    def named(data: Data) -> None:
        find(data, "groups", old)["name"] = "new"
        rename_references(data, "groups", old, "new")

    def empty(data: Data) -> None:
        data["groups"], data["dids"] = [], []

    first = change(office, ANNA, named, now=NOW, renamed={old: "new"})
    change(office, ANNA, empty, now=NOW)
    undo(office, ANNA, first.version, now=NOW)
    assert stored(office) == before
    with reading(office) as session:
        assert [one.owner for one in list_shares(session)] == [old]


def test_two_groups_change_names_with_each_other(office: Engine) -> None:
    one, other = "sales", "support"
    change(
        office, ANNA, lambda data: data["groups"].append({"name": other, "zone": "UTC"}), now=NOW
    )
    with writing(office) as session:
        add_share(session, "1", Share(0, Owner.GROUP, one, True, "en", "anna", NOW))
        add_share(session, "2", Share(0, Owner.GROUP, other, True, "en", "anna", NOW))
    before = stored(office)

    def swap(data: Data) -> None:
        first, second = find(data, "groups", one), find(data, "groups", other)
        first["name"], second["name"] = other, one

    def owners() -> list[str]:
        with reading(office) as session:
            found = [share_by_hash(session, name) for name in ("1", "2")]
        return [each.owner for each in found if each is not None]

    done = change(office, ANNA, swap, now=NOW, renamed={one: other, other: one})
    assert owners() == [other, one]
    undo(office, ANNA, done.version, now=NOW)
    assert (owners(), stored(office)) == ([one, other], before)
