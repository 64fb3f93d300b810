"""Which events a fact is, and which of them webhooks and mails may tell of.

A fact `call.started`, `call.answered` or `call.ended` is an event of the same name; a missed
inbound call is the event `call.missed` besides. So are the facts of callbacks.
"""

from __future__ import annotations

from telephony.domain.duty.calendars import CALENDAR_FAILED
from telephony.domain.duty.outlook import DUTY_GAP
from telephony.domain.record import CallRecord, Direction, Disposition
from telephony.store.alarms import ALARM
from telephony.store.cases import CASE_FACTS, ESCALATED, NEAR, OPENED, OVERDUE

STARTED, ANSWERED, ENDED, MISSED = "call.started", "call.answered", "call.ended", "call.missed"
EVENTS = (STARTED, ANSWERED, ENDED, MISSED, *CASE_FACTS, ALARM)
# Of a case that is over by then nobody is mailed any more.
CASE_NOTICES = (OPENED, NEAR, OVERDUE, ESCALATED)
NOTICE_EVENTS = (MISSED, *CASE_NOTICES, ALARM, CALENDAR_FAILED, DUTY_GAP)
# Those that are about a number of ours, so that a notice may be for one alone.
DID_EVENTS = (MISSED, *CASE_NOTICES)
ZAMMAD_EVENTS = (STARTED, ANSWERED, ENDED)
_MISSED = frozenset(
    {
        Disposition.CALLBACK_ASKED,
        Disposition.ABANDONED,
        Disposition.NO_ANSWER,
        Disposition.BUSY,
        Disposition.FAILED,
        Disposition.VOICEMAIL,
    }
)


def is_missed(record: CallRecord) -> bool:
    """Tell whether a call was missed: inbound, and nobody answered. A lost one is not known of."""
    return record.direction is Direction.IN and record.disposition in _MISSED


def events_of(kind: str, record: CallRecord | None) -> tuple[str, ...]:
    """Return the events that a fact of this kind is; none for a kind that nobody is told of."""
    if kind == ENDED and record is not None and is_missed(record):
        return ENDED, MISSED
    return (kind,) if kind in (*EVENTS, *NOTICE_EVENTS) else ()
