"""Who is on duty, by the API: on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from telephony.accounts import Scope
from telephony.configfile import COMMAND_LINE, Data, change, find
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.store.engine import writing
from telephony.store.live import replace_operator_states
from tests.api import company
from tests.api.conftest import Get, said

WEEK = "from=2026-11-16T00:00:00%2B03:00&to=2026-11-23T00:00:00%2B03:00"


def write(engine: Engine) -> None:
    """Add a second group that shares people with the first, an absence and an override."""

    def edit(data: Data) -> None:
        data["groups"].append(
            {
                "name": "night",
                "zone": "Europe/Moscow",
                "shifts": [
                    {"operator": "101", "days": "wed", "start": "17:00", "end": "23:00"},
                    {"operator": "102", "days": "sun", "start": "12:00", "end": "13:00"},
                ],
            }
        )
        find(data, "groups", "sales")["overrides"] = [
            {"operators": ["102"], "start": "2026-11-20 09:00", "end": "2026-11-20 12:00"}
        ]
        data["absences"] = [
            {"operator": "101", "from": "2026-11-19", "to": "2026-11-19", "cover": "102"},
            {"operator": "102", "from": "2026-12-30", "to": "2026-12-30", "kind": "vacation"},
        ]

    assert change(engine, COMMAND_LINE, edit, now=company.NOW).errors == []


def local(text: str) -> str:
    """Return Moscow's time as UTC's."""
    moment = datetime.fromisoformat(f"2026-11-{text}:00+03:00")
    return moment.astimezone(UTC).isoformat()


def test_a_week_of_duty_with_its_layers_gaps_and_absences(get: Get, engine: Engine) -> None:
    write(engine)
    found = get(f"/duty?{WEEK}").get_json()
    assert (found["begin"], found["end"]) == (local("16 00:00"), local("23 00:00"))
    sales, night = sorted(found["groups"], key=lambda one: str(one["group"]), reverse=True)
    assert (sales["group"], sales["zone"]) == ("sales", "Europe/Moscow")
    first = sales["slots"][1]
    assert first == {
        "begin": local("16 09:00"),
        "end": local("16 13:00"),
        "operator": "101",
        "layer": "shift",
        "lunch": False,
        "instead_of": None,
    }
    (break_,) = [one for one in sales["slots"] if one["begin"] == local("16 13:00")]
    assert (break_["operator"], break_["lunch"]) == ("101", True)
    (covered,) = [one for one in sales["slots"] if one["begin"] == local("19 09:00")]
    assert (covered["operator"], covered["instead_of"]) == ("102", "101")
    (override,) = [one for one in sales["slots"] if one["layer"] == "override"]
    assert (override["begin"], override["end"]) == (local("20 09:00"), local("20 12:00"))
    assert {"begin": local("16 18:00"), "end": local("17 09:00")} in sales["gaps"]
    assert sales["absences"] == [
        {
            "begin": local("19 00:00"),
            "end": local("20 00:00"),
            "operator": "101",
            "kind": "other",
            "cover": "102",
        }
    ]
    assert [one["operator"] for one in night["slots"]] == ["101", "102"]
    only = get(f"/duty?{WEEK}&group=night").get_json()
    assert only["groups"] == [night]
    assert get(f"/duty?{WEEK}&group=none").get_json()["groups"] == []


def test_slots_and_gaps_fill_the_span(read: Get) -> None:
    (group,) = read(f"/duty?{WEEK}").get_json()["groups"]
    there = sorted(
        (one["begin"], one["end"])
        for one in [*group["slots"], *group["gaps"]]
        if not one.get("lunch")
    )
    assert there[0][0] == local("16 00:00")
    assert there[-1][1] == local("23 00:00")
    assert all(before[1] == after[0] for before, after in pairwise(there))


def test_without_a_span_a_week_from_now(read: Get) -> None:
    found = read("/duty").get_json()
    assert (found["begin"], found["end"]) == (
        "2026-11-18T10:30:00+00:00",
        "2026-11-25T10:30:00+00:00",
    )
    assert found["groups"][0]["slots"][0]["begin"] == found["begin"]


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("from=x", "from", "Not a valid datetime."),
        ("to=2026-11-18T10:30:00Z", "to", "The end must come after the beginning."),
        (
            "from=2026-01-01T00:00:00Z&to=2026-03-04T00:00:01Z",
            "to",
            "Ask for at most 62 days.",
        ),
        ("since=2026-01-01T00:00:00Z", "since", "Unknown field."),
        ("from=2026-01-01T00:00:00", "from", "Not a valid aware datetime."),
    ],
)
def test_a_span_that_cannot_be(read: Get, query: str, name: str, words: str) -> None:
    assert said(read(f"/duty?{query}")) == [(name, words)]


def test_two_months_are_not_too_much(read: Get) -> None:
    assert read("/duty?from=2026-01-01T00:00:00Z&to=2026-03-04T00:00:00Z").status_code == 200
    assert read("/duty?from=2199-12-31T00:00:00Z&to=2200-01-01T00:00:00Z").status_code == 200


def test_who_is_on_duty_now_and_next(get: Get, engine: Engine) -> None:
    write(engine)
    found = get("/duty/now").get_json()
    assert found["at"] == company.NOW.isoformat()
    groups = {one["group"]: one for one in found["groups"]}
    # 13:30 in Moscow: lunch, so that nobody is there until 14:00.
    assert groups["sales"] == {
        "group": "sales",
        "zone": "Europe/Moscow",
        "now": {"operators": [], "end": local("18 14:00")},
        "next": {
            "operators": ["101"],
            "begin": local("18 14:00"),
            "end": local("18 18:00"),
        },
    }
    assert groups["night"]["next"]["begin"] == local("18 17:00")
    assert get("/duty/now?group=x").get_json()["groups"] == []


def test_nothing_changes_for_two_weeks(get: Get, engine: Engine) -> None:
    def edit(data: Data) -> None:
        data["groups"].append({"name": "empty", "zone": "UTC"})

    change(engine, COMMAND_LINE, edit, now=company.NOW)
    (group,) = get("/duty/now?group=empty").get_json()["groups"]
    assert (group["now"], group["next"]) == ({"operators": [], "end": None}, None)


def test_warnings_with_codes_values_and_words(get: Get, engine: Engine) -> None:
    write(engine)
    with writing(engine) as session:
        away = OperatorState("102", "UNAVAILABLE", OperatorActivity.AWAY, 1)
        replace_operator_states(session, [away])
    found = get("/duty/warnings?limit=500").get_json()
    assert found["total"] == len(found["items"])
    by: dict[str, list[Any]] = {}
    for one in found["items"]:
        by.setdefault(one["trouble"], []).append(one)
    (twice,) = by["twice"]
    assert (twice["operator"], sorted(twice["groups"])) == ("101", ["night", "sales"])
    # In both groups from 17:00 to 18:00, this Wednesday and the next.
    assert (twice["begin"], twice["end"]) == (local("18 17:00"), local("18 18:00"))
    assert (twice["more"], twice["hours"], twice["mean"]) == (1, None, None)
    assert twice["words"].startswith("Анна is on duty twice at once Wed 18 Nov, 17:00–18:00.")
    assert {one["operator"] for one in by["unreachable"]} == {"102"}
    gap = by["gap"][0]
    assert (gap["operator"], gap["begin"]) == (None, company.NOW.isoformat())
    (unfair,) = by["unfair"]
    assert (unfair["operator"], unfair["groups"]) == ("101", ["night"])
    assert unfair["hours"] > 1.5 * unfair["mean"] > 0
    russian = get("/duty/warnings?limit=1", Accept_Language="ru").get_json()["items"][0]
    assert russian["trouble"] == found["items"][0]["trouble"]
    assert russian["words"].startswith("Нет дежурных")
    only = get("/duty/warnings?group=night&limit=500").get_json()
    assert all("night" in one["groups"] for one in only["items"])
    assert get("/duty/warnings?group=x").get_json() == {"items": [], "total": 0}
    page = get("/duty/warnings?limit=1&offset=1").get_json()
    assert page == {"items": found["items"][1:2], "total": found["total"]}


def test_a_wallboard_may_look(app: Flask, engine: Engine) -> None:
    client = app.test_client()
    for scope, code in ((Scope.OPERATORS_READ, 200), (Scope.CALLS_READ, 403)):
        headers = {"Authorization": f"Bearer {company.a_token(engine, scope)}"}
        for path in ("/duty", "/duty/now", "/duty/warnings"):
            assert client.get(f"/api/v1{path}", headers=headers).status_code == code
