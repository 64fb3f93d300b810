"""One delivery on its way: what is sent, to whom, and what the receiver's answer means."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.callbacks.desk import Desk
from telephony.domain.duty.calendars import CALENDAR_FAILED
from telephony.domain.duty.outlook import DUTY_GAP
from telephony.domain.record import CallRecord
from telephony.mailing import Mailer, MailError
from telephony.notify import (
    CASE_NOTICES,
    ENDED,
    MAILS_WITHIN,
    MOST_MAILS,
    PART_OF,
    ZAMMAD,
    Message,
    alarm_mail,
    calendar_mail,
    case_mail,
    gap_mail,
    is_given_up,
    message_id,
    missed_mail,
    standard_message,
    zammad_message,
)
from telephony.outgoing import Outgoing, OutgoingError, wait_of
from telephony.secrets import SecretError, Vault
from telephony.store.alarms import ALARM
from telephony.store.calls import get_call
from telephony.store.cases import get_case
from telephony.store.deliveries import Delivery, count_before
from telephony.store.engine import reading
from telephony.store.notices import Notice, Recipient, list_notices
from telephony.store.outbox import StoredFact, get_fact
from telephony.store.setup import load_setup
from telephony.store.webhooks import Webhook, get_webhook
from telephony.transport import JOB_SECONDS

_GONE = 410
_OF_NO_CALL = {CALENDAR_FAILED: calendar_mail, DUTY_GAP: gap_mail, ALARM: alarm_mail}


@dataclass(frozen=True, slots=True)
class Tools:
    """What jobs work with. Without a `mailer` notices are not sent.

    `lease` is how long a delivery that was begun stays this job's. Without a `desk` nobody is
    called.
    """

    engine: Engine
    vault: Vault
    outgoing: Outgoing
    mailer: Mailer | None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    draw: Callable[[], float] = random.random
    lease: timedelta = timedelta(seconds=JOB_SECONDS + 15)
    desk: Desk | None = None


class SendError(Exception):
    """A delivery failed: why, with which status, and when the receiver wants the next try.

    `for_good`: this delivery will never succeed, its receiver is well. `gone`: the receiver wants
    no more of any.
    """

    def __init__(
        self,
        why: str,
        status: int | None = None,
        *,
        wait: timedelta | None = None,
        for_good: bool = False,
        gone: bool = False,
    ) -> None:
        """Keep what is known of the failure."""
        super().__init__(why)
        self.status = status
        self.wait = wait
        self.for_good = for_good
        self.gone = gone


class OverError(Exception):
    """There is nothing to tell of any more; the message says why."""


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A delivery with the rows it is made from."""

    delivery: Delivery
    key: str
    fact: StoredFact
    record: CallRecord | None


def record_of(session: Session, fact: StoredFact) -> CallRecord | None:
    """Return the record of the call whose end a fact tells of; None for other facts."""
    return get_call(session, str(fact.payload.get("call_id"))) if fact.kind == ENDED else None


def send(tools: Tools, delivery: Delivery) -> tuple[int, int]:
    """Send a delivery; return the status and the ms it took. Raises SendError, OverError."""
    with reading(tools.engine) as session:
        fact = get_fact(session, delivery.fact_id)
        record = None if fact is None else record_of(session, fact)
    if fact is None or (record is None and fact.kind == ENDED and PART_OF not in fact.payload):
        raise SendError("the call's record is gone", for_good=True)
    key = message_id(fact, delivery.target, delivery.event)
    parcel = _Parcel(delivery, key, fact, record)
    if delivery.target.startswith("notice:"):
        return _mail(tools, parcel), 0
    return _post(tools, parcel)


def _post(tools: Tools, parcel: _Parcel) -> tuple[int, int]:
    with reading(tools.engine) as session:
        hook = get_webhook(session, int(parcel.delivery.target.partition(":")[2]))
        zammad = hook is not None and hook.form == ZAMMAD
        people = load_setup(session).operators if zammad else {}
    if hook is None or not hook.enabled:
        raise SendError("the webhook was removed or disabled", for_good=True)
    message: Message | None
    if zammad:
        if tools.now() > parcel.delivery.give_up_at:
            raise SendError("too late to tell that a phone rings", for_good=True)
        names = {extension: person.name for extension, person in people.items()}
        message = zammad_message(parcel.fact, parcel.record, names)
        if message is None:
            raise SendError("Zammad takes no internal calls", for_good=True)
    else:
        message = standard_message(
            parcel.delivery.event,
            parcel.fact,
            parcel.record,
            key=parcel.key,
            secret=_open(tools, hook.secret or ""),
            now=tools.now(),
        )
    return _request(tools, hook, message)


def _request(tools: Tools, hook: Webhook, message: Message) -> tuple[int, int]:
    try:
        answer = tools.outgoing.post(_open(tools, hook.url), message.body, message.headers)
    except OutgoingError as error:
        raise SendError(str(error)) from None
    if 200 <= answer.status < 300:
        return answer.status, answer.took_ms
    if answer.status == _GONE:
        raise SendError("the receiver wants no more (410)", answer.status, gone=True)
    if 300 <= answer.status < 400:
        raise SendError(f"it redirects ({answer.status}): that is not followed", answer.status)
    wait = wait_of(answer.retry_after, tools.now())
    raise SendError(f"it answered {answer.status}", answer.status, wait=wait)


def _mail(tools: Tools, parcel: _Parcel) -> int:
    _, number, address = parcel.delivery.target.split(":", 2)
    kind = parcel.fact.kind
    names: dict[str, str] = {}
    with reading(tools.engine) as session:
        found = _recipient(list_notices(session), int(number), address)
        since = parcel.delivery.created_at - MAILS_WITHIN
        last = count_before(session, parcel.delivery, since) + 1 >= MOST_MAILS
        if kind in CASE_NOTICES:
            case = get_case(session, int(parcel.fact.payload["case_id"]))
            if case is None or not (case.open or is_given_up(parcel.fact)):
                raise OverError("the case is over")
            people = load_setup(session).operators
            names = {extension: person.name for extension, person in people.items()}
    if found is None or (parcel.record is None and kind not in (*_OF_NO_CALL, *CASE_NOTICES)):
        raise SendError("the notice or its recipient was removed", for_good=True)
    if tools.mailer is None:
        raise SendError("DUTYLINE_SMTP_HOST is not set")
    rule, recipient = found
    mailing: dict[str, str] = {
        "sender": tools.mailer.sender,
        "to": recipient.address,
        "language": recipient.language,
        "zone": rule.zone,
        "key": parcel.key,
    }
    try:
        if kind in CASE_NOTICES:
            mail = case_mail(parcel.fact, **mailing, names=names, last=last)
        elif kind in _OF_NO_CALL:
            mail = _OF_NO_CALL[kind](parcel.fact, **mailing)
        elif parcel.record is not None:
            mail = missed_mail(parcel.record, **mailing, last=last)
    except ValueError as error:
        raise SendError(str(error), for_good=True) from None
    try:
        return tools.mailer.send(mail)
    except MailError as error:
        raise SendError(str(error), error.status, for_good=error.for_good) from None


def _recipient(notices: list[Notice], number: int, address: str) -> tuple[Notice, Recipient] | None:
    for rule in notices:
        for recipient in rule.recipients:
            if (rule.id, recipient.address) == (number, address):
                return rule, recipient
    return None


def _open(tools: Tools, sealed: str) -> str:
    try:
        return tools.vault.open(sealed)
    except SecretError as error:
        raise SendError(str(error)) from None
