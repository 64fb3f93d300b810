"""What `dutyline doctor` finds: a check, how it went, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: how it went, what was seen, and what to do when it is not ok."""

    level: Level
    what: str
    advice: str = ""


def ok(what: str) -> Finding:
    """Return a finding that is fine."""
    return Finding(Level.OK, what)


def failed(what: str, advice: str) -> Finding:
    """Return a finding that stops calls or records."""
    return Finding(Level.FAILED, what, advice)


def warning(what: str, advice: str) -> Finding:
    """Return a finding that an admin should look at."""
    return Finding(Level.WARNING, what, advice)
