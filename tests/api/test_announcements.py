"""Announcements by the API, by the panel's own checks: on both databases."""

from __future__ import annotations

import io
import json
import wave
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from telephony.configfile import COMMAND_LINE, Data, change, find
from telephony.store.announcements import list_announcements
from telephony.store.directory import current_version
from telephony.store.engine import reading
from tests.api import company
from tests.api.conftest import Send, noted, page, said
from tests.unit.test_sounds import MP3, wav

WELCOME = "/announcements/welcome"


def form(data: bytes = MP3, **more: str) -> dict[str, Any]:
    """Return the form of an upload."""
    return {"file": (io.BytesIO(data), "x.mp3"), "name": "welcome", "title": "Welcome!"} | more


def names(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return [(one.name, one.title) for one in list_announcements(session)]


def play(engine: Engine) -> None:
    """Let a number greet with the announcement, and play it before a step."""

    def edit(data: Data) -> None:
        did = find(data, "dids", company.DID)
        did["greeting"] = "@welcome"
        did["steps"] = {"duty": {"announcement": "@welcome"}}

    assert change(engine, COMMAND_LINE, edit, now=company.NOW).errors == []


def test_a_sound_is_uploaded_heard_renamed_replaced_and_deleted(
    app: Flask, send: Send, engine: Engine
) -> None:
    with reading(engine) as session:
        before = current_version(session).setup_version
    said(send("POST", "/announcements", {"name": "welcome", "title": "JSON"}))
    made = send("POST", "/announcements", form=form(title=" Welcome! "))
    assert made.status_code == 201, made.text
    body = made.get_json()
    assert (body["name"], body["title"], body["played"]) == ("welcome", "Welcome!", [])
    assert body["duration_ms"] == 1000
    assert body == send("GET", WELCOME).get_json()
    assert send("GET", "/announcements").get_json() == {"items": [body], "total": 1}
    assert send("GET", "/announcements?offset=1").get_json() == {"items": [], "total": 1}
    with reading(engine) as session:
        assert current_version(session).setup_version > before

    heard = send("GET", f"{WELCOME}/sound", Accept="audio/wav")
    assert (heard.status_code, heard.mimetype) == (200, "audio/wav")
    with wave.open(io.BytesIO(heard.data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
    said(send("GET", f"{WELCOME}/sound", Accept="application/json"), 406)

    renamed = send("PATCH", WELCOME, form={"title": "Hello"}).get_json()
    assert renamed == body | {"title": "Hello"}
    assert send("PATCH", WELCOME, form={"title": "Hello"}).status_code == 200
    file = {"file": (io.BytesIO(wav(0.5)), "y.wav")}
    replaced = send("PATCH", WELCOME, form=file).get_json()
    assert (replaced["title"], replaced["duration_ms"]) == ("Hello", 500)
    assert replaced["sha256"] != body["sha256"]
    assert send("GET", f"{WELCOME}/sound").data != heard.data
    assert "Hello" in page(app, engine, "/announcements")

    gone = send("DELETE", WELCOME)
    assert (gone.status_code, gone.get_data()) == (204, b"")
    assert noted(engine, "announcement") == [
        ("announcement.added", "welcome", {"title": "Welcome!", "seconds": 1.0, "token": "test"}),
        ("announcement.renamed", "welcome", {"was": "Welcome!", "title": "Hello", "token": "test"}),
        ("announcement.replaced", "welcome", {"title": "Hello", "seconds": 0.5, "token": "test"}),
        ("announcement.removed", "welcome", {"title": "Hello", "token": "test"}),
    ]
    for method, rest, sent in (
        ("GET", "", None),
        ("GET", "/sound", None),
        ("PATCH", "", {"title": "x"}),
        ("DELETE", "", None),
    ):
        said(send(method, f"{WELCOME}{rest}", form=sent), 404)
        said(send(method, f"/announcements/a%00b{rest}", form=sent), 404)


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        (form(b"no sound"), [("file", "This is no sound file that can be read: WAV, MP3, FLAC")]),
        (form(b""), [("file", "Choose a file.")]),
        (form(wav(0.01)), [("file", "There is no sound in it.")]),
        (form(wav(301, 8000, 1)), [("file", "It lasts longer than 5 minutes.")]),
        (form(b"\0" * 20_000_001), [("file", "The file is larger than 20 MB.")]),
        (form(name="Wel come"), [("name", "1 to 40 of a–z, 0–9 and -.")]),
        (form(name="../../etc", title=" "), [("title", "Say what"), ("name", "1 to 40 of")]),
        (form(name=""), [("name", "Enter a name.")]),
        (form(title="x" * 101), [("title", "Use at most 100 characters.")]),
        (form(title="a\x07b"), [("title", "It contains a control character.")]),
        ({"name": "x"}, [("title", "Missing data"), ("file", "Missing data")]),
        ({"name": "x", "title": "x", "file": "text"}, [("file", "Invalid value.")]),
        (form(folder="x"), [("folder", "Unknown field.")]),
    ],
    ids=lambda value: repr(value)[-40:],
)
def test_what_is_wrong_is_named(
    send: Send, engine: Engine, sent: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    # Each database reads the file anew.
    again = {
        key: (io.BytesIO(value[0].getvalue()), value[1]) if isinstance(value, tuple) else value
        for key, value in sent.items()
    }
    found = said(send("POST", "/announcements", form=again))
    assert [name for name, _ in found] == [name for name, _ in wrong]
    assert all(one.startswith(words) for (_, one), (_, words) in zip(found, wrong, strict=True))
    assert names(engine) == []
    assert noted(engine, "announcement") == []


def test_a_body_may_have_20_megabytes_here_and_no_more(send: Send, engine: Engine) -> None:
    said(send("POST", "/announcements", form=form(b"\0" * 20_200_000)), 413)
    said(send("POST", "/calendars", {"file": " " * 1_100_000}), 413)
    assert names(engine) == []


def test_a_name_is_given_once_and_wrong_changes_change_nothing(send: Send, engine: Engine) -> None:
    body = send("POST", "/announcements", form=form()).get_json()
    again = send("POST", "/announcements", form=form(wav(0.3)), **{"Accept-Language": "ru"})
    assert said(again) == [("name", "Объявление с таким именем уже есть.")]
    for sent in (
        {"title": ""},
        {"file": (io.BytesIO(b""), "x.wav")},
        {"file": (io.BytesIO(b"text"), "x.wav"), "title": "y"},
        {"name": "other"},
    ):
        said(send("PATCH", WELCOME, form=sent))
    assert send("GET", WELCOME).get_json() == body
    assert len(noted(engine, "announcement")) == 1


def test_what_a_number_plays_is_named_and_stays(send: Send, engine: Engine) -> None:
    send("POST", "/announcements", form=form())
    play(engine)
    body = send("GET", WELCOME).get_json()
    assert body["played"] == [
        {"did": company.DID, "place": "greeting", "words": "greeting"},
        {"did": company.DID, "place": "duty", "words": "before a step"},
    ]
    refused = send("DELETE", WELCOME)
    said(refused, 409)
    problem = json.loads(refused.text)
    assert problem["detail"] == "It is played and cannot be deleted"
    assert problem["errors"] == [
        {
            "in": "setup",
            "name": f"dids.{company.DID}",
            "code": code,
            "detail": f"{company.DID}: {words}",
        }
        for code, words in (("greeting", "greeting"), ("duty", "before a step"))
    ]
    assert names(engine) == [("welcome", "Welcome!")]
    assert [action for action, _, _ in noted(engine, "announcement")] == ["announcement.added"]


def test_what_callbacks_play_is_named_and_stays(send: Send, engine: Engine) -> None:
    send("POST", "/announcements", form=form())

    def greet(data: Data) -> None:
        data["callbacks"]["greetings"] = {"ru": "@welcome"}

    assert change(engine, COMMAND_LINE, greet, now=company.NOW).errors == []
    (place,) = send("GET", WELCOME).get_json()["played"]
    assert place == {"did": "", "place": "callback", "words": "greeting of callbacks"}
    refused = send("DELETE", WELCOME)
    said(refused, 409)
    assert json.loads(refused.text)["errors"] == [
        {
            "in": "setup",
            "name": "callbacks",
            "code": "callback",
            "detail": "greeting of callbacks",
        }
    ]
