"""The words for whose a calendar is, and for what it brings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from telephony.domain.duty import Absence, AbsenceKind, OneOff
from telephony.domain.duty.calendars import Takes
from telephony.domain.setup import Setup
from telephony.store.calendars import Copy, Owner
from web.cleaning import visible
from web.texts import gettext

AHEAD = timedelta(days=14)  # what is shown of a calendar before it is used


@dataclass(frozen=True, slots=True)
class Brought:
    """One shift or absence of a calendar: who or why, from when to when."""

    words: str
    start: datetime
    end: datetime


def owner_words(setup: Setup, kind: Owner, owner: str) -> str:
    """Return whose calendar it is."""
    if kind is Owner.GROUP:
        return gettext("Group %(name)s", name=visible(owner))
    known = setup.operators.get(owner)
    return owner if known is None else f"{visible(known.name)} ({owner})"


def owner_key(kind: Owner, owner: str) -> str:
    """Return an owner as one value of a form."""
    return f"{kind.value}:{owner}"


def owner_of(setup: Setup, key: str) -> tuple[Owner, str] | None:
    """Return the owner that a form's value means; None when there is no such one."""
    kind, _, owner = key.partition(":")
    if kind == Owner.GROUP and owner in setup.groups:
        return Owner.GROUP, owner
    if kind == Owner.OPERATOR and owner in setup.operators:
        return Owner.OPERATOR, owner
    return None


def owners(setup: Setup) -> list[tuple[str, str]]:
    """Return (value, words) of everybody who may have a calendar: groups, then operators."""
    known = [(Owner.GROUP, name) for name in sorted(setup.groups)]
    known += [(Owner.OPERATOR, extension) for extension in sorted(setup.operators)]
    return [(owner_key(kind, owner), owner_words(setup, kind, owner)) for kind, owner in known]


def takes_words(takes: Takes) -> str:
    """Return which events of an operator's calendar are absences."""
    return {
        Takes.BUSY: gettext("All events, but for those shown as free"),
        Takes.MARKED: gettext("Only those whose title or category says so"),
    }[takes]


def kind_words(kind: AbsenceKind) -> str:
    """Return which absence it is."""
    return {
        AbsenceKind.VACATION: gettext("vacation"),
        AbsenceKind.SICK: gettext("sick leave"),
        AbsenceKind.OTHER: gettext("away"),
    }[kind]


def brought(setup: Setup, copy: Copy, now: datetime) -> list[Brought]:
    """Return what a calendar brings in the next 14 days, by time."""
    found = []
    entries: list[OneOff | Absence] = [*copy.shifts, *copy.absences]
    for one in entries:
        start, end = one.start.replace(tzinfo=UTC), one.end.replace(tzinfo=UTC)
        if end <= now or start >= now + AHEAD:
            continue
        if isinstance(one, Absence):
            said = kind_words(one.kind)
        else:
            said = owner_words(setup, Owner.OPERATOR, one.operator)
        found.append(Brought(said, start, end))
    return sorted(found, key=lambda one: (one.start, one.end, one.words))
