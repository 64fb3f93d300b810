"""The button's script: one file for all sites, with what is different put in front."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from telephony.store.sites import Site


def script(site: Site) -> str:
    """Return the script of a site."""
    # Escaped, although it is a file of its own: nobody knows where it is pasted.
    told = json.dumps({"key": site.key, "title": site.title, "language": site.language})
    for letter in "<>&":
        told = told.replace(letter, f"\\u{ord(letter):04x}")
    return _code().replace('"@site@"', told, 1)


@cache
def _code() -> str:
    return (Path(__file__).parent / "button.js").read_text(encoding="utf-8")
