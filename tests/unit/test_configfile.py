"""The set-up's YAML file: what it gives, and that every error names its place."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from telephony.configfile import (
    COMMAND_LINE,
    Difference,
    differences,
    put,
    read_config,
    write_config,
)
from telephony.domain.did import Did
from telephony.domain.duty import (
    Absence,
    AbsenceKind,
    OneOff,
    Override,
    Roster,
    Rotation,
    Shift,
    Swap,
)
from telephony.domain.queueing import QueueSettings, Strategy
from telephony.domain.setup import Group, Mailbox, Operator, Setup
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData
from telephony.store.directory import current_version
from telephony.store.engine import open_engine, reading, writing
from telephony.store.migrations import migrate
from telephony.store.setup import load_setup

NOW = datetime(2026, 11, 25, tzinfo=UTC)
GOOD = """\
operators:
  - {extension: "101", name: "Anna", endpoint: "101", mobile: "+79001112233", deputy: "102"}
  - {extension: 102, name: Борис, mobile: +7 900 111-22-44}
groups:
  - name: sales
    zone: Europe/Moscow
    default: true
    shifts:
      - {operator: "101", days: mon-fri, start: "09:00", end: "18:00", lunch: "13:00-14:00"}
      - {operator: 102, days: "sat, SUN", start: 20:30, end: 08:00, lunch: 23:30-00:30}
      - {operator: 102, days: fri-mon, start: 0:00, end: 24:00}
  - {name: support, zone: UTC, queue: {name: help-2, strategy: rrmemory, callback: no}}
dids:
  - {number: "74951234567", group: sales, title: "Sales", desk_seconds: 15, duty_seconds: 40}
  - {number: 0100, group: support, title: ""}
"""


def test_a_good_file() -> None:
    setup, errors = read_config(GOOD)
    assert errors == []
    shifts = (
        Shift("101", frozenset({1, 2, 3, 4, 5}), time(9), time(18), (time(13), time(14))),
        Shift("102", frozenset({6, 7}), time(20, 30), time(8), (time(23, 30), time(0, 30))),
        Shift("102", frozenset({5, 6, 7, 1}), time(0), time(0)),
    )
    assert setup == Setup(
        operators={
            "101": Operator("101", "Anna", "101", "+79001112233", "102"),
            "102": Operator("102", "Борис", "102", "+79001112244"),
        },
        groups={
            "sales": Group("sales", Roster("Europe/Moscow", shifts)),
            "support": Group(
                "support",
                Roster("UTC"),
                QueueSettings("help-2", Strategy.RRMEMORY, callback=False),
            ),
        },
        dids={
            "74951234567": Did("74951234567", "sales", "Sales", 15, 25, 40),
            "0100": Did("0100", "support"),
        },
        default_group="sales",
    )


def test_a_national_mobile_needs_a_country() -> None:
    text = GOOD.replace('"+79001112233"', '"8 900 111-22-33"')
    assert [error.path for error in read_config(text)[1]] == ["operators[0].mobile"]
    setup, errors = read_config(text, "RU")
    assert errors == []
    assert setup.operators["101"].mobile == "+79001112233"


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "value", "reason"),
    [
        ('"101", name: "Anna"', '"1", name: "Anna"', 2, "operators[0].extension", "1", "digits"),
        ('name: "Anna"', 'name: ""', 2, "operators[0].name", "", "1 to 100"),
        ('name: "Anna"', 'name: "A\\x07"', 2, "operators[0].name", "A\x07", "control"),
        ('name: "Anna", ', "", 2, "operators[0].name", "", "missing"),
        ('name: "Anna"', 'nam: "Anna"', 2, "operators[0].nam", "nam", "unknown"),
        ('name: "Anna"', 'name: [1]', 2, "operators[0].name", "", "one value"),
        ('endpoint: "101"', 'endpoint: "1&2"', 2, "operators[0].endpoint", "1&2", "PJSIP"),
        ('endpoint: "101"', 'endpoint: "102"', 3, "operators[1].endpoint", "102", "of 101 too"),
        ('"+79001112233"', "12", 2, "operators[0].mobile", "12", "phone number"),
        ('deputy: "102"', 'deputy: "103"', 2, "operators[0].deputy", "103", "extension of"),
        ('deputy: "102"', 'deputy: "101"', 2, "operators[0].deputy", "101", "somebody else"),
        ("extension: 102", "extension: 101", 3, "operators[1].extension", "101", "twice"),
        ("Europe/Moscow", "Moscow", 6, "groups[0].zone", "Moscow", "IANA"),
        ("Europe/Moscow", "../etc/passwd", 6, "groups[0].zone", "../etc/passwd", "IANA"),
        ("default: true", "default: maybe", 7, "groups[0].default", "maybe", "true or false"),
        ("zone: UTC", "zone: UTC, default: yes", 12, "groups[1].default", "yes", "only one"),
        ("name: support", "name: sales", 12, "groups[1].name", "sales", "twice"),
        ('"101", days', '"109", days', 9, "groups[0].shifts[0].operator", "109", "extension of"),
        ("mon-fri", "mo-fr", 9, "groups[0].shifts[0].days", "mo-fr", "mon,wed"),
        ("mon-fri", '","', 9, "groups[0].shifts[0].days", ",", "mon,wed"),
        ('"09:00"', "9", 9, "groups[0].shifts[0].start", "9", '"09:00"'),
        ('"09:00"', '"24:00"', 9, "groups[0].shifts[0].start", "24:00", '"09:00"'),
        ('"18:00"', '"18:60"', 9, "groups[0].shifts[0].end", "18:60", '"09:00"'),
        ("13:00-14:00", "13:00", 9, "groups[0].shifts[0].lunch", "13:00", "two times"),
        ("13:00-14:00", "08:00-10:00", 9, "groups[0].shifts[0].lunch", "08:00-10:00", "within"),
        ("13:00-14:00", "17:30-18:30", 9, "groups[0].shifts[0].lunch", "17:30-18:30", "within"),
        ("help-2", "Help 2", 12, "groups[1].queue.name", "Help 2", "a-z"),
        ("name: help-2, ", "", 12, "groups[1].queue.name", "", "missing"),
        ("rrmemory", "best", 12, "groups[1].queue.strategy", "best", "ringall"),
        ("callback: no", "callback: never", 12, "groups[1].queue.callback", "never", "true or"),
        ("callback: no", "music: a b", 12, "groups[1].queue.music", "a b", "musiconhold"),
        ("callback: no", "ring_seconds: 4", 12, "groups[1].queue.ring_seconds", "4", "5 to 120"),
        ("    shifts:", "    queue: {name: help-2}\n    shifts:", 13, "groups[1].queue.name",
         "help-2", "another group"),
        ("group: sales", "group: sale", 14, "dids[0].group", "sale", "name of a group"),
        ("desk_seconds: 15", "desk_seconds: 1000", 14, "dids[0].desk_seconds", "1000", "1 to 300"),
        ("desk_seconds: 15", "desk_seconds: x", 14, "dids[0].desk_seconds", "x", "1 to 300"),
        ('"74951234567"', "x", 14, "dids[0].number", "x", "3 to 15 digits"),
        ("number: 0100", 'number: "74951234567"', 15, "dids[1].number", "74951234567", "twice"),
        ("dids:\n", "did:\n", 13, "did", "did", "unknown"),
    ],
)  # fmt: skip
def test_an_error_names_its_place(
    old: str, new: str, line: int, path: str, value: str, reason: str
) -> None:
    assert old in GOOD
    _, errors = read_config(GOOD.replace(old, new, 1))
    found = [(error.line, error.path, error.value) for error in errors]
    assert (line, path, value) in found
    error = errors[found.index((line, path, value))]
    assert reason in error.reason
    assert str(error).startswith(f"line {line}, {path}:")
    # What else is told is about things that refer to this one.
    follows = ("that there is", "is missing", "must be an extension", "somebody else", "is the end")
    assert all(each is error or any(map(each.reason.count, follows)) for each in errors)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("- a", "keys with values"),
        ("operators: [", "not YAML"),
        ("a: *b", "not YAML"),
        ("\x00", "not YAML"),
        ("[" * 5000, "not YAML"),
        ("operators: []\ngroups: []", "is missing"),
        ("operators: 5\ngroups: []\ndids: []", "must be a list"),
        ("operators: [5]\ngroups: []\ndids: []", "keys with values"),
        ("operators: []\ngroups: []\ndids: []\ndids: []", "twice"),
    ],
)
def test_a_file_that_is_no_config(text: str, reason: str) -> None:
    _, errors = read_config(text)
    assert reason in errors[0].reason


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


def setup_of(engine: Engine) -> Setup:
    with reading(engine) as session:
        return load_setup(session)


def test_applying(engine: Engine) -> None:
    setup, _ = read_config(GOOD)
    would = put(engine, COMMAND_LINE, GOOD, now=NOW, dry_run=True)
    assert setup_of(engine) == Setup()
    done = put(engine, COMMAND_LINE, GOOD, now=NOW)
    assert (done.version, done.differences) == (1, would.differences)
    assert [str(difference) for difference in would.differences] == [
        "operator 101 added",
        "operator 102 added",
        "group sales added",
        "group support added",
        "did 0100 added",
        "did 74951234567 added",
    ]
    assert setup_of(engine) == setup
    with reading(engine) as session:
        version = current_version(session)
    assert put(engine, COMMAND_LINE, GOOD, now=NOW).differences == []
    with reading(engine) as session:
        assert current_version(session) == version == (1, 1)


def test_differences_name_the_fields() -> None:
    before, _ = read_config(GOOD)
    changed = GOOD.replace('"+79001112233"', '"+79001112299"').replace('"18:00"', '"17:00"')
    after, _ = read_config(changed.replace("default: true", "default: false"))
    dids = {"0100": after.dids["0100"]}
    found = [str(difference) for difference in differences(before, replace(after, dids=dids))]
    assert found[0] == "operator 101 changed: mobile +79001112233 → +79001112299"
    assert found[1] == (
        "group sales changed: default true → –; "
        "shifts operator 101, days mon-fri, start 09:00, end 18:00, lunch 13:00-14:00 → "
        "operator 101, days mon-fri, start 09:00, end 17:00, lunch 13:00-14:00"
    )
    assert found[2:] == ["did 74951234567 removed"]
    for each in differences(before, after):
        assert Difference.from_json(json.loads(json.dumps(each.as_json()))) == each


def test_a_difference_tells_that_a_pin_changed_and_never_which_it_is() -> None:
    before, _ = read_config(GOOD)
    one, two = (
        replace(before, mailboxes={"1": Mailbox("1", "Sales", pin=pin)}) for pin in ("7391", "2846")
    )
    found = [*differences(before, one), *differences(one, two), *differences(two, before)]
    assert [each.action for each in found] == ["added", "changed", "removed"]
    assert str(found[1]) == "mailbox 1 changed: pin •••• → ••••"
    kept = json.dumps([each.as_json() for each in found])
    assert "7391" not in kept
    assert "2846" not in kept
    # What an earlier version kept is not shown either.
    old = {"what": "mailbox", "key": "1", "action": "added", "fields": [["pin", "", "7391"]]}
    assert str(Difference.from_json(old).fields[0]) == "pin – → ••••"


def test_an_operator_with_clients_is_not_removed(engine: Engine) -> None:
    setup, _ = read_config(GOOD)
    put(engine, COMMAND_LINE, GOOD, now=NOW)
    with writing(engine) as session:
        save_clients(session, [ClientData("a", ("+79000000001",), "102")])
    without = replace(
        setup,
        operators={"101": replace(setup.operators["101"], deputy=None)},
        groups={"support": setup.groups["support"]},
        dids={},
        default_group=None,
    )
    for dry_run in (True, False):
        done = put(engine, COMMAND_LINE, write_config(without), now=NOW, dry_run=dry_run)
        assert [str(error) for error in done.errors] == [
            "operators: '102' has 1 client(s) and cannot be removed: "
            "give them another manager or deputy first"
        ]
    assert setup_of(engine) == setup


ROSTERS = """\
operators:
  - {extension: 101, name: Anna}
  - {extension: 102, name: Boris}
  - {extension: 103, name: Vera}
groups:
  - name: sales
    zone: Europe/Moscow
    shifts:
      - {operator: 101, days: mon-fri, start: 09:00, end: 18:00, lunch: 13:00-14:00, cover: 102,
         since: 2026-12-01, until: 2027-01-01, layer: 1}
    rotations:
      - {turns: [101, [102, 103]], first: 2026-11-23, length: 7, handover: 09:00}
      - {turns: [103], first: 2026-11-23, start: 20:00, end: 08:00, days: sat-sun}
    one_offs:
      - {operator: 103, start: 2026-12-31 09:00, end: 2026-12-31 18:00, layer: 2}
    overrides:
      - {operators: [103], start: 2026-12-01 20:00, end: 2026-12-01T22:00}
      - {operators: [], start: 2027-01-01, end: 2027-01-02, instead_of: [101, 102]}
      - {operators: 102, start: 2027-01-05, end: 2027-01-05 24:00, instead_of: nobody}
    swaps:
      - {between: [101, 102], start: 2026-12-05, end: 2026-12-05}
absences:
  - {operator: 101, from: 2026-12-24, to: 2026-12-31, kind: vacation, cover: 102}
  - {operator: 102, from: 2026-12-24 12:00, to: 2026-12-24 15:00, zone: Asia/Omsk}
dids: []
"""


def test_a_roster_of_all_kinds_of_entries() -> None:
    setup, errors = read_config(ROSTERS)
    assert errors == []
    roster = setup.groups["sales"].roster
    day = datetime.fromisoformat
    assert roster == Roster(
        "Europe/Moscow",
        (
            Shift("101", frozenset({1, 2, 3, 4, 5}), time(9), time(18), (time(13), time(14)),
                  "102", date(2026, 12, 1), date(2027, 1, 1), 1),
        ),
        (
            Rotation((("101",), ("102", "103")), date(2026, 11, 23), 7, time(9), time(9), time(9)),
            Rotation((("103",),), date(2026, 11, 23), 7, time(0), time(20), time(8),
                     frozenset({6, 7})),
        ),
        (OneOff("103", day("2026-12-31 09:00"), day("2026-12-31 18:00"), 2),),
        (
            Override(("103",), day("2026-12-01 20:00"), day("2026-12-01 22:00")),
            Override((), day("2027-01-01"), day("2027-01-03"), frozenset({"101", "102"})),
            Override(("102",), day("2027-01-05"), day("2027-01-06"), frozenset()),
        ),
        (Swap("101", "102", day("2026-12-05"), day("2026-12-06")),),
        setup.absences,
    )  # fmt: skip
    assert setup.absences == (
        Absence("101", day("2026-12-24"), day("2027-01-01"), "Europe/Moscow",
                AbsenceKind.VACATION, "102"),
        Absence("102", day("2026-12-24 12:00"), day("2026-12-24 15:00"), "Asia/Omsk"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        ("cover: 102,\n", "cover: 101,\n", "shifts[0].cover", "somebody else"),
        ("lunch: 13:00-14:00, ", "", "shifts[0].cover", "there is none"),
        ("since: 2026-12-01", "since: 1.12.2026", "shifts[0].since", "a day such as"),
        ("since: 2026-12-01", "since: 2026-13-01", "shifts[0].since", "a day such as"),
        ("until: 2027-01-01", "until: 2026-12-01", "shifts[0].until", "after since"),
        ("layer: 1", "layer: 10", "shifts[0].layer", "from 0 to 9"),
        ("turns: [101, [102, 103]]", "turns: []", "rotations[0].turns", "take turns"),
        ("turns: [101, [102, 103]]", "turns: [[]]", "rotations[0].turns[0]", "name somebody"),
        ("turns: [101, [102, 103]]", "turns: [109]", "rotations[0].turns[0]", "extension of"),
        ("length: 7", "length: 0", "rotations[0].length", "from 1 to 366"),
        ("start: 20:00, ", "", "rotations[1].start", "is missing"),
        ("end: 08:00, ", "", "rotations[1].end", "is missing"),
        ("days: sat-sun", "until: 2026-11-23", "rotations[1].until", "after first"),
        ("end: 2026-12-31 18:00", "end: 2026-12-31 9:00", "one_offs[0].end", "after start"),
        ("end: 2026-12-31 18:00", "end: 18:00", "one_offs[0].end", "a moment such as"),
        ("end: 2026-12-31 18:00", "end: 2026-12-31 25:00", "one_offs[0].end", "a moment such"),
        ("instead_of: nobody", "instead_of: noone", "overrides[2].instead_of", "extension of"),
        ("between: [101, 102]", "between: [101, 101]", "swaps[0].between", "two operators"),
        ("kind: vacation", "kind: holiday", "absences[0].kind", "vacation, sick, other"),
        ("kind: vacation, cover: 102", "cover: 101", "absences[0].cover", "somebody else"),
        ("to: 2026-12-31", "to: 2026-12-20", "absences[0].to", "after from"),
        ("Asia/Omsk", "Omsk", "absences[1].zone", "IANA"),
        ("from: 2026-12-24,", "from: 2026-12-24, until: 1,", "absences[0].until", "unknown"),
    ],
)  # fmt: skip
def test_an_error_of_a_roster_names_its_place(old: str, new: str, path: str, reason: str) -> None:
    assert old in ROSTERS
    _, errors = read_config(ROSTERS.replace(old, new, 1))
    place = path if path.startswith("absences") else f"groups[0].{path}"
    assert [(error.path, reason in error.reason) for error in errors] == [(place, True)], errors


def test_absences_without_a_group_need_a_zone() -> None:
    text = "operators: [{extension: 101, name: A}]\ngroups: []\ndids: []\n"
    text += "absences: [{operator: 101, from: 2026-12-24, to: 2026-12-31}]\n"
    assert [error.path for error in read_config(text)[1]] == ["absences[0].zone"]


def test_differences_of_a_roster_name_the_entries() -> None:
    before, _ = read_config(ROSTERS)
    text = ROSTERS.replace("to: 2026-12-31, kind", "to: 2027-01-08, kind")
    after, _ = read_config(text.replace("length: 7, handover: 09:00", "length: 1"))
    assert [str(one) for one in differences(before, after)] == [
        "group sales changed: rotations "
        "turns [101 [102 103]], first 2026-11-23, length 7, handover 09:00 → "
        "turns [101 [102 103]], first 2026-11-23, length 1, handover 00:00",
        "absences of 101 changed: "
        "operator 101, from 2026-12-24 00:00, to 2026-12-31, zone Europe/Moscow, kind vacation, "
        "cover 102 → operator 101, from 2026-12-24 00:00, to 2027-01-08, zone Europe/Moscow, "
        "kind vacation, cover 102",
    ]
    without = replace(before, absences=before.absences[1:])
    assert [str(one) for one in differences(before, without)] == ["absences of 101 removed"]
