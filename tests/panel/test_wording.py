"""What pages say: in the reader's language, of men and women alike, with units beside numbers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from telephony.domain.record import Moment, MomentKind
from telephony.domain.routing import Checked, Kind, Reason, Rule, Step, Target
from telephony.store.accounts import find_user
from telephony.store.engine import reading
from telephony.words import say, say_checked, say_moment, say_step
from tests.panel.people import Browser, Panel

NAMES = {"101": "Анна", "102": "Борис"}


def _errors(browser: Browser, path: str, **fields: Any) -> list[str]:
    page = browser.send(path, **fields).text
    return re.findall(r'class="field-error"[^>]*>.*?</svg>([^<]+)', page)


def test_the_new_language_is_spoken_at_once(quick_panel: Panel) -> None:
    browser = quick_panel.signed_in("boss")
    fields = {"name": "Boss", "zone": "", "theme": "system"}
    for language, said in (("ru", "Сохранено."), ("en", "Saved."), ("ru", "Сохранено.")):
        assert browser.send("/profile", **fields, language=language).status_code == 302
        page = browser.get("/profile").text
        assert f'<html lang="{language}"' in page
        assert f"<p>{said}</p>" in page


def test_the_audit_log_has_words_for_what_changed(quick_panel: Panel) -> None:
    admin = quick_panel.signed_in("admin", language="ru")
    with reading(quick_panel.engine) as session:
        oper = find_user(session, "oper")
    assert oper is not None
    person = f"/users/{oper.id}"
    admin.send(person, name="admin", role="supervisor", extension="")
    admin.send(f"{person}/password", person)
    admin.send("/tokens/new", name="CRM", scopes=["calls:read", "events:read"], days="")
    page = admin.get("/audit").text
    assert set(re.findall(r'<span class="sub">([^<]*:[^<]*)</span>', page)) == {
        "имя: admin; роль: старший смены; внутренний номер: —",
        "второй шаг сохранён: да",
        "разрешено: читать звонки, читать события",
    }
    shown = quick_panel.signed_in("admin").get("/audit").text
    assert "name: admin; role: supervisor; extension: —" in shown
    assert "it may: read calls, read events" in shown


def test_what_is_not_listed_is_refused_in_the_readers_language(quick_panel: Panel) -> None:
    admin = quick_panel.signed_in("admin", language="ru")
    said = "Выберите вариант из списка."
    user = {"login": "new", "name": "New", "extension": ""}
    assert _errors(admin, "/users/new", **user, role="king") == [said]
    token = {"name": "x", "scopes": ["calls:write"], "days": "77"}
    assert _errors(admin, "/tokens/new", **token) == [said, said]
    profile = {"name": "x", "language": "xx", "zone": "Moon", "theme": "red"}
    assert _errors(admin, "/profile", **profile) == [said, said, said]


@pytest.mark.parametrize("code", [*Reason, *MomentKind], ids=str)
def test_russian_sentences_suit_women_and_need_no_other_case(code: Reason | MomentKind) -> None:
    text = say(code, "ru").replace("{by}", "{operator}").replace("{to}", "{operator}")
    text = text.replace("{operator} ({extension})", "{operator}")
    assert not re.search(r"\b(на|с|у|от|для|телефон|состояние) \{operator\}", text)
    # Of a person, short adjectives and the past have a gender.
    assert not re.search(r"\{operator\} (\w+ )?(свободен|занят|доступен|\w+л)\b", text)


def test_anna_is_free_transfers_and_is_consulted() -> None:
    who = (("operator", "Анна"), ("extension", "101"))
    for reason, words in (
        (Reason.FREE, "Анна (101): линия свободна"),
        (Reason.BUSY, "Анна (101): линия занята"),
        (Reason.UNREGISTERED, "Анна (101): телефон не зарегистрирован"),
    ):
        line = Checked(Rule.MANAGER_DESK, False, reason, who)
        assert say_checked(line, "ru") == f"Телефон менеджера: {words}"
    for kind, words in (
        (MomentKind.BLIND_TRANSFER, "перевод: Борис → Анна"),
        (MomentKind.CONSULTED, "консультация: Борис и Анна"),
        (MomentKind.PICKED_UP, "перехват звонка: Анна → Борис"),
    ):
        moment = Moment(0, kind, (("by", "102"), ("to", "101")))
        assert say_moment(moment, NAMES, "ru") == words


@pytest.mark.parametrize(("language", "unit"), [("en", "s"), ("ru", "с")])
def test_a_number_and_its_unit_stay_on_one_line(language: str, unit: str) -> None:
    step = Step(Kind.DESK, Rule.MANAGER_DESK, (Target("101", "101"),), 20)
    assert say_step(step, NAMES, language).endswith(f"20\N{NO-BREAK SPACE}{unit}")
