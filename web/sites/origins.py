"""Addresses of web sites as people type them, made into what a browser sends as Origin."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
# There browsers give scripts what the proof of work needs, even without https.
_LOCAL = ("localhost", "127.0.0.1")
_PORTS = {"https": 443, "http": 80}


def origin_of(text: str) -> str | None:
    """Return the origin of an address (`www.example.com`, `https://example.com/`), None for others.

    Without https there is none, but for the machine itself.
    """
    typed = text.strip()
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    try:
        host = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOCAL):
        return None
    more = (parts.path.strip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if any(more) or len(host) > 253 or _HOST.fullmatch(host) is None:
        return None
    usual = port is None or port == _PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"
