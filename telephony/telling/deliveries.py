"""What did not arrive, with whom it was meant for, and sending it once more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from telephony.domain.retries import PATIENCE
from telephony.store.audit import Note
from telephony.store.deliveries import (
    Delivery,
    count_failing,
    failing_deliveries,
    get_delivery,
    retry_delivery,
)
from telephony.store.notices import list_notices
from telephony.store.webhooks import list_webhooks


class Way(StrEnum):
    """By which way something is told."""

    MAIL = "mail"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A delivery that failed, or waits after a failure.

    `receiver` is an e-mail address, or what may be shown of a webhook's; empty for a webhook that
    was removed. `wanted` tells whether the receiver is still to be told: else a try is in vain.
    """

    delivery: Delivery
    way: Way
    receiver: str
    wanted: bool


def undelivered(session: Session, limit: int, offset: int = 0) -> tuple[list[Undelivered], int]:
    """Return what did not arrive, newest first, and how many there are."""
    found = failing_deliveries(session, limit, offset)
    return _named(session, found), count_failing(session)


def one_undelivered(session: Session, key: int) -> Undelivered | None:
    """Return a delivery with its receiver, whatever became of it."""
    found = get_delivery(session, key)
    return None if found is None else _named(session, [found])[0]


def retry(session: Session, one: Undelivered, now: datetime, note: Note) -> bool:
    """Send what was given up once more; tell whether it was given up."""
    if not retry_delivery(session, one.delivery.id, now, now + PATIENCE):
        return False
    note(session, "delivery.retried", one.receiver, events=[one.delivery.event])
    return True


def _named(session: Session, found: list[Delivery]) -> list[Undelivered]:
    hooks = {f"webhook:{one.id}": one for one in list_webhooks(session)}
    mails = {
        f"notice:{rule.id}:{one.address}"
        for rule in list_notices(session)
        for one in rule.recipients
    }
    named = []
    for one in found:
        if one.target.startswith("notice:"):
            address = one.target.split(":", 2)[2]
            named.append(Undelivered(one, Way.MAIL, address, one.target in mails))
            continue
        hook = hooks.get(one.target)
        enabled = hook is not None and hook.enabled
        named.append(Undelivered(one, Way.WEBHOOK, hook.place if hook else "", enabled))
    return named
