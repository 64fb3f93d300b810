"""Clients from a file, looked at first, and back into one: on both databases."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.importing import MOST_BYTES, import_clients
from telephony.store.asked import every_client
from telephony.store.audit import AuditEntry, list_audit
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData
from telephony.store.engine import reading, writing
from telephony.store.setup import replace_setup
from tests.databases.samples import a_setup
from tests.panel.people import Browser, Panel

KNOWN = [
    ClientData("Anna", ("+79001110001", "+79001110002"), "101", None, True, "note"),
    ClientData("Борис", ("+79001110003",), "102", "101"),
]
FILE = (
    "name,phones,manager\nAnna Smith,8 900 111 00 01,102\nБорис,+79001110003,102\n"
    "Vera,+79001110004,\n"
)


@pytest.fixture
def boss(panel: Panel) -> Browser:
    """Give a supervisor's browser over a panel with operators and two clients."""
    with writing(panel.engine) as session:
        replace_setup(session, a_setup())
        save_clients(session, KNOWN)
    return panel.signed_in("boss")


def every(engine: Engine) -> list[ClientData]:
    with reading(engine) as session:
        return list(every_client(session, country="RU"))


def actions(engine: Engine) -> list[AuditEntry]:
    with reading(engine) as session:
        found = list_audit(session, limit=50, offset=0)[0]
    return [one for one in found if one.action.startswith("client")]


def upload(browser: Browser, text: str | bytes) -> TestResponse:
    source = text.encode() if isinstance(text, str) else text
    return browser.send("/clients/import", file=(io.BytesIO(source), "clients.csv"))


def hidden(page: str) -> dict[str, Any]:
    """Return the fields with which the preview is confirmed."""
    found = re.findall(r'<input type="hidden" name="(packed|seen)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


def test_a_file_is_looked_at_then_applied(panel: Panel, boss: Browser) -> None:
    page = upload(boss, FILE)
    assert page.status_code == 200
    for words in ("1 would be added", "1 would be changed", "1 stays as it is", "1 number would"):
        assert words in page.text
    assert "name: Anna → Anna Smith" in page.text
    assert "account manager: 101 → 102" in page.text
    assert sorted(every(panel.engine), key=lambda one: one.name) == KNOWN
    answer = boss.send("/clients/import", **hidden(page.text))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/clients")
    assert "Imported: 1 added, 1 changed." in boss.get("/clients").text
    assert every(panel.engine) == [
        ClientData("Anna Smith", ("+79001110001",), "102", None, True, "note"),
        KNOWN[1],
        ClientData("Vera", ("+79001110004",)),
    ]
    changed, imported = actions(panel.engine)
    assert (imported.action, imported.details) == (
        "clients.imported",
        {"added": 1, "updated": 1, "numbers_removed": 1},
    )
    assert (changed.action, changed.target) == ("client.changed", "Anna")
    assert changed.details["manager"] == {"old": "101", "new": "102"}
    again = upload(boss, FILE)
    assert "Nothing would change" in again.text


def test_errors_name_their_lines_and_nothing_is_written(panel: Panel, boss: Browser) -> None:
    text = FILE + "".join(f"x{n},12,\n" for n in range(150)) + ",+79001110009,999\n"
    page = upload(boss, text)
    assert page.status_code == 422
    assert "152 errors: nothing was imported" in page.text
    assert "the first 100 of 152" in page.text
    assert "This is not a telephone number." in page.text
    assert hidden(page.text) == {}
    assert every(panel.engine) == KNOWN
    one = upload(boss, "name,phones\nBoth,+79001110001|+79001110003\n").text
    assert "1 error: nothing was imported" in one
    assert "+79001110003 – Борис" in one


def test_what_changed_since_the_preview_is_shown_anew(panel: Panel, boss: Browser) -> None:
    seen = hidden(upload(boss, FILE).text)
    import_clients(panel.engine, "name,phones\nVera,+79001110004\n", "RU")
    page = boss.send("/clients/import", **seen)
    assert page.status_code == 200
    assert "Clients were changed meanwhile" in page.text
    assert len(every(panel.engine)) == 3
    assert boss.send("/clients/import", **hidden(page.text)).status_code == 302
    assert every(panel.engine)[0].name == "Anna Smith"


@pytest.mark.parametrize("packed", ["", "!", "AAAA", "eJw="])
def test_a_broken_confirmation_asks_for_the_file(boss: Browser, packed: str) -> None:
    answer = boss.send("/clients/import", packed=packed, seen="1 1 1 1")
    assert answer.status_code == 422


def test_limits_of_the_file(boss: Browser) -> None:
    assert "Choose a file." in boss.send("/clients/import").text
    assert "The file is empty." in upload(boss, " \n").text
    assert "not UTF-8" in upload(boss, "name,phones\nЁж,1\n".encode("cp1251")).text
    large = upload(boss, b"name,phones\n" + b"x" * MOST_BYTES)
    assert large.status_code == 422
    assert "larger than 5 MB" in large.text
    assert upload(boss, b"x" * 2 * MOST_BYTES).status_code == 413


HOSTILE = [
    ClientData("=cmd|' /C calc'!A0", ("+79001110011", "+79001110012")),
    ClientData("'+quoted", ("+79001110013",), notes="-1\n@SUM(A1)"),
    ClientData('a "b", c;d', ("+79001110014",), notes='=HYPERLINK("http://x")'),
    ClientData("''=twice", ("+79001110015",), notes="'"),
    ClientData("O'Hara", ("+79001110016",), notes="line\n\n=next"),
]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_is_exported_comes_back_the_same(panel: Panel, boss: Browser, language: str) -> None:
    del boss
    with writing(panel.engine) as session:
        save_clients(session, HOSTILE)
    before = every(panel.engine)
    assert before == [*KNOWN, *HOSTILE]
    admin = panel.signed_in("admin", language=language)
    with admin.get("/clients/export.csv") as answer:
        assert answer.mimetype == "text/csv"
        text = answer.get_data().decode()
    separator = ";" if language == "ru" else ","
    head = "name,phones,stage,manager,sales_manager,deputy,vip,notes,zone".replace(",", separator)
    assert text.startswith("\ufeff" + head)
    cells = [cell for row in csv.reader(io.StringIO(text), delimiter=separator) for cell in row]
    assert len(cells) == 8 * 9
    assert not [one for one in cells if one.startswith(("=", "-", "@"))]
    assert all(one[1:].isdigit() for one in cells if one.startswith("+"))
    report = import_clients(panel.engine, text, "RU", dry_run=True)
    assert (report.errors, report.unchanged, report.changes) == ((), 7, ())
    with writing(panel.engine) as session:
        save_clients(
            session, (), {n: ClientData(f"c{n}", one.phones) for n, one in enumerate(before, 1)}
        )
    assert import_clients(panel.engine, text, "RU").updated == 7
    assert every(panel.engine) == before
    line = actions(panel.engine)[0]
    assert (line.action, line.actor) == ("clients.exported", "admin")


def test_the_file_has_what_the_list_was_asked_for(panel: Panel, boss: Browser) -> None:
    page = boss.get("/clients?q=ann&manager=101").text
    address = re.search(r'href="(/clients/export[^"]+)"', page)
    assert address is not None
    with boss.get(unescape(address[1])) as answer:
        rows = answer.get_data().decode().splitlines()
    assert len(rows) == 2
    assert rows[1].startswith("Anna,")
    details = actions(panel.engine)[0].details
    assert details == {"found": "ann", "manager": "101"}
