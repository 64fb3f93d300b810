"""The page of the rules of callbacks."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import time
from html import unescape
from typing import Any

import pytest
from sqlalchemy import Engine

from telephony.domain.callback.rules import (
    LIMITS,
    PRESETS,
    Automatic,
    CallbackRules,
    Caps,
    First,
    QuietHours,
    Shown,
    Spacing,
)
from telephony.sounds import convert, keep
from telephony.store.callback_rules import load_callback_rules, replace_callback_rules
from telephony.store.engine import reading, writing
from tests.panel.people import START, Browser, Panel
from tests.unit.test_sounds import wav

PAGE = "/callback-rules"
MADE = CallbackRules(
    automatic=Automatic.ASKED,
    first=First.CLIENT,
    shown=Shown.COMPANY,
    sla_minutes=15,
    quiet=QuietHours(time(20, 30), time(9), frozenset({6, 7}), time(18), time(10)),
    spacing=Spacing(busy=10),
    caps=Caps(attempts=4, day=50),
    client_key=True,
    greetings={"ru": "@welcome", "en": "vm-goodbye"},
    regions=("RU", "KZ"),
    types=("mobile", "voip"),
)


@pytest.fixture
def panel(quick_panel: Panel) -> Panel:
    """Give a panel on SQLite with an announcement; storing is tested on both databases."""
    with writing(quick_panel.engine) as session:
        keep(session, "welcome", "Welcome!", convert(wav(0.3)), START)
    return quick_panel


@pytest.fixture
def admin(panel: Panel) -> Browser:
    """Give an admin's browser."""
    return panel.signed_in("admin")


def rules(engine: Engine) -> CallbackRules:
    with reading(engine) as session:
        return load_callback_rules(session)


def store(engine: Engine, made: CallbackRules) -> None:
    with writing(engine) as session:
        replace_callback_rules(session, made)


def filled(page: str) -> dict[str, Any]:
    """Return what a browser would send of the page as it is."""
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input [^>]*>", page[page.index('id="rules"') :]):
        name, value = (_attribute(tag, each) for each in ("name", "value"))
        if name in ("csrf_token", "") or ("checkbox" in tag and " checked" not in tag):
            continue
        found.setdefault(name, []).append(value)
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        found[name] = re.findall(r'<option selected value="([^"]*)"', options)
    return found


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf' {name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


def errors(page: str) -> list[str]:
    found = re.findall(r'class="field-error"[^>]*>.*?</svg>([^<]+)', page)
    return [unescape(one) for one in found]


def test_what_is_usual_is_shown_and_saved_unchanged(panel: Panel, admin: Browser) -> None:
    page = admin.get(PAGE).text
    assert 'value="21:00"' in page
    answer = admin.send(PAGE, **filled(page))
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert "Nothing was changed." in admin.get(PAGE).text
    assert rules(panel.engine) == CallbackRules()


def test_every_setting_is_saved_shown_again_and_taken_back(panel: Panel, admin: Browser) -> None:
    sent = filled(admin.get(PAGE).text) | {
        "automatic": "asked",
        "first": "client",
        "shown": "company",
        "sla_minutes": "15",
        "quiet.start": "20:30",
        "quiet.end": "09:00",
        "quiet.days": ["sat", "sun"],
        "quiet.weekend_start": "18:00",
        "quiet.weekend_end": "10:00",
        "spacing.busy": "10",
        "caps.attempts": "4",
        "caps.day": "50",
        "client_key": "y",
        "greeting-language": ["ru", "", "en"],
        "greeting-sound": ["@welcome", "", "vm-goodbye"],
        "regions": "RU, kz",
        "types": ["mobile", "voip"],
    }
    assert admin.send(PAGE, **sent).status_code == 302
    assert rules(panel.engine) == MADE
    page = admin.get(PAGE).text
    assert "Undo" in page
    assert admin.send(PAGE, **filled(page)).status_code == 302
    assert rules(panel.engine) == MADE, "what is shown is what was saved"
    history = admin.get("/changes").text
    assert "callback rules" in history
    assert "calls at most: In all, in a day: — → 50" in history
    assert "Called back automatically: — → who asked for it" in history
    assert "Other hours on these days: — → Sat, Sun" in history
    assert "Kinds of numbers: — → mobile, internet telephony" in history
    assert "The client has to press 1 to be connected: — → yes" in history
    assert "greeting: ru: — → @welcome" in history


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"delay_seconds": "3601"}, ["must be a number from 0 to 3600"]),
        ({"caps.hour": "many"}, ["must be a number from 1 to 10000"]),
        ({"spacing.busy": ""}, ["must be a number from 1 to 20160"]),
        ({"quiet.start": "25:00"}, ['must be a time of day such as "09:00"']),
        ({"automatic": "x"}, ["must be one of nobody, asked, everybody"]),
        ({"regions": "RU XX"}, ["XX: must be a country with telephone numbers, such as RU or US"]),
        ({"types": ["premium_rate"]}, ["premium_rate: must be one of fixed_line, mobile"]),
        ({"types": []}, ["is missing"]),
        (
            {"greeting-language": "de", "greeting-sound": "@gone"},
            ["must be the name of an announcement that there is"],
        ),
        (
            {"greeting-language": "Ru", "greeting-sound": "@welcome"},
            ["must be an official language of a country"],
        ),
        (
            {"greeting-language": "", "greeting-sound": "@welcome"},
            ["must be an official language of a country"],
        ),
        ({"greeting-language": "ru", "greeting-sound": ""}, ["must have 1 to 100 characters"]),
        (
            {"greeting-language": ["ru", "ru"], "greeting-sound": ["@welcome", "vm-goodbye"]},
            ["occurs twice"],
        ),
        (
            {
                "greeting-language": ["ru", "ru"],
                "greeting-sound": ["@welcome", "vm-goodbye"],
                "caps.at_once": "0",
            },
            ["must be a number from 1 to 500", "occurs twice"],
        ),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    panel: Panel, admin: Browser, changes: dict[str, Any], words: list[str]
) -> None:
    sent = filled(admin.get(PAGE).text) | {"sla_minutes": "17"} | changes
    answer = admin.send(PAGE, **sent)
    assert answer.status_code == 422
    told = errors(answer.text)
    assert len(told) == len(words), told
    assert all(one.startswith(word) for one, word in zip(told, words, strict=True)), told
    assert "It was not saved" in answer.text
    assert filled(answer.text)["sla_minutes"] == ["17"]
    for name in changes.keys() & LIMITS.keys():
        assert filled(answer.text)[name] == [changes[name]]
    assert rules(panel.engine) == CallbackRules()


def test_somebody_elses_change_is_not_overwritten(panel: Panel, admin: Browser) -> None:
    page = admin.get(PAGE).text
    other = panel.signed_in("admin")
    other.send(PAGE, **filled(page) | {"sla_minutes": "17"})
    answer = admin.send(PAGE, **filled(page) | {"sla_minutes": "18"})
    assert answer.status_code == 422
    assert "Somebody changed the set-up meanwhile" in answer.text
    assert rules(panel.engine).sla_minutes == 17


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_the_form_and_saves_nothing(
    panel: Panel, admin: Browser, preset: str
) -> None:
    store(panel.engine, MADE)
    sent = filled(admin.get(PAGE).text) | {"sla_minutes": "17", "caps.hour": "x"}
    answer = admin.send(PAGE, **sent, fill=preset)
    assert answer.status_code == 200
    assert "Filled in, not saved yet" in answer.text
    assert errors(answer.text) == []
    assert rules(panel.engine) == MADE
    assert admin.send(PAGE, **filled(answer.text)).status_code == 302
    usual = PRESETS[preset]
    assert rules(panel.engine) == replace(MADE, quiet=usual.quiet, caps=usual.caps, sla_minutes=17)
    assert admin.send(PAGE, **sent, fill="fr").status_code == 400


def test_the_enter_key_saves(admin: Browser) -> None:
    first = re.search(r'<button [^>]*type="submit"[^>]*form="rules"[^>]*>', admin.get(PAGE).text)
    assert first is not None
    assert "fill" not in first[0]


def test_supervisors_look_and_do_not_change(panel: Panel, admin: Browser) -> None:
    store(panel.engine, MADE)
    boss = panel.signed_in("boss")
    page = boss.get(PAGE).text
    assert 'href="/callback-rules"' in page
    assert '<fieldset class="bare" disabled>' in page
    assert 'value="vm-goodbye"' in page
    main = page[page.index("<main") :]
    assert 'type="submit"' not in main
    assert boss.send(PAGE, "/profile", **filled(admin.get(PAGE).text)).status_code == 403
    assert panel.signed_in("oper").get(PAGE).status_code == 403


def test_the_page_speaks_russian(panel: Panel) -> None:
    admin = panel.signed_in("admin", language="ru")
    page = admin.get(PAGE).text
    assert "Правила обратных звонков" in page
    assert "Тихие часы" in page
    answer = admin.send(PAGE, **filled(page) | {"caps.hour": "0"})
    assert errors(answer.text) == ["должно быть число от 1 до 10000"]
    admin.send(PAGE, **filled(page) | {"first": "client"})
    assert "Кому звонить сначала: — → клиенту, потом оператору" in admin.get("/changes").text
