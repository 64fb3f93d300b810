"""`dutyline notices`: who gets an e-mail of what; `dutyline deliveries`: what did not arrive."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from telephony.cli.common import Failed, database, readable, settings_for
from telephony.domain.retries import PATIENCE
from telephony.notify import DID_EVENTS, MISSED, NOTICE_EVENTS, is_mail_address
from telephony.store.deliveries import State, failing_deliveries, retry_delivery
from telephony.store.engine import reading, writing
from telephony.store.notices import Recipient, add_notice, list_notices, remove_notice
from telephony.words import LANGUAGES

_DID_DIGITS = (3, 15)
WORDS = {
    "en": {
        "none": "no notices yet: `dutyline notices add`",
        "any": "any DID",
        "added": "notice {id} added",
        "no_server": "no mail is sent until DUTYLINE_SMTP_HOST is set",
        "removed": "notice {id} removed",
        "all_well": "nothing failed",
        "again": "delivery {id} will be sent again",
        "parked": "parked",
        "waiting": "next try {at}",
        "sending": "being sent",
    },
    "ru": {
        "none": "уведомлений пока нет: `dutyline notices add`",
        "any": "любой DID",
        "added": "уведомление {id} добавлено",
        "no_server": "письма не отправляются, пока не задан DUTYLINE_SMTP_HOST",
        "removed": "уведомление {id} удалено",
        "all_well": "неудач нет",
        "again": "доставка {id} будет отправлена снова",
        "parked": "отложена",
        "waiting": "следующая попытка {at}",
        "sending": "отправляется",
    },
}


@click.group()
def notices() -> None:
    """Tell people by e-mail."""


@notices.command("list")
@readable
def list_() -> None:
    """Show the rules with their recipients."""
    settings = settings_for(ami=False)
    words = WORDS[settings.language]
    with database(settings) as engine, reading(engine) as session:
        found = list_notices(session)
    if not found:
        click.echo(words["none"])
    for rule in found:
        people = ", ".join(f"{one.address} ({one.language})" for one in rule.recipients)
        click.echo(f"{rule.id}  {rule.event}  {rule.did or words['any']}  {rule.zone}  {people}")


@notices.command("add")
@click.argument("addresses", nargs=-1, required=True)
@click.option("--event", default=MISSED, help=f"Of which event: {', '.join(NOTICE_EVENTS)}.")
@click.option("--did", help="Only of calls to this number, and of callbacks for them.")
@click.option("--zone", default="UTC", help="Time zone (IANA) of the times in the text.")
@click.option("--language", help="en or ru for those that do not say; else DUTYLINE_LANGUAGE.")
@readable
def add(
    addresses: tuple[str, ...], event: str, did: str | None, zone: str, language: str | None
) -> None:
    """Send an e-mail to ADDRESSES when something happened, a missed call without --event.

    Each address may say its language: anna@example.com=ru.
    """
    settings = settings_for(ami=False)
    if event not in NOTICE_EVENTS:
        raise Failed(f"--event {event!r} is not one of {', '.join(NOTICE_EVENTS)}")
    if did is not None and event not in DID_EVENTS:
        raise Failed("--did is for missed calls and callbacks only")
    if did is not None:
        did = did.removeprefix("+")
        if not (did.isascii() and did.isdigit() and _DID_DIGITS[0] <= len(did) <= _DID_DIGITS[1]):
            raise Failed(f"--did {did!r} is not a number of 3 to 15 digits")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Failed(f"--zone {zone!r} is not an IANA time zone such as Europe/Moscow") from None
    recipients = tuple(_recipient(text, language or settings.language) for text in addresses)
    with database(settings) as engine, writing(engine) as session:
        key = add_notice(
            session,
            event=event,
            did=did,
            zone=zone,
            recipients=recipients,
            now=datetime.now(UTC),
        )
    words = WORDS[settings.language]
    click.echo(words["added"].format(id=key))
    if not settings.smtp_host:
        click.echo(words["no_server"])


@notices.command("remove")
@click.argument("number", type=int)
@readable
def remove(number: int) -> None:
    """Remove the rule with this number."""
    settings = settings_for(ami=False)
    with database(settings) as engine, writing(engine) as session:
        if not remove_notice(session, number):
            raise Failed(f"there is no notice {number}")
    click.echo(WORDS[settings.language]["removed"].format(id=number))


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="How many at most.")
@click.option("--retry", type=int, help="Send this parked delivery again.")
@readable
def deliveries(limit: int, retry: int | None) -> None:
    """Show webhooks' and mails' deliveries that failed, newest first."""
    settings = settings_for(ami=False)
    words = WORDS[settings.language]
    now = datetime.now(UTC)
    with database(settings) as engine:
        if retry is not None:
            with writing(engine) as session:
                if not retry_delivery(session, retry, now, now + PATIENCE):
                    raise Failed(f"there is no parked delivery {retry}")
            click.echo(words["again"].format(id=retry))
            return
        with reading(engine) as session:
            found = failing_deliveries(session, limit)
    if not found:
        click.echo(words["all_well"])
    for one in found:
        state = words[one.state].format(at=one.due_at.isoformat(sep=" ", timespec="seconds"))
        mark = "✗" if one.state is State.PARKED else "!"
        made = one.created_at.isoformat(sep=" ", timespec="seconds")
        click.echo(
            f"{mark} {one.id}  {made}  {one.event}  {one.target}  {one.attempt}×  {state}: "
            f"{one.last_error}"
        )


def _recipient(text: str, language: str) -> Recipient:
    address, _, own = text.partition("=")
    if not is_mail_address(address):
        raise Failed(f"{address!r} is not an e-mail address")
    chosen = own or language
    if chosen not in LANGUAGES:
        raise Failed(f"{chosen!r} is not a language: use {' or '.join(LANGUAGES)}")
    return Recipient(address, chosen)
