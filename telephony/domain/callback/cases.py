"""A missed case: what opens it, what ends it, and what each try makes of it. Times are aware.

Every function takes a case and returns a new one. A case that has ended never changes again: it
comes back as the same object, so whatever arrives late or twice does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from telephony.domain.callback.results import Contact, Ended, Why
from telephony.domain.callback.rules import Automatic, CallbackRules
from telephony.domain.orders import attempt_of


class CaseState(StrEnum):
    """Where a case is. In the first two it is open."""

    OPEN = "open"
    DIALLING = "dialling"
    CLOSED = "closed"
    SUPPRESSED = "suppressed"


class Source(StrEnum):
    """What a case came from; all but the first were promised a call."""

    MISSED = "missed"
    KEY = "key"  # pressed in a queue, or promised by an announcement
    FORM = "form"  # on a web site
    REQUEST = "request"  # of an operator or a CRM
    SCHEDULED = "scheduled"  # at a time agreed


class Ending(StrEnum):
    """Why a case is over: reached, given up, or never to be called."""

    CLIENT_CALLED = "client_called"
    OPERATOR_CALLED = "operator_called"
    CALLED_BACK = "called_back"
    BY_HAND = "by_hand"
    EXPIRED = "expired"
    NOT_MISSED = "not_missed"
    SHORT = "short"
    BLOCKED = "blocked"
    NOT_DIALLABLE = "not_diallable"
    OPTED_OUT = "opted_out"
    DUPLICATE = "duplicate"


SUPPRESSING = frozenset(
    {Ending.SHORT, Ending.BLOCKED, Ending.NOT_DIALLABLE, Ending.OPTED_OUT, Ending.DUPLICATE}
)
# Endings by which the client was reached: what counts as a promise kept, when it was in time.
REACHED = frozenset({Ending.CLIENT_CALLED, Ending.OPERATOR_CALLED, Ending.CALLED_BACK})


class Attention(StrEnum):
    """Why a case waits for a person rather than for its next try."""

    ATTEMPTS = "attempts"  # as many as there may be
    UNKNOWN = "unknown"  # nobody knows whether the client was reached: never dialled again blindly
    RULES = "rules"  # the rules leave no moment to call
    MANUAL = "manual"  # the rules call nobody, or not this kind, by themselves


@dataclass(frozen=True, slots=True)
class Wish:
    """A missed call, or a wish to be called: who waits for us since when, and why.

    `number` is E.164 or, when it is not `diallable`, whatever there was. `at` is when we knew.
    `barred` says that this number is not to be called, and how its case ends for it.
    """

    number: str
    why: Why
    since: datetime
    at: datetime
    source: Source = Source.MISSED
    diallable: bool = True
    barred: Ending | None = None
    did: str = ""
    group: str | None = None
    client_id: int | None = None
    client_name: str = ""
    owner: str | None = None
    priority: int = 0
    promised_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One client's open missed calls. `number` is E.164, or what there was of one.

    `origin_at` is when the client began to wait: their place in the line, kept over every try.
    `due_at` is when Dutyline tries next, None when a person has to (`attention` says why).
    `anyone_at` is until when only the `owner` (or who claimed it) is rung. `sla_at` is what was
    promised; `broken_at` the first such deadline that had passed when, at `agreed_at`, a new time
    was agreed. `hurried` is one who called again and is not left to wait for the time agreed,
    `promised_at`. `tries` counts those in which the client was dialled, `misses` those for want of
    an operator since. `why` is what became of the last missed call.
    """

    number: str
    source: Source
    why: Why
    opened_at: datetime
    origin_at: datetime
    last_missed_at: datetime
    id: int = 0
    state: CaseState = CaseState.OPEN
    missed: int = 1
    did: str = ""
    group: str | None = None
    client_id: int | None = None
    client_name: str = ""
    priority: int = 0
    owner: str | None = None
    claimed_by: str | None = None
    due_at: datetime | None = None
    promised_at: datetime | None = None
    hurried: bool = False
    agreed_at: datetime | None = None
    broken_at: datetime | None = None
    anyone_at: datetime | None = None
    sla_at: datetime | None = None
    expires_at: datetime | None = None
    attention: Attention | None = None
    tries: int = 0
    misses: int = 0
    last: Ended | None = None
    ended_at: datetime | None = None
    ending: Ending | None = None
    ended_by: str | None = None
    note: str = ""
    call_id: str | None = None

    @property
    def open(self) -> bool:
        """Whether the client still waits for us."""
        return self.state in (CaseState.OPEN, CaseState.DIALLING)

    @property
    def kept(self) -> bool | None:
        """Whether the promise was kept; None while it may be, or where there was nothing to do."""
        if self.ending is Ending.EXPIRED:
            return False
        if self.ending not in REACHED or self.ended_at is None:
            return None
        return self.broken_at is None and (self.sla_at is None or self.ended_at <= self.sla_at)

    def ahead(self, now: datetime) -> datetime | None:
        """Return the time agreed that is yet to come at a moment, if any."""
        at = self.promised_at
        return at if at is not None and at > now else None

    def agreed(self, now: datetime) -> datetime | None:
        """Return the time agreed that is still waited for at a moment, if any."""
        return None if self.hurried else self.ahead(now)

    def for_now(self, now: datetime) -> str | None:
        """Return whose alone the case is at a moment, None for anybody's."""
        mine = self.claimed_by or self.owner
        return mine if mine and self.anyone_at is not None and now < self.anyone_at else None


def opened(wish: Wish, rules: CallbackRules, sla_at: datetime | None) -> Case:
    """Return the case that a wish opens; `sla_at` is the moment until which it is promised."""
    case = Case(
        number=wish.number,
        source=wish.source,
        why=wish.why,
        opened_at=wish.at,
        origin_at=wish.since,
        last_missed_at=wish.since,
        did=wish.did,
        group=wish.group,
        client_id=wish.client_id,
        client_name=wish.client_name,
        priority=wish.priority,
        owner=wish.owner,
        promised_at=wish.promised_at,
        agreed_at=wish.at if wish.promised_at is not None else None,
        anyone_at=_anyone_at(wish, rules),
        sla_at=sla_at,
        expires_at=(wish.promised_at or wish.at) + timedelta(hours=rules.expire_hours),
        note=wish.note,
    )
    if not wish.diallable:
        return ended(case, Ending.NOT_DIALLABLE, wish.at)
    if wish.why is Why.SHORT:
        return ended(case, Ending.SHORT, wish.at)
    if wish.barred is not None:
        return ended(case, wish.barred, wish.at)
    return _first_due(case, wish.at, rules)


def _anyone_at(wish: Wish, rules: CallbackRules) -> datetime:
    """Return until when a case is its owner's alone: whoever sits before a form waits for none."""
    alone = 0 if wish.source is Source.FORM else rules.claim_minutes
    return (wish.promised_at or wish.at) + timedelta(minutes=alone)


def joined(case: Case, wish: Wish, rules: CallbackRules, sla_at: datetime | None = None) -> Case:
    """Return an open case with one more missed call or wish of the same client.

    Their place in the line stays, and their time to be called begins anew. A promise makes a missed
    call a promised one; who had been given up on and calls once more is tried once more; who cannot
    wait until the time agreed is called before, by this one's deadline, `sla_at`. One that came
    before and was written late is the case's first: it has that one's number of ours, owner and
    deadline.
    """
    if not case.open:
        return case
    if wish.since < case.origin_at:
        case = _preceded(case, wish, sla_at)
    newest = wish.since >= case.last_missed_at
    later = replace(
        case,
        missed=case.missed + 1,
        last_missed_at=max(case.last_missed_at, wish.since),
        origin_at=min(case.origin_at, wish.since),
        why=wish.why if newest else case.why,
        client_id=wish.client_id if newest and wish.client_id is not None else case.client_id,
        client_name=(newest and wish.client_name) or case.client_name,
        did=case.did or wish.did,
        group=case.group or wish.group,
        owner=case.owner or wish.owner,
        priority=max(case.priority, wish.priority),
        expires_at=_latest(case.expires_at, wish.at + timedelta(hours=rules.expire_hours)),
        note=wish.note or case.note,
    )
    if wish.source is not Source.MISSED and case.source is Source.MISSED:
        later = replace(later, source=wish.source)
    if wish.promised_at is not None:
        return scheduled(later, wish.promised_at, wish.since, rules)
    if case.attention is not None and _renews(case, wish):
        later = replace(later, attention=None, tries=0, misses=0)
        return _first_due(later, wish.at, rules)
    if newest and case.agreed(wish.at) is not None:
        return _sooner(later, wish, rules, sla_at)
    if _hurries(case, wish) and case.due_at is not None and rules.automatic is not Automatic.NOBODY:
        later = replace(later, due_at=min(case.due_at, wish.at))
        if wish.source is Source.FORM and case.anyone_at is not None:
            later = replace(later, anyone_at=min(case.anyone_at, wish.at))
        return later
    return later


def _latest(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


def _sooner(case: Case, wish: Wish, rules: CallbackRules, sla_at: datetime | None) -> Case:
    """Return a case whose client does not wait for the time agreed, if that is too late for them.

    The time agreed stays: it is when they are called if they are not reached before.
    """
    if sla_at is None or case.promised_at is None or sla_at >= case.promised_at:
        return case
    case = replace(case, sla_at=sla_at if case.sla_at is None else min(case.sla_at, sla_at))
    if not _wants(wish.source, rules):
        return case
    due_at = wish.at + _delay(wish.source, rules)
    if case.due_at is not None:
        case = replace(case, due_at=min(case.due_at, due_at))
    anyone_at = _anyone_at(wish, rules)
    return replace(case, hurried=True, anyone_at=anyone_at, tries=0, misses=0)


def _preceded(case: Case, wish: Wish, sla_at: datetime | None) -> Case:
    kept = sla_at if sla_at is not None and case.promised_at is None else case.sla_at
    return replace(
        case,
        opened_at=min(case.opened_at, wish.at),
        sla_at=kept,
        client_id=case.client_id if case.client_id is not None else wish.client_id,
        client_name=case.client_name or wish.client_name,
        did=wish.did or case.did,
        group=wish.group or case.group,
        owner=wish.owner or case.owner,
    )


def _hurries(case: Case, wish: Wish) -> bool:
    """Tell whether whoever asks sits by the phone now: no pause after the last try then."""
    asked = wish.source in (Source.FORM, Source.REQUEST)
    return asked and (case.promised_at is None or case.hurried)


def _renews(case: Case, wish: Wish) -> bool:
    """Tell whether a new call sets a case going that waits for a person: not a doubtful one."""
    return case.attention is not Attention.UNKNOWN or wish.since > case.last_missed_at


def scheduled(case: Case, at: datetime, now: datetime, rules: CallbackRules) -> Case:
    """Return a case whose client is to be called at a moment that was agreed.

    A conversation that had begun by `now`, in which it may have been agreed, does not keep it. A
    deadline that had passed by then stays broken.
    """
    if not case.open:
        return case
    late = case.sla_at if case.sla_at is not None and case.sla_at < now else None
    return replace(
        case,
        source=Source.SCHEDULED,
        last_missed_at=max(case.last_missed_at, now),
        promised_at=at,
        hurried=False,
        agreed_at=now,
        broken_at=case.broken_at or late,
        sla_at=at + timedelta(minutes=rules.sla_minutes),
        anyone_at=at + timedelta(minutes=rules.claim_minutes),
        expires_at=at + timedelta(hours=rules.expire_hours),
        due_at=at if case.state is CaseState.OPEN else case.due_at,
        attention=None,
        tries=0,
        misses=0,
    )


def claimed(case: Case, operator: str | None, now: datetime, rules: CallbackRules) -> Case:
    """Return a case that an operator takes for themselves, or with None gives back to all."""
    if not case.open:
        return case
    until = now + timedelta(minutes=rules.claim_minutes) if operator else now
    return replace(case, claimed_by=operator, anyone_at=until)


def reached(case: Case, contact: Contact) -> Case:
    """Return a case after a conversation with its client: over, when it came after the miss."""
    if not case.open or contact.number != case.number or contact.since < case.last_missed_at:
        return case
    if not contact.ours:
        how = Ending.CLIENT_CALLED
    else:
        how = Ending.OPERATOR_CALLED if attempt_of(contact.call_id) is None else Ending.CALLED_BACK
    over = replace(case, call_id=contact.call_id)
    return ended(over, how, max(contact.since, case.opened_at), contact.operator)


def ended(case: Case, ending: Ending, now: datetime, by: str | None = None, note: str = "") -> Case:
    """Return a case that is over; one that was stays as it is."""
    if not case.open:
        return case
    return replace(
        case,
        state=CaseState.SUPPRESSED if ending in SUPPRESSING else CaseState.CLOSED,
        ending=ending,
        ended_at=now,
        ended_by=by,
        note=note or case.note,
        due_at=None,
        attention=None,
    )


def expired(case: Case, now: datetime) -> Case:
    """Return a case after its time: over, unless a try is under way."""
    if case.state is CaseState.OPEN and case.expires_at is not None and now >= case.expires_at:
        return ended(case, Ending.EXPIRED, now)
    return case


def by_itself(case: Case, rules: CallbackRules) -> bool:
    """Tell whether Dutyline calls a case's client without anybody's asking.

    A time that was agreed is kept whatever the rules say; who is called before it goes by them.
    """
    agreed = case.promised_at is not None and not case.hurried
    return agreed or _wants(case.source, rules)


def _wants(source: Source, rules: CallbackRules) -> bool:
    """Tell whether the rules call somebody back who asked, or was missed, in this way."""
    if rules.automatic is Automatic.ASKED:
        return source is not Source.MISSED
    return rules.automatic is Automatic.EVERYBODY


def _delay(source: Source, rules: CallbackRules) -> timedelta:
    return timedelta(seconds=rules.delay_seconds if source is Source.MISSED else 0)


def _first_due(case: Case, now: datetime, rules: CallbackRules) -> Case:
    if case.promised_at is not None:
        return replace(case, due_at=case.promised_at)
    if not by_itself(case, rules):
        return replace(case, attention=Attention.MANUAL)
    return replace(case, due_at=now + _delay(case.source, rules))
