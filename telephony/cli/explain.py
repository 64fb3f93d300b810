"""`dutyline explain`: who would get a call, and why, from the function that decides live calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from telephony.ami import actions
from telephony.ami.client import AmiError
from telephony.ami.oneshot import session as ami_session
from telephony.asking import Seen, all_free, ask, resting
from telephony.cli.common import Failed, ami_address, database, readable, settings_for
from telephony.cli.config import put_file
from telephony.domain.membership import queues_of
from telephony.domain.numbers import DIALLABLE, digits, normalise
from telephony.domain.pauses import (
    FREEPBX_SWITCHES,
    MISSING,
    OFF,
    QUEUE,
    closed_device,
    pause_device,
)
from telephony.domain.routing import Decision, Question
from telephony.domain.setup import Setup
from telephony.settings import Settings
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from telephony.words import say_checked, say_step

_ASSUMED = {
    "en": "Phones are taken to be registered and free.",
    "ru": "Считается, что телефоны зарегистрированы и свободны.",
}
_LIVE = {"en": "Phones as they are now.", "ru": "Состояние телефонов — на сейчас."}
_TITLE = {"en": "{number} on {did} at {at}", "ru": "{number} на {did}, {at}"}
_PLAN = {"en": "Plan", "ru": "План"}
_WHY = {"en": "Why", "ru": "Почему"}
_WHAT_IF = {"en": "With", "ru": "С файлом"}
_HIDDEN = {"en": "a hidden number", "ru": "скрытый номер"}


@click.command()
@click.option("--number", required=True, help="The caller, in any notation; '' when hidden.")
@click.option("--did", required=True, help="The number that was dialled.")
@click.option("--at", help="ISO time, in the zone of the DID's group unless it has an offset.")
@click.option("--key", default="", help="What the caller pressed in the menu; - for nothing.")
@click.option("--live", is_flag=True, help="Ask Asterisk for the phones' states now.")
@click.option(
    "--what-if",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Answer by the set-up of this YAML file too; nothing is changed.",
)
@readable
def explain(number: str, did: str, at: str | None, key: str, live: bool, file: Path | None) -> None:
    """Say who would get a call of NUMBER on DID, and why, by today's set-up."""
    if live and at:
        raise Failed("--live shows the phones of this moment: leave out --at")
    settings = settings_for(ami=live)
    dialled = digits(did)
    if not DIALLABLE.fullmatch(dialled):
        raise Failed(f"--did {did!r} is not a number")
    caller = normalise(number, settings.country) if number else ""
    if caller is None:
        raise Failed(f"--number {number!r} is not a phone number")
    with database(settings) as engine, reading(engine) as session:
        setup = load_setup(session)
        moment = _moment(at, _zone(setup, dialled))
        question = Question(dialled, caller, moment, key)

        def answered(known: Setup) -> str:
            seen = (
                Seen(_live_devices(settings, known, dialled), resting(session, datetime.now(UTC)))
                if live
                else all_free(known)
            )
            return told(ask(session, question, known, seen), known, settings.language)

        answer = answered(setup)
        if file is not None:
            after = put_file(engine, file, settings.country, dry_run=True).after
            answer += f"\n\n{_WHAT_IF[settings.language]} {file.name}:\n{answered(after)}"
    click.echo(
        _TITLE[settings.language].format(
            number=caller or _HIDDEN[settings.language],
            did=dialled,
            at=f"{moment:%Y-%m-%d %H:%M %Z}",
        )
    )
    click.echo((_LIVE if live else _ASSUMED)[settings.language])
    click.echo(answer)


def told(decision: Decision, setup: Setup, language: str) -> str:
    """Return a decision in words: the plan's steps, then the trace."""
    names = {operator.extension: operator.name for operator in setup.operators.values()}
    lines = [f"\n{_PLAN[language]}:"]
    lines += [
        f"  {index}. {say_step(step, names, language)}"
        for index, step in enumerate(decision.plan.steps, start=1)
    ]
    lines.append(f"\n{_WHY[language]}:")
    lines += [
        f"  {'✓' if line.used else '·'} {say_checked(line, language)}" for line in decision.trace
    ]
    return "\n".join(lines)


def _zone(setup: Setup, did: str) -> ZoneInfo:
    known = setup.dids.get(did)
    group = setup.groups.get(known.group if known else setup.default_group or "")
    return ZoneInfo(group.roster.zone if group else "UTC")


def _moment(at: str | None, zone: ZoneInfo) -> datetime:
    if at is None:
        return datetime.now(UTC).astimezone(zone)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise Failed(f"--at {at!r} is not an ISO time such as 2026-11-23T13:30") from None
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _live_devices(settings: Settings, setup: Setup, did: str) -> Mapping[str, str]:
    """Return the states of the phones and of every switch that a decision looks at."""
    wanted = [*all_free(setup).devices, closed_device(), closed_device(did)]
    wanted += [pause_device(extension) for extension in setup.operators]
    wanted += [name + extension for name in FREEPBX_SWITCHES for extension in setup.operators]
    try:
        with ami_session(ami_address(settings)) as pbx:
            devices = {
                device: pbx.ask(actions.read_global(f"DEVICE_STATE({device})")).get("value", "")
                for device in wanted
            }
            for name in queues_of(setup):
                there = pbx.ask(actions.read_global(f"QUEUE_EXISTS({name})")).get("value", "")
                devices[QUEUE + name] = OFF if there == "1" else MISSING
            return devices
    except AmiError as error:
        raise Failed(f"Asterisk did not tell the phones' states: {error}") from None
