"""The rules of callbacks: in the file, as JSON, and what is usual in a country."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
from hypothesis import given, settings

from telephony.configfile import as_data, differences, read_config, read_data, write_config
from telephony.domain.announcements import CALLBACK, named_in, places_of
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
    filled,
)
from telephony.domain.setup import Setup
from telephony.store.callback_rules import rules_from_json, rules_to_json
from tests.property import rules

EMPTY = "operators: []\ngroups: []\ndids: []\n"
FILE = """\
operators: []
groups: []
dids: []
callbacks:
  automatic: asked
  first: client
  shown: company
  delay_seconds: 120
  quiet: {start: 20:30, end: 9:00, days: sat-sun, weekend_start: 18:00, weekend_end: 10:00}
  spacing: {busy: 10}
  caps: {attempts: 4, day: 50}
  client_key: yes
  machine_detection: true
  greetings: {ru: "@callback-ru", en: vm-goodbye}
  regions: [RU, kz]
  types: [mobile, voip]
"""
MADE = CallbackRules(
    automatic=Automatic.ASKED,
    first=First.CLIENT,
    shown=Shown.COMPANY,
    delay_seconds=120,
    quiet=QuietHours(time(20, 30), time(9), frozenset({6, 7}), time(18), time(10)),
    spacing=Spacing(busy=10),
    caps=Caps(attempts=4, day=50),
    client_key=True,
    machine_detection=True,
    greetings={"ru": "@callback-ru", "en": "vm-goodbye"},
    regions=("RU", "KZ"),
    types=("mobile", "voip"),
)


def of_file(callbacks: str) -> CallbackRules:
    setup, errors = read_config(f"{EMPTY}callbacks: {callbacks}\n")
    assert errors == []
    return setup.callbacks


def test_everything_is_read_as_it_is_meant() -> None:
    setup, errors = read_config(FILE)
    assert errors == []
    assert setup.callbacks == MADE
    assert read_config(write_config(setup)) == (setup, [])


def test_only_what_is_not_as_usual_is_written() -> None:
    assert "callbacks" not in write_config(Setup())
    assert as_data(Setup())["callbacks"] == {}
    fewer = Setup(callbacks=CallbackRules(sla_minutes=15, caps=Caps(hour=60)))
    assert as_data(fewer)["callbacks"] == {"sla_minutes": "15", "caps": {"hour": "60"}}
    assert of_file("{}") == of_file("{quiet: {}, caps: {}}") == CallbackRules()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_stands_for_what_is_usual_in_a_country(name: str) -> None:
    assert of_file(f"{{preset: {name}}}") == PRESETS[name]
    assert filled(CallbackRules(), name) == PRESETS[name], "a preset sets nothing else"
    own = of_file(f"{{preset: {name}, caps: {{hour: 9}}, quiet: {{start: 19:00}}}}")
    assert own.caps == replace(PRESETS[name].caps, hour=9)
    assert own.quiet == replace(PRESETS[name].quiet, start=time(19))
    assert "preset" not in write_config(Setup(callbacks=own))
    assert filled(MADE, name).greetings == MADE.greetings


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("automatic: asked", "automatic: sometimes", "automatic"),
        ("first: client", "first: boss", "first"),
        ("shown: company", "shown: none", "shown"),
        ("delay_seconds: 120", "delay_seconds: 3601", "delay_seconds"),
        ("delay_seconds: 120", "delay_seconds: soon", "delay_seconds"),
        ("delay_seconds: 120", "delay: 120", "delay"),
        ("delay_seconds: 120", "preset: fr", "preset"),
        ("start: 20:30", "start: 20.30", "quiet.start"),
        ("start: 20:30", "start: 24:00", "quiet.start"),
        ("days: sat-sun", "days: so", "quiet.days"),
        ("weekend_end: 10:00", "weekend_stop: 10:00", "quiet.weekend_stop"),
        ("busy: 10", "busy: 0", "spacing.busy"),
        ("busy: 10", "busi: 10", "spacing.busi"),
        ("attempts: 4", "attempts: 0", "caps.attempts"),
        ("day: 50", "day: 100001", "caps.day"),
        ("{attempts: 4, day: 50}", "4", "caps"),
        ("client_key: yes", "client_key: 1", "client_key"),
        ("ru: ", "Ru: ", "greetings.Ru"),
        ("ru: ", "rus: ", "greetings.rus"),
        ("ru: ", "xx: ", "greetings.xx"),
        ("{ru: ", "{be: vm-goodbye, kk: vm-goodbye, ru: ", "greetings.kk"),
        ("en: ", "ru: ", "greetings.ru"),
        ("vm-goodbye", "a&b", "greetings.en"),
        ("vm-goodbye", '""', "greetings.en"),
        ("@callback-ru", "@gone", "greetings.ru"),
        ("[RU, kz]", "[RU, XX]", "regions[1]"),
        ("[RU, kz]", "[RU, ru]", "regions[1]"),
        ("[RU, kz]", "RU", "regions"),
        ("[mobile, voip]", "[mobile, premium_rate]", "types[1]"),
        ("[mobile, voip]", "[unknown]", "types[0]"),
        ("[mobile, voip]", "[voip, voip]", "types[1]"),
        ("[mobile, voip]", "[]", "types"),
        ('{ru: "@callback-ru", en: vm-goodbye}', "[ru]", "greetings"),
    ],
)
def test_an_error_names_its_place_in_both_languages(old: str, new: str, path: str) -> None:
    assert FILE.count(old) == 1, old
    errors = read_config(FILE.replace(old, new), "RU", {"callback-ru"})[1]
    assert [error.path for error in errors] == [f"callbacks.{path}"], errors
    assert errors[0].line > 0
    assert errors[0].words("en") != errors[0].words("ru")


@pytest.mark.parametrize("name", LIMITS)
def test_numbers_keep_to_their_limits(name: str) -> None:
    part, _, key = name.rpartition(".")
    for number, fits in zip(
        (LIMITS[name][0] - 1, *LIMITS[name], LIMITS[name][1] + 1),
        (False, True, True, False),
        strict=True,
    ):
        entry = {part: {key: number}} if part else {key: number}
        _, errors = read_data({"operators": [], "groups": [], "dids": [], "callbacks": entry})
        assert [error.path for error in errors] == ([] if fits else [f"callbacks.{name}"])


def test_differences_are_told_setting_by_setting() -> None:
    changed = replace(MADE, caps=Caps(attempts=4), sla_minutes=15, regions=(), greetings={})
    assert [str(one) for one in differences(Setup(callbacks=MADE), Setup(callbacks=changed))] == [
        "callback rules changed: caps.day 50 → –; greetings.ru @callback-ru → –; "
        "greetings.en vm-goodbye → –; regions [RU KZ] → –; sla_minutes – → 15"
    ]
    assert differences(Setup(callbacks=MADE), Setup(callbacks=MADE)) == []


def test_greetings_are_announcements_that_are_played() -> None:
    setup = Setup(callbacks=MADE)
    assert named_in(setup) == {"callback-ru"}
    assert places_of(setup, "callback-ru") == [("", CALLBACK)]
    assert places_of(setup, "vm-goodbye") == []


@settings(max_examples=100, deadline=None)
@given(rules.callbacks())
def test_json_gives_the_same_rules(made: CallbackRules) -> None:
    assert rules_from_json(rules_to_json(made)) == made


def test_json_of_another_version_is_read_as_far_as_it_is_known() -> None:
    assert rules_from_json({}) == CallbackRules()
    value = rules_to_json(MADE)
    del value["delay_seconds"], value["caps"]["day"], value["quiet"]["start"]
    value |= {"first": "whoever", "moon": "full", "spacing": value["spacing"] | {"fax": 3}}
    assert rules_from_json(value) == replace(
        MADE,
        delay_seconds=CallbackRules().delay_seconds,
        first=CallbackRules().first,
        caps=Caps(attempts=4),
        quiet=replace(MADE.quiet, start=QuietHours().start),
    )
