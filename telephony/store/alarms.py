"""Alarms of callbacks as facts: a cap over many numbers stops calls, or a person stopped them all.

Either may be toll fraud: somebody who makes us call, or who was noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from telephony.store.outbox import Fact, add_facts, outbox

ALARM = "callback.alarm"
_HOUR = timedelta(hours=1)


class Alarm(StrEnum):
    """What is told of; the first three are caps, named as the bars that they put up."""

    PREFIX_HOUR = "prefix_hour"
    HOUR = "hour"
    DAY = "day"
    STOPPED = "stopped"
    RESUMED = "resumed"


CAPS = (Alarm.PREFIX_HOUR, Alarm.HOUR, Alarm.DAY)


def tell_cap(session: Session, alarm: Alarm, limit: int, now: datetime, prefix: str = "") -> None:
    """Note that a cap stops calls, once an hour; that of a prefix once an hour of each prefix."""
    hour = int(now.timestamp() // 3600)
    before, key = (f"{ALARM}:{alarm}:{prefix}:{nth}" for nth in (hour - 1, hour))
    lately = select(outbox.c.id).where(
        outbox.c.key.in_([before, key]), outbox.c.created_at > now - _HOUR
    )
    if session.execute(lately).first() is None:
        _tell(session, alarm, key, now, {"limit": limit, "prefix": prefix})


def tell_stopped(session: Session, by: str, reason: str, now: datetime) -> None:
    """Note that somebody stopped all dialling."""
    key = f"{ALARM}:{Alarm.STOPPED}:{now.isoformat()}"
    _tell(session, Alarm.STOPPED, key, now, {"by": by, "reason": reason})


def tell_resumed(session: Session, by: str, since: datetime, now: datetime) -> None:
    """Note that dialling goes on, which was stopped `since`."""
    key = f"{ALARM}:{Alarm.RESUMED}:{since.isoformat()}"
    _tell(session, Alarm.RESUMED, key, now, {"by": by, "since": _iso(since)})


def _tell(
    session: Session, alarm: Alarm, key: str, now: datetime, more: Mapping[str, object]
) -> None:
    payload: dict[str, Any] = {
        "alarm": alarm.value,
        "limit": None,
        "prefix": "",
        "by": None,
        "reason": "",
        "since": None,
        "at": _iso(now),
    }
    add_facts(session, [Fact(ALARM, key, payload | dict(more))], now)


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
