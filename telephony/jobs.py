"""The jobs: what workers do with the rows that the relay hands them.

Each takes its tools, the row's id and the attempt it was enqueued for. The row decides: a job
whose attempt is not the row's does nothing, so that a job which runs twice acts once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from telephony.calendars import Calendars
from telephony.callbacks.looking import look
from telephony.callbacks.placing import place
from telephony.domain.record import CallRecord
from telephony.domain.retries import LONGEST, PATIENCE, block, pause
from telephony.notify import ENDED, MAILS_WITHIN, MOST_MAILS, ZAMMAD, events_of
from telephony.sending import OverError, SendError, Tools, record_of, send
from telephony.store.deliveries import (
    Delivery,
    Wanted,
    add_deliveries,
    begin_delivery,
    count_lately,
    finish_delivery,
    in_flight,
    park_delivery,
    park_lane,
    postpone_delivery,
)
from telephony.store.engine import reason, writing
from telephony.store.lanes import block_lane, lane_failed, lane_works, list_lanes, open_lanes
from telephony.store.notices import Notice, list_notices
from telephony.store.outbox import StoredFact, finish_fact, postpone_fact
from telephony.store.webhooks import Webhook, disable_webhook, list_webhooks

log = structlog.get_logger(__name__)

MAIL_LANE = "mail"

_SLOW_MS = 2000
_LIVE = timedelta(minutes=2)  # how long Zammad wants to hear that a phone rings
_BUSY = (429, 503)


def expand(tools: Tools, row: int, attempt: int) -> None:
    """Make the deliveries of a fact, and mark it as done, in one transaction."""
    now = tools.now()
    try:
        with writing(tools.engine) as session:
            fact = finish_fact(session, row, attempt, now)
            if fact is None:
                log.debug("job.stale", fact=row, attempt=attempt)
                return
            record = record_of(session, fact)
            wanted = _by_webhook(fact, record, list_webhooks(session), now)
            if tools.mailer is not None:
                wanted += _within_limit(
                    session, _by_mail(fact, record, list_notices(session), now), now
                )
            open_lanes(session, sorted({one.lane for one in wanted}))
            add_deliveries(session, fact.id, wanted, now)
    except Exception as error:
        with writing(tools.engine) as session:
            until = now + pause(attempt, tools.draw())
            postpone_fact(session, row, attempt, until, reason(error)[:300])
        raise


def deliver(tools: Tools, row: int, attempt: int) -> None:
    """Send one delivery, and keep what came of it."""
    now = tools.now()
    with writing(tools.engine) as session:
        delivery = begin_delivery(session, row, attempt, now + tools.lease)
        stands_back = delivery is not None and _stands_back(session, delivery, now)
    if delivery is None or stands_back:
        log.debug("job.stale", delivery=row, attempt=attempt)
        return
    try:
        status, took_ms = send(tools, delivery)
    except OverError as over:
        with writing(tools.engine) as session:
            finish_delivery(session, row, attempt, tools.now(), None)
        log.info("delivery.dropped", delivery=row, to=_shown(delivery), why=str(over))
        return
    except SendError as failed:
        _failed(tools, delivery, failed)
        return
    except Exception as error:  # a row that breaks its job must not be tried again at once
        _failed(tools, delivery, SendError(f"{type(error).__name__}: {reason(error)}"[:300]))
        raise
    with writing(tools.engine) as session:
        finish_delivery(session, row, attempt, tools.now(), status)
        lane_works(session, delivery.lane, slow=took_ms > _SLOW_MS)
    log.info("delivery.done", delivery=row, to=_shown(delivery), status=status, took_ms=took_ms)


def renew_calendar(tools: Tools, row: int, attempt: int) -> None:
    """Fetch a calendar, and keep what it says or why it could not be had."""
    Calendars(tools.engine, tools.vault, tools.outgoing, now=tools.now, draw=tools.draw).renew(
        row, attempt
    )


def place_callback(tools: Tools, row: int, attempt: int) -> None:
    """Order the call of a try to call back."""
    if tools.desk is not None:
        place(tools.desk, row, attempt)


def look_up_callback(tools: Tools, row: int, attempt: int) -> None:
    """Find out what became of a try of which nothing was heard."""
    if tools.desk is not None:
        look(tools.desk, row, attempt)


# What a worker may be asked to do: nothing else that lies in a queue is run.
JOBS: Mapping[str, Callable[[Tools, int, int], None]] = {
    "expand": expand,
    "deliver": deliver,
    "calendar": renew_calendar,
    "callback": place_callback,
    "look": look_up_callback,
}


def _by_webhook(
    fact: StoredFact, record: CallRecord | None, webhooks: Sequence[Webhook], now: datetime
) -> list[Wanted]:
    wanted: list[Wanted] = []
    for event in events_of(fact.kind, record):
        for hook in webhooks:
            if hook.enabled and event in hook.events:
                live = hook.form == ZAMMAD and event != ENDED
                name = f"webhook:{hook.id}"
                wanted.append(Wanted(event, name, name, now + (_LIVE if live else PATIENCE)))
    return wanted


def _by_mail(
    fact: StoredFact, record: CallRecord | None, notices: Sequence[Notice], now: datetime
) -> list[Wanted]:
    did = fact.payload.get("did") if record is None else record.did
    return [
        Wanted(event, f"notice:{rule.id}:{recipient.address}", MAIL_LANE, now + PATIENCE)
        for event in events_of(fact.kind, record)
        for rule in notices
        if event in rule.events and rule.did in (None, did)
        for recipient in rule.recipients
    ]


def _within_limit(session: Session, mails: list[Wanted], now: datetime) -> list[Wanted]:
    """Return those of the mails whose recipients had fewer by their rule than the limit lately."""
    if not mails:
        return []
    had = count_lately(session, MAIL_LANE, now - MAILS_WITHIN)
    kept = [mail for mail in mails if had.get(mail.target, 0) < MOST_MAILS]
    if len(kept) < len(mails):
        log.warning("notice.limited", mails=len(mails) - len(kept))
    return kept


def _stands_back(session: Session, delivery: Delivery, now: datetime) -> bool:
    """Put a delivery back whose receiver fell ill since it was claimed, unless it is the last.

    Each of those in the queue would wait for the receiver in vain, and all others behind them.
    """
    (lane,) = (one for one in list_lanes(session) if one.name == delivery.lane)
    if not (lane.failures or lane.slow) or in_flight(session).get(delivery.lane, 0) < 2:
        return False
    why = delivery.last_error or "its receiver fails or is slow"
    postpone_delivery(session, delivery.id, delivery.attempt, now, delivery.last_status, why)
    return True


def _failed(tools: Tools, delivery: Delivery, failed: SendError) -> None:
    now = tools.now()
    wait = pause(delivery.attempt, tools.draw())
    if failed.wait is not None:
        wait = max(wait, min(failed.wait, LONGEST))
    until = now + wait
    over = failed.for_good or failed.gone or until > delivery.give_up_at
    key, attempt, why = delivery.id, delivery.attempt, str(failed)
    with writing(tools.engine) as session:
        if over:
            mine = park_delivery(session, key, attempt, now, failed.status, why)
        else:
            mine = postpone_delivery(session, key, attempt, until, failed.status, why)
        if mine and not failed.for_good:
            _tell_lane(session, tools, delivery, failed, now)
    about = {"to": _shown(delivery), "attempt": attempt, "status": failed.status, "why": why}
    if over:
        log.warning("delivery.parked", delivery=key, **about)
    else:
        next_at = until.isoformat(timespec="seconds")
        log.info("delivery.failed", delivery=key, **about, next_at=next_at)


def _tell_lane(
    session: Session, tools: Tools, delivery: Delivery, failed: SendError, now: datetime
) -> None:
    """Count the failure against the receiver, which the other deliveries to it share."""
    lane = delivery.lane
    if failed.gone:
        disable_webhook(session, int(lane.partition(":")[2]), str(failed))
        parked = park_lane(session, lane, now, str(failed))
        log.error("webhook.disabled", webhook=lane, why=str(failed), parked=parked)
        return
    rest = block(lane_failed(session, lane, now), tools.draw())
    if failed.wait is not None and failed.status in _BUSY:
        rest = max(rest or timedelta(0), min(failed.wait, LONGEST))
    if rest:
        block_lane(session, lane, now + rest)


def _shown(delivery: Delivery) -> str:
    """Return the target without a recipient's address."""
    return ":".join(delivery.target.split(":", 2)[:2])
