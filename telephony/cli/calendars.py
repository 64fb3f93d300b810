"""`dutyline calendars`: what duty comes from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Engine

from telephony.calendars import Calendars, Company, Use, load_company
from telephony.cli.common import Failed, database, readable, settings_for
from telephony.cli.working import tools_of
from telephony.domain.duty.calendars import Complaint, Takes
from telephony.ical import CalendarError, Fault
from telephony.ical.reading import MOST_BYTES
from telephony.notify import clean
from telephony.sending import Tools
from telephony.store.calendars import (
    Feed,
    Owner,
    get_feed,
    list_feeds,
    remove_feed,
    use_feed,
)
from telephony.store.engine import reading, writing
from telephony.subscriptions import File, Found, keep, read_address, read_file
from telephony.words import say
from telephony.zones import known_zones

WORDS = {
    "en": {
        "none": "no calendars yet: `dutyline calendars add`",
        "file": "a file",
        "on": "in use",
        "off": "not in use",
        "added": "calendar {id} added, not in use yet: `dutyline calendars use {id}`",
        "brings": "entries in two months: {count}",
        "used": "calendar {id} is in use",
        "stopped": "calendar {id} is not in use any more",
        "removed": "calendar {id} removed",
        "read": "✓ calendar {id} was read",
    },
    "ru": {
        "none": "календарей пока нет: `dutyline calendars add`",
        "file": "файл",
        "on": "включён",
        "off": "выключен",
        "added": "календарь {id} добавлен, пока выключен: `dutyline calendars use {id}`",
        "brings": "записей за два месяца: {count}",
        "used": "календарь {id} включён",
        "stopped": "календарь {id} выключен",
        "removed": "календарь {id} удалён",
        "read": "✓ календарь {id} прочитан",
    },
}


@click.group()
def calendars() -> None:
    """Take duty and absences from iCalendar feeds."""


@calendars.command("list")
@readable
def list_() -> None:
    """Show the calendars, and why one cannot be read."""
    settings = settings_for(ami=False)
    words = WORDS[settings.language]
    with database(settings) as engine, reading(engine) as session:
        found = list_feeds(session)
    if not found:
        click.echo(words["none"])
    for feed in found:
        state = words["on" if feed.enabled else "off"]
        if feed.fault is not None:
            state += f"  ✗ {_said(feed.fault, feed.detail, settings.language)}"
        read = feed.fetched_at.isoformat(sep=" ", timespec="seconds")
        place = feed.place or words["file"]
        about = (f"{feed.owner_kind} {feed.owner}", clean(feed.title), place, read, state)
        click.echo("  ".join((str(feed.id), *about)))
        _complain(feed.complaints, settings.language)


@calendars.command("add")
@click.argument("source")
@click.option("--group", help="Whose duty its events are.")
@click.option("--operator", help="Whose absences its events are.")
@click.option("--layer", type=click.IntRange(0, 99), default=0, help="Of a group's shifts.")
@click.option("--only-marked", is_flag=True, help="Only events that say they are absences.")
@click.option("--zone", default="UTC", help="Time zone (IANA) of an operator's whole days.")
@readable
def add(
    source: str, group: str | None, operator: str | None, layer: int, only_marked: bool, zone: str
) -> None:
    """Read the calendar at SOURCE, an address or a file; it is not in use yet."""
    settings = settings_for(ami=False)
    words = WORDS[settings.language]
    now = datetime.now(UTC)
    with database(settings) as engine:
        tools = tools_of(settings, engine)
        with reading(engine) as session:
            company = load_company(session)
        use = _use(company, group, operator, layer, only_marked, zone)
        try:
            found = _read(tools, company, use, source, now)
        except CalendarError as error:
            raise Failed(_said(error.fault.value, error.detail, settings.language)) from None
        with writing(engine) as session:
            key = keep(session, found, now)
    click.echo(words["added"].format(id=key))
    click.echo(words["brings"].format(count=len(found.copy.shifts) + len(found.copy.absences)))
    _complain(found.copy.complaints, settings.language)


@calendars.command("use")
@click.argument("number", type=int)
@click.option("--undo", is_flag=True, help="Use it no more; it stays.")
@readable
def use(number: int, undo: bool) -> None:
    """Let duty come from the calendar with this number."""
    settings = settings_for(ami=False)
    with database(settings) as engine:
        _found(engine, number)
        with writing(engine) as session:
            use_feed(session, number, not undo, datetime.now(UTC))
    click.echo(WORDS[settings.language]["stopped" if undo else "used"].format(id=number))


@calendars.command("fetch")
@click.argument("number", type=int)
@readable
def fetch_(number: int) -> None:
    """Fetch the calendar with this number now."""
    settings = settings_for(ami=False)
    with database(settings) as engine:
        _found(engine, number)
        tools = tools_of(settings, engine)
        error = Calendars(engine, tools.vault, tools.outgoing).renew_now(number)
        if error is not None:
            raise Failed(_said(error.fault.value, error.detail, settings.language))
        feed = _found(engine, number)
    click.echo(WORDS[settings.language]["read"].format(id=number))
    _complain(feed.complaints, settings.language)


@calendars.command("remove")
@click.argument("number", type=int)
@readable
def remove(number: int) -> None:
    """Delete the calendar with this number and what it brought."""
    settings = settings_for(ami=False)
    with database(settings) as engine, writing(engine) as session:
        if not remove_feed(session, number):
            raise Failed(f"there is no calendar {number}")
    click.echo(WORDS[settings.language]["removed"].format(id=number))


def _use(
    company: Company,
    group: str | None,
    operator: str | None,
    layer: int,
    only_marked: bool,
    zone: str,
) -> Use:
    """Return whose calendar it is and how it is taken. Raises Failed."""
    if (group is None) == (operator is None):
        raise Failed("say whose it is: either --group or --operator")
    if group is not None:
        if group not in company.setup.groups:
            raise Failed(f"--group {group!r} is none of the groups")
        return Use(Owner.GROUP, group, None, layer)
    if operator not in company.setup.operators:
        raise Failed(f"--operator {operator!r} is none of the operators")
    if zone not in known_zones():
        raise Failed(f"--zone {zone!r} is not an IANA time zone such as Europe/Moscow")
    takes = Takes.MARKED if only_marked else Takes.BUSY
    return Use(Owner.OPERATOR, str(operator), zone, 0, takes)


def _read(tools: Tools, company: Company, use: Use, source: str, now: datetime) -> Found:
    """Return what an address or a file says. Raises CalendarError, Failed."""
    if "://" in source:
        return read_address(company, use, source, tools.outgoing, tools.vault, now)
    try:
        with Path(source).open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Failed(f"{source}: {error.strerror}") from None
    return read_file(company, use, File(Path(source).name, body), now)


def _found(engine: Engine, number: int) -> Feed:
    with reading(engine) as session:
        feed = get_feed(session, number)
    if feed is None:
        raise Failed(f"there is no calendar {number}")
    return feed


def _said(fault: str, detail: str, language: str) -> str:
    return say(Fault(fault), language).format(detail=clean(detail))


def _complain(complaints: tuple[Complaint, ...], language: str) -> None:
    for one in complaints:
        at = f"{one.at:%Y-%m-%d}  " if one.at else ""
        text = f": {clean(one.text)}" if one.text else ""
        click.echo(f"   ! {at}{clean(one.title) or '–'}  {say(one.flaw, language)}{text}")
