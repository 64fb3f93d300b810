"""What the list of cases is asked for: from an address to a filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from telephony.domain.callback.cases import Source
from telephony.domain.callback.results import Why
from telephony.domain.duty.walltime import reached, shown
from telephony.domain.numbers import normalise
from telephony.store.case_lists import CaseFilter, Right, View
from web.calls.asking import midnight, read_asking
from web.texts import gettext

# So many days back are cases that are over looked for, unless somebody says when.
DAYS = 30
_LONGEST = 100
_FEWEST = 4

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Asking:
    """The fields of the form as they were filled in; what was nonsense is left out."""

    view: View = View.OPEN
    q: str = ""
    did: str = ""
    group: str = ""
    operator: str = ""
    why: Why | None = None
    source: Source | None = None
    first: date | None = None
    last: date | None = None

    @property
    def chosen(self) -> bool:
        """Whether anything but a view is asked for."""
        return bool(self.q) or self.more_set > 0

    @property
    def more_set(self) -> int:
        """How many of the filters beside the search box are set; the days count as one."""
        days = self.first or self.last
        more = (days, self.did, self.group, self.operator, self.why, self.source)
        return sum(1 for one in more if one)


def read(values: Mapping[str, str]) -> Asking:
    """Return what an address asks for."""
    plain = read_asking(values)
    return Asking(
        view=_code(View, values.get("view", "")) or View.OPEN,
        q=plain.q,
        did=plain.did,
        operator=plain.operator,
        first=plain.first,
        last=plain.last,
        group=_text(values.get("group", "")),
        why=_code(Why, values.get("why", "")),
        source=_code(Source, values.get("source", "")),
    )


def where_of(
    asking: Asking, right: Right | None, me: str, today: date, zone: str, country: str
) -> CaseFilter:
    """Return the filter; `right` is what the reader may see, `me` their extension."""
    number, tail, name = sought(asking.q, country)
    first = asking.first
    if first is None and number is None:
        first = (asking.last or today) - timedelta(days=DAYS - 1)
    return CaseFilter(
        view=asking.view,
        me=me,
        did=asking.did or None,
        group=asking.group or None,
        operator=asking.operator or None,
        why=asking.why,
        source=asking.source,
        number=number,
        tail=tail,
        name=name,
        since=None if first is None else midnight(first, zone),
        until=None if asking.last is None else midnight(asking.last + timedelta(days=1), zone),
        right=right,
    )


def sought(text: str, country: str) -> tuple[str | None, str | None, str | None]:
    """Return (whole number, its last digits, part of a name) that a text asks for: one of them."""
    number, tail = numbers_of(text, country)
    return (None, None, text) if number == "" else (number, tail, None)


def numbers_of(text: str, country: str) -> tuple[str | None, str | None]:
    """Return (whole number, its last digits) that a text asks for; no number fits other texts."""
    if not text:
        return None, None
    whole = normalise(text, country)
    if whole is not None:
        return whole, None
    last = "".join(letter for letter in text if letter.isascii() and letter.isdigit())
    named = any(letter.isalpha() for letter in text)
    return (None, last) if len(last) >= _FEWEST and not named else ("", None)


def head_of(text: str, country: str) -> str:
    """Return how numbers begin that a text asks for; empty for every number."""
    whole = normalise(text, country)
    if whole is not None or not text:
        return whole or ""
    return "+" + "".join(letter for letter in text if letter.isascii() and letter.isdigit())


def moment_of(day: date, at: time, zone: str) -> datetime | None:
    """Return the moment at which the clocks of a zone show this; None when they skip it.

    What they show twice is meant the first time.
    """
    local = datetime.combine(day, at)
    try:
        found = reached(local, zone)
        return found if shown(found, zone) == local else None
    except OverflowError:
        return None


class NoTimeError(ValueError):
    """A day and a time that are none, or that the clocks skip: in the reader's words."""


def agreed_time(values: Mapping[str, str], zone: str) -> datetime:
    """Return the moment that a form asks for, by the clocks of a zone. Raises NoTimeError."""
    try:
        day = date.fromisoformat(values.get("day", ""))
        at = time.fromisoformat(values.get("time", "")).replace(second=0, microsecond=0)
    except ValueError:
        raise NoTimeError(gettext("Choose a day and a time.")) from None
    found = moment_of(day, at.replace(tzinfo=None), zone)
    if found is None:
        raise NoTimeError(gettext("The clocks skip this time on that day: choose another one."))
    return found


def _text(value: str) -> str:
    return "".join(letter for letter in value if letter.isprintable())[:_LONGEST].strip()


def _code(kinds: type[E], value: str) -> E | None:
    try:
        return kinds(value)
    except ValueError:
        return None
