"""Who is on duty as a calendar that others subscribe to: of a group, or of one operator."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta

from telephony.domain.duty import Slot, resolve
from telephony.domain.setup import Setup
from telephony.ical.writing import Entry, write_calendar
from telephony.store.calendars import Owner

BACK, AHEAD = timedelta(days=7), timedelta(days=60)

_WORDS = {
    "en": {"duty": "On duty: {group}", "lunch": "Lunch: {what}", "instead": "In place of {who}"},
    "ru": {"duty": "Дежурство: {group}", "lunch": "Обед: {what}", "instead": "Вместо: {who}"},
}


def duty_calendar(
    setup: Setup, kind: Owner, owner: str, now: datetime, *, lunch: bool = False, language: str
) -> bytes | None:
    """Return the calendar from 7 days back to 60 days ahead of `now` (aware).

    Lunch breaks are left out without `lunch`. None when there is no such group or operator.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if kind is Owner.GROUP:
        if owner not in setup.groups:
            return None
        name = owner
    else:
        if owner not in setup.operators:
            return None
        name = setup.operators[owner].name
    entries: dict[str, Entry] = {}
    for entry in _entries(setup, kind, owner, today, lunch, language):
        known = entries.get(entry.uid)  # two shifts that begin at once are one duty
        if known is None or known.end < entry.end:
            entries[entry.uid] = entry
    return write_calendar(_plain(name), entries.values(), today)


def _entries(
    setup: Setup, kind: Owner, owner: str, today: datetime, lunch: bool, language: str
) -> Iterator[Entry]:
    words = _WORDS[language]
    for group in setup.groups.values():
        if kind is Owner.GROUP and group.name != owner:
            continue
        if kind is Owner.OPERATOR and owner not in group.roster.named:
            continue
        for slot in resolve(group.roster, today - BACK, today + AHEAD).slots:
            if (slot.lunch and not lunch) or (kind is Owner.OPERATOR and slot.operator != owner):
                continue
            title = _person(setup, slot.operator)
            if kind is Owner.OPERATOR:
                title = words["duty"].format(group=_plain(group.name))
            if slot.lunch:
                title = words["lunch"].format(what=title)
            about = ""
            if slot.instead_of is not None:
                about = words["instead"].format(who=_person(setup, slot.instead_of))
            yield Entry(_uid(kind, owner, group.name, slot), slot.start, slot.end, title, about)


def _uid(kind: Owner, owner: str, group: str, slot: Slot) -> str:
    parts = (kind.value, owner, group, slot.operator, slot.start.isoformat(), str(slot.lunch))
    return f"{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:32]}@dutyline"


def _person(setup: Setup, extension: str) -> str:
    known = setup.operators.get(extension)
    return extension if known is None else f"{_plain(known.name)} ({extension})"


def _plain(text: str) -> str:
    """Return a text without control characters, which no calendar may hold."""
    return "".join(letter for letter in text if unicodedata.category(letter)[0] != "C")
