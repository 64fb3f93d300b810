"""A notice, webhooks, and what did not arrive, for tests of whatever shows them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from telephony.store.deliveries import (
    Wanted,
    add_deliveries,
    claim_deliveries,
    delivery,
    due_deliveries,
    park_delivery,
    postpone_delivery,
)
from telephony.store.lanes import lane_failed, open_lanes
from telephony.store.notices import Recipient, add_notice
from telephony.store.outbox import Fact, add_facts, outbox
from telephony.store.webhooks import add_webhook, disable_webhook

_LEASE = timedelta(minutes=1)


def give_up(session: Session, now: datetime, why: str, *targets: str) -> list[int]:
    """Give up a delivery to each of the targets, once for a database; return their ids."""
    _deliver(session, now, *targets)
    for target in targets:
        due = due_deliveries(session, target, now, 1)
        for claim in claim_deliveries(session, due, now, _LEASE):
            park_delivery(session, claim.id, claim.attempt, now, 550, why)
    return list(session.execute(select(delivery.c.id).order_by(delivery.c.id)).scalars())


def tell_everybody(session: Session, now: datetime, why: str) -> None:
    """Add notice 1 and webhooks 1 (which fails), 2 (paused) and 3 (wants no more), with
    deliveries to them that failed; `why` is what their receivers said.
    """
    people = (Recipient("anna@example.com", "ru"), Recipient("boss@example.com", "en"))
    events = ("callback.near", "callback.overdue", "callback.alarm", "duty.gap")
    add_notice(session, events=events, did=None, zone="Europe/Moscow", recipients=people, now=now)
    for place in ("https://crm.example.com", "https://bi.example.com:8443", "https://old.example"):
        add_webhook(
            session,
            form="standard",
            events=("call.ended", "callback.opened"),
            place=place,
            url="sealed",
            secret="sealed",
            now=now,
        )
    disable_webhook(session, 2, None)
    disable_webhook(session, 3, "the receiver wants no more (410)")
    open_lanes(session, ["webhook:1"])
    lane_failed(session, "webhook:1", now)
    give_up(session, now, why, "notice:1:anna@example.com", "webhook:9")
    _deliver(session, now, "webhook:1")
    for claim in claim_deliveries(
        session, due_deliveries(session, "webhook:1", now, 1), now, _LEASE
    ):
        later = now + timedelta(minutes=5)
        postpone_delivery(session, claim.id, claim.attempt, later, 503, "it answered 503")


def _deliver(session: Session, now: datetime, *targets: str) -> None:
    kind = "callback.overdue"
    key = f"{kind}:{','.join(targets)}"
    add_facts(session, [Fact(kind, key, {"case_id": 1})], now)
    fact = session.execute(select(outbox.c.id).where(outbox.c.key == key)).scalar_one()
    add_deliveries(session, fact, [Wanted(kind, one, one, now) for one in targets], now)
