"""`dutyline notices`: who gets an e-mail of what; `dutyline deliveries`: what did not arrive."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from telephony.cli.common import Failed, database, note, readable, settings_for
from telephony.domain.retries import PATIENCE
from telephony.notify import MISSED, NOTICE_EVENTS, say_reason
from telephony.store.deliveries import State, failing_deliveries, retry_delivery
from telephony.store.engine import reading, writing
from telephony.store.notices import Recipient, get_notice, list_notices
from telephony.telling import notices as rules
from telephony.telling.written import Objected, Objection, WrittenNotice, check_notice
from telephony.words import LANGUAGES

WORDS = {
    "en": {
        "none": "no notices yet: `dutyline notices add`",
        "any": "any DID",
        "added": "notice {id} added",
        "no_server": "no mail is sent until DUTYLINE_SMTP_HOST is set",
        "removed": "notice {id} removed",
        "not_tried": "not tried",
        "not_all": "not all test mails were sent",
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
        "not_tried": "не отправлялось",
        "not_all": "не все проверочные письма отправлены",
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
        events, did = ",".join(rule.events), rule.did or words["any"]
        click.echo(f"{rule.id}  {events}  {did}  {rule.zone}  {people}")


@notices.command("add")
@click.argument("addresses", nargs=-1, required=True)
@click.option(
    "--event",
    "events",
    multiple=True,
    default=(MISSED,),
    help=f"Of which event; may be repeated. One of {', '.join(NOTICE_EVENTS)}.",
)
@click.option("--did", help="Only of calls to this number, and of callbacks for them.")
@click.option("--zone", default="UTC", help="Time zone (IANA) of the times in the text.")
@click.option("--language", help="en or ru for those that do not say; else DUTYLINE_LANGUAGE.")
@readable
def add(
    addresses: tuple[str, ...],
    events: tuple[str, ...],
    did: str | None,
    zone: str,
    language: str | None,
) -> None:
    """Send an e-mail to ADDRESSES when something happened, a missed call without --event.

    Each address may say its language: anna@example.com=ru.
    """
    settings = settings_for(ami=False)
    recipients = tuple(_recipient(text, language or settings.language) for text in addresses)
    did = None if did is None else did.removeprefix("+")
    written = WrittenNotice(events, did, zone, recipients)
    wrong = check_notice(written)
    if wrong:
        raise Failed(_said(wrong[0]))
    with database(settings) as engine, writing(engine) as session:
        key = rules.add(session, written, datetime.now(UTC), note)
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
        if not rules.remove(session, number, note):
            raise Failed(f"there is no notice {number}")
    click.echo(WORDS[settings.language]["removed"].format(id=number))


@notices.command("test")
@click.argument("number", type=int)
@readable
def test(number: int) -> None:
    """Send a test mail to all recipients of a rule now, and say what came of it."""
    settings = settings_for(ami=False)
    words = WORDS[settings.language]
    with database(settings) as engine, reading(engine) as session:
        rule = get_notice(session, number)
    if rule is None:
        raise Failed(f"there is no notice {number}")
    mailer = rules.mailer_of(settings)
    if mailer is None:
        raise Failed(f"{rules.missing_setting(settings)} is not set")
    tried = rules.try_out(mailer, rule, datetime.now(UTC))
    for one in tried:
        address = one.recipient.address
        if one.why:
            click.echo(f"✗ {address}: {say_reason(one.why, settings.language)}", err=True)
        else:
            click.echo(f"✓ {address}" if one.at_all else f"- {address}: {words['not_tried']}")
    if any(one.why for one in tried):
        raise Failed(words["not_all"])


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
            f"{say_reason(one.last_error or '', settings.language)}"
        )


def _recipient(text: str, language: str) -> Recipient:
    address, _, own = text.partition("=")
    return Recipient(address, own or language)


def _said(wrong: Objected) -> str:
    detail = wrong.detail
    return {
        Objection.NO_EVENT: "name an --event",
        Objection.UNKNOWN_EVENT: f"--event {detail!r} is not one of {', '.join(NOTICE_EVENTS)}",
        Objection.NOT_BY_NUMBER: "--did is for missed calls and callbacks only",
        Objection.NOT_A_NUMBER: f"--did {detail!r} is not a number of 3 to 15 digits",
        Objection.NOT_A_ZONE: f"--zone {detail!r} is not an IANA time zone such as Europe/Moscow",
        Objection.NO_RECIPIENT: "name an address",
        Objection.MANY_RECIPIENTS: f"a notice has at most {detail} recipients",
        Objection.NOT_AN_ADDRESS: f"{detail!r} is not an e-mail address",
        Objection.NOT_A_LANGUAGE: f"{detail!r} is not a language: use {' or '.join(LANGUAGES)}",
    }[wrong.why]
