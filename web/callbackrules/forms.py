"""The form of the rules of callbacks. What is right is for telephony.configfile to say.

A field has the name of its setting in the configuration file: `caps.hour`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.widgets import CheckboxInput, ListWidget, TimeInput

from telephony.configfile import CALLBACKS, ConfigError, Entry, callbacks_entry
from telephony.domain.callback.rules import (
    LIMITS,
    Automatic,
    CallbackRules,
    First,
    Shown,
    filled,
)
from web.callbackwords import LABELS, automatic_words, first_words, kinds, shown_words
from web.edits import DAYS, day_words, error_words, expanded

_CHOICES = ("automatic", "first", "shown")
_SWITCHES = ("client_key", "machine_detection")
_CLOCKS = ("quiet.start", "quiet.end", "quiet.weekend_start", "quiet.weekend_end")
_SPARE, _MOST = 2, 20
_LANGUAGE, _SOUND = "greeting-language", "greeting-sound"


class RulesForm(FlaskForm):  # type: ignore[misc]
    """The rules of callbacks as people edit them; what has limits is added below."""

    regions = StringField(LABELS["regions"])
    # The version of the set-up that the page was made from.
    seen = HiddenField()


def _complete() -> None:
    """Add a field for each setting: names with a dot cannot be written in a class."""
    for name in _CHOICES:
        setattr(RulesForm, name, SelectField(LABELS[name], choices=(), validate_choice=False))
    for name in _SWITCHES:
        setattr(RulesForm, name, BooleanField(LABELS[name]))
    for name in _CLOCKS:
        setattr(RulesForm, name, StringField(LABELS[name], widget=TimeInput()))
    for name in ("quiet.days", "types"):
        several = SelectMultipleField(
            LABELS[name],
            choices=(),
            validate_choice=False,
            option_widget=CheckboxInput(),
            widget=ListWidget(prefix_label=False),
        )
        setattr(RulesForm, name, several)
    for name, (low, high) in LIMITS.items():
        setattr(RulesForm, name, IntegerField(LABELS[name], render_kw={"min": low, "max": high}))


_complete()


@dataclass
class Greeting:
    """A language and the sound for it, as they were typed."""

    language: str = ""
    sound: str = ""
    errors: list[str] = field(default_factory=list)


def rules_form(rules: CallbackRules, seen: int) -> RulesForm:
    """Return the form, filled with rules before it is sent."""
    form = RulesForm(data={**dict(_values(rules)), "seen": str(seen)})
    form.automatic.choices = [(each.value, automatic_words(each)) for each in Automatic]
    form.first.choices = [(each.value, first_words(each)) for each in First]
    form.shown.choices = [(each.value, shown_words(each)) for each in Shown]
    form["quiet.days"].choices = list(day_words().items())
    form["types"].choices = kinds()
    for one in form:
        one.flags.required = one.name != "regions"
    return form


def fill(form: RulesForm, preset: str) -> None:
    """Put what is usual in a country into a form; KeyError when nothing is known of it."""
    usual = dict(_values(filled(CallbackRules(), preset)))
    for one in form:
        if one.name.startswith(("quiet.", "caps.")):
            one.data, one.raw_data = usual[one.name], None
            if hasattr(one, "process_errors"):
                one.process_errors = []


def greetings(rules: CallbackRules) -> list[Greeting]:
    """Return the rows of greetings: those that were sent, else those of the rules; spare ones."""
    if request.method == "POST":
        pairs = zip_longest(
            request.form.getlist(_LANGUAGE), request.form.getlist(_SOUND), fillvalue=""
        )
        found = [Greeting(language.strip(), sound.strip()) for language, sound in pairs]
        found = [one for one in found if one.language or one.sound][:_MOST]
    else:
        found = [Greeting(language, sound) for language, sound in rules.greetings.items()]
    return [*found, *(Greeting() for _ in range(_SPARE))]


def rules_entry(form: RulesForm, rows: list[Greeting]) -> Entry:
    """Return what was sent in the form of the configuration file.

    Of greetings in the same language the first counts; `twice` tells of the others.
    """
    entry: Entry = {}
    for one in form:
        if one.name in ("csrf_token", "seen"):
            continue
        part, dot, key = one.name.partition(".")
        place = entry.setdefault(part, {}) if dot else entry
        value = _sent(one)
        if value is not None:
            place[key if dot else part] = value
    entry["greetings"] = {}
    for row in rows:
        if row.language or row.sound:
            entry["greetings"].setdefault(row.language, row.sound)
    return entry


def twice(rows: list[Greeting]) -> list[Greeting]:
    """Return the rows whose language another one has already."""
    languages: set[str] = set()
    found = []
    for row in rows:
        if row.language and row.language in languages:
            found.append(row)
        languages.add(row.language)
    return found


def blame(form: RulesForm, rows: list[Greeting], errors: list[ConfigError]) -> list[str]:
    """Put each error beside its field; return those that have none, with their places."""
    rest = []
    for error in errors:
        name = error.path.removeprefix(f"{CALLBACKS}.")
        part = name.partition("[")[0]
        words = error_words(error)
        if part in form:
            if "[" in name:
                words = f"{error.value}: {words}" if error.value else words
                form[part].errors = [*form[part].errors, words]
            else:  # of an empty field the last one says what belongs there
                form[part].errors = [words]
            continue
        language = name.removeprefix("greetings.")
        guilty = [row for row in rows if f"greetings.{row.language}" == name]
        guilty = [row for row in guilty if language or row.sound][:1]
        for row in guilty:
            row.errors.append(words)
        if not guilty:
            rest.append(f"{error.path}: {words}")
    return rest


def _values(rules: CallbackRules) -> Iterator[tuple[str, Any]]:
    """Return what stands in the fields for rules."""
    for name, value in callbacks_entry(rules, None).items():
        if name == "greetings":
            continue
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for key, one in parts:
            yield _value(f"{name}.{key}" if key else name, one)


def _value(name: str, value: Any) -> tuple[str, Any]:
    if name in _SWITCHES:
        return name, value == "true"
    if name == "quiet.days":
        return name, expanded(value)
    return name, ", ".join(value) if name == "regions" else value


def _sent(one: Any) -> Any:
    """Return what was sent for a field as the file has it, None for nothing."""
    if one.name in _SWITCHES:
        return "true" if one.data else "false"
    if one.name == "types":
        return list(one.data or ())
    if one.name == "quiet.days":
        return ",".join(day for day in one.data or () if day in DAYS) or None
    sent = str(one.raw_data[0]).strip() if one.raw_data else ""
    if one.name == "regions":
        return [each for each in sent.replace(",", " ").split() if each]
    return sent
