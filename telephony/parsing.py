"""The texts of settings into values: every function here raises ValueError for a wrong one."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from telephony.domain.numbers import is_country

Network = IPv4Network | IPv6Network


def matching(pattern: str) -> Callable[[str], str]:
    """Return a function that takes texts which match a pattern as a whole, as they are."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return parse


def port(text: str) -> int:
    """Return a TCP port, 1 to 65535."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= 65535:
        raise ValueError(text)
    return number


def site(text: str) -> str:
    """Return an http(s) URL of a host, without a path and its slash; empty stays empty."""
    parts = urlsplit(text)
    plain = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")
    if text and (not plain or parts.query or parts.fragment or parts.username):
        raise ValueError(text)
    _ = parts.port  # ValueError for one that is none
    return text.rstrip("/")


def optional_path(text: str) -> Path | None:
    """Return a path, None for an empty text."""
    return Path(text) if text else None


def few(text: str) -> int:
    """Return a number from 0 to 5."""
    if text not in tuple("012345"):
        raise ValueError(text)
    return int(text)


def networks(text: str) -> tuple[Network, ...]:
    """Return addresses and networks, separated by commas; none for an empty text."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def keys(text: str) -> tuple[str, ...]:
    """Return long keys without spaces, separated by commas; none for an empty text."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(re.fullmatch(r"[!-+\--~]{32,200}", key) for key in found):
        raise ValueError(text)
    return found


def ports(text: str) -> tuple[int, ...]:
    """Return TCP ports, separated by commas."""
    return tuple(port(part.strip()) for part in text.split(","))


def country(text: str) -> str:
    """Return an ISO 3166 alpha-2 code that libphonenumber knows."""
    if not is_country(text):
        raise ValueError(text)
    return text
