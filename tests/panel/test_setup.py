"""The set-up's pages: from nothing to a decided call, errors beside fields, deleting, what-if."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import Engine

from telephony.configfile import as_data, find
from telephony.domain.setup import Setup
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup, replace_setup
from tests.databases.samples import a_setup
from tests.panel.people import Browser, Panel

INPUT = re.compile(
    r"<(input|select|textarea)\b([^>]*)>(.*?)(?=<(?:input|select|textarea|/form)\b)", re.S
)


def stored(engine: Engine) -> Setup:
    with reading(engine) as session:
        return load_setup(session)


def form_of(page: str) -> dict[str, Any]:
    """Return what a browser would send of the page's form as it stands."""
    form = page[page.index('<form class="entry-form"') :]
    found: dict[str, Any] = {}
    for tag, marks, inside in INPUT.findall(form[: form.index("</form>") + 7]):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', marks))
        name = attributes.get("name", "")
        if not name or name in ("try", "more"):
            continue
        if tag == "select":
            chosen = re.search(r'value="([^"]*)" selected', inside) or re.search(
                r'value="([^"]*)"', inside
            )
            found[name] = unescape(chosen[1]) if chosen else ""
        elif attributes.get("type") == "checkbox":
            if " checked" in marks:
                found.setdefault(name, []).append(attributes["value"])
        else:
            found[name] = unescape(attributes.get("value", ""))
    return found


def save(browser: Browser, path: str, **changes: Any) -> Any:
    """Open a form, fill some fields in, and send it."""
    fields = form_of(browser.get(path).text) | changes
    return browser.post(path, **{name: value for name, value in fields.items() if value != []})


def errors(page: str) -> dict[str, str]:
    """Return field → what is said beside it."""
    return {
        name: unescape(" ".join(re.sub(r"<[^>]+>", " ", words).split()))
        for name, words in re.findall(
            r'<p class="field-error" id="([^"]+)-error">(.*?)</p>', page, re.S
        )
    }


@pytest.fixture
def admin(quick_panel: Panel) -> Browser:
    """Give an admin's browser over a panel with a small set-up."""
    with writing(quick_panel.engine) as session:
        replace_setup(session, a_setup())
    return quick_panel.signed_in("admin")


def test_from_nothing_to_a_decided_call(panel: Panel) -> None:
    browser = panel.signed_in("admin")
    steps: list[tuple[str, dict[str, Any]]] = [
        ("operators", {"extension": "201", "name": "Vera", "mobile": "+7 900 111-22-01"}),
        ("operators", {"extension": "202", "name": "Gleb", "deputy": "201"}),
        ("groups", {"name": "Sales", "zone": "Europe/Moscow"}),
    ]
    for section, fields in steps:
        answer = save(browser, f"/setup/{section}/new", **fields)
        assert answer.status_code == 302, (section, errors(answer.text))
    setup = stored(panel.engine)
    assert setup.operators["201"].mobile == "+79001112201"
    assert setup.operators["202"].deputy == "201"
    assert setup.default_group == "Sales"
    page = browser.get("/explain?did=74957654321&number=").text
    assert "the default group Sales" in page


@pytest.mark.parametrize(
    ("section", "key"),
    [("operators", "101"), ("groups", "sales")],
)
def test_a_form_that_is_saved_as_it_stands_changes_nothing(
    quick_panel: Panel, admin: Browser, section: str, key: str
) -> None:
    before = stored(quick_panel.engine)
    assert save(admin, f"/setup/{section}/edit/{key}").status_code == 302
    assert stored(quick_panel.engine) == before
    assert "Nothing was changed." in admin.get("/setup").text


def test_what_a_form_does_not_have_stays(quick_panel: Panel, admin: Browser) -> None:
    before = as_data(stored(quick_panel.engine))
    answer = save(admin, "/setup/groups/edit/sales", zone="Asia/Omsk")
    assert answer.status_code == 302, errors(answer.text)
    find(before, "groups", "sales")["zone"] = "Asia/Omsk"
    assert as_data(stored(quick_panel.engine)) == before


def test_a_group_that_becomes_the_default_takes_that_from_the_other(
    quick_panel: Panel, admin: Browser
) -> None:
    fields = {"name": "night", "zone": "UTC", "default": "true"}
    assert save(admin, "/setup/groups/new", **fields).status_code == 302
    assert stored(quick_panel.engine).default_group == "night"


def test_a_group_gets_another_name_and_what_names_it_follows(
    quick_panel: Panel, admin: Browser
) -> None:
    old = next(iter(a_setup().groups))
    roster = stored(quick_panel.engine).groups[old].roster
    answer = save(admin, f"/setup/groups/edit/{old}", name="Продажи, Москва")
    assert answer.status_code == 302
    now = stored(quick_panel.engine)
    assert list(now.groups) == ["Продажи, Москва"]
    assert now.groups["Продажи, Москва"].roster == roster
    assert {one.group for one in now.dids.values()} == {"Продажи, Москва"}
    taken = save(admin, "/setup/groups/new", name="second", zone="UTC")
    assert taken.status_code == 302
    refused = save(admin, "/setup/groups/edit/second", name="Продажи, Москва")
    assert refused.status_code == 422
    assert "name" in errors(refused.text)
    nameless = save(admin, "/setup/groups/edit/second", name="")
    assert nameless.status_code == 422
    assert "second" in stored(quick_panel.engine).groups


@pytest.mark.parametrize(
    ("path", "fields", "wrong"),
    [
        ("operators/new", {"extension": "1", "name": ""}, {"extension", "name"}),
        ("operators/new", {"extension": "101", "name": "Twin"}, {"extension", "endpoint"}),
        ("operators/new", {"extension": "109", "name": "X", "endpoint": "boris"}, {"endpoint"}),
        ("operators/edit/101", {"endpoint": "boris"}, {"endpoint"}),
        ("operators/edit/101", {"mobile": "12"}, {"mobile"}),
        ("groups/edit/sales", {"zone": "Mars"}, {"zone"}),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost_or_saved(
    quick_panel: Panel, admin: Browser, path: str, fields: dict[str, Any], wrong: set[str]
) -> None:
    before = stored(quick_panel.engine)
    answer = save(admin, f"/setup/{path}", **fields)
    assert answer.status_code == 422
    assert set(errors(answer.text)) == wrong, re.findall("<li>(.*)<", answer.text)
    again = form_of(answer.text)
    for name, value in fields.items():
        assert again[name] in (value, [value]), name
    assert stored(quick_panel.engine) == before


def test_who_was_slower_does_not_overwrite_unseen_and_keeps_what_was_typed(
    quick_panel: Panel, admin: Browser
) -> None:
    path = "/setup/operators/edit/101"
    page = form_of(admin.get(path).text)
    assert save(admin, path, name="First").status_code == 302
    answer = admin.post(path, **page | {"name": "Second"})
    assert answer.status_code == 409
    assert "Somebody changed this meanwhile" in answer.text
    assert stored(quick_panel.engine).operators["101"].name == "First"
    again = form_of(answer.text)
    assert again["name"] == "Second"
    assert admin.post(path, **again).status_code == 302
    assert stored(quick_panel.engine).operators["101"].name == "Second"


def test_a_change_elsewhere_does_not_stop_a_form(quick_panel: Panel, admin: Browser) -> None:
    page = form_of(admin.get("/setup/operators/edit/101").text)
    assert save(admin, "/setup/operators/edit/102", name="Other").status_code == 302
    assert admin.post("/setup/operators/edit/101", **page | {"name": "Anna"}).status_code == 302
    names = [one.name for one in stored(quick_panel.engine).operators.values()]
    assert names == ["Anna", "Other"]


def test_deleting_an_operator_says_what_goes_and_can_be_undone(
    quick_panel: Panel, admin: Browser
) -> None:
    before = stored(quick_panel.engine)
    page = admin.get("/setup/operators/delete/102").text
    assert "operator 101: deputy" in page
    assert "group sales: weekly shifts" in page
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = admin.post("/setup/operators/delete/102", **fields)
    assert answer.status_code == 302
    setup = stored(quick_panel.engine)
    assert list(setup.operators) == ["101"]
    assert setup.operators["101"].deputy is None
    assert [one.operator for one in setup.groups["sales"].roster.shifts] == ["101"]
    listed = admin.get(answer.headers["Location"]).text
    undo = re.search(r'action="(/changes/\d+/undo)">(.*?)</form>', listed, re.S)
    assert undo
    hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', undo[2]))
    assert admin.post(undo[1], **hidden).status_code == 302
    assert stored(quick_panel.engine) == before


def test_what_others_need_cannot_be_deleted(quick_panel: Panel, admin: Browser) -> None:
    with writing(quick_panel.engine) as session:
        save_clients(session, [ClientData("Romashka", ("+79001112233",), "101")])
    page = admin.get("/setup/operators/delete/101").text
    assert "1 client is assigned to this operator" in page
    assert "DID 74951234567: group" in admin.get("/setup/groups/delete/sales").text
    for path in ("operators/delete/101", "groups/delete/sales"):
        text = admin.get(f"/setup/{path}").text
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
        answer = admin.post(f"/setup/{path}", **fields)
        assert answer.status_code == 422
        assert "It was not deleted" in answer.text
    setup = stored(quick_panel.engine)
    assert "101" in setup.operators
    assert "sales" in setup.groups


def test_deleting_what_was_changed_since_it_was_looked_at_asks_again(
    quick_panel: Panel, admin: Browser
) -> None:
    text = admin.get("/setup/operators/delete/102").text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
    save(admin, "/setup/operators/edit/102", name="New name")
    answer = admin.post("/setup/operators/delete/102", **fields)
    assert answer.status_code == 409
    assert "The set-up was changed meanwhile" in answer.text
    assert "102" in stored(quick_panel.engine).operators


def test_a_what_if_shows_both_answers_and_marks_what_differs(
    quick_panel: Panel, admin: Browser
) -> None:
    with writing(quick_panel.engine) as session:
        save_clients(session, [ClientData("Romashka", ("+79001112233",), "101")])
    before = stored(quick_panel.engine)
    answer = save(
        admin,
        "/setup/operators/edit/101",
        **{
            "mobile": "",
            "try": "1",
            "try-did": "74951234567",
            "try-number": "8 900 111-22-33",
            "try-at": "2026-11-25T09:00",
        },
    )
    assert answer.status_code == 200, errors(answer.text)
    stored_plan, tried_plan = (
        [
            " ".join(re.sub(r"<[^>]+>", " ", one).split())
            for one in re.findall(r"<li[^>]*>(.*?)</li>", plan, re.S)
        ]
        for plan in re.findall(r'<ol class="plan">(.*?)</ol>', answer.text, re.S)
    )
    gone = [line for line in stored_plan if line.endswith("goes")]
    assert len(gone) == 1, stored_plan
    assert "mobile" in gone[0]
    assert len(tried_plan) == len(stored_plan) - 1
    assert stored(quick_panel.engine) == before
    assert form_of(answer.text)["mobile"] == ""


def test_a_what_if_of_a_new_operator_who_is_nobody_yet(admin: Browser) -> None:
    answer = save(
        admin,
        "/setup/operators/new",
        **{"extension": "109", "name": "New", "try": "1", "try-number": "8 900"},
    )
    assert answer.status_code == 200
    assert "This is not a phone number." in answer.text


def test_a_supervisor_has_no_forms_of_the_structure(quick_panel: Panel) -> None:
    browser = quick_panel.signed_in("boss")
    assert browser.get("/setup/operators").status_code == 403
    assert "/setup" not in browser.get("/").text


def test_the_file_is_looked_at_then_applied(quick_panel: Panel, admin: Browser) -> None:
    text = admin.get("/setup/export.yaml").text
    assert "74951234567" in text
    changed = text.replace("Boris", "Борис")
    page = admin.send("/setup/file", text=changed, look="1")
    assert page.status_code == 200
    assert "operator 102" in page.text
    assert "Boris → Борис" in page.text
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert version
    assert stored(quick_panel.engine).operators["102"].name == "Boris"
    done = admin.send("/setup/file", text=changed, apply="1", version=version[1])
    assert done.status_code == 302
    assert stored(quick_panel.engine).operators["102"].name == "Борис"
    # Meanwhile changed: the same page once more does nothing but show what it would change now.
    stale = admin.send("/setup/file", text=text, apply="1", version=version[1])
    assert stale.status_code == 409
    assert "Борис → Boris" in stale.text
    assert stored(quick_panel.engine).operators["102"].name == "Борис"


def test_errors_of_a_file_name_their_lines(quick_panel: Panel, admin: Browser) -> None:
    text = admin.get("/setup/export.yaml").text.replace("zone: Europe/Moscow", "zone: Mars/Moscow")
    number = next(n for n, line in enumerate(text.split("\n"), start=1) if "Mars" in line)
    page = admin.send("/setup/file", text=text, look="1")
    assert page.status_code == 422
    assert re.search(rf'<td class="cell-number"[^>]*>{number}</td>', page.text)
    assert "groups[0].zone" in page.text
    broken = admin.send("/setup/file", text="operators: [", look="1")
    assert broken.status_code == 422
    assert "not YAML" in broken.text
    assert "Choose a file" in admin.send("/setup/file", text=" ").text


def test_a_file_is_tried_with_a_call(quick_panel: Panel, admin: Browser) -> None:
    text = admin.get("/setup/export.yaml").text.replace(
        "group: sales", "group: sales, duty_seconds: 99", 1
    )
    page = admin.send(
        "/setup/file",
        **{"text": text, "try": "1", "try-did": "74951234567", "try-at": "2026-11-25T10:00"},
    )
    assert page.status_code == 200
    assert "With this file" in page.text


def test_the_overview_leads_through_every_step(admin: Browser) -> None:
    page = admin.get("/setup").text
    steps = page[page.index('class="setup-steps"') :].partition("</ol>")[0]
    assert re.findall(r'<a [^>]*href="([^"]+)"', steps) == [
        "/setup/operators",
        "/setup/groups",
        "/duty",
        "/queues",
        "/hours",
        "/announcements",
        "/mailboxes",
        "/numbers",
        "/trunks",
        "/clients",
        "/callback-rules",
        "/explain",
    ]
    assert "dutyline pbx-config" in steps
    assert "dutyline-incoming" in steps
