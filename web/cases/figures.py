"""Figures of callbacks: the page, and the same table as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Response, render_template, request, url_for

from telephony.accounts import Role
from telephony.domain.callback.cases import Source
from telephony.domain.callback.figures import By, CallbackFigures, Key, figures_of
from telephony.domain.callback.results import Why
from telephony.domain.setup import Setup
from telephony.store.case_figures import Span, cases_told
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.calls.asking import midnight, read_asking
from web.cases.asking import read as read_filters
from web.cases.views import blueprint, names_of
from web.cleaning import cell, visible
from web.downloads import download, separator
from web.i18n import day_of, lasting, phone, word, zone
from web.rights import allow
from web.services import services
from web.texts import gettext, ngettext
from web.today import local_today

# Longer spans are cut: every case of one is read for it.
MOST_DAYS = 92
_USUAL_DAYS = 7
# In how many minutes a client may be reached to count as recovered.
WITHIN = (15, 30, 60, 240, 1440)
_USUAL_WITHIN = 60
_HOURS = tuple(f"{hour:02}" for hour in range(24))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is asked for; `cut` when the days were too many."""

    first: date
    last: date
    within: int
    by: By
    did: str
    group: str
    operator: str
    cut: bool = False

    @property
    def more_set(self) -> int:
        """How many of the filters are set that leave cases out."""
        return sum(map(bool, (self.did, self.group, self.operator)))


@dataclass(frozen=True, slots=True)
class Line:
    """A part of the figures, its name, and what to filter by to see it alone."""

    key: Key
    name: str
    figures: CallbackFigures


def by_words() -> dict[By, str]:
    """Return the names of what figures are told apart by."""
    return {
        By.DID: gettext("Number dialled"),
        By.GROUP: gettext("Group"),
        By.OPERATOR: gettext("Operator"),
        By.HOUR: gettext("Hour"),
        By.DAY: gettext("Day"),
        By.WHY: gettext("Reason"),
        By.SOURCE: gettext("Came from"),
    }


@blueprint.get("/figures")
@allow(Role.ADMIN, Role.SUPERVISOR)
def figures() -> str:
    """Show what became of the cases of some days."""
    asked = read(request.args, local_today())
    whole, lines, setup = _counted(asked)
    return render_template(
        "cases/figures.html",
        asked=asked,
        whole=whole,
        lines=lines,
        setup=setup,
        names=names_of(setup),
        by_words=by_words(),
        within={one: lasting(timedelta(minutes=one)) for one in WITHIN},
        most=MOST_DAYS,
        most_cases=max([1, *(one.figures.cases for one in lines)]),
        tries=sorted(whole.tries.items(), key=lambda one: (-one[1], one[0].value)),
        periods=_periods(asked, local_today()),
        file=f"{url_for('cases.figures_file')}?{urlencode(request.args)}",
    )


@blueprint.get("/figures.csv")
@allow(Role.ADMIN, Role.SUPERVISOR)
def figures_file() -> Response:
    """Send the table as a file, the figures of all cases last."""
    asked = read(request.args, local_today())
    whole, lines, _ = _counted(asked)
    every = Line(None, gettext("All"), whole)
    text = as_csv([*lines, every], headings(asked.by), separator())
    return download(text, "callback-figures", "text/csv", "csv")


def read(values: Mapping[str, str], today: date) -> Asked:
    """Return what an address asks for; without days the last seven, today among them."""
    days, filters = read_asking(values), read_filters(values)
    last = days.last or (today if days.first is None else max(days.first, today))
    first = days.first or last - timedelta(days=_USUAL_DAYS - 1)
    earliest = last - timedelta(days=MOST_DAYS - 1)
    within = values.get("within", "")
    try:
        by = By(values.get("by", ""))
    except ValueError:
        by = By.DID
    return Asked(
        first=max(first, earliest),
        last=last,
        within=int(within) if within in map(str, WITHIN) else _USUAL_WITHIN,
        by=by,
        did=filters.did,
        group=filters.group,
        operator=filters.operator,
        cut=first < earliest,
    )


def headings(by: By) -> list[str]:
    """Return the words above the columns of the file."""
    return [
        by_words()[by],
        gettext("Missed calls"),
        gettext("Short abandons"),
        gettext("Cases"),
        gettext("Not to be called"),
        gettext("Reached"),
        gettext("Reached in time"),
        gettext("Closed by hand"),
        gettext("Given up"),
        gettext("Waiting"),
        gettext("Deadlines kept"),
        gettext("Deadlines broken"),
        gettext("Called back"),
        gettext("Median time to callback, s"),
        gettext("9 of 10 called back within, s"),
        gettext("Tries"),
    ]


def as_csv(lines: Iterable[Line], head: list[str], between: str) -> str:
    """Return the file; it begins with the mark of UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=between)
    buffer.write("\ufeff")
    writer.writerow(head)
    for line in lines:
        one = line.figures
        seconds = ["" if value is None else round(value) for value in (one.median, one.p90)]
        counts = (
            one.missed, one.short, one.cases, one.suppressed, one.reached, one.recovered,
            one.by_hand, one.expired, one.waiting, one.kept, one.broken, one.called_back,
        )  # fmt: skip
        writer.writerow([cell(line.name), *counts, *seconds, one.dialled])
    return buffer.getvalue()


def _counted(asked: Asked) -> tuple[CallbackFigures, list[Line], Setup]:
    offer = services()
    place = zone()
    span = Span(
        since=midnight(asked.first, place),
        until=midnight(asked.last + timedelta(days=1), place),
        did=asked.did or None,
        group=asked.group or None,
        operator=asked.operator or None,
    )
    with reading(offer.engine) as session:
        setup = load_setup(session)
        whole, parts = figures_of(
            cases_told(session, span),
            asked.by,
            ZoneInfo(place),
            timedelta(minutes=asked.within),
            offer.now(),
        )
    return whole, _lines(asked, parts, setup), setup


def _lines(asked: Asked, parts: Mapping[Key, CallbackFigures], setup: Setup) -> list[Line]:
    """Return the parts in order: hours and days by the clock, also empty ones, others by size.

    Before the first hour and after the last one there is nobody: they are left out.
    """
    if not parts:
        return []
    keys: Iterable[Key] = sorted(parts, key=lambda key: (-parts[key].cases, str(key)))
    if asked.by is By.HOUR:
        first_hour, last_hour = min(map(str, parts)), max(map(str, parts))
        keys = [hour for hour in _HOURS if first_hour <= hour <= last_hour]
    elif asked.by is By.DAY:
        last = min(asked.last, max(asked.first, local_today()))
        days = (last - asked.first).days + 1
        keys = [(asked.first + timedelta(days=nth)).isoformat() for nth in range(days)]
    return [
        Line(key, _name(key, asked.by, setup), parts.get(key) or CallbackFigures()) for key in keys
    ]


def _name(key: Key, by: By, setup: Setup) -> str:
    if not key:
        return gettext("none")
    if by is By.HOUR:
        return f"{key}:00–{(int(key) + 1) % 24:02}:00"
    if by is By.DAY:
        return day_of(date.fromisoformat(key))
    if by is By.WHY:
        return word(Why(key))
    if by is By.SOURCE:
        return word(Source(key))
    if by is By.DID:
        did = setup.dids.get(key)
        return f"{visible(did.title)} · {phone(key)}" if did and did.title else phone(visible(key))
    if by is By.OPERATOR:
        name = names_of(setup).get(key)
        return f"{name} ({key})" if name else visible(key)
    return visible(key)


def _periods(asked: Asked, today: date) -> list[tuple[str, date, date, bool]]:
    """Return (words, first day, last day, whether it is the one asked for) of usual spans."""
    spans = (
        (gettext("Today"), today),
        (gettext("7 days"), today - timedelta(days=6)),
        (gettext("30 days"), today - timedelta(days=29)),
        (ngettext("%(num)d day", "%(num)d days", MOST_DAYS), today - timedelta(days=MOST_DAYS - 1)),
    )
    return [
        (words, first, today, (first, today) == (asked.first, asked.last)) for words, first in spans
    ]
