"""Who would get a call with a change that is not made, by the API: on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from telephony.domain.live import OperatorActivity, OperatorState
from telephony.store.directory import current_version
from telephony.store.engine import reading, writing
from telephony.store.live import replace_operator_states
from tests.api import company
from tests.api.conftest import Send, noted, said
from tests.api.test_setup import ENTRIES, errors, stored

LATER = {"did": company.DID, "number": company.CALLER, "at": "2026-11-19T09:00:00Z"}
CLOSED = {
    "section": "dids",
    "key": company.DID,
    "entry": {"group": "sales", "hours": "never", "closed": {"action": "end"}},
}


def entries(**more: Any) -> dict[str, Any]:
    return {"section": "dids", "key": company.DID, "entry": {"group": "sales"} | more}


def test_both_answers_and_nothing_is_stored(send: Send, engine: Engine) -> None:
    before = stored(engine)
    with reading(engine) as session:
        version = current_version(session)
    answer = send("POST", "/explain", LATER | {"change": entries(desk_seconds=7)})
    assert answer.status_code == 200, answer.text
    found = answer.get_json()
    assert (found["did"], found["number"], found["phones"]) == (company.DID, company.CALLER, "free")
    assert found["version"] == version.setup_version
    assert found["stored"]["plan"][0]["targets"] == [{"operator": "101", "address": "101"}]
    assert found["stored"]["plan"][0]["seconds"] != 7
    assert found["changed"]["plan"][0]["seconds"] == 7
    (difference,) = found["differences"]
    assert (difference["what"], difference["key"]) == ("did", company.DID)
    query = f"/explain?did={company.DID}&number=%2B79001112233&at=2026-11-19T09:00:00Z"
    alone = send("GET", query).get_json()
    assert {name: alone[name] for name in ("plan", "trace")} == found["stored"]
    assert stored(engine) == before
    with reading(engine) as session:
        assert current_version(session) == version
    assert noted(engine, "setup") == []


def test_a_whole_set_up(send: Send, engine: Engine) -> None:
    whole = stored(engine) | {"dids": [], "absences": [{"operator": "101", "from": "2026-11-19"}]}
    whole["absences"][0]["to"] = "2026-11-20"
    found = send("POST", "/explain", LATER | {"setup": whole}).get_json()
    assert [one["what"] for one in found["differences"]] == ["did", "absences of"]
    reasons = {one["reason"] for one in found["changed"]["trace"]}
    assert "did_unknown_default_group" in reasons
    assert "did_unknown_default_group" not in {one["reason"] for one in found["stored"]["trace"]}
    russian = send("POST", "/explain", LATER | {"setup": whole}, **{"Accept-Language": "ru"})
    assert russian.get_json()["changed"]["trace"][0]["words"].startswith("Набранный номер")


@pytest.mark.parametrize("section", ["trunks", "hours", "mailboxes", "operators", "absences"])
def test_an_entry_of_any_section_may_come(send: Send, engine: Engine, section: str) -> None:
    before = stored(engine)
    key, entry = ENTRIES[section]
    if section == "operators":
        entry = {"name": "Vera"}
    if section == "absences":
        key = "101"
    change = {"section": section, "key": key, "entry": entry}
    found = send("POST", "/explain", LATER | {"change": change})
    assert found.status_code == 200, found.text
    assert [one["action"] for one in found.get_json()["differences"]] == ["added"]
    assert stored(engine) == before


def test_a_group_gets_another_name(send: Send, engine: Engine) -> None:
    (group,) = [one for one in stored(engine)["groups"] if one["name"] == "sales"]
    change = {"section": "groups", "key": "sales", "entry": group | {"name": "Продажи"}}
    found = send("POST", "/explain", LATER | {"change": change}).get_json()
    assert "Продажи" in str(found["changed"]["trace"])
    assert "Продажи" not in str(found["stored"])
    change = {"section": "groups", "key": "none", "entry": group | {"name": "b"}}
    said(send("POST", "/explain", LATER | {"change": change}), 404)


def test_of_now_with_the_phones_as_they_are(send: Send, engine: Engine) -> None:
    with writing(engine) as session:
        busy = OperatorState("101", "INUSE", OperatorActivity.BUSY, 1)
        replace_operator_states(session, [busy])
    question = {"did": company.DID, "number": "8 (900) 111-22-33", "change": entries(title="x")}
    found = send("POST", "/explain", question).get_json()
    assert (found["phones"], found["number"]) == ("seen", company.CALLER)
    for answer in ("stored", "changed"):
        assert "busy" in {line["reason"] for line in found[answer]["trace"]}


def test_what_is_wrong_is_said_as_put_says_it(send: Send, engine: Engine) -> None:
    before = stored(engine)
    wrong = {"group": "no", "desk_seconds": "x"}
    put = errors(send("PUT", f"/setup/dids/{company.DID}", {"entry": wrong}))
    change = {"section": "dids", "key": company.DID, "entry": wrong}
    assert errors(send("POST", "/explain", LATER | {"change": change})) == put
    assert {one["code"] for one in put} >= {"no_group"}
    sent = {"setup": {"groups": "x"}}
    assert errors(send("POST", "/explain", LATER | sent)) == errors(send("PUT", "/setup", sent))
    change = {"section": "operators", "key": "101", "entry": {"extension": "201", "name": "x"}}
    assert [name for name, _ in said(send("POST", "/explain", LATER | {"change": change}))] == [
        "entry.extension"
    ]
    assert stored(engine) == before


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ({}, "setup"),
        ({"setup": {}, "change": CLOSED}, "setup"),
        ({"setup": {}, "number": "12"}, "number"),
        ({"setup": {}, "did": "x"}, "did"),
        ({"setup": {}, "at": "now"}, "at"),
        ({"setup": {}, "key": "12"}, "key"),
        ({"setup": []}, "setup"),
        ({"change": {"section": "x", "key": "1", "entry": {}}}, "change"),
        ({"change": {"section": "dids"}}, "change"),
        ({"setup": {}, "more": 1}, "more"),
    ],
)
def test_a_question_that_cannot_be(send: Send, sent: dict[str, Any], name: str) -> None:
    assert {place for place, _ in said(send("POST", "/explain", LATER | sent))} == {name}


def test_a_hidden_number_and_a_set_up_without_groups(send: Send) -> None:
    people = [{"extension": one, "name": one} for one in ("101", "102")]
    found = send("POST", "/explain", {"did": company.DID, "setup": {"operators": people}})
    assert found.status_code == 200, found.text
    assert found.get_json()["number"] == ""
    # Operators with clients cannot go, as in PUT /setup.
    gone = errors(send("POST", "/explain", {"did": company.DID, "setup": {}}))
    assert {one["code"] for one in gone} == {"has_clients"}
