"""Clients as a CSV file by the API, with the panel's own code: on both databases."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.accounts import Scope
from telephony.clients import Problem
from telephony.importing import COLUMNS, MOST_BYTES
from telephony.store.asked import every_client
from telephony.store.clients import ClientData
from telephony.store.directory import current_version
from telephony.store.engine import reading
from tests.api import company
from tests.api.conftest import Get, noted

FILE = (
    "name,phones,manager\n"
    f"Ромашка и Ко,{company.CALLER},102\n"
    "ООО Вектор 0,+78120000000,\n"
    "Vera,8 (499) 000-00-01|+74990000002,101\n"
)


def every(engine: Engine) -> list[ClientData]:
    with reading(engine) as session:
        return list(every_client(session, country="RU"))


def version(engine: Engine) -> int:
    with reading(engine) as session:
        return current_version(session).version


def bring(
    app: Flask,
    engine: Engine,
    source: str | bytes,
    query: str = "",
    *,
    scope: Scope = Scope.CLIENTS_WRITE,
    media: str = "text/csv",
    language: str = "en",
) -> TestResponse:
    token = company.a_token(engine, scope)
    sent = {"Authorization": f"Bearer {token}", "Accept-Language": language}
    path = f"/api/v1/clients/import{query}"
    return app.test_client().post(path, data=source, headers=sent, content_type=media)


def wrong(answer: TestResponse) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), answer.text
    return list(answer.get_json(force=True)["errors"])


def test_the_file_has_every_client_and_comes_back_unchanged(
    app: Flask, get: Get, engine: Engine
) -> None:
    before = every(engine)
    answer = get("/clients.csv")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 1 + len(before)
    assert rows[1][:2] == ["Ромашка", company.CALLER]
    # A name that a spreadsheet would run stays a text.
    assert not any(cell.startswith(("=", "@")) for row in rows for cell in row)
    back = bring(app, engine, answer.data).get_json()
    assert (back["applied"], back["unchanged"], back["changes"]) == (False, len(before), [])
    assert every(engine) == before
    assert noted(engine, "clients") == [
        ("clients.exported", "", {"found": None, "manager": None, "token": "test"})
    ]


def test_the_file_of_those_that_are_asked_for(get: Get) -> None:
    def names(query: str) -> list[str]:
        return [row["name"] for row in csv.DictReader(io.StringIO(get(query).text))]

    assert names("/clients.csv?manager=101") == ["Ромашка"]
    assert names("/clients.csv?q=вектор 7") == ["ООО Вектор 7"]
    assert names("/clients.csv?q=nobody") == []
    assert get("/clients.csv?manager=x").status_code == 422
    assert get("/clients.csv", Accept="application/json").status_code == 406


def test_a_file_is_tried_then_applied(app: Flask, engine: Engine) -> None:
    before, at = every(engine), version(engine)
    tried = bring(app, engine, FILE, "?dry_run=true")
    assert tried.status_code == 200, tried.text
    told = tried.get_json()
    counts = {name: told[name] for name in ("added", "updated", "unchanged", "numbers_removed")}
    assert counts == {"added": 1, "updated": 1, "unchanged": 1, "numbers_removed": 0}
    changed, added = told["changes"]
    assert (changed["line"], changed["client_id"], changed["name"]) == (2, 1, "Ромашка и Ко")
    assert {"name": "manager", "old": "101", "new": "102"} in changed["fields"]
    assert (added["line"], added["client_id"], added["fields"]) == (4, None, [])
    assert (told["applied"], every(engine), version(engine)) == (False, before, at)
    assert noted(engine, "clients") == []
    done = bring(app, engine, FILE).get_json()
    assert done == told | {"applied": True}
    after = {one.name: one for one in every(engine)}
    assert after["Vera"].phones == ("+74990000001", "+74990000002")
    assert after["Ромашка и Ко"].manager == "102"
    assert version(engine) == at + 1
    (line,) = noted(engine, "clients")
    figures = {"added": 1, "updated": 1, "numbers_removed": 0, "token": "test"}
    assert line == ("clients.imported", "", figures)
    (one,) = noted(engine, "client")
    assert (one[0], one[1], one[2]["manager"]) == (
        "client.changed",
        "Ромашка",
        {"old": "101", "new": "102"},
    )
    again = bring(app, engine, FILE).get_json()
    assert (again["applied"], again["unchanged"], version(engine)) == (False, 3, at + 1)


def test_each_error_has_its_line_column_value_code_and_words(app: Flask, engine: Engine) -> None:
    before = every(engine)
    source = "name;phones;vip\nA;+79990000001;maybe\n;12;\nB;+79990000002;yes\n"
    for query in ("", "?dry_run=true"):
        errors = wrong(bring(app, engine, source, query))
        assert [
            (one["in"], one["line"], one["name"], one["value"], one["code"]) for one in errors
        ] == [
            ("csv", "2", "vip", "maybe", "not_yes_no"),
            ("csv", "3", "name", "", "name_empty"),
            ("csv", "3", "phones", "12", "not_a_number"),
        ]
    assert errors[1]["detail"] == "Enter a name."
    russian = bring(app, engine, source, language="ru")
    assert wrong(russian)[1]["detail"] == "Введите имя."
    assert russian.get_json(force=True)["detail"].startswith("Ошибок в файле: 3")
    assert every(engine) == before


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (b"", Problem.EMPTY_FILE),
        (b"\n\n", Problem.EMPTY_FILE),
        (b"\xff\xfe", Problem.NOT_UTF8),
        (b"name,phones,boss\n", Problem.UNKNOWN_COLUMN),
        (b"name\nA\n", Problem.COLUMN_MISSING),
        (b"name,phones\nA\n", Problem.FIELDS),
        (b'name,phones\n"A,+79990000001\n', Problem.NOT_CSV),
        (b"name,phones\nA\x00,+79990000001\n", Problem.CONTROL_CHARACTER),
    ],
)
def test_what_is_no_file_of_clients(
    app: Flask, engine: Engine, source: bytes, problem: Problem
) -> None:
    (error,) = wrong(bring(app, engine, source))
    assert error["code"] == problem.value
    assert error["detail"]


def test_of_many_errors_the_first_hundred_are_told(app: Flask, engine: Engine) -> None:
    answer = bring(app, engine, "name,phones\n" + "A,12\n" * 150)
    assert len(wrong(answer)) == 100
    assert "150" in answer.get_json(force=True)["detail"]


def test_how_it_must_be_sent(app: Flask, engine: Engine) -> None:
    large = b"name,phones\n" + b"x" * MOST_BYTES
    assert bring(app, engine, large).status_code == 413
    for media in ("application/json", "application/x-www-form-urlencoded", ""):
        (error,) = wrong(bring(app, engine, FILE, media=media))
        assert (error["in"], error["name"]) == ("header", "Content-Type")
    marked = "\ufeff" + FILE
    assert bring(app, engine, marked, media="text/csv; charset=utf-8").status_code == 200
    assert bring(app, engine, FILE, scope=Scope.CLIENTS_READ).status_code == 403
