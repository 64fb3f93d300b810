"""What a call's record is made of: its codes and its frozen parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from telephony.domain.routing import Decision


class Disposition(StrEnum):
    """How a call ended: for the caller, or for whoever placed it."""

    ANSWERED = "answered"
    CALLBACK_ASKED = "callback_asked"
    ABANDONED = "abandoned"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    LOST = "lost"
    VOICEMAIL = "voicemail"
    BLOCKED = "blocked"
    # Of a call that Dutyline ordered: whoever was to be called first did not accept.
    NOT_PLACED = "not_placed"


class Direction(StrEnum):
    """Which way a call went, seen from the company."""

    IN = "in"
    OUT = "out"
    INTERNAL = "internal"


class Source(StrEnum):
    """What a record was made from: live events, or what the PBX had written down meanwhile."""

    EVENTS = "events"
    QUEUE_LOG = "queue_log"
    CDR = "cdr"


class MomentKind(StrEnum):
    """What happened to a call on its way, besides ringing and talking."""

    HELD = "held"
    RESUMED = "resumed"
    BLIND_TRANSFER = "blind_transfer"
    ATTENDED_TRANSFER = "attended_transfer"
    CONSULTED = "consulted"
    PICKED_UP = "picked_up"
    PARKED = "parked"
    UNPARKED = "unparked"
    CALLBACK_ASKED = "callback_asked"
    PROMISED = "promised"
    ORDER_ACCEPTED = "order_accepted"
    ORDER_REFUSED = "order_refused"
    ORDER_DIALLED = "order_dialled"
    VOICEMAIL = "voicemail"


class Side(StrEnum):
    """Who ended a call: the caller is the party outside, the operator whoever is inside."""

    CALLER = "caller"
    OPERATOR = "operator"
    SYSTEM = "system"


class LegKind(StrEnum):
    """Whose phone a leg rang."""

    DESK = "desk"
    MOBILE = "mobile"
    FALLBACK = "fallback"
    OUTSIDE = "outside"


class Outcome(StrEnum):
    """How one leg ended."""

    TALKED = "talked"
    ACCEPTED = "accepted"  # picked up and agreed, and the other side was not reached
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a call at `at` (µs since the epoch).

    `values` are (name, value): `by` and `to` are extensions or numbers, `slot` a parking space,
    `mailbox` a mailbox, `queue` the name of a queue on the PBX, `status` the dialplan's word for
    how the dialling ended or why it was refused.
    """

    at: int
    kind: MomentKind
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LegRecord:
    """One leg of a call. Times in µs since the epoch, durations in ms.

    `kind` is a `LegKind`; `address` the endpoint, or the number of a phone outside. `talks` are
    its (begin, end) in conversation, `holds` those of the times it put the other side on hold.
    """

    uniqueid: str
    channel: str
    kind: str
    operator: str | None
    address: str
    outcome: Outcome
    rang_at: int | None
    ring_ms: int
    talk_ms: int
    cause: int
    tech_cause: int
    ended_at: int | None = None
    hold_ms: int = 0
    talks: tuple[tuple[int, int], ...] = ()
    holds: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call. Times in µs since the epoch, durations in ms.

    `number` is the client's number; in an internal call the extension called. `placed_by` is the
    extension that placed an outbound or internal call, None for an inbound one.
    `wait_ms` runs from the announcement to the conversation, or to the end; `ring_ms` from the
    first leg's ringing to the same moment; `talk_ms` counts every moment in which at least one
    called party was in a bridge, `hold_ms` those of them in which an operator held the call.
    `answered_by` is the extension that answered, None for an outbound call. `abandoned_in` is the
    phase in which whoever called gave up.
    """

    call_id: str
    did: str
    number: str
    client_id: int | None
    client_name: str
    started_at: int
    answered_at: int | None
    ended_at: int
    wait_ms: int
    ring_ms: int
    talk_ms: int
    disposition: Disposition
    abandoned_in: str | None
    answered_by: str | None
    answered_on: str | None
    hung_up_by: Side
    fallback: str | None
    decision: Decision | None
    decided_ms: float | None
    legs: tuple[LegRecord, ...]
    direction: Direction = Direction.IN
    placed_by: str | None = None
    hold_ms: int = 0
    source: Source = Source.EVENTS
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a record needs besides the events: the decision and who owns which endpoint.

    `decided_ms` is the time from reading the announcement to writing the plan; `did` stands in
    where no announcement names one. `answered_at` and `answered_by` are what an earlier process had
    told of the first answer, `queue` and `queued_at` of the queue in which the caller waits.
    `endpoints` maps operators' endpoints to their extensions, `mobiles` their mobiles, digits only.
    """

    decision: Decision | None = None
    decided_ms: float | None = None
    client_id: int | None = None
    client_name: str = ""
    number: str | None = None
    did: str = ""
    answered_at: int | None = None
    answered_by: str | None = None
    queue: str = ""
    queued_at: int | None = None
    endpoints: Mapping[str, str] = field(default_factory=dict)
    mobiles: Mapping[str, str] = field(default_factory=dict)


def milliseconds(microseconds: int) -> int:
    """Return a duration in milliseconds, rounded."""
    return round(microseconds / 1000)
