"""`dutyline webhooks`: where facts about calls are sent by HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from sqlalchemy import Engine

from telephony.cli.common import Failed, database, readable, settings_for
from telephony.cli.working import tools_of
from telephony.notify import (
    EVENTS,
    FORMS,
    STANDARD,
    ZAMMAD,
    ZAMMAD_EVENTS,
    new_secret,
    standard_message,
    zammad_message,
)
from telephony.outgoing import Outgoing, OutgoingError, place_of
from telephony.secrets import SecretError, Vault
from telephony.sending import Tools
from telephony.store.deliveries import park_lane
from telephony.store.engine import reading, writing
from telephony.store.lanes import list_lanes
from telephony.store.outbox import StoredFact
from telephony.store.webhooks import (
    Webhook,
    add_webhook,
    enable_webhook,
    get_webhook,
    list_webhooks,
    remove_webhook,
)

WORDS = {
    "en": {
        "none": "no webhooks yet: `dutyline webhooks add`",
        "on": "on",
        "failing": "fails since {since}",
        "added": "webhook {id} added: {place}",
        "secret": "its secret, shown this once: {secret}",
        "removed": "webhook {id} removed",
        "enabled": "webhook {id} enabled",
        "answered": "✓ {place} answered {status} after {ms} ms",
    },
    "ru": {
        "none": "вебхуков пока нет: `dutyline webhooks add`",
        "on": "включён",
        "failing": "не отвечает с {since}",
        "added": "вебхук {id} добавлен: {place}",
        "secret": "его секрет, показывается один раз: {secret}",
        "removed": "вебхук {id} удалён",
        "enabled": "вебхук {id} включён",
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
        lanes = {lane.name: lane for lane in list_lanes(session)}
    if not found:
        click.echo(words["none"])
    for hook in found:
        lane = lanes.get(f"webhook:{hook.id}")
        state = words["on"] if hook.enabled else f"✗ {hook.problem}"
        if hook.enabled and lane is not None and lane.failing_since is not None:
            since = lane.failing_since.isoformat(sep=" ", timespec="seconds")
            state = "! " + words["failing"].format(since=since)
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
    chosen = _events(form, events)
    with database(settings) as engine:
        tools = tools_of(settings, engine)
        place = _place(tools.outgoing, url)
        secret = new_secret() if form == STANDARD else None
        with writing(engine) as session:
            key = add_webhook(
                session,
                form=form,
                events=chosen,
                place=place,
                url=tools.vault.seal(url),
                secret=None if secret is None else tools.vault.seal(secret),
                now=datetime.now(UTC),
            )
    click.echo(words["added"].format(id=key, place=place))
    if secret is not None:
        click.echo(words["secret"].format(secret=secret))


@webhooks.command("remove")
@click.argument("number", type=int)
@readable
def remove(number: int) -> None:
    """Remove the webhook with this number; what still waits for it is parked."""
    settings = settings_for(ami=False)
    with database(settings) as engine, writing(engine) as session:
        if not remove_webhook(session, number):
            raise Failed(f"there is no webhook {number}")
        park_lane(session, f"webhook:{number}", datetime.now(UTC), "the webhook was removed")
    click.echo(WORDS[settings.language]["removed"].format(id=number))


@webhooks.command("enable")
@click.argument("number", type=int)
@readable
def enable(number: int) -> None:
    """Send to a webhook again that was disabled by an answer of 410."""
    settings = settings_for(ami=False)
    with database(settings) as engine, writing(engine) as session:
        if not enable_webhook(session, number):
            raise Failed(f"there is no webhook {number}")
    click.echo(WORDS[settings.language]["enabled"].format(id=number))


@webhooks.command("test")
@click.argument("number", type=int)
@readable
def test(number: int) -> None:
    """Send a made-up call.started to a webhook now, and say what it answered."""
    settings = settings_for(ami=False)
    with database(settings) as engine:
        tools = tools_of(settings, engine)
        hook = _found(engine, number)
        status, took_ms = _try(tools, hook)
    said = WORDS[settings.language]["answered"]
    click.echo(said.format(place=hook.place, status=status, ms=took_ms))


def _events(form: str, events: tuple[str, ...]) -> tuple[str, ...]:
    possible = ZAMMAD_EVENTS if form == ZAMMAD else EVENTS
    wrong = [event for event in events if event not in possible]
    if wrong:
        raise Failed(f"{wrong[0]} is no event of the form {form}: use {', '.join(possible)}")
    return tuple(event for event in possible if event in (events or ZAMMAD_EVENTS))


def _place(outgoing: Outgoing, url: str) -> str:
    """Return what may be shown of an address that can be used. Raises Failed."""
    try:
        parsed = outgoing.check(url)
        outgoing.addresses(parsed)
    except OutgoingError as error:
        raise Failed(f"{error}: see docs/webhooks.md") from None
    return place_of(parsed)


def _found(engine: Engine, number: int) -> Webhook:
    with reading(engine) as session:
        hook = get_webhook(session, number)
    if hook is None:
        raise Failed(f"there is no webhook {number}")
    return hook


def _try(tools: Tools, hook: Webhook) -> tuple[int, int]:
    now = datetime.now(UTC)
    payload = {
        "call_id": f"test-{int(now.timestamp())}",
        "direction": "in",
        "did": "74951234567",
        "number": "+79001112233",
        "client_id": None,
        "client_name": "Dutyline test",
        "placed_by": None,
        "operator": None,
        "at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    fact = StoredFact(0, "call.started", f"test:{now.timestamp()}", payload, now)
    try:
        if hook.form == ZAMMAD:
            message = zammad_message(fact, None, {})
        else:
            secret = _opened(tools.vault, hook.secret or "")
            key = f"msg_test_{int(now.timestamp() * 1000)}"
            message = standard_message(fact.kind, fact, None, key=key, secret=secret, now=now)
        assert message is not None
        answer = tools.outgoing.post(_opened(tools.vault, hook.url), message.body, message.headers)
    except OutgoingError as error:
        raise Failed(f"{hook.place}: {error}") from None
    if not 200 <= answer.status < 300:
        raise Failed(f"{hook.place} answered {answer.status}")
    return answer.status, answer.took_ms


def _opened(vault: Vault, sealed: str) -> str:
    try:
        return vault.open(sealed)
    except SecretError as error:
        raise Failed(str(error)) from None
