"""Calendars and links to duty by the API, by the panel's own checks: on both databases."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import icalendar
import pytest
from flask import Flask
from sqlalchemy import Engine

from telephony.ical.reading import MOST_BYTES
from telephony.store.calendars import list_feeds
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from telephony.store.shares import list_shares
from tests.api.conftest import Send, noted, page, said
from tests.lab.receiver import Receiver, Reply
from tests.unit.calendars import calendar

DUTY = calendar(
    "UID:1\nDTSTART:20261119T060000Z\nDTEND:20261119T150000Z\nSUMMARY:101",
    "UID:2\nDTSTART:20261120T060000Z\nDTEND:20261120T150000Z\nSUMMARY:Zoe",
    "UID:3\nDTSTART:20261220T060000Z\nDTEND:20261220T150000Z\nSUMMARY:102",
    head="X-WR-CALNAME:Duty of sales",
)
FILE = {"owner_kind": "group", "owner": "sales", "file": DUTY, "file_name": "duty.ics", "layer": 2}


def imported(engine: Engine) -> int:
    with reading(engine) as session:
        return len(load_setup(session).groups["sales"].roster.imported)


def test_a_file_is_added_looked_at_used_replaced_and_deleted(
    app: Flask, send: Send, engine: Engine
) -> None:
    made = send("POST", "/calendars", FILE)
    assert made.status_code == 201, made.text
    body = made.get_json()
    path = f"/calendars/{body['id']}"
    assert body == send("GET", path).get_json()
    assert (body["title"], body["place"], body["enabled"]) == ("duty.ics", None, False)
    assert (body["layer"], body["zone"], body["age_ms"], body["fault"]) == (2, None, 0, None)
    assert body["brings"] == [
        {
            "operator": "101",
            "kind": None,
            "begin": "2026-11-19T06:00:00+00:00",
            "end": "2026-11-19T15:00:00+00:00",
        }
    ]
    (complaint,) = body["complaints"]
    assert (complaint["flaw"], complaint["title"]) == ("nobody", "Zoe")
    assert complaint["words"] == "names no operator"
    assert imported(engine) == 0
    assert "This calendar is not in use" in page(app, engine, path)

    assert send("PATCH", path, {"enabled": True}).get_json()["enabled"] is True
    assert imported(engine) == 2
    listed = send("GET", "/calendars").get_json()
    assert listed["total"] == 1
    line = listed["items"][0]
    assert (line["id"], line["enabled"], line["problems"]) == (body["id"], True, 1)
    assert send("GET", "/calendars?offset=1").get_json() == {"items": [], "total": 1}

    other = {"file": DUTY.replace("SUMMARY:Zoe", "SUMMARY:102"), "file_name": "new.ics"}
    replaced = send("PUT", f"{path}/file", other).get_json()
    assert (replaced["title"], replaced["complaints"]) == ("new.ics", [])
    assert imported(engine) == 3
    assert send("PATCH", path, {"enabled": False}).get_json()["enabled"] is False
    assert send("PATCH", path, {"enabled": False}).status_code == 200
    assert imported(engine) == 0
    gone = send("DELETE", path)
    assert (gone.status_code, gone.get_data()) == (204, b"")

    about = {"owner": "sales", "place": None, "token": "test"}
    assert noted(engine, "calendar") == [
        ("calendar.added", "duty.ics", about),
        ("calendar.used", "duty.ics", about),
        ("calendar.replaced", "new.ics", {"owner": "sales", "token": "test"}),
        ("calendar.stopped", "new.ics", about),
        ("calendar.removed", "new.ics", about),
    ]
    asked = (
        ("GET", "", None),
        ("DELETE", "", None),
        ("PATCH", "", {"enabled": True}),
        ("PUT", "/file", other),
        ("POST", "/renew", None),
    )
    for method, rest, sent in asked:
        said(send(method, f"{path}{rest}", sent), 404)
        said(send(method, f"/calendars/{10**30}{rest}", sent), 404)


def test_a_calendar_may_be_used_at_once(send: Send, engine: Engine) -> None:
    text = calendar("UID:1\nDTSTART;VALUE=DATE:20261120\nSUMMARY:Отпуск")
    body = {"owner_kind": "operator", "owner": "101", "file": text, "takes": "marked"}
    zone = {"zone": "Europe/Moscow", "enabled": True}
    made = send("POST", "/calendars", body | zone).get_json()
    assert (made["takes"], made["zone"], made["enabled"]) == ("marked", "Europe/Moscow", True)
    (absence,) = made["brings"]
    assert (absence["operator"], absence["kind"]) == ("101", "vacation")
    assert absence["begin"] == "2026-11-19T21:00:00+00:00"
    assert [action for action, _, _ in noted(engine, "calendar")] == [
        "calendar.added",
        "calendar.used",
    ]
    with reading(engine) as session:
        assert [one.operator for one in load_setup(session).calendar_absences] == ["101"]


def test_an_address_is_fetched_and_only_its_server_shown(
    app: Flask, send: Send, engine: Engine
) -> None:
    body = {"owner_kind": "group", "owner": "sales", "url": "https://127.0.0.1/secret-path.ics"}
    ((field, words),) = said(send("POST", "/calendars", body))
    assert (field, words.rpartition(": ")[2]) == (
        "url",
        "127.0.0.1 leads to an address that is not public",
    )
    with Receiver() as server:
        offer = app.extensions["dutyline"]
        settings = replace(
            offer.settings,
            outgoing_allow=(ip_network("127.0.0.0/8"),),
            outgoing_ports=(server.port,),
        )
        app.extensions["dutyline"] = replace(offer, settings=settings)
        server.answer = lambda _request: Reply(200, body=DUTY.encode())
        made = send("POST", "/calendars", body | {"url": server.url("/secret-path.ics")})
        assert made.status_code == 201, made.text
        path = f"/calendars/{made.get_json()['id']}"
        assert made.get_json()["title"] == "Duty of sales"
        assert made.get_json()["place"] == f"http://127.0.0.1:{server.port}"
        file = said(send("PUT", f"{path}/file", {"file": DUTY}))
        assert file == [("file", "This calendar comes from an address and takes no file.")]
        server.answer = lambda _request: Reply(404)
        failed = send("POST", f"{path}/renew", **{"Accept-Language": "ru"}).get_json()
        assert (failed["fault"], failed["fault_words"]) == ("status", "сервер ответил 404")
        assert failed["failing_since"] == "2026-11-18T10:30:00+00:00"
        assert len(failed["brings"]) == 1
        server.answer = lambda _request: Reply(200, body=DUTY.replace("Zoe", "102").encode())
        read = send("POST", f"{path}/renew").get_json()
        assert (read["fault"], read["fault_words"], len(read["brings"])) == (None, "", 2)
        for shown in (send("GET", path), send("GET", "/calendars")):
            assert "secret-path" not in shown.text
    assert "secret-path" not in repr(noted(engine, "calendar"))


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"file": ""}, [("url", "Enter an address, or choose a file.")]),
        ({"url": "https://example.com/x"}, [("file", "Either an address or a file.")]),
        ({"file": "", "url": "ftp://example.com"}, None),
        ({"file": "", "url": f"https://a.example/{'x' * 2000}"}, None),
        ({"file": "", "url": "https://a\x00b/"}, None),
        ({"file": "<html>"}, [("file", "this is no iCalendar file: it begins with “<html>”")]),
        ({"file": "BEGIN:VCALENDAR\x00"}, [("file", "the file is no text in UTF-8")]),
        ({"file": "BEGIN:VCALENDAR\ud800"}, [("file", "the file is no text in UTF-8")]),
        ({"file": "BEGIN:VCALENDAR" + " " * MOST_BYTES}, None),
        ({"owner": "none"}, [("owner", "Choose one of those listed.")]),
        ({"owner_kind": "operator"}, [("owner", "Choose one of those listed.")]),
        ({"owner_kind": "did"}, [("owner_kind", "Must be one of: group, operator.")]),
        ({"layer": 100}, [("layer", "A number from 0 to 99.")]),
        ({"layer": "1"}, [("layer", "Not a valid integer.")]),
        ({"zone": "Mars/Base"}, [("zone", "Choose one of those listed.")]),
        ({"enabled": "yes"}, [("enabled", "Not a valid boolean.")]),
        ({"place": "x"}, [("place", "Unknown field.")]),
        (
            {"owner": "none", "layer": -1},
            [("owner", "Choose one of those listed."), ("layer", "A number from 0 to 99.")],
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_wrong_is_named(
    send: Send, engine: Engine, change: dict[str, Any], wrong: list[tuple[str, str]] | None
) -> None:
    found = said(send("POST", "/calendars", FILE | change))
    assert found
    if wrong is not None:
        assert found == wrong
    with reading(engine) as session:
        assert list_feeds(session) == []
    assert noted(engine, "calendar") == []


def test_a_replacement_that_cannot_be_read_changes_nothing(send: Send, engine: Engine) -> None:
    made = send("POST", "/calendars", FILE).get_json()
    path = f"/calendars/{made['id']}"
    russian = send("PUT", f"{path}/file", {"file": "x"}, **{"Accept-Language": "ru"})
    assert said(russian) == [("file", "это не файл iCalendar: он начинается с «x»")]
    assert send("GET", path).get_json() == made
    assert len(noted(engine, "calendar")) == 1


def test_a_link_is_made_shown_once_and_revoked(app: Flask, send: Send, engine: Engine) -> None:
    wanted = {"owner_kind": "group", "owner": "sales", "lunch": True, "language": "ru"}
    made = send("POST", "/duty/links", wanted)
    assert made.status_code == 201, made.text
    link = made.get_json()
    address = link.pop("address")
    assert (link["made_by"], link["language"], link["used_at"]) == ("test", "ru", None)
    answer = app.test_client().get(address)
    assert answer.status_code == 200
    assert icalendar.Calendar.from_ical(answer.text).walk("VEVENT")
    listed = send("GET", "/duty/links")
    assert listed.get_json()["items"] == [link | {"used_at": "2026-11-18T10:30:00+00:00"}]
    assert "address" not in listed.get_json()["items"][0]
    assert "test" in page(app, engine, "/calendars/links")
    path = f"/duty/links/{link['id']}"
    assert send("DELETE", path).status_code == 204
    assert app.test_client().get(address).status_code == 404
    for gone in (path, f"/duty/links/{10**30}"):
        said(send("DELETE", gone), 404)
    about = {"owner": "sales", "token": "test"}
    assert noted(engine, "calendar") == [
        ("calendar.shared", "Group sales", about),
        ("calendar.unshared", "Group sales", about),
    ]
    assert address.rpartition("/")[2].removesuffix(".ics") not in repr(noted(engine, "calendar"))


def test_a_link_begins_with_the_address_of_the_panel(
    app: Flask, send: Send, engine: Engine
) -> None:
    offer = app.extensions["dutyline"]
    settings = replace(offer.settings, web_url="https://calls.example.com/")
    app.extensions["dutyline"] = replace(offer, settings=settings)
    body = {"owner_kind": "operator", "owner": "101"}
    link = send("POST", "/duty/links", body, **{"Accept-Language": "ru"}).get_json()
    assert link["address"].startswith("https://calls.example.com/calendar/")
    assert (link["language"], link["lunch"]) == ("ru", False)
    for wrong in ({"owner": "999"}, {"owner_kind": "group"}):
        assert said(send("POST", "/duty/links", body | wrong)) == [
            ("owner", "Choose one of those listed.")
        ]
    assert said(send("POST", "/duty/links", body | {"language": "de"}))[0][0] == "language"
    with reading(engine) as session:
        assert len(list_shares(session)) == 1
