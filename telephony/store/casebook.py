"""The open cases of a batch of calls: read at once, changed in memory, written in a few statements.

What is done to a case here is what `store.cases` does to it, in the same order and with the same
facts. Whoever has a book has the turn (`tables.in_turn`), so nobody else changes a case meanwhile;
who looks at the tables beside it lets it `write` before, and `read` what they changed after.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from telephony.domain.callback.cases import Case
from telephony.domain.callback.results import Why
from telephony.store.case_tables import missed_case
from telephony.store.cases import (
    JoinedCall,
    case_fact,
    case_values,
    join_calls,
    open_cases,
    promised_anew,
    told_of,
    told_of_new,
)
from telephony.store.outbox import add_facts
from telephony.store.tables import insert_all


@dataclass(eq=False, slots=True)
class Entry:
    """A case as it is now; its id is 0 until it is written."""

    case: Case
    promised_anew: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """A fact about a case as it was then: its id comes later."""

    entry: Entry
    kind: str
    case: Case
    at: datetime


class CaseBook:
    """Cases that are open, by number; `write` at the end."""

    def __init__(self, session: Session, now: datetime) -> None:
        """The caller has the turn; `now` is when facts are told, unless something else is said."""
        self._session = session
        self._now = now
        self._open: dict[str, Entry] = {}
        self._new: list[Entry] = []
        self._changed: dict[int, Entry] = {}
        self._joined: list[tuple[Entry, JoinedCall]] = []
        self._told: list[_Told] = []

    def read(self, numbers: Collection[str]) -> None:
        """Read the open cases of numbers, anew if need be; only of these are any found."""
        for number in numbers:
            self._open.pop(number, None)
        for number, case in open_cases(self._session, numbers).items():
            self._open[number] = Entry(case)

    def find(self, number: str) -> Entry | None:
        """Return the open case of a number that was read, None when there is none."""
        return self._open.get(number)

    def add(self, case: Case) -> Entry:
        """Put in a new case, which may be over already."""
        entry = Entry(case)
        self._new.append(entry)
        if case.open:
            self._open[case.number] = entry
        if (told := told_of_new(case, self._now)) is not None:
            self._told.append(_Told(entry, told[0], case, told[1]))
        return entry

    def save(self, entry: Entry, case: Case, now: datetime | None = None) -> None:
        """Make a case what it is now."""
        before = entry.case
        if case == before:
            return
        entry.case = case
        entry.promised_anew |= promised_anew(before, case)
        if case.id:
            self._changed[case.id] = entry
        if not case.open and self._open.get(case.number) is entry:
            del self._open[case.number]
        for kind in told_of(before, case):
            self._told.append(_Told(entry, kind, case, now or self._now))

    def join(self, entry: Entry, call_id: str, at: datetime, why: Why, did: str) -> None:
        """Put a missed call to a case; a call belongs to one."""
        self._joined.append((entry, JoinedCall(call_id, entry.case.id, at, why, did)))

    def write(self) -> None:
        """Write what changed, and the facts of it."""
        self._update()
        self._insert()
        calls = [replace(one, case_id=entry.case.id) for entry, one in self._joined]
        join_calls(self._session, calls)
        facts = [
            case_fact(one.kind, replace(one.case, id=one.entry.case.id), one.at)
            for one in self._told
        ]
        add_facts(self._session, facts, self._now)
        self._joined, self._told = [], []

    def _update(self) -> None:
        """Go before the new ones: one of them may be of a number whose case is over only now."""
        for anew in (False, True):
            rows: list[dict[str, Any]] = [
                {"key": key, **case_values(entry.case), **({"told": ""} if anew else {})}
                for key, entry in self._changed.items()
                if entry.promised_anew is anew
            ]
            if rows:
                this = missed_case.c.id == bindparam("key")
                self._session.execute(update(missed_case).where(this), rows)
        for entry in self._changed.values():
            entry.promised_anew = False
        self._changed = {}

    def _insert(self) -> None:
        rows = [case_values(entry.case) for entry in self._new]
        keys = insert_all(self._session, missed_case, rows)
        for entry, key in zip(self._new, keys, strict=True):
            entry.case = replace(entry.case, id=key)
            entry.promised_anew = False
        self._new = []
