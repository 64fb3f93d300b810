"""Clients added, changed and deleted in the panel, on both databases."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from telephony.domain.directory import Stage
from telephony.store.audit import AuditEntry, list_audit
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData, find_owners, get_clients
from telephony.store.directory import changes_since, client_version
from telephony.store.engine import reading, writing
from telephony.store.setup import replace_setup
from tests.databases.samples import a_setup
from tests.panel.people import Browser, Panel

ROMASHKA = ClientData("Romashka", ("+79001112233", "+79001112234"), "101", None, True, "note")
FIELDS = {"name": "New", "stage": "lead", "manager": "", "sales_manager": "102", "deputy": ""}


@pytest.fixture
def boss(panel: Panel) -> Browser:
    """Give a supervisor's browser over a panel with operators and one client of id 1."""
    with writing(panel.engine) as session:
        replace_setup(session, a_setup())
        assert save_clients(session, [ROMASHKA]).ids == (1,)
    return panel.signed_in("boss")


def client(engine: Engine, client_id: int = 1) -> ClientData | None:
    with reading(engine) as session:
        return get_clients(session, [client_id]).get(client_id)


def version(engine: Engine, client_id: int = 1) -> str:
    with reading(engine) as session:
        return str(client_version(session, client_id))


def audit(engine: Engine) -> AuditEntry:
    with reading(engine) as session:
        return list_audit(session, limit=1, offset=0)[0][0]


def filled(engine: Engine, **changes: Any) -> dict[str, Any]:
    """Return the form of client 1 as the page gives it, with some fields changed."""
    fields = {
        "name": ROMASHKA.name,
        "phone": [*ROMASHKA.phones, "", ""],
        "stage": "customer",
        "manager": "101",
        "sales_manager": "",
        "deputy": "",
        "vip": "y",
        "notes": "note",
        "seen": version(engine),
    }
    return {**fields, **changes}


def errors(page: str) -> list[str]:
    return [
        " ".join(re.sub(r"<[^>]+>", " ", one).split())
        for one in re.findall(r'class="field-error"[^>]*>.*?</svg>(.*?)</p>', page, re.S)
    ]


def test_a_client_is_added_with_numbers_in_any_notation(panel: Panel, boss: Browser) -> None:
    answer = boss.send(
        "/clients/new", **FIELDS, phone=["8 (900) 555-66-77", "+49 30 123456", "89005556677"]
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/clients/2")
    assert client(panel.engine, 2) == ClientData(
        "New", ("+4930123456", "+79005556677"), stage=Stage.LEAD, sales_manager="102"
    )
    line = audit(panel.engine)
    assert (line.actor, line.action, line.target) == ("boss", "client.added", "New")
    for typed in ("8 900 555 66 77", "%2B49 30 12 34 56", "6677", "ne"):
        assert 'href="/clients/2"' in boss.get(f"/clients?q={typed}").text, typed
    page = boss.get("/clients/2").text
    assert "Lead" in page
    assert "Boris" in page
    with reading(panel.engine) as session:
        _, changes, _ = changes_since(session, 0)
    assert changes[-1].client.assignment.manager == "102"


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    panel: Panel, boss: Browser
) -> None:
    answer = boss.send(
        "/clients/new",
        **{**FIELDS, "name": " ", "stage": "cold", "deputy": "999", "notes": "x" * 2001},
        phone=["12", "8 900 111-22-33", "+79009998877"],
    )
    assert answer.status_code == 422
    assert errors(answer.text) == [
        "Enter a name.",
        "This is not a telephone number.",
        "This number belongs to another client: Romashka",
        "Choose lead or customer.",
        "No operator has this extension.",
        "Use at most 2000 characters.",
    ]
    assert '<a href="/clients/1">Romashka</a>' in answer.text
    for kept in ('value="12"', 'value="8 900 111-22-33"', "x" * 2001, 'value="+79009998877"'):
        assert kept in answer.text
    with reading(panel.engine) as session:
        assert find_owners(session, ["+79009998877"]) == {}
    assert errors(boss.send("/clients/new", name="A", stage="lead").text) == [
        "Enter at least one number."
    ]


def test_a_change_is_saved_and_written_down_old_and_new(panel: Panel, boss: Browser) -> None:
    page = boss.get("/clients/1/edit").text
    assert 'value="+79001112233"' in page
    assert f'name="seen" type="hidden" value="{version(panel.engine)}"' in page
    fields = filled(
        panel.engine,
        phone=["8 900 111-22-34", "+79001112299"],
        manager="102",
        vip="",
        notes="a\r\nb ",
    )
    del fields["vip"]
    assert boss.send("/clients/1/edit", **fields).status_code == 302
    assert client(panel.engine) == ClientData(
        "Romashka", ("+79001112234", "+79001112299"), "102", None, False, "a\nb"
    )
    line = audit(panel.engine)
    assert (line.action, line.target) == ("client.changed", "Romashka")
    assert line.details == {
        "phones": {
            "old": ["+79001112233", "+79001112234"],
            "new": ["+79001112234", "+79001112299"],
        },
        "manager": {"old": "101", "new": "102"},
        "vip": {"old": True, "new": False},
        "notes": {"old": "note", "new": "a\nb"},
    }
    shown = panel.signed_in("admin").get("/audit?action=client.changed").text
    assert "account manager: 101 → 102" in shown
    assert "VIP: yes → no" in shown


def test_a_client_may_live_elsewhere_than_their_number(panel: Panel, boss: Browser) -> None:
    assert "as the number tells" in boss.get("/clients/1").text
    page = boss.get("/clients/1/edit").text
    assert '<option selected value="">as the number tells</option>' in page
    wrong = boss.send("/clients/1/edit", **filled(panel.engine, zone="Mars/Olympus"))
    assert (wrong.status_code, errors(wrong.text)) == (422, ["There is no such time zone."])
    zone = "Asia/Vladivostok"
    assert boss.send("/clients/1/edit", **filled(panel.engine, zone=zone)).status_code == 302
    assert audit(panel.engine).details == {"zone": {"old": None, "new": zone}}
    assert f"<dd>{zone}</dd>" in boss.get("/clients/1").text
    assert f'<option selected value="{zone}">' in boss.get("/clients/1/edit").text
    shown = panel.signed_in("admin").get("/audit?action=client.changed").text
    assert f"time zone: — → {zone}" in shown
    assert boss.send("/clients/1/edit", **filled(panel.engine, zone="")).status_code == 302
    assert client(panel.engine) == ROMASHKA


def test_a_zone_that_is_not_known_any_more_keeps_nobody_from_a_change(
    panel: Panel, boss: Browser
) -> None:
    gone = replace(ROMASHKA, zone="Europe/Atlantis")
    with writing(panel.engine) as session:
        save_clients(session, (), {1: gone})
    fields = filled(panel.engine, zone="Europe/Atlantis", notes="other")
    assert boss.send("/clients/1/edit", **fields).status_code == 302
    assert client(panel.engine) == replace(gone, notes="other")
    for no_place in ("localtime", "Factory"):
        wrong = boss.send("/clients/1/edit", **filled(panel.engine, zone=no_place))
        assert errors(wrong.text) == ["There is no such time zone."]


def test_what_is_the_same_is_not_written(panel: Panel, boss: Browser) -> None:
    before = version(panel.engine)
    answer = boss.send("/clients/1/edit", **filled(panel.engine))
    assert answer.status_code == 302
    assert version(panel.engine) == before
    assert audit(panel.engine).action == "signin.done"
    assert "Nothing was changed." in boss.get("/clients/1").text


def test_somebody_else_was_quicker(panel: Panel, boss: Browser) -> None:
    stale = filled(panel.engine, name="Mine")
    theirs = ClientData("Theirs", ("+79001112233",), "102")
    with writing(panel.engine) as session:
        save_clients(session, (), {1: theirs})
    answer = boss.send("/clients/1/edit", **stale)
    assert answer.status_code == 409
    assert "Somebody changed this client meanwhile" in answer.text
    assert "<li>name: Theirs</li>" in answer.text
    assert 'value="Mine"' in answer.text
    assert client(panel.engine) == theirs
    # Whoever saves once more has seen it.
    assert f'name="seen" type="hidden" value="{version(panel.engine)}"' in answer.text
    again = {**stale, "seen": version(panel.engine)}
    assert boss.send("/clients/1/edit", **again).status_code == 302
    now = client(panel.engine)
    assert now is not None
    assert now.name == "Mine"
    for nonsense in ("", "x", "9" * 40, "-1"):
        assert boss.send("/clients/1/edit", **{**again, "seen": nonsense}).status_code == 409


def test_deleting_asks_first_and_keeps_the_calls(panel: Panel, boss: Browser) -> None:
    page = boss.get("/clients/1/delete").text
    assert "There are no calls of this client." in page
    stale = version(panel.engine)
    with writing(panel.engine) as session:
        save_clients(session, (), {1: ClientData("Other", ROMASHKA.phones)})
    refused = boss.send("/clients/1/delete", seen=stale)
    assert refused.status_code == 409
    assert "Somebody changed this client meanwhile" in refused.text
    assert client(panel.engine) is not None
    answer = boss.send("/clients/1/delete", seen=version(panel.engine))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/clients")
    assert client(panel.engine) is None
    line = audit(panel.engine)
    assert (line.action, line.target) == ("client.deleted", "Other")
    assert line.details == {"phones": list(ROMASHKA.phones)}
    for path in ("/clients/1", "/clients/1/edit", "/clients/1/delete", f"/clients/{10**30}/edit"):
        assert boss.get(path).status_code == 404
    token = boss.token("/clients/new")
    for path in ("/clients/1/edit", "/clients/1/delete"):
        assert boss.post(path, csrf_token=token, **FIELDS).status_code == 404


def test_operators_look_and_do_not_change(panel: Panel, boss: Browser) -> None:
    del boss
    oper = panel.signed_in("oper")
    page = oper.get("/clients/1").text
    assert "Romashka" in page
    for path in ("/clients/new", "/clients/1/edit", "/clients/1/delete", "/clients/import"):
        assert f'href="{path}"' not in page + oper.get("/clients").text
        assert oper.get(path).status_code == 403


@pytest.mark.parametrize("value", ["\ud7ff\u202e", "9" * 30, "x" * 100_000, "'\"><script>", "²"])
def test_hostile_values_do_no_harm(panel: Panel, boss: Browser, value: str) -> None:
    fields = filled(panel.engine)
    token = boss.token("/clients/new")
    for name in fields:
        answer = boss.post("/clients/1/edit", csrf_token=token, **{**fields, name: value})
        assert answer.status_code in (302, 409, 422), name
        page = boss.get("/clients/1")
        assert page.status_code == 200
        assert "<script>" not in page.text.partition("<main")[2]


def test_russian_says_it_in_russian(panel: Panel, boss: Browser) -> None:
    del boss
    admin = panel.signed_in("admin", language="ru")
    answer = admin.send("/clients/new", name="", stage="lead", phone=["8 900 111 22 33"])
    assert errors(answer.text) == [
        "Введите имя.",
        "Этот номер принадлежит другому клиенту: Romashka",
    ]
