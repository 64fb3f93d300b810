"""Changing the set-up on both databases: checked, in one piece, seen, and taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from telephony.configfile import (
    Author,
    Change,
    ConflictError,
    Data,
    Difference,
    Mistake,
    NoRevisionError,
    change,
    find,
    load_data,
    put,
    undo,
    write_config,
)
from telephony.domain.callback.rules import PRESETS, CallbackRules, Spacing
from telephony.domain.duty import Absence, OneOff
from telephony.domain.duty.calendars import Takes
from telephony.domain.setup import Setup
from telephony.sounds import convert, drop, keep
from telephony.store import revisions
from telephony.store.audit import list_audit
from telephony.store.calendars import Copy, Owner, add_feed, use_feed
from telephony.store.callback_rules import load_callback_rules
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData
from telephony.store.directory import bump, current_version
from telephony.store.engine import reading, writing
from telephony.store.revisions import list_revisions, setup_revision
from telephony.store.setup import load_setup, replace_setup
from tests.databases.samples import a_setup
from tests.unit.test_sounds import wav

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ANNA = Author("anna", None, "192.0.2.1")
NIGHT = {"operator": "102", "days": "daily", "start": "22:00", "end": "06:00"}


@pytest.fixture
def office(engine: Engine) -> Engine:
    """Give the database of a company that is set up."""
    put(engine, ANNA, write_config(a_setup()), now=NOW)
    return engine


def stored(engine: Engine) -> Setup:
    with reading(engine) as session:
        return load_setup(session)


def version_of(engine: Engine) -> int:
    with reading(engine) as session:
        return current_version(session).setup_version


def rename(extension: str, name: str) -> Callable[[Data], None]:
    def edit(data: Data) -> None:
        find(data, "operators", extension)["name"] = name

    return edit


def add_night(data: Data) -> None:
    data["groups"][0].setdefault("shifts", []).append(dict(NIGHT))


def said(done: Change) -> list[str]:
    return [str(each) for each in done.differences]


def test_a_change_is_applied_noted_and_kept(office: Engine) -> None:
    before = stored(office)
    done = change(office, ANNA, add_night, now=NOW, expected=version_of(office))
    assert done.errors == []
    group = next(iter(before.groups))
    assert said(done) == [
        f"group {group} changed: shifts – → operator 102, days daily, start 22:00, end 06:00"
    ]
    assert done.version == version_of(office)
    assert (done.before, done.after) == (before, stored(office))
    with reading(office) as session:
        entries, _ = list_audit(session, limit=1, offset=0)
        (revision, *_), total = list_revisions(session, limit=10, offset=0)
    entry = entries[0]
    assert (entry.actor, entry.address) == ("anna", "192.0.2.1")
    assert (entry.action, entry.target, entry.at) == ("setup.changed", f"group {group}", NOW)
    assert Difference.from_json(entry.details) == done.differences[0]
    assert entry.details["version"] == done.version
    assert total == 2
    assert (revision.version, revision.actor, revision.undid) == (done.version, "anna", None)
    assert [Difference.from_json(each) for each in revision.differences] == done.differences


def test_what_is_wrong_is_told_by_its_place_and_changes_nothing(office: Engine) -> None:
    def edit(data: Data) -> None:
        data["groups"][0].setdefault("shifts", []).append({**NIGHT, "operator": "999", "end": "x"})
        data["absences"].append({"operator": "101", "from": "2026-12-24", "to": "2026-12-20"})

    before, version = stored(office), version_of(office)
    place = len(a_setup().groups[next(iter(a_setup().groups))].roster.shifts)
    done = change(office, ANNA, edit, now=NOW)
    assert {(each.path, each.value, each.code) for each in done.errors} == {
        (f"groups[0].shifts[{place}].operator", "999", Mistake.NO_OPERATOR),
        (f"groups[0].shifts[{place}].end", "x", Mistake.TIME),
        ("absences[0].to", "2026-12-20", Mistake.AFTER),
    }
    assert (stored(office), version_of(office)) == (before, version)


def test_a_dry_run_only_shows(office: Engine) -> None:
    before, version = stored(office), version_of(office)
    done = change(office, ANNA, rename("101", "Anya"), now=NOW, dry_run=True)
    assert said(done) == ["operator 101 changed: name Анна → Anya"]
    assert done.after.operators["101"].name == "Anya"
    assert (stored(office), version_of(office), done.version) == (before, version, version)


def test_nothing_to_change_makes_no_version(office: Engine) -> None:
    version = version_of(office)
    done = change(office, ANNA, lambda _: None, now=NOW)
    assert (done.differences, done.errors, done.version) == ([], [], version)
    assert version_of(office) == version


def test_whoever_saw_an_older_version_is_told(office: Engine) -> None:
    seen = version_of(office)
    done = change(office, ANNA, rename("101", "Anya"), now=NOW, expected=seen)
    with pytest.raises(ConflictError) as caught:
        change(office, ANNA, rename("102", "Bob"), now=NOW, expected=seen)
    assert (caught.value.expected, caught.value.version) == (seen, done.version)
    assert stored(office) == done.after


def test_clients_that_change_meanwhile_are_no_conflict(office: Engine) -> None:
    seen = version_of(office)
    with writing(office) as session:
        bump(session)
    done = change(office, ANNA, rename("101", "Anya"), now=NOW, expected=seen)
    assert done.version == seen + 2


@pytest.mark.parametrize("expected", [False, True])
def test_two_at_once_lose_nothing(
    office: Engine, monkeypatch: pytest.MonkeyPatch, expected: bool
) -> None:
    """Both have read the same version when they come to write."""
    both = threading.Barrier(2, timeout=20)
    meet = [True, True]
    original = writing

    def together(engine: Engine) -> object:
        if meet:
            meet.pop()
            both.wait()
        return original(engine)

    monkeypatch.setattr("telephony.configfile.editing.writing", together)
    seen = version_of(office) if expected else None
    outcomes: list[object] = []

    def run(extension: str, name: str) -> None:
        try:
            edit = rename(extension, name)
            outcomes.append(change(office, ANNA, edit, now=NOW, expected=seen))
        except ConflictError as error:
            outcomes.append(error)

    threads = [
        threading.Thread(target=run, args=each) for each in (("101", "Anya"), ("102", "Bob"))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    names = {each.name for each in stored(office).operators.values()}
    changes = [each for each in outcomes if isinstance(each, Change)]
    if expected:
        assert [type(each) for each in outcomes if each not in changes] == [ConflictError]
        assert stored(office) == changes[0].after
    else:
        assert len(changes) == 2
        assert {"Anya", "Bob"} <= names


def test_an_operator_with_clients_stays(office: Engine) -> None:
    with writing(office) as session:
        save_clients(session, [ClientData("a", ("+79000000001",), "102")])

    def edit(data: Data) -> None:
        data["groups"], data["dids"] = [], []
        data["operators"] = [each for each in data["operators"] if each["extension"] == "101"]
        data["operators"][0].pop("deputy", None)

    for dry_run in (True, False):
        done = change(office, ANNA, edit, now=NOW, dry_run=dry_run)
        found = [(each.path, each.value, each.code) for each in done.errors]
        assert ("operators", "102", Mistake.HAS_CLIENTS) in found
    assert "102" in stored(office).operators


def test_undoing_and_undoing_that(office: Engine) -> None:
    before = stored(office)
    first = change(office, ANNA, add_night, now=NOW)
    second = change(office, ANNA, rename("101", "Anya"), now=NOW)
    would = undo(office, ANNA, first.version, now=NOW, dry_run=True)
    assert len(would.differences) == 2, "the later change goes too"
    assert stored(office) == second.after
    with pytest.raises(ConflictError):
        undo(office, ANNA, first.version, now=NOW, expected=first.version)
    done = undo(office, ANNA, first.version, now=NOW, expected=second.version)
    assert stored(office) == before
    with reading(office) as session:
        (revision, *_), _ = list_revisions(session, limit=10, offset=0)
    assert (revision.version, revision.undid) == (done.version, first.version)
    undo(office, ANNA, done.version, now=NOW)
    assert stored(office) == second.after
    with pytest.raises(NoRevisionError):
        undo(office, ANNA, 12345, now=NOW)


def test_the_first_set_up_can_be_undone(office: Engine) -> None:
    undo(office, ANNA, version_of(office), now=NOW)
    assert stored(office) == Setup()


def test_only_the_last_changes_are_kept(office: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "KEPT", 5)
    made = [
        change(office, ANNA, rename("101", f"A{nth}"), now=NOW + timedelta(seconds=nth)).version
        for nth in range(8)
    ]
    with reading(office) as session:
        kept, total = list_revisions(session, limit=3, offset=1)
        count = session.execute(select(func.count()).select_from(setup_revision)).scalar_one()
    assert total == count == 5
    assert [each.version for each in kept] == [made[-2], made[-3], made[-4]]
    with pytest.raises(NoRevisionError):
        undo(office, ANNA, made[0], now=NOW)


def test_what_an_edit_raises_changes_nothing(office: Engine) -> None:
    version = version_of(office)
    with pytest.raises(LookupError, match="no operator 999"):
        change(office, ANNA, rename("999", "Nobody"), now=NOW)
    assert version_of(office) == version


def test_forms_are_made_of_data_and_their_version(office: Engine) -> None:
    with reading(office) as session:
        data, version = load_data(session)
    assert version == version_of(office)
    assert [each["extension"] for each in data["operators"]] == sorted(a_setup().operators)


def test_what_comes_from_calendars_is_part_of_what_would_be(office: Engine) -> None:
    """A change that is only tried must decide as it would when it is made."""
    first, *_ = a_setup().groups
    begin = datetime.fromisoformat("2026-12-01 09:00")
    shift = OneOff("101", begin, begin + timedelta(hours=8))
    away = Absence("102", begin, begin + timedelta(days=1), "UTC")
    for kind, owner, copy in (
        (Owner.GROUP, first, Copy("BEGIN:VCALENDAR", (shift,))),
        (Owner.OPERATOR, "102", Copy("BEGIN:VCALENDAR", (), (away,))),
    ):
        with writing(office) as session:
            key = add_feed(
                session, owner_kind=kind, owner=owner, title="x", place=None, url=None, zone="UTC",
                layer=0, takes=Takes.BUSY, copy=copy, now=NOW,
            )  # fmt: skip
            use_feed(session, key, True, NOW)
    assert stored(office).groups[first].roster.imported != ()
    would = change(office, ANNA, rename("101", "Anya"), now=NOW, dry_run=True)
    done = change(office, ANNA, rename("101", "Anya"), now=NOW)
    assert would.after == done.after == stored(office)
    assert would.after.calendar_absences != ()


def greet(name: str) -> Callable[[Data], None]:
    def edit(data: Data) -> None:
        data["dids"][0]["greeting"] = f"@{name}"

    return edit


def test_an_announcement_must_be_there_before_it_is_named(office: Engine) -> None:
    done = change(office, ANNA, greet("welcome"), now=NOW)
    assert [(each.path, each.value, each.code) for each in done.errors] == [
        ("dids[0].greeting", "@welcome", Mistake.NO_ANNOUNCEMENT)
    ]
    with writing(office) as session:
        keep(session, "welcome", "Welcome", convert(wav(0.5)), NOW)
    greeted = change(office, ANNA, greet("welcome"), now=NOW)
    assert greeted.errors == []
    silent = change(office, ANNA, lambda data: data["dids"][0].pop("greeting"), now=NOW)
    with writing(office) as session:
        assert drop(session, stored(office), "welcome")
    back = undo(office, ANNA, silent.version, now=NOW)
    assert [(each.line > 0, each.code) for each in back.errors] == [(True, Mistake.NO_ANNOUNCEMENT)]


def test_a_name_that_was_never_good_keeps_nobody_from_another_change(office: Engine) -> None:
    setup = stored(office)
    number, did = next(iter(setup.dids.items()))
    with writing(office) as session:
        replace_setup(
            session, replace(setup, dids={**setup.dids, number: replace(did, greeting="@gone")})
        )
    assert change(office, ANNA, rename("101", "Anya"), now=NOW).errors == []


def test_a_file_names_the_line_of_an_unknown_announcement(office: Engine) -> None:
    text = write_config(stored(office)).replace("{number:", '{greeting: "@none", number:', 1)
    line = next(n for n, one in enumerate(text.split("\n"), 1) if "@none" in one)
    done = put(office, ANNA, text, now=NOW)
    assert [(each.line, each.code) for each in done.errors] == [(line, Mistake.NO_ANNOUNCEMENT)]


def test_the_rules_of_callbacks_are_changed_kept_and_taken_back(office: Engine) -> None:
    def busier(data: Data) -> None:
        data["callbacks"] = {"preset": "ru", "spacing": {"busy": "10"}}

    with reading(office) as session:
        assert load_callback_rules(session) == CallbackRules()
    done = change(office, ANNA, busier, now=NOW)
    assert said(done) == [
        "callback rules changed: quiet.start – → 22:00; quiet.days – → sat,sun; "
        "quiet.weekend_start – → 20:00; quiet.weekend_end – → 09:00; spacing.busy – → 10; "
        "caps.attempts – → 2; caps.number_day – → 1; caps.number_week – → 2"
    ]
    rules = replace(PRESETS["ru"], spacing=Spacing(busy=10))
    with reading(office) as session:
        assert load_callback_rules(session) == load_setup(session).callbacks == rules
    assert change(office, ANNA, busier, now=NOW).differences == []
    change(office, ANNA, rename("101", "Anya"), now=NOW)
    assert stored(office).callbacks == rules, "another change leaves them alone"
    undo(office, ANNA, done.version, now=NOW)
    assert stored(office).callbacks == CallbackRules()
