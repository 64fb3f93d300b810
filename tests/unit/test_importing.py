"""Importing clients: all rows or none, and every error names its place."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.clients import Problem
from telephony.domain.directory import Stage
from telephony.domain.setup import Operator, Setup
from telephony.importing import Report, import_clients, read_clients
from telephony.store.clients import ClientData, find_owners, get_clients, load_clients
from telephony.store.directory import changes_since, current_version
from telephony.store.engine import open_engine, reading, writing
from telephony.store.migrations import migrate
from telephony.store.setup import replace_setup

OPERATORS = {"101", "102"}


def clients(text: str | bytes) -> list[ClientData]:
    rows, errors = read_clients(text, "RU", OPERATORS)
    assert errors == []
    return [row.client for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        "name,phones,manager,vip\nООО «Ромашка»,8 (900) 111-22-33|+4930123456,101,да\n",
        "vip;manager;phones;name\nYES;101;8 (900) 111-22-33|+4930123456;ООО «Ромашка»\n",
        'name;phones;manager;vip\r\nООО «Ромашка»;"89001112233;+4930123456";101;1\r\n',
        'name,phones,manager,vip\nООО «Ромашка»,"89001112233, +4930123456",101,true\n\n',
        "Name\tPhones\tManager\tVIP\nООО «Ромашка»\t89001112233;+4930123456\t101\tyes",
        "\ufeffname,phones,manager,vip,notes\nООО «Ромашка»,89001112233|+4930123456,101,да,\n",
    ],
)
@pytest.mark.parametrize("encoding", [None, "utf-8"])
def test_the_forms_of_a_file(text: str, encoding: str | None) -> None:
    phones = ("+79001112233", "+4930123456")
    wanted = [ClientData("ООО «Ромашка»", phones, "101", None, True, "")]
    assert clients(text.encode(encoding) if encoding else text) == wanted


def test_quotes_and_several_lines() -> None:
    text = 'name,phones,notes\n"A ""B"", C",+4930123456,"one\ntwo"\nD,+4930123457,\n'
    assert clients(text) == [
        ClientData('A "B", C', ("+4930123456",), notes="one\ntwo"),
        ClientData("D", ("+4930123457",)),
    ]


HEADER = "name,phones,manager,deputy,vip,notes\n"
FINE = "Fine,+79000000000,,,,\n"


@pytest.mark.parametrize(
    ("row", "column", "value", "problem"),
    [
        ("A,12,,,,", "phones", "12", Problem.NOT_A_NUMBER),
        ("A,89001112233|x,,,,", "phones", "x", Problem.NOT_A_NUMBER),
        ("A,,,,,", "phones", "", Problem.NO_PHONE),
        ("A,+79001112233,109,,,", "manager", "109", Problem.UNKNOWN_EXTENSION),
        ("A,+79001112233,101,x,,", "deputy", "x", Problem.UNKNOWN_EXTENSION),
        ("A,+79001112233,,,maybe,", "vip", "maybe", Problem.NOT_YES_NO),
        (",+79001112233,,,,", "name", "", Problem.NAME_EMPTY),
        ("A\x07B,+79001112233,,,,", "name", "A\x07B", Problem.CONTROL_CHARACTER),
        ('"A\nB",+79001112233,,,,', "name", "A\nB", Problem.CONTROL_CHARACTER),
        ("A,+79001112233,,,,\x00", "notes", "\x00", Problem.CONTROL_CHARACTER),
        ("A" * 101 + ",+79001112233,,,,", "name", "A" * 20 + "…", Problem.TOO_LONG),
        ("A,+79001112233,,,", "", "", Problem.FIELDS),
        ("A,+79001112233,,,,,", "", "", Problem.FIELDS),
        ("A,89000000000,,,,", "phones", "+79000000000", Problem.NUMBER_TWICE),
        ("Fine,89000000000,101,,,", "manager", "101", Problem.TWO_MANAGERS),
        ("A,+79001112233|89001112233,,,,", "phones", "+79001112233", Problem.NUMBER_TWICE),
        ('A,"+79001112233,,,,', "", "", Problem.NOT_CSV),
    ],
)
def test_an_error_names_line_column_and_value(
    row: str, column: str, value: str, problem: Problem
) -> None:
    rows, errors = read_clients(HEADER + FINE + "\n" + row + "\n", "RU", OPERATORS)
    assert [row.client.name for row in rows] == ["Fine"]
    first = errors[0]
    assert (first.line, first.column, first.value, first.problem) == (4, column, value, problem)
    assert str(first).startswith("line 4")
    assert "{" not in first.reason


def test_all_errors_are_told_at_once() -> None:
    text = HEADER + '"",x,109,,?,\n' + FINE + '"a\nb",12,,,,\nC,13,,,,\n'
    _, errors = read_clients(text, "RU", OPERATORS)
    assert [(error.line, error.column) for error in errors] == [
        (2, "name"),
        (2, "phones"),
        (2, "manager"),
        (2, "vip"),
        (4, "name"),
        (4, "phones"),
        (6, "phones"),
    ]


@pytest.mark.parametrize(
    ("source", "line", "column", "problem"),
    [
        ("", 1, "", Problem.EMPTY_FILE),
        ("\n\n", 1, "", Problem.EMPTY_FILE),
        ("name,phone\n", 1, "phone", Problem.UNKNOWN_COLUMN),
        ("name\nA\n", 1, "phones", Problem.COLUMN_MISSING),
        ("name,phones,name\n", 1, "name", Problem.COLUMN_TWICE),
        ("name,phones\nA,+79001112233\nРомашка,1\n".encode("cp1251"), 3, "", Problem.NOT_UTF8),
        ("name,phones\n".encode("utf-16"), 1, "", Problem.NOT_UTF8),
    ],
)
def test_a_file_that_cannot_be_taken(
    source: str | bytes, line: int, column: str, problem: Problem
) -> None:
    rows, errors = read_clients(source, "RU", OPERATORS)
    assert rows == []
    assert (errors[0].line, errors[0].column, errors[0].problem) == (line, column, problem)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    migrate(url)
    engine = open_engine(url)
    with writing(engine) as session:
        people = {key: Operator(key, f"Operator {key}", key) for key in OPERATORS}
        replace_setup(session, Setup(operators=people))
    yield engine
    engine.dispose()


def known(engine: Engine) -> dict[str, tuple[int, str, str | None]]:
    with reading(engine) as session:
        return {
            number: (client.id, client.name, client.assignment.manager)
            for number, client in load_clients(session)
        }


def test_a_lead_has_a_sales_manager() -> None:
    text = (
        "name,phones,stage,manager,sales_manager\n"
        "A,+4930123456,Lead,101,102\nB,+4930123457,лид,,\nC,+4930123458,customer,,102\n"
    )
    assert clients(text) == [
        ClientData("A", ("+4930123456",), "101", stage=Stage.LEAD, sales_manager="102"),
        ClientData("B", ("+4930123457",), stage=Stage.LEAD),
        ClientData("C", ("+4930123458",), sales_manager="102"),
    ]
    _, errors = read_clients(text.replace("Lead", "cold"), "RU", {"101"})
    assert [(error.column, error.problem) for error in errors] == [
        ("sales_manager", Problem.UNKNOWN_EXTENSION),
        ("stage", Problem.UNKNOWN_STAGE),
        ("sales_manager", Problem.UNKNOWN_EXTENSION),
    ]


def test_a_client_has_a_time_zone_of_their_own() -> None:
    text = "name,phones,zone\nA,+4930123456,Asia/Vladivostok\nB,+4930123457,\n"
    assert clients(text) == [
        ClientData("A", ("+4930123456",), zone="Asia/Vladivostok"),
        ClientData("B", ("+4930123457",)),
    ]
    for wrong in ("Vladivostok", "+10:00", "asia/vladivostok"):
        _, errors = read_clients(text.replace("Asia/Vladivostok", wrong), "RU", set())
        assert [(one.line, one.column, one.value, one.problem) for one in errors] == [
            (2, "zone", wrong, Problem.UNKNOWN_ZONE)
        ]
        assert "Asia/Vladivostok" in errors[0].reason


def test_what_the_file_has_no_column_for_stays(engine: Engine) -> None:
    text = HEADER.replace("vip", "stage,sales_manager,vip") + "A,+79001110001,101,,lead,102,1,n\n"
    assert import_clients(engine, text, "RU").added == 1
    assert import_clients(engine, "name,phones\nA,+79001110001\n", "RU") == Report(unchanged=1)
    report = import_clients(engine, "name,phones,vip,manager\nB,+79001110001,no,\n", "RU")
    assert report.updated == 1
    with reading(engine) as session:
        (data,) = get_clients(session, find_owners(session, ["+79001110001"]).values()).values()
    assert data == ClientData(
        "B", ("+79001110001",), notes="n", stage=Stage.LEAD, sales_manager="102"
    )


FIRST = "name,phones,manager\nAnna,+79001110001|+79001110002,101\nBoris,+79001110003,102\n"


def test_importing_adds_updates_and_removes_numbers(engine: Engine) -> None:
    assert import_clients(engine, FIRST, "RU") == Report(added=2, version=2)
    before = known(engine)
    assert import_clients(engine, FIRST, "RU") == Report(unchanged=2)
    text = (
        "name,phones,manager\nAnna Smith,+79001110002|+79001110009,102\n"
        "Vera,+79001110004,\nBoris,+79001110003,102\n"
    )
    wanted = Report(added=1, updated=1, unchanged=1, numbers_removed=1)
    assert import_clients(engine, text, "RU", dry_run=True) == wanted
    assert known(engine) == before
    assert import_clients(engine, text, "RU") == Report(1, 1, 1, 1, (), version=3)
    after = known(engine)
    anna = before["+79001110001"][0]
    assert after == {
        "+79001110002": (anna, "Anna Smith", "102"),
        "+79001110009": (anna, "Anna Smith", "102"),
        "+79001110003": before["+79001110003"],
        "+79001110004": (after["+79001110004"][0], "Vera", None),
    }
    with reading(engine) as session:
        version, changes, _ = changes_since(session, 2)
    assert version == 3
    assert [(change.client.name, change.removed) for change in changes] == [
        ("Anna Smith", ("+79001110001",)),
        ("Vera", ()),
    ]


def test_numbers_of_different_clients_are_refused(engine: Engine) -> None:
    import_clients(engine, FIRST, "RU")
    before = known(engine)
    text = "name,phones\nNew,+79001110007\nBoth,+79001110002|+79001110003\nAnna,+79001110001\n"
    report = import_clients(engine, text, "RU")
    assert [(error.line, error.problem) for error in report.errors] == [(3, Problem.TWO_CLIENTS)]
    assert "+79001110003 – Boris" in report.errors[0].reason
    text = "name,phones\nAnna,+79001110001\nAnna again,+79001110002\n"
    report = import_clients(engine, text, "RU")
    assert [(error.line, error.problem) for error in report.errors] == [(3, Problem.CLIENT_TWICE)]
    assert known(engine) == before


def test_a_change_in_between_is_seen(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's import commits after ours was sorted out and before it is written."""
    begun: list[bool] = []

    @contextmanager
    def late(engine: Engine) -> Iterator[Session]:
        if not begun:
            begun.append(True)
            import_clients(engine, FIRST, "RU")
        with writing(engine) as session:
            yield session

    monkeypatch.setattr("telephony.importing.writing", late)
    text = FIRST + "Vera,+79001110004,\n"
    assert import_clients(engine, text, "RU") == Report(added=1, unchanged=2, version=3)
    assert len(known(engine)) == 4


def test_one_error_and_nothing_is_written(engine: Engine) -> None:
    report = import_clients(engine, FIRST + "Vera,nonsense,101\n", "RU")
    assert [error.problem for error in report.errors] == [Problem.NOT_A_NUMBER]
    assert (report.added, report.version) == (0, None)
    assert known(engine) == {}
    with reading(engine) as session:
        assert current_version(session).version == 1
