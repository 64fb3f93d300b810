"""Which language a client hears: nothing but the country of their number tells it."""

from __future__ import annotations

import functools
from collections.abc import Collection

import phonenumbers
from babel.languages import get_official_languages

# What is heard where none of the country's own languages is there.
USUAL = "en"


@functools.cache
def languages_of(country: str) -> tuple[str, ...]:
    """Return the official languages of a country in two letters each, the most spoken first."""
    found = get_official_languages(country) or get_official_languages(country, de_facto=True)
    names = (one.partition("_")[0] for one in found)  # of sr_Latn the script makes no sound
    return tuple(dict.fromkeys(name for name in names if len(name) == 2))


def language_for(number: str, among: Collection[str]) -> str:
    """Return which of some languages fits a number in E.164; English where none does."""
    try:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        country = ""
    return _chosen(country, among)


def heard(among: Collection[str]) -> frozenset[str]:
    """Return those of some languages that are ever chosen: by the numbers of any country."""
    return frozenset(
        language
        for country in ("", *phonenumbers.SUPPORTED_REGIONS)
        if (language := _chosen(country, among)) in among
    )


def _chosen(country: str, among: Collection[str]) -> str:
    return next((one for one in languages_of(country) if one in among), USUAL)
