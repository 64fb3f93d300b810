"""`dutyline duty`: who is on duty in the next days, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import click

from telephony.cli.common import Failed, database, readable, settings_for
from telephony.domain.ahead import FAIR_OVER, concerned, days_from, duties, troubles
from telephony.domain.duty import Duty, Interval, Slot, Trouble, Warned, day_span
from telephony.domain.duty.slots import common
from telephony.domain.duty.walltime import shown
from telephony.domain.setup import Group, Setup
from telephony.store.engine import reading
from telephony.store.live import reachable_now
from telephony.store.setup import load_setup

_DAY = timedelta(days=1)
_LONGEST = 60
_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "ru": ("пн", "вт", "ср", "чт", "пт", "сб", "вс"),
}
_WORDS = {
    "en": {
        "lunch": "{who}: lunch",
        "for": "{who}, for {whose}",
        "nobody": "nobody",
        "more": ", and {count} times more",
        "troubles": "To look at:",
        "fine": "Nothing to look at.",
        "none": "No groups are set up: run `dutyline config apply FILE.yaml`",
    },
    "ru": {
        "lunch": "{who}: обед",
        "for": "{who}, вместо {whose}",
        "nobody": "никого",
        "more": ", и далее ещё раз: {count}",
        "troubles": "Обратите внимание:",
        "fine": "Замечаний нет.",
        "none": "Группы не настроены: выполните `dutyline config apply FILE.yaml`",
    },
}
_TROUBLES = {
    "en": {
        Trouble.GAP: "{groups}, {when}: nobody is on duty",
        Trouble.UNREACHABLE: "{groups}, {when}: {who} is on duty and has no phone to ring",
        Trouble.TWICE: "{groups}, {when}: {who} is on duty twice",
        Trouble.UNFAIR: "{groups}: {who} has {hours:.0f} h in {days} days, the others on average "
        "{mean:.0f} h",
    },
    "ru": {
        Trouble.GAP: "{groups}, {when}: нет дежурных",
        Trouble.UNREACHABLE: "{groups}, {when}: {who} на дежурстве, но звонить некуда",
        Trouble.TWICE: "{groups}, {when}: {who} дежурит дважды",
        Trouble.UNFAIR: "{groups}: у {who} {hours:.0f} ч за {days} дн., в среднем {mean:.0f} ч",
    },
}


@click.command()
@click.option("--group", "chosen", help="One group; without it all.")
@click.option("--from", "first", help="The first day, such as 2026-12-01; without it today.")
@click.option("--days", default=14, show_default=True, type=click.IntRange(1, _LONGEST))
@readable
def duty(chosen: str | None, first: str | None, days: int) -> None:
    """Show who is on duty, by the day, and where nobody is."""
    settings = settings_for(ami=False)
    with database(settings) as engine, reading(engine) as session:
        setup = load_setup(session)
        phones = reachable_now(session, setup)
    if chosen is not None and chosen not in setup.groups:
        raise Failed(f"there is no group {chosen!r}: {', '.join(setup.groups) or 'none is set up'}")
    words = _WORDS[settings.language]
    groups = [one for one in setup.groups.values() if chosen in (None, one.name)]
    if not groups:
        click.echo(words["none"])
        return
    # Those of others as well, who may be on duty twice.
    looked_at = {one.name: one for one in (*groups, *concerned(setup, chosen))}
    found = duties(setup, looked_at.values(), lambda zone: _span(first, days, zone))
    for group in groups:
        told = _told(group, found[group.name], setup, settings.language)
        click.echo("\n".join(told) + "\n")
    warned = troubles(setup, found, phones, chosen)
    click.echo(words["troubles"] if warned else words["fine"])
    for one, more in warned:
        times = words["more"].format(count=more) if more else ""
        click.echo(f"  ! {_trouble(one, setup, settings.language)}{times}")


def _span(first: str | None, days: int, zone: str) -> Interval:
    """Return so many days from a day on, or from today."""
    try:
        begin = (
            shown(datetime.now(UTC), zone).date() if first is None else date.fromisoformat(first)
        )
    except ValueError:
        raise Failed(f"--from {first!r} is not a day such as 2026-12-01") from None
    return days_from(day_span(begin, zone).start, days, zone)


def _told(group: Group, found: Duty, setup: Setup, language: str) -> Iterator[str]:
    """Yield a group's days: each with its slots and gaps in the order of time."""
    zone = group.roster.zone
    yield f"{group.name} ({zone})"
    begin = shown(found.start, zone).date()
    length = (shown(found.end - timedelta(seconds=1), zone).date() - begin).days + 1
    for day in (begin + number * _DAY for number in range(length)):
        span = day_span(day, zone)
        lines = sorted(_lines(found, span, zone, setup, language))
        head = f"{_WEEKDAYS[language][day.weekday()]} {day:%d.%m}"
        for number, (times, text) in enumerate(lines):
            yield f"  {head if number == 0 else '':9} {times}  {text}"


def _lines(
    found: Duty, span: Interval, zone: str, setup: Setup, language: str
) -> Iterator[tuple[str, str]]:
    words = _WORDS[language]
    for slot in found.slots:
        for part in common(slot.interval, [span]):
            yield _times(part, zone), _who(slot, setup, language)
    for gap in found.gaps:
        for part in common(gap, [span]):
            yield _times(part, zone), f"✗ {words['nobody']}"


def _times(when: Interval, zone: str) -> str:
    start, end = shown(when.start, zone), shown(when.end, zone)
    stop = "24:00" if end.time() == time() else f"{end:%H:%M}"
    return f"{start:%H:%M}–{stop}"


def _who(slot: Slot, setup: Setup, language: str) -> str:
    words = _WORDS[language]
    who = _named(slot.operator, setup)
    if slot.lunch:
        who = words["lunch"].format(who=who)
    if slot.instead_of is not None:
        who = words["for"].format(who=who, whose=_named(slot.instead_of, setup))
    return who


def _named(extension: str, setup: Setup) -> str:
    operator = setup.operators.get(extension)
    return f"{operator.name} ({extension})" if operator else extension


def _trouble(one: Warned, setup: Setup, language: str) -> str:
    zone = setup.groups[one.groups[0]].roster.zone
    start, end = shown(one.start, zone), shown(one.end, zone)
    same = start.date() == (end - timedelta(microseconds=1)).date()
    until = _times(Interval(one.start, one.end), zone).partition("–")[2]
    when = f"{start:%d.%m %H:%M}–" + (until if same else f"{end:%d.%m %H:%M}")
    return _TROUBLES[language][one.trouble].format(
        groups=", ".join(one.groups),
        when=when,
        who=_named(one.operator, setup) if one.operator else "",
        hours=one.hours,
        mean=one.mean,
        days=FAIR_OVER,
    )
