"""Every code that people see has words in both languages."""

from __future__ import annotations

import string
from enum import StrEnum

import pytest

from telephony.ami.names import FALLBACK_REASONS
from telephony.configfile import Mistake
from telephony.configfile.mistakes import say_mistake
from telephony.domain.callback import cases as callbacks
from telephony.domain.callback.results import Ended, Why
from telephony.domain.directory import Stage
from telephony.domain.duty.calendars import Flaw
from telephony.domain.record import (
    Direction,
    Disposition,
    LegKind,
    MomentKind,
    Outcome,
    Side,
    Source,
)
from telephony.domain.routing import Kind, Reason, Rule
from telephony.ical import Fault
from telephony.words import LANGUAGES, say, say_fallback

CODES: list[StrEnum] = [
    *Rule,
    *Reason,
    *Kind,
    *Disposition,
    *Side,
    *Outcome,
    *Direction,
    *Source,
    *MomentKind,
    *LegKind,
    *Flaw,
    *Fault,
    *Stage,
    *callbacks.CaseState,
    *callbacks.Source,
    *callbacks.Ending,
    *callbacks.Attention,
    *Why,
    *Ended,
]


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{type(code).__name__}.{code}")
def test_words_in_each_language_with_the_same_values(code: StrEnum) -> None:
    said = [say(code, language) for language in LANGUAGES]
    assert all(text.strip() for text in said)
    assert len({frozenset(_placeholders(text)) for text in said}) == 1


def test_russian_words_are_russian() -> None:
    for code in CODES:
        plain = "".join(text for text, *_ in string.Formatter().parse(say(code, "ru")))
        letters = [letter for letter in plain if letter.isalpha()]
        assert not letters or any("а" <= letter.lower() <= "я" for letter in letters), code


@pytest.mark.parametrize("code", FALLBACK_REASONS)
def test_why_a_fallback_was_taken_has_words(code: str) -> None:
    english, russian = (say_fallback(code, language) for language in LANGUAGES)
    assert english != code
    assert any("а" <= letter <= "я" for letter in russian)


def test_a_reason_that_nobody_knows_stands_for_itself() -> None:
    assert say_fallback("moonlight", "ru") == "moonlight"


@pytest.mark.parametrize("code", Mistake)
def test_what_is_wrong_in_a_set_up_has_words(code: Mistake) -> None:
    values = Values()
    english, russian = (say_mistake(code, values, language) for language in LANGUAGES)
    assert english.strip()
    assert any("а" <= letter <= "я" for letter in russian)
    names = {name: f"<{name}>" for name in values.asked}
    said = [say_mistake(code, names, language) for language in LANGUAGES]
    assert all(mark in each for mark in names.values() for each in said)


class Values(dict[str, str]):
    """Has every value, and keeps which were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def __missing__(self, name: str) -> str:
        self.asked.add(name)
        return ""
