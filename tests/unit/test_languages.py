"""The language that a client hears, by the country of their number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from telephony.callbacks.placing import placing_of
from telephony.domain.callback.rules import CallbackRules, First
from telephony.domain.orders import Placing
from telephony.domain.setup import Setup
from telephony.languages import heard, language_for, languages_of
from telephony.store.attempts import Attempt, AttemptState

NOW = datetime(2026, 11, 18, 10, 30, tzinfo=UTC)
RUSSIAN, BELARUSIAN, KAZAKH = "+79001110001", "+375291234567", "+77011234567"
GERMAN, SWISS, BRITISH, AMERICAN = "+4915112345678", "+41781234567", "+447400123456", "+12015550123"
NOWHERE = "+80012345678"


def order(number: str, rules: CallbackRules, case_id: int | None = 1) -> Placing:
    """What the PBX is told of a try at a number."""
    attempt = Attempt(
        id=7,
        case_id=case_id,
        number=number,
        did="74951234567",
        first=First.OPERATOR,
        operator="101",
        mobile=False,
        asked_by="" if case_id else "anna",
        state=AttemptState.CLAIMED,
        fence=1,
        lease_until=NOW,
        created_at=NOW,
        sent_at=None,
        uniqueid=None,
        ended_at=None,
        ended=None,
        cause=None,
        talk_ms=0,
    )
    return placing_of(Setup(callbacks=rules), attempt, None, 1795000000, timedelta(minutes=1))


@pytest.mark.parametrize(
    ("number", "language"),
    [
        (RUSSIAN, "ru"),
        (BELARUSIAN, "ru"),
        (KAZAKH, "ru"),
        (GERMAN, "de"),
        (SWISS, "de"),
        (BRITISH, "en"),
        (AMERICAN, "en"),
        (NOWHERE, "en"),
        ("+999123456789", "en"),
    ],
)
def test_each_greeting_is_played_to_its_country(number: str, language: str) -> None:
    greetings = {one: f"hello-{one}" for one in ("ru", "de", "en")}
    found = order(number, CallbackRules(greetings=greetings))
    assert (found.language, found.greeting) == (language, f"hello-{language}")


@pytest.mark.parametrize(
    ("greetings", "number", "language"),
    [
        ({"de": "hallo"}, RUSSIAN, ""),
        ({"de": "hallo"}, GERMAN, "de"),
        ({"fr": "salut", "it": "ciao"}, SWISS, "fr"),
        ({"en": "hello"}, GERMAN, "en"),
        ({"be": "dzien", "ru": "privet"}, BELARUSIAN, "be"),
        ({}, GERMAN, ""),
    ],
)
def test_without_a_greeting_of_theirs_english_is_played_or_none(
    greetings: Mapping[str, str], number: str, language: str
) -> None:
    found = order(number, CallbackRules(greetings=greetings))
    assert (found.language, found.greeting) == (language, greetings.get(language, ""))


@pytest.mark.parametrize(
    ("number", "language"), [(RUSSIAN, "ru"), (BELARUSIAN, "ru"), (GERMAN, "en"), (NOWHERE, "en")]
)
def test_the_key_alone_is_asked_for_in_a_language_that_has_sounds(
    number: str, language: str
) -> None:
    rules = CallbackRules(client_key=True, greetings={"fr": "salut"})
    assert (order(number, rules).language, order(number, rules).greeting) == (language, "")


def test_a_click_greets_nobody() -> None:
    rules = CallbackRules(greetings={"de": "hallo"})
    assert (order(GERMAN, rules, None).greeting, order(GERMAN, rules, None).language) == ("", "")
    assert order(GERMAN, replace(rules, client_key=True), None).language == "en"


def test_what_would_never_be_heard_is_known() -> None:
    assert heard(["ru", "de", "en"]) == {"ru", "de", "en"}
    assert heard(["kk"]) == {"kk"}
    assert heard(["kk", "ru"]) == {"ru"}
    assert heard(["", "xx", "eo", "rus", "Ru", "fil"]) == set()


def test_languages_have_two_letters_each_once() -> None:
    assert languages_of("CH") == ("de", "fr", "it")
    assert languages_of("RS") == ("sr",)
    assert languages_of("US") == ("en",)
    assert languages_of("") == ()
    assert language_for(GERMAN, ["en", "de"]) == "de"
