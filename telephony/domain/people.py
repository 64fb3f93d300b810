"""Who is who in what the PBX writes down: endpoints, numbers, and the digits of foreign text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_MOST_DIGITS = 16


@dataclass(frozen=True, slots=True)
class People:
    """Who is who: endpoint → extension, and number → (number, client's id, client's name)."""

    endpoints: Mapping[str, str]
    client_of: Callable[[str], tuple[str, int | None, str]]


def digits_in(text: str) -> str:
    """Return the digits of a foreign text, with a leading +; no more than a number has."""
    found = re.sub(r"[^0-9]", "", text)[: _MOST_DIGITS - 1]
    return f"+{found}" if found and text.strip().startswith("+") else found
