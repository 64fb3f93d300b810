"""Notices by e-mail: kept, changed, removed, and tried."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from telephony.mailing import Mailer, MailError
from telephony.notify import NOTICE_EVENTS, trial_mail
from telephony.settings import Settings
from telephony.store.audit import Note, changes
from telephony.store.notices import (
    Notice,
    Recipient,
    add_notice,
    get_notice,
    remove_notice,
    save_notice,
)
from telephony.telling.written import WrittenNotice, in_order

TRIAL_SECONDS = 20.0  # for all mails of a trial


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a test mail: why it was not taken, empty when it was.

    `at_all` is False when there was no time left to try.
    """

    recipient: Recipient
    why: str = ""
    at_all: bool = True


def missing_setting(settings: Settings) -> str | None:
    """Return the setting without which no mail is sent, None when mails are."""
    if not settings.smtp_host:
        return "DUTYLINE_SMTP_HOST"
    return None if settings.mail_from else "DUTYLINE_MAIL_FROM"


def mailer_of(settings: Settings) -> Mailer | None:
    """Return the mail server of the settings, None while mails are not sent."""
    if missing_setting(settings):
        return None
    return Mailer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
        settings.mail_from,
    )


def add(session: Session, written: WrittenNotice, now: datetime, note: Note) -> int:
    """Keep a notice that was checked, and write that down; return its id."""
    rule = _rule(0, written)
    key = add_notice(
        session,
        events=rule.events,
        did=rule.did,
        zone=rule.zone,
        recipients=rule.recipients,
        now=now,
    )
    note(session, "notice.added", _people(rule), **_about(rule))
    return key


def change(session: Session, key: int, written: WrittenNotice, note: Note) -> bool:
    """Put a notice that was checked in the place of another; tell whether there was one."""
    before, after = get_notice(session, key), _rule(key, written)
    if before is None or not save_notice(session, after):
        return False
    old, new = ({**_about(one), "recipients": _people(one)} for one in (before, after))
    if changed := changes(old, new):
        note(session, "notice.changed", _people(after), **changed)
    return True


def remove(session: Session, key: int, note: Note) -> bool:
    """Delete a notice; tell whether there was one."""
    rule = get_notice(session, key)
    if rule is None or not remove_notice(session, key):
        return False
    note(session, "notice.removed", _people(rule), **_about(rule))
    return True


def try_out(
    mailer: Mailer,
    rule: Notice,
    now: datetime,
    *,
    seconds: float = TRIAL_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> list[Tried]:
    """Send a test mail to each recipient now; return what came of each.

    A server that fails is not asked for the others, who are told to wait for it as little as for
    the end of the time.
    """
    until = clock() + seconds
    tried: list[Tried] = []
    server_fails = False
    for recipient in rule.recipients:
        left = until - clock()
        if server_fails or left <= 0:
            tried.append(Tried(recipient, at_all=False))
            continue
        mail = trial_mail(
            rule.events,
            sender=mailer.sender,
            to=recipient.address,
            language=recipient.language,
            zone=rule.zone,
            key=f"test.{secrets.token_hex(8)}",
            at=now,
        )
        try:
            replace(mailer, seconds=min(mailer.seconds, left)).send(mail)
        except MailError as error:
            server_fails = not error.for_good
            tried.append(Tried(recipient, str(error)))
        else:
            tried.append(Tried(recipient))
    return tried


def _rule(key: int, written: WrittenNotice) -> Notice:
    events = in_order(written.events, NOTICE_EVENTS)
    return Notice(key, events, written.did, written.zone, written.recipients)


def _people(rule: Notice) -> str:
    return ", ".join(f"{one.address} ({one.language})" for one in rule.recipients)


def _about(rule: Notice) -> dict[str, object]:
    about: dict[str, object] = {"events": list(rule.events), "zone": rule.zone}
    return {**about, "did": rule.did} if rule.did else about
