"""Calendars by command, and the messages for what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.lab.receiver import Receiver, Reply
from tests.unit.calendars import calendar
from tests.unit.test_cli import Admin

COMPANY = """operators:
  - {extension: "101", name: Anna}
groups:
  - {name: sales, zone: Europe/Moscow, default: true}
dids: []
"""


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    admin = Admin(tmp_path)
    admin.says("migrate")
    path = tmp_path / "company.yaml"
    path.write_text(COMPANY)
    admin.says("config", "apply", str(path))
    return admin


@pytest.fixture
def server(admin: Admin) -> Iterator[Receiver]:
    with Receiver() as server:
        admin.environment["DUTYLINE_OUTGOING_ALLOW"] = "127.0.0.0/8"
        admin.environment["DUTYLINE_OUTGOING_PORTS"] = str(server.port)
        yield server


def _duty(*titles: str) -> str:
    day = datetime.now(UTC) + timedelta(days=1)
    return calendar(
        *(
            f"UID:{title}\nDTSTART:{day:%Y%m%d}T060000Z\nDTEND:{day:%Y%m%d}T150000Z\nSUMMARY:{title}"
            for title in titles
        )
    )


def test_a_calendar_is_added_used_fetched_and_removed(admin: Admin, server: Receiver) -> None:
    assert "no calendars yet" in admin.says("calendars", "list")
    server.answer = lambda _request: Reply(body=_duty("Anna", "Zoe \x07\u202e").encode())
    added = admin.says("calendars", "add", server.url("/secret"), "--group", "sales")
    assert "calendar 1 added, not in use yet" in added
    assert "entries in two months: 1" in added
    assert "names no operator" in added
    assert "\x07" not in added
    assert "calendar 1 is in use" in admin.says("calendars", "use", "1")
    shown = admin.says("calendars", "list")
    assert f"http://127.0.0.1:{server.port}" in shown
    assert "secret" not in shown
    assert "Anna" in admin.says("duty", "--days", "3")
    server.answer = lambda _request: Reply(404)
    assert "the server answered 404" in admin.refuses("calendars", "fetch", "1")
    assert "✗ the server answered 404" in admin.says("calendars", "list")
    server.answer = lambda _request: Reply(body=_duty("101").encode())
    assert "was read" in admin.says("calendars", "fetch", "1")
    assert "not in use any more" in admin.says("calendars", "use", "1", "--undo")
    assert "calendar 1 removed" in admin.says("calendars", "remove", "1")
    for command in ("use", "fetch", "remove"):
        assert "there is no calendar 1" in admin.refuses("calendars", command, "1")


def test_a_file_of_an_operator(admin: Admin, tmp_path: Path) -> None:
    path = tmp_path / "anna.ics"
    path.write_text(_duty("Vacation", "Meeting"))
    add = ("calendars", "add", str(path), "--operator", "101", "--zone", "Europe/Moscow")
    assert "entries in two months: 2" in admin.says(*add)
    assert "entries in two months: 1" in admin.says(*add, "--only-marked")
    assert "anna.ics  a file" in admin.says("calendars", "list")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x.ics",), "either --group or --operator"),
        (("x.ics", "--group", "none"), "none of the groups"),
        (("x.ics", "--operator", "999"), "none of the operators"),
        (("x.ics", "--operator", "101", "--zone", "Mars"), "not an IANA time zone"),
        (("/no/such/x.ics", "--group", "sales"), "No such file"),
        (("http://127.0.0.1/x.ics", "--group", "sales"), "the address cannot be used"),
    ],
)
def test_mistakes_are_told(admin: Admin, arguments: tuple[str, ...], message: str) -> None:
    assert message in admin.refuses("calendars", "add", *arguments)
