"""What the list of calls is asked for: from an address to a filter, days in the reader's zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from telephony.accounts import Role, User
from telephony.domain.record import Direction, Disposition
from telephony.store.asked import asked
from telephony.store.search import Filter

_FIRST = date(1971, 1, 1)
_LAST = date(2199, 12, 31)
_LONGEST = 100

E = TypeVar("E", bound=StrEnum)


class Period(StrEnum):
    """Days that are often asked for."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Asking:
    """The fields of the form as they were filled in; what was nonsense is left out."""

    q: str = ""
    first: date | None = None
    last: date | None = None
    direction: Direction | None = None
    disposition: Disposition | None = None
    did: str = ""
    operator: str = ""

    @property
    def chosen(self) -> bool:
        """Whether anything is asked for at all."""
        return self != Asking()

    @property
    def more_set(self) -> int:
        """How many of the filters beside the search box are set; the days count as one."""
        days = self.first or self.last
        more = (days, self.direction, self.disposition, self.did, self.operator)
        return sum(1 for one in more if one)


def read_asking(values: Mapping[str, str]) -> Asking:
    """Return what an address asks for; two days the wrong way round are turned."""
    first, last = _day(values.get("from", "")), _day(values.get("to", ""))
    if first is not None and last is not None and first > last:
        first, last = last, first
    return Asking(
        q=_text(values.get("q", "")),
        first=first,
        last=last,
        direction=_code(Direction, values.get("direction", "")),
        disposition=_code(Disposition, values.get("disposition", "")),
        did=_text(values.get("did", "")),
        operator=_text(values.get("operator", "")),
    )


def days_of(period: Period, today: date) -> tuple[date, date]:
    """Return the first and the last day of a period."""
    return {
        Period.TODAY: (today, today),
        Period.YESTERDAY: (today - timedelta(days=1), today - timedelta(days=1)),
        Period.WEEK: (today - timedelta(days=6), today),
        Period.MONTH: (today - timedelta(days=29), today),
    }[period]


def periods(asking: Asking, today: date) -> Iterator[tuple[Period, date, date, bool]]:
    """Yield (period, first day, last day, whether it is the one asked for)."""
    for period in Period:
        first, last = days_of(period, today)
        yield period, first, last, (first, last) == (asking.first, asking.last)


def midnight(day: date, zone: str) -> datetime:
    """Return the moment at which a day begins in a zone, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def right_of(user: User) -> str | None:
    """Return the extension whose calls alone a user may see; None for those who see all.

    An operator without an extension sees none: "" takes part in no call.
    """
    return (user.extension or "") if user.role is Role.OPERATOR else None


def where_of(
    session: Session, asking: Asking, mine: str | None, zone: str, country: str
) -> tuple[Filter, bool]:
    """Return the filter, and whether a name fitted too many clients; `mine` is from `right_of`."""
    where = Filter(
        since=None if asking.first is None else midnight(asking.first, zone),
        until=None if asking.last is None else midnight(asking.last + timedelta(days=1), zone),
        did=asking.did or None,
        operator=asking.operator or None,
        disposition=asking.disposition,
        direction=asking.direction,
        involving=mine,
    )
    if not asking.q:
        return where, False
    found = asked(session, where, asking.q, country)
    return found.where, found.too_many


def _text(value: str) -> str:
    return "".join(letter for letter in value if letter.isprintable())[:_LONGEST].strip()


def _day(value: str) -> date | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return min(max(day, _FIRST), _LAST)


def _code(kinds: type[E], value: str) -> E | None:
    try:
        return kinds(value)
    except ValueError:
        return None
