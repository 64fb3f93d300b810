"""The catalogues are complete: every message in every language, with all plural forms."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Message

from web.catalogues import LANGUAGES, extracted, stored

_VALUES = re.compile(r"%\((\w+)\)[sd]")


def _forms(message: Message) -> tuple[str, ...]:
    strings = message.string
    return (strings,) if isinstance(strings, str) else tuple(strings or ())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    found = extracted()
    catalogue = stored(language)
    assert len(found) > 200
    missing = [one.id for one in found if one.id and one.id not in catalogue]
    assert missing == [], "make translations, then translate what is new"
    known = {one.id for one in found}
    assert [one.id for one in catalogue if one.id and one.id not in known] == []
    assert [one.id for one in catalogue if one.id and one.fuzzy] == []
    forms = catalogue.num_plurals
    for one in catalogue:
        if not one.id:
            continue
        translated = _forms(one)
        assert all(translated), f"not translated: {one.id}"
        assert len(translated) == (forms if isinstance(one.id, (tuple, list)) else 1), one.id
        plural = one.id[1] if isinstance(one.id, (tuple, list)) else one.id
        for form in translated:
            assert set(_VALUES.findall(form)) == set(_VALUES.findall(plural)), one.id


def test_russian_has_three_plural_forms_and_russian_letters() -> None:
    catalogue = stored("ru")
    assert catalogue.num_plurals == 3
    assert not catalogue.fuzzy
    latin = [
        one.id
        for one in catalogue
        if one.id and not re.search("[а-яё]", " ".join(_forms(one)), re.I)
    ]
    # Only what is the same in both: signs and names.
    assert all(
        not re.search("[a-z]{3}", _VALUES.sub("", str(one)), re.I)
        or "API" in str(one)
        or "VIP" in str(one)
        for one in latin
    ), latin


def test_the_catalogues_are_as_the_tool_writes_them() -> None:
    for language in LANGUAGES:
        assert stored(language).locale is not None
        assert "POT-Creation-Date" not in str(stored(language).header_comment)
