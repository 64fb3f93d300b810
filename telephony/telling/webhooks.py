"""Webhooks: kept, changed, paused, removed, and tried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from telephony.notify import STANDARD, STARTED, ZAMMAD, new_secret, standard_message, zammad_message
from telephony.outgoing import Outgoing, OutgoingError
from telephony.secrets import SecretError, Vault
from telephony.store.audit import Note
from telephony.store.deliveries import park_lane
from telephony.store.lanes import lane_works, list_lanes
from telephony.store.outbox import StoredFact
from telephony.store.webhooks import (
    Webhook,
    add_webhook,
    disable_webhook,
    enable_webhook,
    get_webhook,
    remove_webhook,
    save_webhook,
)
from telephony.telling.written import WrittenWebhook, in_order, possible_events

REMOVED, PAUSED = "the webhook was removed", "the webhook was paused"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial: HTTP's status after how many ms, or why there is none.

    `why` is empty when the receiver took it.
    """

    status: int | None
    took_ms: int
    why: str


def add(
    session: Session, written: WrittenWebhook, place: str, vault: Vault, now: datetime, note: Note
) -> tuple[int, str | None]:
    """Keep a webhook that was checked, and write that down; return (its id, its secret if any).

    `place` is what may be shown of its address. The secret is shown to nobody again.
    """
    secret = new_secret() if written.form == STANDARD else None
    events = in_order(written.events, possible_events(written.form))
    key = add_webhook(
        session,
        form=written.form,
        events=events,
        place=place,
        url=vault.seal(written.url),
        secret=None if secret is None else vault.seal(secret),
        now=now,
    )
    note(session, "webhook.added", place, events=list(events))
    return key, secret


def change(
    session: Session, hook: Webhook, written: WrittenWebhook, place: str, vault: Vault, note: Note
) -> bool:
    """Give a webhook other events and, if one is written, another address; both were checked.

    Tell whether it is there yet.
    """
    events = in_order(written.events, possible_events(hook.form))
    changed: dict[str, object] = {}
    if events != hook.events:
        changed["events"] = {"old": list(hook.events), "new": list(events)}
    if not written.url:
        saved = save_webhook(session, hook.id, events=list(events))
    else:
        url = vault.seal(written.url)
        saved = save_webhook(session, hook.id, events=list(events), place=place, url=url)
        changed["place"] = {"old": hook.place, "new": place}
        # What failed was the old address.
        lane_works(session, _lane(hook.id), slow=False)
    if saved and changed:
        note(session, "webhook.changed", place or hook.place, **changed)
    return saved


def pause(session: Session, key: int, now: datetime, note: Note) -> bool:
    """Send no more to a webhook, and give up what waits for it; tell whether there is one."""
    hook = get_webhook(session, key)
    if hook is None:
        return False
    if disable_webhook(session, key, None):
        park_lane(session, _lane(key), now, PAUSED)
        note(session, "webhook.paused", hook.place)
    return True


def enable(session: Session, key: int, note: Note) -> bool:
    """Send to a webhook again, which was paused or wanted no more; tell whether there is one."""
    hook = get_webhook(session, key)
    if hook is None or not enable_webhook(session, key):
        return False
    if not hook.enabled:
        lane_works(session, _lane(key), slow=False)
        note(session, "webhook.enabled", hook.place)
    return True


def remove(session: Session, key: int, now: datetime, note: Note) -> bool:
    """Delete a webhook, and give up what waits for it; tell whether there was one."""
    hook = get_webhook(session, key)
    if hook is None or not remove_webhook(session, key):
        return False
    park_lane(session, _lane(key), now, REMOVED)
    note(session, "webhook.removed", hook.place, events=list(hook.events))
    return True


def failing_since(session: Session, hooks: Iterable[Webhook]) -> dict[int, datetime | None]:
    """Return since when each does not answer: None while it does, or is paused."""
    lanes = {one.name: one.failing_since for one in list_lanes(session)}
    return {hook.id: lanes.get(_lane(hook.id)) if hook.enabled else None for hook in hooks}


def try_out(hook: Webhook, outgoing: Outgoing, vault: Vault, now: datetime) -> Tried:
    """Send a made-up call.started to a webhook now, also to one that is paused."""
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
    fact = StoredFact(0, STARTED, f"test:{now.timestamp()}", payload, now)
    try:
        if hook.form == ZAMMAD:
            message = zammad_message(fact, None, {})
        else:
            secret = vault.open(hook.secret or "")
            key = f"msg_test_{int(now.timestamp() * 1000)}"
            message = standard_message(fact.kind, fact, None, key=key, secret=secret, now=now)
        assert message is not None
        answer = outgoing.post(vault.open(hook.url), message.body, message.headers)
    except (OutgoingError, SecretError) as error:
        return Tried(None, 0, str(error))
    taken = 200 <= answer.status < 300
    return Tried(answer.status, answer.took_ms, "" if taken else f"it answered {answer.status}")


def _lane(key: int) -> str:
    return f"webhook:{key}"
