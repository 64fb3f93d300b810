"""`dutyline webhooks`: where facts about calls are sent by HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import click
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.cli.common import Failed, database, note, readable, settings_for
from telephony.cli.working import tools_of
from telephony.notify import EVENTS, FORMS, STANDARD, ZAMMAD_EVENTS
from telephony.store.engine import reading, writing
from telephony.store.webhooks import Webhook, get_webhook, list_webhooks
from telephony.telling import webhooks as hooks
from telephony.telling.written import Objected, Objection, WrittenWebhook, check_webhook
from telephony.telling.written import possible_events as possible

WORDS = {
    "en": {
        "none": "no webhooks yet: `dutyline webhooks add`",
        "on": "on",
        "paused": "paused",
        "failing": "fails since {since}",
        "added": "webhook {id} added: {place}",
        "secret": "its secret, shown this once: {secret}",
        "removed": "webhook {id} removed",
        "enabled": "webhook {id} enabled",
        "stopped": "webhook {id} paused",
        "answered": "✓ {place} answered {status} after {ms} ms",
    },
    "ru": {
        "none": "вебхуков пока нет: `dutyline webhooks add`",
        "on": "включён",
        "paused": "приостановлен",
        "failing": "не отвечает с {since}",
        "added": "вебхук {id} добавлен: {place}",
        "secret": "его секрет, показывается один раз: {secret}",
        "removed": "вебхук {id} удалён",
        "enabled": "вебхук {id} включён",
        "stopped": "вебхук {id} приостановлен",
        "answered": "✓ {place}: ответ {status} через {ms} мс",
    },
}


@click.group()
def webhooks() -> None:
    """Send what happens to calls to other systems."""


@webhooks.command("list")
@readable
def list_() -> None:
    """Show the webhooks; of an address only the host, its path may be a password."""
    settings = settings_for(ami=False)
    words = WORDS[settings.language]
    with database(settings) as engine, reading(engine) as session:
        found = list_webhooks(session)
        failing = hooks.failing_since(session, found)
    if not found:
        click.echo(words["none"])
    for hook in found:
        state = words["on"] if hook.enabled else f"✗ {hook.problem or words['paused']}"
        since = failing[hook.id]
        if since is not None:
            said = since.isoformat(sep=" ", timespec="seconds")
            state = "! " + words["failing"].format(since=said)
        click.echo(f"{hook.id}  {hook.form}  {hook.place}  {','.join(hook.events)}  {state}")


@webhooks.command("add")
@click.argument("url")
@click.option("--form", type=click.Choice(FORMS), default=STANDARD, help="How it is written.")
@click.option(
    "--event",
    "events",
    multiple=True,
    help=f"Which event; may be repeated. One of {', '.join(EVENTS)}.",
)
@readable
def add(url: str, form: str, events: tuple[str, ...]) -> None:
    """Send events to URL; without --event the start, the answer and the end of each call."""
    settings = settings_for(ami=False)
    words = WORDS[settings.language]
    written = WrittenWebhook(url, events or ZAMMAD_EVENTS, form)
    with database(settings) as engine:
        tools = tools_of(settings, engine)
        place, wrong = check_webhook(written, tools.outgoing)
        if wrong:
            raise Failed(_said(wrong[0], form))
        with writing(engine) as session:
            now = datetime.now(UTC)
            key, secret = hooks.add(session, written, place, tools.vault, now, note)
    click.echo(words["added"].format(id=key, place=place))
    if secret is not None:
        click.echo(words["secret"].format(secret=secret))


@webhooks.command("remove")
@click.argument("number", type=int)
@readable
def remove(number: int) -> None:
    """Remove the webhook with this number; what still waits for it is parked."""
    now = datetime.now(UTC)
    _change(number, "removed", lambda session: hooks.remove(session, number, now, note))


@webhooks.command("pause")
@click.argument("number", type=int)
@readable
def pause(number: int) -> None:
    """Send no more to a webhook until it is enabled; what still waits for it is parked."""
    now = datetime.now(UTC)
    _change(number, "stopped", lambda session: hooks.pause(session, number, now, note))


@webhooks.command("enable")
@click.argument("number", type=int)
@readable
def enable(number: int) -> None:
    """Send to a webhook again that was paused, or disabled by an answer of 410."""
    _change(number, "enabled", lambda session: hooks.enable(session, number, note))


@webhooks.command("test")
@click.argument("number", type=int)
@readable
def test(number: int) -> None:
    """Send a made-up call.started to a webhook now, and say what it answered."""
    settings = settings_for(ami=False)
    with database(settings) as engine:
        tools = tools_of(settings, engine)
        hook = _found(engine, number)
        tried = hooks.try_out(hook, tools.outgoing, tools.vault, datetime.now(UTC))
    if tried.why:
        raise Failed(f"{hook.place}: {tried.why}")
    said = WORDS[settings.language]["answered"]
    click.echo(said.format(place=hook.place, status=tried.status, ms=tried.took_ms))


def _change(number: int, words: str, act: Callable[[Session], bool]) -> None:
    """Do something with a webhook in one transaction, and say so. Raises Failed without one."""
    settings = settings_for(ami=False)
    with database(settings) as engine, writing(engine) as session:
        if not act(session):
            raise Failed(f"there is no webhook {number}")
    click.echo(WORDS[settings.language][words].format(id=number))


def _said(wrong: Objected, form: str) -> str:
    if wrong.why is Objection.UNKNOWN_EVENT:
        return f"{wrong.detail} is no event of the form {form}: use {', '.join(possible(form))}"
    return f"{wrong.detail}: see docs/webhooks.md"


def _found(engine: Engine, number: int) -> Webhook:
    with reading(engine) as session:
        hook = get_webhook(session, number)
    if hook is None:
        raise Failed(f"there is no webhook {number}")
    return hook
