"""The list of calls as a CSV file, made while it is sent."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from telephony.store.call_lines import CallLine
from telephony.words import say
from web.cleaning import cell, visible
from web.texts import gettext

MOST = 100_000


def headings() -> list[str]:
    """Return the words above the columns, in the reader's language."""
    return [
        gettext("Began"),
        gettext("Direction"),
        gettext("Number"),
        gettext("Client"),
        gettext("Number dialled"),
        gettext("Placed by"),
        gettext("Outcome"),
        gettext("Answered by"),
        gettext("Wait, s"),
        gettext("Talk, s"),
        gettext("Hold, s"),
        gettext("Hung up"),
        gettext("Id of the call"),
    ]


def as_csv(
    lines: Iterable[CallLine], head: list[str], zone: str, language: str, separator: str
) -> Iterator[str]:
    """Yield the file in pieces, times in `zone`; it begins with the mark of UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator)
    place = ZoneInfo(zone)
    buffer.write("\ufeff")
    writer.writerow(head)
    for number, line in enumerate(lines, start=1):
        writer.writerow([cell(visible(value)) for value in _values(line, place, language)])
        if number % 200 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _values(line: CallLine, zone: ZoneInfo, language: str) -> list[str]:
    return [
        _local(line.started_at, zone),
        say(line.direction, language),
        line.number,
        line.client_name,
        line.did,
        line.placed_by or "",
        say(line.disposition, language),
        line.answered_by or "",
        *(_seconds(ms, language) for ms in (line.wait_ms, line.talk_ms, line.hold_ms)),
        say(line.hung_up_by, language),
        line.call_id,
    ]


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _seconds(ms: int, language: str) -> str:
    text = f"{ms / 1000:.1f}"
    return text.replace(".", ",") if language == "ru" else text
