"""The commands as an admin types them: what they print, and how they refuse."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from telephony.cli import main
from telephony.domain.call import Call, fold
from telephony.domain.events import Finished
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.domain.record import CallRecord, Context, record
from telephony.store.calls import save_call
from telephony.store.engine import open_engine, writing
from telephony.store.live import save_operator_states
from telephony.store.migrations import pending
from tests.demo.company import CLIENTS, configuration
from tests.unit.moments import MONDAY_NOON

ENVIRONMENT = {"DUTYLINE_AMI_SECRET": "a-long-secret", "DUTYLINE_TOKEN": "0123456789abcdef"}


class Admin:
    """Runs commands in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **ENVIRONMENT,
            "DUTYLINE_DATABASE_URL": f"sqlite:///{folder / 'test.db'}",
            "DUTYLINE_DATA_DIR": str(folder),
            "DUTYLINE_LOG_LEVEL": "error",
        }

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env=self.environment)

    def says(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.output

    def refuses(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.exit_code != 0, result.output
        assert "Traceback" not in result.output
        assert not isinstance(result.exception, Exception) or isinstance(
            result.exception, SystemExit
        )
        return result.output


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    """Give an admin with a migrated, empty database."""
    admin = Admin(tmp_path)
    assert "applied" in admin.says("migrate")
    return admin


@pytest.fixture
def company(admin: Admin) -> Admin:
    """Give an admin whose company is set up."""
    admin.says("config", "apply", admin.file("company.yaml", configuration(MONDAY_NOON)))
    admin.says("import", "clients", admin.file("clients.csv", CLIENTS))
    return admin


def _answered(started: int) -> CallRecord:
    call_id = f"{started}.1"
    end = Finished(
        (started + 12) * 1_000_000,
        call_id,
        "PJSIP/trunk-00000001",
        "74951234567",
        "+79001112233",
        started=started,
        step=1,
        status="ANSWER",
        answered_ms=10_500,
        peer="PJSIP/101-00000002",
        source="PJSIP/101-00000002",
    )
    return record(
        fold(Call(call_id), end),
        Context(client_name="Ромашка", number="+79001112233", endpoints={"101": "101"}),
    )


def test_a_database_behind_its_migrations_is_told(tmp_path: Path) -> None:
    missing = Admin(tmp_path).refuses("calls")
    assert "there is no database" in missing
    assert not list(tmp_path.iterdir())
    (tmp_path / "test.db").touch()
    said = Admin(tmp_path).refuses("calls")
    behind = len(pending(f"sqlite:///{tmp_path / 'test.db'}"))
    assert f"{behind} migration(s) behind" in said
    assert "dutyline migrate" in said


def test_a_wrong_setting_stops_every_command(admin: Admin) -> None:
    admin.environment["DUTYLINE_COUNTRY"] = "Russia"
    assert "DUTYLINE_COUNTRY 'Russia' is wrong: it must be" in admin.refuses("calls")


def test_a_second_migrate_has_nothing_to_do(admin: Admin) -> None:
    assert "up to date" in admin.says("migrate")


def test_no_calls_is_said_in_both_languages(admin: Admin) -> None:
    assert "no calls yet" in admin.says("calls")
    admin.environment["DUTYLINE_LANGUAGE"] = "ru"
    assert "звонков пока нет" in admin.says("calls")


def test_calls_as_a_table(admin: Admin) -> None:
    engine = open_engine(admin.environment["DUTYLINE_DATABASE_URL"])
    with writing(engine) as session:
        for started in (1795331600, 1795331700, 1795331800):
            save_call(session, _answered(started))
    engine.dispose()
    lines = admin.says("calls", "--limit", "2", "--zone", "Europe/Moscow").splitlines()
    assert lines[0].split() == [
        "Began", "Direction", "Number", "Client", "Dialled", "Placed", "by", "Outcome",
        "Answered", "by", "Wait", "Talk", "Hung", "up",
    ]  # fmt: skip
    assert "no calls yet" in admin.says("calls", "--direction", "out")
    assert "2026-11-22 10:16:40" in lines[2]
    assert "Ромашка" in lines[2]
    assert "10.5 s" in lines[2]
    assert "operator" in lines[2]
    assert len({line.index("74951234567") for line in lines[2:4]}) == 1
    assert lines[4] == "2 of 3 calls"
    assert len(admin.says("calls", "--number", "8 900 111-22-33").splitlines()) == 5
    assert "no calls yet" in admin.says("calls", "--number", "+79990000000")
    assert "no calls yet" in admin.says("calls", "--disposition", "lost")
    admin.environment["DUTYLINE_LANGUAGE"] = "ru"
    russian = admin.says("calls")
    assert "отвечен" in russian
    assert "10,5 с" in russian


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("calls", "--number", "abc"), "--number 'abc' is not a phone number"),
        (("calls", "--zone", "Mars/Base"), "'Mars/Base' is not an IANA time zone"),
        (("explain", "--number", "abc", "--did", "74951234567"), "is not a phone number"),
        (("explain", "--number", "", "--did", "x"), "--did 'x' is not a number"),
        (
            ("explain", "--number", "", "--did", "7495", "--at", "noon"),
            "--at 'noon' is not an ISO time",
        ),
        (("explain", "--number", "", "--did", "7495", "--at", "2026-11-23", "--live"), "leave out"),
        (("import", "clients", "/nonexistent.csv"), "does not exist"),
        (("pbx-config", "--fallback", "moon", "--asterisk-version", "22.1"), "use queue:NAME"),
        (("pbx-config", "--fallback", "queue:a b", "--asterisk-version", "22.1"), "use queue:NAME"),
        (("pbx-config", "--fallback", "queue:q", "--asterisk-version", "new"), "from 16.20 on"),
        (
            (
                "pbx-config",
                "--fallback",
                "queue:q",
                "--asterisk-version",
                "22.1",
                "--mobile-trunk",
                "a,b",
            ),
            "name of a PJSIP endpoint",
        ),
    ],
)
def test_wrong_arguments_are_refused_in_words(
    admin: Admin, arguments: tuple[str, ...], reason: str
) -> None:
    assert reason in " ".join(admin.refuses(*arguments).split())


def test_explain_says_who_and_why(company: Admin) -> None:
    said = company.says(
        "explain", "--number", "8 900 333-44-55", "--did", "+74951234567",
        "--at", f"{MONDAY_NOON:%Y-%m-%dT%H:%M}+00:00",
    )  # fmt: skip
    assert "+79003334455 on 74951234567 at 2026-11-23 15:00 MSK" in said
    assert "1. desk phone: Vera (103), 3\u00a0s" in said
    assert "· Manager: Gleb (104) is at lunch" in said
    night = company.says(
        "explain", "--number", "+79003334455", "--did", "74951234567", "--at", "2026-11-24T03:00"
    )
    assert "1. fallback" in night
    assert "nobody is on duty in group duty" in night


def test_explain_by_a_file_that_is_not_applied(company: Admin) -> None:
    before = company.says("config", "export")
    file = company.file("other.yaml", before.replace("74951234567", "74950000000"))
    asked = ("explain", "--number", "", "--did", "74951234567", "--what-if", file)
    stored, _, other = company.says(*asked).partition("With other.yaml:")
    assert "belongs to group" in stored
    assert "is not set up" in other
    assert company.says("config", "export") == before
    company.file("other.yaml", "operators: [")
    assert "YAML" in company.refuses(*asked)


def test_explain_in_russian(company: Admin) -> None:
    company.environment["DUTYLINE_LANGUAGE"] = "ru"
    said = company.says(
        "explain", "--number", "", "--did", "74951234567", "--at", "2026-11-23T15:00"
    )
    assert "скрытый номер на 74951234567" in said
    assert "звонит группа duty: Vera" in said


def test_config_shows_differences_and_keeps_quiet_when_there_are_none(company: Admin) -> None:
    text = configuration(MONDAY_NOON)
    assert company.says("config", "apply", company.file("a.yaml", text)) == "nothing to change\n"
    changed = company.file("b.yaml", text.replace("name: Vera", "name: Vera K."))
    said = company.says("config", "apply", changed, "--dry-run")
    assert said.splitlines() == [
        "operator 103 changed: name Vera → Vera K.",
        "nothing was changed: this was a dry run",
    ]
    applied = company.says("config", "apply", changed).splitlines()
    assert applied == [
        said.splitlines()[0],
        "this is version 3: `dutyline config undo 3` takes it back",
    ]


def test_config_history_and_undo(company: Admin) -> None:
    text = configuration(MONDAY_NOON).replace("name: Vera", "name: Vera K.")
    company.says("config", "apply", company.file("b.yaml", text))
    would = company.says("config", "undo", "3", "--dry-run").splitlines()
    assert would == [
        "operator 103 changed: name Vera K. → Vera",
        "nothing was changed: this was a dry run",
    ]
    assert company.says("config", "undo", "3").splitlines() == [
        would[0],
        "this is version 4: `dutyline config undo 4` takes it back",
    ]
    said = company.says("config", "history", "--limit", "2").splitlines()
    assert said[0].startswith("version 4, ")
    assert said[0].endswith(" UTC, command line, took back 3")
    assert said[1:2] == [f"  {would[0]}"]
    assert said[2].endswith(" UTC, command line")
    assert said[3:] == [
        "  operator 103 changed: name Vera → Vera K.",
        "1 older: --limit shows more",
    ]
    assert "no version 77" in company.refuses("config", "undo", "77")


def test_config_history_of_nothing(admin: Admin) -> None:
    assert admin.says("config", "history") == "nothing was changed yet\n"


def test_config_errors_name_the_line_and_change_nothing(company: Admin) -> None:
    text = configuration(MONDAY_NOON).replace('operator: "103"', 'operator: "303"')
    said = company.refuses("config", "apply", company.file("bad.yaml", text))
    assert "bad.yaml: line 20, groups[1].shifts[0].operator" in said
    assert "nothing was changed: 1 error(s)" in said


def test_import_errors_name_line_and_column_and_import_nothing(company: Admin) -> None:
    text = CLIENTS + "New Ltd,12,101,no,\nOther,+79007778899,999,maybe,\n"
    said = company.refuses("import", "clients", company.file("bad.csv", text))
    assert "bad.csv: line 5, phones: '12'" in said
    assert "bad.csv: line 6, manager: '999'" in said
    assert "bad.csv: line 6, vip: 'maybe'" in said
    assert "nothing was imported: 3 error(s)" in said
    again = company.says("import", "clients", company.file("good.csv", CLIENTS), "--dry-run")
    assert "3 unchanged" in again


def test_pbx_config_writes_files_that_others_cannot_read(admin: Admin) -> None:
    folder = admin.folder / "asterisk"
    arguments = ("pbx-config", "--fallback", "queue:support", "--asterisk-version", "22.10.1")
    said = admin.says(*arguments, "--write", str(folder))
    assert "dutyline doctor" in said
    for name in ("dutyline_extensions.conf", "dutyline_manager.conf"):
        file = folder / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert any(secret in file.read_text() for secret in ENVIRONMENT.values())
    assert admin.says(*arguments).count("; ---- dutyline_") == 4


def test_doctor_without_asterisk_says_what_to_do(company: Admin) -> None:
    company.environment["DUTYLINE_AMI_PORT"] = "1"
    said = company.refuses("doctor")
    assert "✓ database sqlite, migrations applied" in said
    assert "✗ cannot connect to 127.0.0.1:1" in said
    assert "→ check DUTYLINE_AMI_HOST" in said


def test_doctor_looks_whether_the_pbx_logs_can_be_read(company: Admin) -> None:
    company.environment |= {
        "DUTYLINE_AMI_PORT": "1",
        "DUTYLINE_QUEUE_LOG": company.file("queue_log", ""),
        "DUTYLINE_CDR_FILE": str(company.folder / "nowhere" / "Master.csv"),
    }
    said = company.refuses("doctor")
    assert "✓ DUTYLINE_QUEUE_LOG" in said
    assert "✗ DUTYLINE_CDR_FILE" in said
    (company.folder / "nowhere").mkdir()
    assert "! DUTYLINE_CDR_FILE" in company.refuses("doctor")
    assert "setfacl" in said


def test_doctor_with_an_empty_database_says_what_to_do(admin: Admin) -> None:
    admin.environment["DUTYLINE_AMI_PORT"] = "1"
    said = admin.refuses("doctor")
    assert "✗ no operators are set up" in said
    assert "dutyline config apply" in said


ROSTER = """\
operators:
  - {extension: 101, name: Anna, mobile: "+79161110001"}
  - {extension: 102, name: Boris}
groups:
  - name: sales
    zone: Europe/Moscow
    default: true
    shifts:
      - {operator: 101, days: daily, start: 09:00, end: 18:00, lunch: 13:00-14:00, cover: 102}
      - {operator: 102, days: daily, start: 22:00, end: 09:00}
  - {name: empty, zone: UTC}
absences:
  - {operator: 101, from: 2026-12-03, to: 2026-12-03, cover: 102}
dids: []
"""


def test_the_set_up_is_exported_and_compared(admin: Admin) -> None:
    file = admin.file("office.yaml", ROSTER)
    assert "group sales added" in admin.says("config", "diff", file)
    assert "nothing was changed" in admin.says("config", "diff", file)
    admin.says("config", "apply", file)
    text = admin.says("config", "export")
    assert "cover: '102'" in text
    written = str(admin.folder / "out.yaml")
    assert f"written: {written}" in admin.says("config", "export", written)
    assert Path(written).read_text() == text
    assert admin.says("config", "diff", written) == "nothing to change\n"
    assert "cannot be written" in admin.refuses("config", "export", str(admin.folder / "a" / "b"))


def test_who_is_on_duty(admin: Admin) -> None:
    assert "config apply" in admin.says("duty")
    admin.says("config", "apply", admin.file("office.yaml", ROSTER))
    said = admin.says("duty", "--group", "sales", "--from", "2026-12-02", "--days", "2")
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines[:16] == [
        "sales (Europe/Moscow)",
        "Wed 02.12 00:00–09:00 Boris (102)",
        "09:00–13:00 Anna (101)",
        "13:00–14:00 Anna (101): lunch",
        "13:00–14:00 Boris (102), for Anna (101)",
        "14:00–18:00 Anna (101)",
        "18:00–22:00 ✗ nobody",
        "22:00–24:00 Boris (102)",
        "Thu 03.12 00:00–09:00 Boris (102)",
        "09:00–13:00 Boris (102), for Anna (101)",
        "13:00–14:00 Boris (102): lunch, for Anna (101)",
        "13:00–14:00 ✗ nobody",
        "14:00–18:00 Boris (102), for Anna (101)",
        "18:00–22:00 ✗ nobody",
        "22:00–24:00 Boris (102)",
        "",
    ]
    assert "! sales, 02.12 18:00–22:00: nobody is on duty" in lines
    assert "no phone" not in said, "nothing is known of the phones yet"
    assert "✗ nobody" in admin.says("duty", "--group", "empty", "--days", "1")
    assert "there is no group 'x': empty, sales" in admin.refuses("duty", "--group", "x")
    assert "is not a day" in admin.refuses("duty", "--from", "1.12.2026")
    admin.environment["DUTYLINE_LANGUAGE"] = "ru"
    assert "вместо Anna (101)" in admin.says("duty", "--from", "2026-12-02", "--days", "1")


def test_duty_warns_of_those_whom_no_call_reaches(admin: Admin) -> None:
    admin.says("config", "apply", admin.file("office.yaml", ROSTER))
    engine = open_engine(admin.environment["DUTYLINE_DATABASE_URL"])
    away = [
        OperatorState(extension, "UNAVAILABLE", OperatorActivity.AWAY, 1)
        for extension in ("101", "102")
    ]
    with writing(engine) as session:
        save_operator_states(session, away)
    engine.dispose()
    said = admin.says("duty", "--group", "sales", "--from", "2026-12-07", "--days", "3")
    assert (
        "! sales, 07.12 00:00–09:00: Boris (102) is on duty and has no phone to ring, "
        "and 6 times more" in said
    )
    assert "Anna (101) is on duty and has no phone" not in said, "there is a mobile"
