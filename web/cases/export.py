"""The list of cases as a CSV file, made while it is sent."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from telephony.domain.callback.cases import Case
from telephony.words import say
from web.cleaning import cell, visible
from web.texts import gettext

MOST = 100_000


def headings() -> list[str]:
    """Return the words above the columns, in the reader's language."""
    return [
        gettext("Waiting since"),
        gettext("Number"),
        gettext("Client"),
        gettext("Reason"),
        gettext("Times missed"),
        gettext("Number dialled"),
        gettext("Group"),
        gettext("Came from"),
        gettext("State"),
        gettext("Promised until"),
        gettext("Next try"),
        gettext("Waits for a person"),
        gettext("Manager"),
        gettext("Taken by"),
        gettext("Tries"),
        gettext("Last try"),
        gettext("Ended"),
        gettext("How it ended"),
        gettext("Ended by"),
        gettext("Note"),
        gettext("Id of the case"),
    ]


def as_csv(
    cases: Iterable[Case], head: list[str], zone: str, language: str, separator: str
) -> Iterator[str]:
    """Yield the file in pieces, times in `zone`; it begins with the mark of UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator)
    place = ZoneInfo(zone)
    buffer.write("\ufeff")
    writer.writerow(head)
    for number, case in enumerate(cases, start=1):
        writer.writerow([cell(visible(value)) for value in _values(case, place, language)])
        if number % 200 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _values(case: Case, zone: ZoneInfo, language: str) -> list[str]:
    def said(code: StrEnum | None) -> str:
        return "" if code is None else say(code, language)

    return [
        _local(case.origin_at, zone),
        case.number,
        case.client_name,
        said(case.why),
        str(case.missed),
        case.did,
        case.group or "",
        said(case.source),
        said(case.state),
        _local(case.sla_at, zone),
        _local(case.due_at, zone),
        said(case.attention),
        case.owner or "",
        case.claimed_by or "",
        str(case.tries),
        said(case.last),
        _local(case.ended_at, zone),
        said(case.ending),
        case.ended_by or "",
        case.note,
        str(case.id),
    ]


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
