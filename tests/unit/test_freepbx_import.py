"""What FreePBX exports becomes operators, groups with queues and DIDs."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony.configfile.freepbx import NoExportError, bring
from telephony.domain.queueing import Strategy
from telephony.store.engine import open_engine, reading
from telephony.store.setup import load_setup
from tests.unit.test_cli import Admin

EXTENSIONS = """\
extension,password,name,description,tech,findmefollow_grplist
101,,Анна,Anna,pjsip,101-89161110001#
102,,,Boris,pjsip,102
103,,Vera,Vera,sip,103
104,,Gleb,Gleb,pjsip,104-89161110001#-89161110002#
1,,Short,Short,pjsip,
"""
DIDS = """\
cidnum,extension,destination,description
,74951234567,"ext-queues,400,1",Sales
,+74951234568,"from-did-direct,101,1",
79001112233,,"ivr-1,s,1",Anybody
,_7495XXXXXXX,"ivr-1,s,1",Pattern
"""
QUEUES = """\
; written by FreePBX
[400]
announce-frequency=0
strategy=rrmemory
timeout=600
wrapuptime=30
member=Local/101@from-queue/n,0,Анна,hint:101@ext-local
member=Local/103@from-queue/n,0,Vera,hint:103@ext-local
member=Local/89161110009#@from-queue/n,0
[default]
strategy=linear
"""


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    """Give an admin with a migrated, empty database."""
    made = Admin(tmp_path)
    made.environment["DUTYLINE_COUNTRY"] = "RU"
    made.says("migrate")
    return made


def arguments(admin: Admin) -> tuple[str, ...]:
    return (
        "import", "freepbx",
        "--extensions", admin.file("extensions.csv", EXTENSIONS),
        "--dids", admin.file("dids.csv", DIDS),
        "--queues", admin.file("queues_additional.conf", QUEUES),
        "--zone", "Europe/Moscow",
    )  # fmt: skip


def test_it_only_says_what_it_would_do_and_then_does_it_once(admin: Admin) -> None:
    said = admin.says(*arguments(admin))
    assert "operator 101 added" in said
    assert "again with --apply" in said
    engine = open_engine(admin.environment["DUTYLINE_DATABASE_URL"])
    with reading(engine) as session:
        assert load_setup(session).operators == {}
    admin.says(*arguments(admin), "--apply")
    with reading(engine) as session:
        setup = load_setup(session)
    engine.dispose()
    assert {one.extension: (one.name, one.mobile) for one in setup.operators.values()} == {
        "101": ("Анна", "+79161110001"),
        "102": ("Boris", None),
        "104": ("Gleb", None),
    }
    sales = setup.groups["queue 400"]
    assert sales.queue is not None
    assert (sales.queue.name, sales.queue.strategy) == ("400", Strategy.RRMEMORY)
    assert (sales.queue.ring_seconds, sales.queue.wrapup_seconds) == (120, 30)
    # Whoever was not brought in is on no roster.
    assert [shift.operator for shift in sales.roster.shifts] == ["101"]
    assert sales.roster.zone == "Europe/Moscow"
    assert {one.number: (one.group, one.title) for one in setup.dids.values()} == {
        "74951234567": ("queue 400", "Sales"),
        "74951234568": ("office", ""),
    }
    assert "nothing new" in admin.says(*arguments(admin), "--apply")


def test_what_is_left_out_is_told(admin: Admin) -> None:
    said = admin.says(*arguments(admin))
    for words in (
        "extension 103: sip device",
        "extension '1'",
        "extension 104: follow me 89161110001, 89161110002",
        "inbound route 'for any DID'",
        "inbound route '_7495XXXXXXX'",
        "queue 400: member 'Local/89161110009#",
    ):
        assert f"left out: {words}" in said, words


def test_what_is_set_up_stays_as_it_is(admin: Admin) -> None:
    file = admin.file(
        "own.yaml",
        'operators: [{extension: 101, name: "Our Anna"}]\n'
        "groups: [{name: office, zone: UTC, default: true}]\ndids: []\n",
    )
    admin.says("config", "apply", file)
    said = admin.says(*arguments(admin), "--apply")
    assert "operator 101" not in said
    assert "group office" not in said
    assert "nothing new" in admin.says(*arguments(admin), "--apply")


def test_a_file_of_another_form_is_refused(admin: Admin) -> None:
    wrong = admin.file("wrong.csv", "name,phone\nAnna,1\n")
    assert "no column extension, tech" in admin.refuses("import", "freepbx", "--extensions", wrong)
    assert "at least one" in admin.refuses("import", "freepbx")
    with pytest.raises(NoExportError):
        bring(None, b"", None, group="g", zone="UTC", country="RU")


def test_hostile_names_and_zones_are_the_set_ups_errors(admin: Admin) -> None:
    text = "extension,name,tech\n101,A\x07B,pjsip\n"
    said = admin.refuses("import", "freepbx", "--extensions", admin.file("x.csv", text), "--apply")
    assert "control characters" in said
    dids = admin.file("d.csv", "extension,destination\n74951234567,x\n")
    assert "IANA" in admin.refuses("import", "freepbx", "--dids", dids, "--zone", "Moskau")
