"""Numbers with their rules, opening hours, trunks and mailboxes in the panel."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from telephony.domain.did import Action, ActionKind, Menu, StepName, StepRule, Strategy
from telephony.domain.setup import Setup
from telephony.store.audit import list_audit
from telephony.store.directory import current_version
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from tests.panel.people import Browser, Panel

DID = "74951234567"


@pytest.fixture
def panel(quick_panel: Panel) -> Panel:
    """Give a panel on SQLite: what it changes is stored by what is tested on both databases."""
    return quick_panel


def setup(engine: Engine) -> Setup:
    with reading(engine) as session:
        return load_setup(session)


def current(engine: Engine) -> int:
    with reading(engine) as session:
        return current_version(session).setup_version


def form_of(browser: Browser, path: str) -> dict[str, Any]:
    """Return what a browser would send of a page's form as it stands there."""
    page = browser.get(path).text
    body = page[: page.rindex('name="expected"')]
    body = page[body.rindex("<form") :]
    body = body[: body.index("</form>")]
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", body):
        at = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if at.get("type") == "checkbox" and " checked" not in tag:
            continue
        if "name" in at and at["name"] != "csrf_token":
            values.setdefault(at["name"], []).append(unescape(at.get("value", "")))
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', body, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        first = re.search(r'<option value="([^"]*)"', options)
        values[name] = (chosen or first)[1] if (chosen or first) else ""  # type: ignore[index]
    return values


def fill(browser: Browser, path: str, **changed: Any) -> TestResponse:
    """Open a form, change some inputs (`__` for the dot), send it."""
    values = form_of(browser, path)
    values |= {name.replace("__", "."): value for name, value in changed.items()}
    return browser.send(path, **values)


def test_opening_hours_from_nothing(panel: Panel, admin: Browser) -> None:
    answer = fill(
        admin, "/hours/new", name="office", zone="Europe/Moscow", country="ru",
        days__0__day="2026-12-31", days__0__name="New Year's Eve", days__0__is="open",
        days__0__open="09:00-12:00, 13:00-15:00", days__0__like="mon",
        days__1__day="2026-11-28", days__1__is="like", days__1__like="mon",
    )  # fmt: skip
    assert answer.status_code == 302, answer.text
    hours = setup(panel.engine).hours["office"]
    assert [str(one.start) for one in hours.openings] == ["09:00:00"]
    assert (hours.country, len(hours.days), hours.days[1].like) == ("RU", 2, 1)
    assert [len(one.openings) for one in hours.days] == [2, 0]
    before = hours
    assert fill(admin, "/hours/office").status_code == 302
    assert (
        setup(panel.engine).hours["office"] == before
    )  # what is sent as it stands changes nothing
    assert "closed" in admin.get("/hours/office").text
    assert "office" in admin.get("/hours").text


def test_what_is_wrong_stands_beside_its_input(panel: Panel, admin: Browser) -> None:
    answer = fill(
        admin, "/hours/new", name="office", zone="Moscow", open__2__days="mon",
        open__2__start="9", open__2__end="18:00", days__1__day="soon", country="XX",
    )  # fmt: skip
    assert answer.status_code == 422
    for name in ("zone", "open.2.start", "days.1.day", "country"):
        assert f'id="{name}-error"' in answer.text, name
    assert 'value="Moscow"' in answer.text
    assert setup(panel.engine).hours == {}


def test_a_rule_names_only_announcements_that_there_are(panel: Panel, admin: Browser) -> None:
    answer = fill(admin, f"/numbers/{DID}", greeting="@welcome")
    assert answer.status_code == 422
    assert 'id="greeting-error"' in answer.text
    assert "must be the name of an announcement that there is: upload it first" in answer.text
    assert setup(panel.engine).dids[DID].greeting == ""


def test_a_number_with_all_its_rules(panel: Panel, admin: Browser) -> None:
    fill(admin, "/hours/new", name="office", zone="Europe/Moscow")
    fill(admin, "/trunks/new", endpoint="city", template="8{national}")
    fill(admin, "/mailboxes/new", number="1", name="Sales", email="sales@example.com")
    group = next(iter(setup(panel.engine).groups))
    answer = fill(
        admin, "/numbers/new", number="78001234567", title="Hotline", group=group, hours="office",
        greeting="vm-goodbye", last_operator_days="14", vip_always="true",
        menu__announcement="vm-press", menu__choices__1=group,
        closed__action="voicemail", closed__mailbox="1", closed__number="+79990001122",
        unanswered__action="number", unanswered__number="+79990001122", unanswered__trunk="city",
        unanswered__seconds="40", steps__manager_mobile__enabled="false",
        steps__duty__strategy="in_turn", steps__queue__seconds="600",
    )  # fmt: skip
    assert answer.status_code == 302, answer.text
    did = setup(panel.engine).dids["78001234567"]
    assert (did.title, did.hours, did.last_operator_days, did.vip_always) == (
        "Hotline", "office", 14, True,
    )  # fmt: skip
    assert did.menu == Menu("vm-press", {"1": group})
    assert did.closed == Action(ActionKind.VOICEMAIL, "", "1")
    assert did.unanswered == Action(ActionKind.NUMBER, "", "+79990001122", "city", 40)
    assert did.steps[StepName.MANAGER_MOBILE] == StepRule(enabled=False)
    assert did.steps[StepName.DUTY] == StepRule(strategy=Strategy.IN_TURN)
    assert did.steps[StepName.QUEUE] == StepRule(seconds=600)
    assert fill(admin, "/numbers/78001234567").status_code == 302
    again = setup(panel.engine).dids["78001234567"]
    assert (again.closed, again.unanswered, again.menu) == (did.closed, did.unanswered, did.menu)
    page = admin.get("/numbers").text
    assert "Hotline" in page
    with reading(panel.engine) as session:
        lines, _ = list_audit(session, limit=3, offset=0)
    assert lines[0].action.startswith("setup.")


def test_a_form_that_is_sent_as_it_stands_changes_nothing(panel: Panel, admin: Browser) -> None:
    before = setup(panel.engine)
    for number in before.dids:
        assert fill(admin, f"/numbers/{number}").status_code == 302
    assert setup(panel.engine) == before
    assert "Nothing was changed" in admin.get("/numbers").text


def test_errors_of_a_number_name_their_inputs(panel: Panel, admin: Browser) -> None:
    answer = fill(
        admin, "/numbers/new", number="12", menu__choices__1="nobody", greeting="../x",
        closed__action="number", closed__number="112", steps__duty__seconds="0",
    )  # fmt: skip
    assert answer.status_code == 422
    for name in ("number", "group", "greeting", "closed.number", "steps.duty.seconds"):
        assert f'id="{name}-error"' in answer.text, name
    assert "menu.choices.1" in answer.text
    assert "12" not in setup(panel.engine).dids


def test_hours_are_renamed_everywhere_and_stay_while_they_are_used(
    panel: Panel, admin: Browser
) -> None:
    fill(admin, "/hours/new", name="office", zone="Europe/Moscow")
    number = next(iter(setup(panel.engine).dids))
    fill(admin, f"/numbers/{number}", hours="office")
    fill(admin, "/hours/office", name="day")
    assert setup(panel.engine).dids[number].hours == "day"
    page = admin.get("/hours/day/delete").text
    assert "It is used and cannot be deleted" in page
    assert number in page
    admin.send("/hours/day/delete", page="/hours/new")
    assert "day" in setup(panel.engine).hours
    fill(admin, f"/numbers/{number}", hours="")
    assert admin.send("/hours/day/delete").status_code == 302
    assert setup(panel.engine).hours == {}
    assert "Undo" in admin.get("/hours").text


def test_a_mailbox_in_use_stays_and_its_number_follows(panel: Panel, admin: Browser) -> None:
    assert 'inputmode="numeric"' in admin.get(f"/numbers/{DID}").text, "the PBX's own by number"
    fill(admin, "/mailboxes/new", number="12", name="Sales")
    wrong = fill(admin, f"/numbers/{DID}", closed__action="voicemail", closed__mailbox="77")
    assert 'id="closed.mailbox-error"' in wrong.text
    done = fill(admin, f"/numbers/{DID}", closed__action="voicemail", closed__mailbox="12")
    assert done.status_code == 302
    page = admin.get("/mailboxes/12/delete").text
    assert DID in re.sub(r"\D", "", page)
    admin.send("/mailboxes/12/delete")
    assert "12" in setup(panel.engine).mailboxes
    assert fill(admin, "/mailboxes/12", number="13").status_code == 302
    assert setup(panel.engine).dids[DID].closed.value == "13"


def test_what_if_saves_nothing_and_shows_both_answers(panel: Panel, admin: Browser) -> None:
    known = setup(panel.engine)
    number = next(iter(known.dids))
    before = known.dids[number]
    values = form_of(admin, f"/numbers/{number}")
    values |= {"steps.duty.enabled": "false", "try": "1", "call-number": "+79005556677"}
    answer = admin.send(f"/numbers/{number}", **values)
    assert answer.status_code == 200, answer.text
    assert "As it is" in answer.text
    assert "As filled in" in answer.text
    assert "switched off for the number" in answer.text
    assert setup(panel.engine).dids[number] == before


def test_what_rings_before_the_queue_is_said_at_its_step(panel: Panel, admin: Browser) -> None:
    page = admin.get(f"/numbers/{DID}").text
    assert page.count("the queue rings these phones") == 2, "for the group and for the other one"
    assert "ring before the queue" not in page
    fill(admin, f"/numbers/{DID}", steps__duty__seconds="15")
    assert "ring before the queue" in admin.get(f"/numbers/{DID}").text
    fill(admin, f"/numbers/{DID}", steps__duty__enabled="false")
    assert "ring before the queue" not in admin.get(f"/numbers/{DID}").text
    russian = panel.signed_in("admin", language="ru").get(f"/numbers/{DID}").text
    assert russian.count("эти телефоны вызывает очередь") == 2


def test_a_form_of_an_older_set_up_is_not_saved(panel: Panel, admin: Browser) -> None:
    number = next(iter(setup(panel.engine).dids))
    values = form_of(admin, f"/numbers/{number}")
    fill(admin, "/mailboxes/new", number="1", name="Sales")
    answer = admin.send(f"/numbers/{number}", **(values | {"title": "Mine"}))
    assert answer.status_code == 422
    assert "Somebody changed the set-up meanwhile" in answer.text
    assert 'value="Mine"' in answer.text


@pytest.mark.parametrize(
    "version", ["\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 5000]
)
def test_a_version_that_is_none_saves_nothing(panel: Panel, admin: Browser, version: str) -> None:
    before = setup(panel.engine)
    number = next(iter(before.dids))
    values = form_of(admin, f"/numbers/{number}") | {"title": "Mine", "expected": version}
    answer = admin.send(f"/numbers/{number}", **values)
    assert answer.status_code == 422
    assert "Somebody changed the set-up meanwhile" in answer.text
    assert setup(panel.engine) == before


def test_supervisors_look_and_do_not_change(panel: Panel, admin: Browser) -> None:
    number = next(iter(setup(panel.engine).dids))
    boss = panel.signed_in("boss")
    page = boss.get(f"/numbers/{number}")
    assert page.status_code == 200
    assert "disabled" in page.text
    token = boss.token("/profile")
    assert boss.post(f"/numbers/{number}", csrf_token=token, title="x").status_code == 403
    assert boss.get("/numbers/new").status_code == 403
    assert panel.signed_in("oper").get("/numbers").status_code == 403


def test_a_pin_is_seen_by_admins_and_only_in_its_form(panel: Panel, admin: Browser) -> None:
    fill(admin, "/mailboxes/new", number="1", name="Sales", pin="7391")
    fill(admin, "/mailboxes/1", pin="2846")
    assert 'value="2846"' in admin.get("/mailboxes/1").text
    boss = panel.signed_in("boss")
    for browser, paths in (
        (admin, ("/audit", "/changes", "/mailboxes", "/changes/3")),
        (boss, ("/changes", "/mailboxes", "/mailboxes/1", "/changes/3")),
    ):
        for path in paths:
            page = browser.get(path)
            assert page.status_code == 200, path
            assert [pin for pin in ("7391", "2846") if pin in page.text] == [], path
    assert "PIN: •••• → ••••" in boss.get("/changes").text
    assert "PIN" not in boss.get("/mailboxes/1").text
    # What undoing puts back is whole.
    version = current(panel.engine)
    admin.send(f"/changes/{version}/undo", "/changes", expected=str(version))
    assert setup(panel.engine).mailboxes["1"].pin == "7391"


@pytest.mark.parametrize("path", ["/numbers/1", "/hours/none", "/trunks/none", "/mailboxes/7"])
def test_what_is_not_there(admin: Browser, path: str) -> None:
    assert admin.get(path).status_code == 404
    assert admin.get(f"{path}/delete").status_code == 404
