"""What a calendar says about duty: its events become shifts of a group, or absences of somebody.

An event of a group's calendar puts on duty whom it names, in its title or among its attendees.
Every event of an operator's own calendar is an absence, unless it is shown as free time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from telephony.domain.duty.entries import Absence, AbsenceKind, OneOff, Roster

# The zone whose clocks imported entries follow: what they say is a moment, not a wall's clock.
IMPORTED_ZONE = "UTC"
# The fact that a calendar has failed for so long that people are told.
CALENDAR_FAILED = "calendar.failed"

_MINUTE = timedelta(minutes=1)
_LIST = re.compile(r"[,;/+&|\n]|\s(?:and|и)\s")
_PIECES = re.compile(r"[:()\[\]]|\s[-–—]+\s")
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\b[0-9]{2,10}\b")
_LABELLED = re.compile(r"(.*\S)\s*\(([0-9]{2,10})\)")
_MAIL = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_TITLE = 80


class Flaw(StrEnum):
    """Why an event, or a name in it, was not taken."""

    NOBODY = "nobody"
    UNKNOWN_NAME = "unknown_name"
    AMBIGUOUS_NAME = "ambiguous_name"
    NO_LENGTH = "no_length"
    UNREADABLE = "unreadable"
    UNKNOWN_ZONE = "unknown_zone"


class Takes(StrEnum):
    """Which events of an operator's calendar are absences."""

    BUSY = "busy"
    MARKED = "marked"


@dataclass(frozen=True, slots=True)
class Attendee:
    """Who is invited: a name and an e-mail address, either may be empty."""

    name: str
    mail: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One occurrence of an event from `start` to `end` (aware, UTC).

    `free`: shown as free time. `away`: marked as out of office. `invited` are those who did not
    decline, without the organizer unless there is nobody else.
    """

    start: datetime
    end: datetime
    title: str
    categories: tuple[str, ...] = ()
    invited: tuple[Attendee, ...] = ()
    free: bool = False
    away: bool = False


@dataclass(frozen=True, slots=True)
class Complaint:
    """What was not taken: `text` is the name or the value in question, `at` the first time."""

    flaw: Flaw
    title: str
    text: str = ""
    at: datetime | None = None


class People:
    """Finds the operators that a text names: by extension, name, login or e-mail address."""

    def __init__(self, names: Mapping[str, str], aliases: Iterable[tuple[str, str]] = ()) -> None:
        """`names` maps extensions to names; `aliases` are (login or address, extension)."""
        self._names = {extension: words(name) for extension, name in names.items()}
        self._aliases: dict[str, set[str]] = {}
        for alias, extension in aliases:
            if extension in names:
                self._aliases.setdefault(alias.casefold(), set()).add(extension)

    def of_mail(self, mail: str) -> set[str]:
        """Return whose e-mail address it is."""
        address = mail.casefold()
        local = address.partition("@")[0]
        found = self._aliases.get(address) or self._aliases.get(local)
        if found:
            return set(found)
        if local in self._names:
            return {local}
        parts = words(local.replace("_", " "))
        return {who for who, name in self._names.items() if name and name == parts}

    def of_text(self, text: str) -> set[str]:
        """Return whom one name or short text means: nobody, one, or several of one name."""
        mail = _MAIL.search(text)
        if mail and (found := self.of_mail(mail[0])):
            return found
        numbers = {number for number in _NUMBER.findall(text) if number in self._names}
        if numbers or (numbers := self.of_name(text)):
            return numbers
        there = words(text)
        contained = {who for who, name in self._names.items() if len(name) > 1 and name <= there}
        if contained:
            return contained
        if len(there) == 1:
            return {who for who, name in self._names.items() if there <= name}
        return set()

    def of_name(self, text: str) -> set[str]:
        """Return whose name or login all of a text is."""
        there = words(text)
        named = {who for who, name in self._names.items() if name and name == there}
        return named or set(self._aliases.get(text.strip().casefold(), ()))


def words(text: str) -> frozenset[str]:
    """Return the words of a text, without case and the dots of ё."""
    return frozenset(_WORD.findall(text.casefold().replace("ё", "е")))


def imported_shifts(
    happenings: Iterable[Happening], people: People, layer: int = 0
) -> tuple[tuple[OneOff, ...], tuple[Complaint, ...]]:
    """Return a group's shifts, by the clocks of IMPORTED_ZONE, and what could not be taken."""
    shifts: dict[OneOff, None] = {}
    complaints: list[Complaint] = []
    for event in happenings:
        start, end = _minutes(event)
        if start >= end:
            complaints.append(Complaint(Flaw.NO_LENGTH, event.title, at=event.start))
            continue
        named, wrong = _named(event, people)
        complaints += wrong
        for who in named:
            shifts[OneOff(who, start, end, layer)] = None
    found = sorted(shifts, key=lambda one: (one.start, one.end, one.operator))
    return tuple(found), condensed(complaints)


def imported_absences(
    happenings: Iterable[Happening], operator: str, takes: Takes = Takes.BUSY
) -> tuple[tuple[Absence, ...], tuple[Complaint, ...]]:
    """Return an operator's absences, by the clocks of IMPORTED_ZONE, and what was not taken."""
    found: dict[Absence, None] = {}
    complaints: list[Complaint] = []
    for event in happenings:
        kind = kind_of(event)
        if kind is None and (event.free or takes is Takes.MARKED):
            continue
        start, end = _minutes(event)
        if start >= end:
            complaints.append(Complaint(Flaw.NO_LENGTH, event.title, at=event.start))
            continue
        absence = Absence(operator, start, end, IMPORTED_ZONE, kind or AbsenceKind.OTHER)
        found[absence] = None
    return tuple(sorted(found, key=lambda one: (one.start, one.end))), condensed(complaints)


def with_imported(
    roster: Roster, shifts: tuple[OneOff, ...], absences: tuple[Absence, ...]
) -> Roster:
    """Return a roster with what calendars bring: its group's shifts, and absences.

    Of the absences, which are those of everybody, only those that matter to it: a company's
    calendars hold very many, and each group's day is resolved with all that its roster has.
    """
    if not shifts and not absences:
        return roster
    with_shifts = replace(roster, imported=shifts)
    named = set(with_shifts.named)
    away = tuple(one for one in absences if one.operator in named)
    return replace(with_shifts, absences=(*roster.absences, *away))


_SICK = re.compile(r"\b(?:sick|ill|illness|krank)\b|\bбольн|\bболе[еюзт]|\bболен\b")
_VACATION = re.compile(
    r"\b(?:vacations?|holidays?|annual leave|pto|leave|urlaub)\b|\bотпуск|\bканикул"
)
_AWAY = re.compile(
    r"\b(?:out of (?:the )?office|ooo|absent|absence|away|day off|days off|off sick|off"
    r"|business trip|parental)\b|\bотгул|\bотсутств|\bвыходн|\bкомандировк|\bнет на месте|\bдекрет"
)


def kind_of(event: Happening) -> AbsenceKind | None:
    """Return which absence the words or categories of an event mean; None when they mean none."""
    for text in (*event.categories, event.title):
        said = text.casefold().replace("ё", "е")
        for form, kind in (
            (_SICK, AbsenceKind.SICK),
            (_VACATION, AbsenceKind.VACATION),
            (_AWAY, AbsenceKind.OTHER),
        ):
            if form.search(said):
                return kind
    return AbsenceKind.OTHER if event.away else None


def condensed(complaints: Iterable[Complaint]) -> tuple[Complaint, ...]:
    """Return each complaint once, with the first time it is about: a series repeats them."""
    found: dict[tuple[Flaw, str, str], Complaint] = {}
    for each in complaints:
        key = (each.flaw, each.title, each.text)
        known = found.get(key)
        if known is None or (each.at and known.at and each.at < known.at):
            found[key] = each
    return tuple(found.values())


def _named(event: Happening, people: People) -> tuple[list[str], list[Complaint]]:
    """Return whom an event names, and the names that lead to nobody or to several."""
    found: dict[str, None] = {}
    strange: list[str] = []
    wrong: list[Complaint] = []

    def take(name: str, whose: set[str]) -> None:
        if len(whose) == 1:
            found.update(dict.fromkeys(whose))
        elif whose:
            wrong.append(Complaint(Flaw.AMBIGUOUS_NAME, event.title, name[:_TITLE], event.start))

    for part in _parts(event.title, people):
        whose = _whose(part, people)
        take(part, whose)
        if not whose:
            strange.append(part)
    by_title = bool(found) or bool(wrong)
    for who in event.invited:
        whose = people.of_mail(who.mail) if who.mail else set()
        whose = whose or (people.of_text(who.name) if who.name else set())
        take(who.name or who.mail, whose)
        if not whose:
            name = who.name or who.mail
            wrong.append(Complaint(Flaw.UNKNOWN_NAME, event.title, name[:_TITLE], event.start))
    if by_title:
        wrong += [
            Complaint(Flaw.UNKNOWN_NAME, event.title, part[:_TITLE], event.start)
            for part in strange
        ]
    if not found and not wrong:
        wrong.append(Complaint(Flaw.NOBODY, event.title, at=event.start))
    return list(found), wrong


def _parts(title: str, people: People) -> list[str]:
    """Return the names in a title: one when all of it is a name, as in “Ivanova, Anna”."""
    if people.of_name(title):
        return [title]
    labelled = _LABELLED.fullmatch(title)
    if labelled and labelled[2] in people.of_name(labelled[1]):
        return [labelled[2]]  # as we write it ourselves: “Ivanova, Anna (101)”
    return [part.strip() for part in _LIST.split(title) if _WORD.search(part)]


def _whose(part: str, people: People) -> set[str]:
    """Return whom a part of a title means: all of it, or what stands beside a colon or a dash."""
    whole = people.of_text(part)
    if whole:
        return whole
    for piece in _PIECES.split(part):
        if _WORD.search(piece) and (whose := people.of_text(piece)):
            return whose
    return set()


def _minutes(event: Happening) -> tuple[datetime, datetime]:
    """Return the whole minutes in which an event lies (naive, UTC)."""
    start, end = (at.astimezone(UTC).replace(tzinfo=None) for at in (event.start, event.end))
    whole = start.replace(second=0, microsecond=0)
    last = end.replace(second=0, microsecond=0)
    if start >= end:
        return whole, whole
    return whole, last if last == end else last + _MINUTE
