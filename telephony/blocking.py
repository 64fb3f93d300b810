"""Lines of the block list as people write them: checked and saved, for the panel and the API."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from telephony.domain.blocklist import Blocked, read_pattern
from telephony.store.blocklist import MOST, TooManyError, amend, block, find_pattern, get_blocked
from telephony.store.clients import count_beginning, find_owners, get_clients
from telephony.store.directory import lock_version

LONGEST_REASON = 200
MOST_AT_ONCE = 500
FURTHEST = timedelta(days=3660)


class Objection(StrEnum):
    """What can be wrong with a line of the block list."""

    NO_PATTERN = "no_pattern"
    NOT_A_PATTERN = "not_a_pattern"
    TOO_MANY_AT_ONCE = "too_many_at_once"
    ON_THE_LIST = "on_the_list"
    REASON_EMPTY = "reason_empty"
    REASON_LONG = "reason_long"
    CONTROL_CHARACTER = "control_character"
    PAST = "past"
    TOO_FAR = "too_far"
    LIST_FULL = "list_full"


@dataclass(frozen=True, slots=True)
class WrittenBlock:
    """What somebody wrote: numbers, beginnings or `hidden`, why, and until when (aware)."""

    patterns: Sequence[str]
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Objected:
    """One thing wrong: the field (patterns, reason, until), its value, why, and a detail."""

    field: str
    value: str
    objection: Objection
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Put:
    """What became of it: the lines with their ids; nothing was written when `wrong`."""

    lines: tuple[tuple[int, Blocked], ...] = ()
    wrong: tuple[Objected, ...] = ()


@dataclass(frozen=True, slots=True)
class Behind:
    """A client whose number a pattern blocks; None stands for `count` clients with a beginning."""

    pattern: str
    client_id: int | None
    name: str = ""
    count: int = 1


def check_block(
    session: Session, written: WrittenBlock, country: str, now: datetime
) -> tuple[list[str], list[Objected]]:
    """Return the patterns that were meant, each once, and everything that is wrong.

    A line that stands on the list already is wrong unless its time is over.
    """
    wrong = _reason(written.reason)
    patterns: list[str] = []
    texts = [text for text in written.patterns if text.strip()]
    if not texts:
        wrong.append(Objected("patterns", "", Objection.NO_PATTERN))
    if len(texts) > MOST_AT_ONCE:
        wrong.append(Objected("patterns", "", Objection.TOO_MANY_AT_ONCE, str(MOST_AT_ONCE)))
        texts = []
    for text in texts:
        pattern = read_pattern(text, country)
        if pattern is None:
            wrong.append(Objected("patterns", text.strip(), Objection.NOT_A_PATTERN))
        elif pattern not in patterns:
            patterns.append(pattern)
            known = find_pattern(session, pattern)
            if known is not None and known[1].holds(now):
                reason = known[1].reason
                wrong.append(Objected("patterns", pattern, Objection.ON_THE_LIST, reason))
    return patterns, wrong + _until(written.until, now)


def put_on_list(
    session: Session, written: WrittenBlock, country: str, by: str, now: datetime
) -> Put:
    """Check the lines and put them on the list, all or none; the caller commits.

    `by` is who adds them (a login), `now` is aware.
    """
    lock_version(session)
    patterns, wrong = check_block(session, written, country, now)
    if wrong:
        return Put(wrong=tuple(wrong))
    reason = written.reason.strip()
    lines = [Blocked(pattern, reason, by, now, written.until) for pattern in patterns]
    try:
        ids = block(session, lines)
    except TooManyError:
        return Put(wrong=(Objected("patterns", "", Objection.LIST_FULL, str(MOST)),))
    return Put(tuple(zip(ids, lines, strict=True)))


def change_line(
    session: Session, line_id: int, reason: str, until: datetime | None, now: datetime
) -> tuple[Blocked | None, Put]:
    """Give a line another reason and end; return (what it was, what became of it).

    The caller commits. Without such a line both are empty.
    """
    lock_version(session)
    before = get_blocked(session, line_id)
    if before is None:
        return None, Put()
    wrong = _reason(reason) + _until(until, now)
    if wrong:
        return before, Put(wrong=tuple(wrong))
    after = replace(before, reason=reason.strip(), until=until)
    if after != before:
        amend(session, line_id, after.reason, after.until)
    return before, Put(((line_id, after),))


def clients_behind(session: Session, patterns: Sequence[str]) -> list[Behind]:
    """Return the clients whom these patterns would block; beginnings with how many they are."""
    owners = find_owners(session, patterns)
    names = get_clients(session, set(owners.values()))
    found = []
    for pattern in patterns:
        if pattern in owners:
            owner = owners[pattern]
            found.append(Behind(pattern, owner, names[owner].name))
        elif pattern.endswith("*"):
            count = count_beginning(session, pattern[:-1])
            if count:
                found.append(Behind(pattern, None, count=count))
    return found


def audited(line: Blocked) -> dict[str, str | None]:
    """Return what the audit log says of a line besides its pattern."""
    until = None if line.until is None else f"{line.until:%Y-%m-%d %H:%M} UTC"
    return {"reason": line.reason, "until": until}


def _reason(reason: str) -> list[Objected]:
    if not reason.strip():
        return [Objected("reason", "", Objection.REASON_EMPTY)]
    if len(reason) > LONGEST_REASON:
        return [Objected("reason", reason[:20] + "…", Objection.REASON_LONG, str(LONGEST_REASON))]
    for character in reason:
        if unicodedata.category(character) in ("Cc", "Cs"):
            code = f"U+{ord(character):04X}"
            return [Objected("reason", reason, Objection.CONTROL_CHARACTER, code)]
    return []


def _until(until: datetime | None, now: datetime) -> list[Objected]:
    if until is None:
        return []
    if until <= now:
        return [Objected("until", until.isoformat(), Objection.PAST)]
    if until - now > FURTHEST:
        return [Objected("until", until.isoformat(), Objection.TOO_FAR)]
    return []
