"""`dutyline calls`: the records as a table."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from telephony.cli.common import Failed, database, readable, settings_for
from telephony.domain.record import CallRecord, Direction, Disposition
from telephony.domain.routing import Kind
from telephony.store.asked import asked_number
from telephony.store.calls import Filter, count_calls, list_calls
from telephony.store.engine import reading
from telephony.words import say

_HEADINGS = {
    "en": (
        *("Began", "Direction", "Number", "Client", "Dialled", "Placed by", "Outcome"),
        *("Answered by", "Wait", "Talk", "Hung up"),
    ),
    "ru": (
        *("Начало", "Направление", "Номер", "Клиент", "Набран", "Позвонил", "Итог"),
        *("Ответил", "Ждал", "Разговор", "Завершил"),
    ),
}
_FALLBACK = {"en": "fallback", "ru": "резерв"}
_EMPTY = {"en": "no calls yet", "ru": "звонков пока нет"}
_SHOWN = {"en": "{n} of {total} calls", "ru": "показано звонков: {n} из {total}"}


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, help="Skip the newest N.")
@click.option("--number", help="Only this number, in any notation, or its beginning or end.")
@click.option("--operator", help="Only calls in which this extension took part.")
@click.option("--disposition", type=click.Choice([item.value for item in Disposition]))
@click.option("--direction", type=click.Choice([item.value for item in Direction]))
@click.option("--zone", default="UTC", show_default=True, help="IANA time zone of the times.")
@readable
def calls(
    limit: int,
    offset: int,
    number: str | None,
    operator: str | None,
    disposition: str | None,
    direction: str | None,
    zone: str,
) -> None:
    """Show the records of calls, newest first."""
    settings = settings_for(ami=False)
    where = Filter(
        operator=operator,
        disposition=Disposition(disposition) if disposition else None,
        direction=Direction(direction) if direction else None,
    )
    if number is not None:
        narrowed = asked_number(where, number, settings.country)
        if narrowed is None:
            raise Failed(f"--number {number!r} is not a phone number")
        where = narrowed
    with database(settings) as engine, reading(engine) as session:
        found = list_calls(session, limit, offset, where)
        total = count_calls(session, where)
    click.echo(table_of_calls(found, zone_named(zone), settings.language))
    if total > len(found):
        click.echo(_SHOWN[settings.language].format(n=len(found), total=total))


def zone_named(name: str) -> tzinfo:
    """Return the time zone of this IANA name. Raises Failed."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Failed(f"{name!r} is not an IANA time zone such as Europe/Moscow") from None


def table_of_calls(records: Sequence[CallRecord], zone: tzinfo, language: str) -> str:
    """Return records as a table of text, times in `zone`."""
    if not records:
        return _EMPTY[language]
    return table([_HEADINGS[language], *(_row(record, zone, language) for record in records)])


def _row(record: CallRecord, zone: tzinfo, language: str) -> tuple[str, ...]:
    began = datetime.fromtimestamp(record.started_at / 1e6, zone)
    by = record.answered_by or ""
    if record.answered_on == Kind.MOBILE:
        by = f"{by} ({say(Kind.MOBILE, language)})"
    elif record.fallback:
        by = f"{by} ({_FALLBACK[language]})".strip()
    return (
        f"{began:%Y-%m-%d %H:%M:%S}",
        say(record.direction, language),
        record.number or "–",
        record.client_name or "–",
        record.did or "–",
        record.placed_by or "–",
        say(record.disposition, language),
        by or "–",
        _seconds(record.wait_ms, language),
        _seconds(record.talk_ms, language),
        say(record.hung_up_by, language),
    )


def _seconds(ms: int, language: str) -> str:
    text = f"{ms / 1000:.1f}"
    return f"{text} s" if language == "en" else f"{text.replace('.', ',')} с"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows (the first is the heading) in columns as wide as their widest cell."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:]])


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
