"""Texts of strangers, made fit for showing: a caller's name may hold anything."""

from __future__ import annotations

import re
import unicodedata

# What turns the direction of writing, or is not seen at all.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
# A cell that begins like this is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SPACES = re.compile(r"[^\S\N{NO-BREAK SPACE}]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def visible(text: object) -> str:
    """Return a text without control characters and marks of direction, its spaces made plain.

    A no-break space stays: our own sentences have some.
    """
    shown = "".join(
        " " if letter in "\t\r\n\x0b\x0c\x85\u2028\u2029" else letter
        for letter in str(text)
        if letter in "\t\r\n\x0b\x0c\x85" or unicodedata.category(letter) not in _HIDDEN
    )
    return _SPACES.sub(" ", shown).strip()


def cell(text: str) -> str:
    """Return a text fit for a cell of a spreadsheet: never a formula."""
    if text.startswith(_FORMULA) and not _E164.fullmatch(text):
        return f"'{text}"
    return text
