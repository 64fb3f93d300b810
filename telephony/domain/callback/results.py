"""What a call means for callbacks: was it missed and why, was it a contact, how did a try end?

Pure functions of a call's record. A conversation counts by its length, not by its answer: a
machine answers too. Times are aware.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from telephony.domain.callback.rules import CallbackRules
from telephony.domain.record_types import (
    CallRecord,
    Direction,
    Disposition,
    LegKind,
    LegRecord,
    MomentKind,
    Outcome,
    Side,
    Source,
)
from telephony.domain.routing import Rule

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Why(StrEnum):
    """Why nobody answered: what a missed case is opened for."""

    RINGING = "ringing"  # the caller gave up while it rang
    WAITING = "waiting"  # … while they waited, in a queue or for a plan
    SHORT = "short"  # … before anybody could answer
    NOBODY = "nobody"  # nobody was reachable, or nobody took it
    CLOSED = "closed"  # out of hours
    LOST = "lost"  # the PBX, or whoever watched it, broke down
    VOICEMAIL = "voicemail"  # a message was left
    ASKED = "asked"  # the client asked to be called


class Ended(StrEnum):
    """How one try to call back ended."""

    TALKED = "talked"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    NOT_A_PERSON = "not_a_person"  # no key, or too short a talk: a machine, most likely
    WAITED_IN_VAIN = "waited_in_vain"  # the client was there, and no operator
    CUT_OFF = "cut_off"  # they talked, and the PBX broke down
    OPERATOR_GONE = "operator_gone"  # hung up while the client's phone rang
    OPERATOR_BUSY = "operator_busy"
    OPERATOR_NO_ANSWER = "operator_no_answer"
    OPERATOR_DECLINED = "operator_declined"
    OPERATOR_UNREACHABLE = "operator_unreachable"
    NOT_DIALLED = "not_dialled"  # it is known that the client's phone was never rung
    UNKNOWN = "unknown"  # nobody knows
    WITHDRAWN = "withdrawn"  # when it came to it the rules said no

    @property
    def dialled(self) -> bool:
        """Whether the client's phone was rung, or may have been: what caps count."""
        return self not in _OURS


_OURS = frozenset(
    {
        Ended.OPERATOR_BUSY,
        Ended.OPERATOR_NO_ANSWER,
        Ended.OPERATOR_DECLINED,
        Ended.OPERATOR_UNREACHABLE,
        Ended.NOT_DIALLED,
        Ended.WITHDRAWN,
    }
)
_MISSED = {
    Disposition.CALLBACK_ASKED: Why.ASKED,
    Disposition.NO_ANSWER: Why.NOBODY,
    Disposition.BUSY: Why.NOBODY,
    Disposition.FAILED: Why.NOBODY,
    Disposition.LOST: Why.LOST,
    Disposition.VOICEMAIL: Why.VOICEMAIL,
}
_BY_CLIENT = {
    Outcome.BUSY: Ended.BUSY,
    Outcome.DECLINED: Ended.DECLINED,
    Outcome.UNREACHABLE: Ended.UNREACHABLE,
    Outcome.REFUSED: Ended.NOT_A_PERSON,
    Outcome.CANCELLED: Ended.OPERATOR_GONE,
    Outcome.NO_ANSWER: Ended.NO_ANSWER,
    Outcome.ACCEPTED: Ended.WAITED_IN_VAIN,
    Outcome.TALKED: Ended.NOT_A_PERSON,
}
_BY_OPERATOR = {
    Outcome.BUSY: Ended.OPERATOR_BUSY,
    Outcome.DECLINED: Ended.OPERATOR_DECLINED,
    Outcome.REFUSED: Ended.OPERATOR_DECLINED,
    Outcome.UNREACHABLE: Ended.OPERATOR_UNREACHABLE,
    Outcome.CANCELLED: Ended.OPERATOR_NO_ANSWER,
    Outcome.NO_ANSWER: Ended.OPERATOR_NO_ANSWER,
}


@dataclass(frozen=True, slots=True)
class Contact:
    """A conversation with a client that ends whatever they waited for.

    `since` is when it began; `ours` when we called them; `operator` talked, if that is known.
    """

    call_id: str
    number: str
    since: datetime
    at: datetime
    ours: bool
    operator: str | None = None


def why_missed(record: CallRecord, rules: CallbackRules) -> Why | None:
    """Return why nobody answered an inbound call, None for one that is no missed call.

    Whom the company blocks has not been missed. A call that was lost from sight after it had been
    answered was answered.
    """
    if record.direction is not Direction.IN or record.answered_at is not None:
        return None
    if record.disposition is Disposition.ABANDONED:
        if any(one.kind is MomentKind.PROMISED for one in record.moments):
            return Why.ASKED
        if record.wait_ms < rules.short_seconds * 1000:
            return Why.SHORT
        return Why.RINGING if record.abandoned_in == "ringing" else Why.WAITING
    why = _MISSED.get(record.disposition)
    if why in (Why.ASKED, Why.NOBODY) and _closed(record):
        return Why.CLOSED
    return why


def was_promised(record: CallRecord) -> bool:
    """Tell whether a caller asked to be called back, or was told that they will be."""
    return record.disposition is Disposition.CALLBACK_ASKED


def waits_since(record: CallRecord) -> datetime:
    """Return when a caller began to wait: their place in the line."""
    return _at(record.started_at)


def contact_of(record: CallRecord, rules: CallbackRules) -> Contact | None:
    """Return the contact that a call was, None when it was none.

    Who called us and was answered, or whom we called, from any phone, and talked to long enough.
    """
    if record.direction is Direction.INTERNAL or record.answered_at is None or not record.number:
        return None
    ours = record.direction is Direction.OUT
    if record.talk_ms < rules.least_talk(record.call_id, ours=ours) * 1000:
        return None
    talked = record.placed_by if ours else record.answered_by
    return Contact(
        record.call_id, record.number, _at(record.answered_at), _at(record.ended_at), ours, talked
    )


def ended_of(record: CallRecord, rules: CallbackRules) -> Ended:
    """Return how the try ended that this record is of: a call that Dutyline ordered."""
    if contact_of(record, rules) is not None:
        return Ended.TALKED
    if record.answered_at is not None and _was_cut(record):
        return Ended.CUT_OFF
    first = next(iter(record.legs), None)
    clients = [leg for leg in record.legs if _is_clients(leg)]
    if record.disposition is Disposition.LOST:
        return Ended.UNKNOWN
    if first is not None and _is_clients(first):
        # The client was called first: put through to nobody, or not reached.
        if record.answered_at is not None:
            return Ended.NOT_A_PERSON
        found = _BY_CLIENT[first.outcome]
        return Ended.NO_ANSWER if found is Ended.OPERATOR_GONE else found
    if clients:
        return _BY_CLIENT[clients[0].outcome]
    refused = next((dict(one.values) for one in record.moments if _is_refusal(one.kind)), {})
    if refused.get("status") in ("LATE", "TWICE", "ONTHELINE", "NOTRUNK"):
        return Ended.NOT_DIALLED  # whoever was to be called first
    if record.disposition is not Disposition.NOT_PLACED:
        return Ended.UNKNOWN
    if first is None:
        return Ended.OPERATOR_UNREACHABLE
    return _BY_OPERATOR.get(first.outcome, Ended.OPERATOR_GONE)


def _was_cut(record: CallRecord) -> bool:
    """Tell whether a conversation that was seen ended though nobody hung up."""
    return record.hung_up_by is Side.SYSTEM and record.source is Source.EVENTS


def _is_refusal(kind: MomentKind) -> bool:
    return kind is MomentKind.ORDER_REFUSED


def _is_clients(leg: LegRecord) -> bool:
    return leg.kind == LegKind.OUTSIDE


def _closed(record: CallRecord) -> bool:
    """Tell whether the plan was that of a number that is closed."""
    plan = record.decision.plan.steps if record.decision else ()
    return bool(plan) and plan[-1].rule is Rule.HOURS


def _at(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
