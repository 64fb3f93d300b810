"""The pages of announcements."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from telephony.configfile import COMMAND_LINE, Data, change, find
from telephony.store.announcements import list_announcements
from telephony.store.audit import list_audit
from telephony.store.engine import reading, writing
from telephony.store.setup import replace_setup
from tests.databases.samples import a_setup
from tests.panel.people import Browser, Panel
from tests.unit.test_sounds import MP3, wav

NOW = datetime(2026, 11, 26, tzinfo=UTC)
INDEX, NEW = "/announcements", "/announcements/new"


@pytest.fixture
def panel(quick_panel: Panel) -> Panel:
    """Give a panel on SQLite: what it changes is stored by what is tested on both databases."""
    return quick_panel


@pytest.fixture
def admin(panel: Panel) -> Browser:
    return panel.signed_in("admin")


def upload(admin: Browser, data: bytes, name: str = "welcome", title: str = "Welcome!") -> str:
    """Upload a file; return the page that is shown then."""
    file = (io.BytesIO(data), "x.wav")
    answer = admin.send(NEW, title=title, name=name, file=file)
    return admin.get(INDEX).text if answer.status_code == 302 else answer.text


def names(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return [(one.name, one.title) for one in list_announcements(session)]


def test_a_file_is_uploaded_heard_replaced_renamed_and_deleted(
    panel: Panel, admin: Browser
) -> None:
    assert "There are no announcements" in admin.get(INDEX).text
    page = upload(admin, MP3)
    assert "Welcome! was added." in page
    assert "@welcome" in page
    heard = admin.get("/announcements/welcome.wav")
    assert heard.mimetype == "audio/wav"
    assert heard.data[:4] == b"RIFF"
    admin.send("/announcements/welcome", title="Hello")
    assert names(panel.engine) == [("welcome", "Hello")]
    assert admin.get("/announcements/welcome.wav").data == heard.data
    admin.send("/announcements/welcome", title="Hello", file=(io.BytesIO(wav(0.5)), "y.wav"))
    assert admin.get("/announcements/welcome.wav").data != heard.data
    assert "cannot be brought back" in admin.get("/announcements/welcome/delete").text
    admin.send("/announcements/welcome/delete")
    assert names(panel.engine) == []
    assert admin.get("/announcements/welcome.wav").status_code == 404
    with reading(panel.engine) as session:
        lines, _ = list_audit(session, limit=10, offset=0)
    assert [line.action for line in reversed(lines) if line.action.startswith("announcement")] == [
        "announcement.added",
        "announcement.renamed",
        "announcement.replaced",
        "announcement.removed",
    ]


@pytest.mark.parametrize(
    ("data", "name", "title", "words"),
    [
        (b"", "welcome", "Welcome", "Choose a file."),
        (b"no sound at all", "welcome", "Welcome", "no sound file that can be read"),
        (wav(0.5), "Wel come", "Welcome", "1 to 40 of"),
        (wav(0.5), "../../etc", "Welcome", "1 to 40 of"),
        (wav(0.5), "", "Welcome", "Enter a name."),
        (wav(0.5), "welcome", "", "Say what is spoken."),
        (wav(301, 8000, 1), "welcome", "Welcome", "longer than 5 minutes"),
    ],
    ids=["no-file", "no-sound", "spaces", "path", "no-name", "no-title", "long"],
)
def test_what_is_wrong_stands_beside_its_field(
    panel: Panel, admin: Browser, data: bytes, name: str, title: str, words: str
) -> None:
    assert words in upload(admin, data, name, title)
    assert names(panel.engine) == []


def test_a_name_is_given_once(panel: Panel, admin: Browser) -> None:
    upload(admin, wav(0.5))
    assert "There is one of this name." in upload(admin, wav(0.4), title="Another")
    assert names(panel.engine) == [("welcome", "Welcome!")]


def test_what_a_number_plays_is_named_and_stays(panel: Panel, admin: Browser) -> None:
    with writing(panel.engine) as session:
        replace_setup(session, a_setup())
    upload(admin, wav(0.5))

    def edit(data: Data) -> None:
        find(data, "dids", data["dids"][0]["number"])["greeting"] = "@welcome"

    assert change(panel.engine, COMMAND_LINE, edit, now=NOW).errors == []
    assert "greeting" in admin.get(INDEX).text
    page = admin.get("/announcements/welcome/delete").text
    assert "It is played and cannot be deleted" in page
    token = admin.token(NEW)
    assert admin.post("/announcements/welcome/delete", csrf_token=token).status_code == 200
    assert names(panel.engine) == [("welcome", "Welcome!")]


def test_what_callbacks_play_is_named_and_stays(panel: Panel, admin: Browser) -> None:
    upload(admin, wav(0.5))

    def greet(data: Data) -> None:
        data["callbacks"]["greetings"] = {"ru": "@welcome"}

    assert change(panel.engine, COMMAND_LINE, greet, now=NOW).errors == []
    for path in (INDEX, "/announcements/welcome/delete"):
        assert re.search(r">greeting of callbacks</", admin.get(path).text), path
    token = admin.token(NEW)
    assert admin.post("/announcements/welcome/delete", csrf_token=token).status_code == 200
    assert names(panel.engine) == [("welcome", "Welcome!")]


def test_supervisors_listen_and_operators_do_not(panel: Panel, admin: Browser) -> None:
    upload(admin, wav(0.5))
    boss = panel.signed_in("boss")
    assert boss.get("/announcements/welcome.wav").status_code == 200
    assert "/delete" not in boss.get(INDEX).text
    assert boss.get(NEW).status_code == 403
    operator = panel.signed_in("oper")
    assert operator.get(INDEX).status_code == 403
