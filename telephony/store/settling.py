"""What recorded calls do to cases, in the transaction that writes the calls.

A call that nobody answered opens a case or joins the open one of its number; a conversation ends
it; a call that Dutyline ordered settles its try. Calls in any order, and any of them twice, lead to
the same cases. Many calls at once take few statements: what they need is read together, and what
becomes of cases is written together (`CaseBook`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from telephony.domain.callback.cases import (
    Case,
    CaseState,
    Ending,
    Source,
    Wish,
    ended,
    joined,
    opened,
    reached,
)
from telephony.domain.callback.results import (
    Contact,
    Ended,
    Why,
    contact_of,
    ended_of,
    why_missed,
)
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.callback.trying import doubt_over, settled
from telephony.domain.orders import attempt_of
from telephony.domain.record import CallRecord, Direction
from telephony.store.attempts import Attempt, finish_attempt, get_attempts, newest_attempts
from telephony.store.callback_rules import load_callback_rules
from telephony.store.calls import get_call
from telephony.store.casebook import CaseBook, Entry
from telephony.store.cases import (
    add_case,
    calls_of_case,
    delete_case,
    get_case,
    joined_calls,
    leave_call,
    move_calls,
    rename_call,
    save_case,
)
from telephony.store.tables import in_turn, moment
from telephony.store.wishes import Wishes


def settle_calls(
    session: Session, records: Sequence[CallRecord], now: datetime, country: str
) -> None:
    """Bring the cases to what these calls say; they have been saved before.

    `country` is the company's: numbers of others are not called unless the rules name them.
    """
    outside = [one for one in records if one.direction is not Direction.INTERNAL]
    if not outside:
        return
    in_turn(session)
    _Settling(session, load_callback_rules(session), now, country).settle(outside)


def wish_for(
    session: Session, wish: Wish, rules: CallbackRules, now: datetime, country: str
) -> Case:
    """Open a case for a wish, or let it join the open one; return the case as it is then."""
    in_turn(session)
    return _Settling(session, rules, now, country).grant(wish)


class _Settling:
    """One batch of calls: what the database says of them is read at once, and kept up to date."""

    def __init__(self, session: Session, rules: CallbackRules, now: datetime, country: str) -> None:
        self._session = session
        self._rules = rules
        self._now = now
        self._wishes = Wishes(session, rules, country, now)
        self._book = CaseBook(session, now)

    def grant(self, wish: Wish) -> Case:
        self._book.read([wish.number])
        entry = self._wish(wish)
        self._book.write()
        return entry.case

    def settle(self, records: Sequence[CallRecord]) -> None:
        tries = self._tries(records)
        self._book.read({one.number for one in records} | {one.number for one, _ in tries})
        self._settle_tries(tries)
        whys = {one.call_id: why_missed(one, self._rules) for one in records}
        self._wishes.look_ahead([one for one in records if whys[one.call_id] is not None])
        known = joined_calls(self._session, [one.call_id for one in records])
        for record in sorted(records, key=lambda one: one.ended_at):
            why = whys[record.call_id]
            if record.call_id in known:
                if why != known[record.call_id].why:
                    self._revised(record, why)
            elif why is not None:
                self._missed(record, why)
            contact = contact_of(record, self._rules)
            entry = None if contact is None else self._book.find(contact.number)
            if contact is not None and entry is not None:
                self._book.save(entry, reached(entry.case, contact))
                if entry.case.open:
                    self._part(entry, contact)
        self._book.write()

    def _wish(self, wish: Wish) -> Entry:
        known = self._book.find(wish.number) if wish.diallable else None
        sla_at = self._wishes.deadline(wish)
        if known is None or wish.why is Why.SHORT:
            return self._book.add(opened(wish, self._rules, sla_at))
        self._book.save(known, joined(known.case, wish, self._rules, sla_at))
        return known

    def _missed(self, record: CallRecord, why: Why) -> None:
        wish = self._wishes.of(record, why)
        # It may have been written after the conversation that followed it.
        contact = self._wishes.contact_since(wish)
        known = self._book.find(wish.number)
        if contact is not None and (known is None or contact.since < known.case.origin_at):
            case = opened(wish, self._rules, self._wishes.deadline(wish))
            entry = self._book.add(reached(case, contact))
        else:
            entry = self._wish(wish)
            if contact is not None:
                self._book.save(entry, reached(entry.case, contact))
        self._book.join(entry, record.call_id, moment(record.started_at), why, record.did)

    def _revised(self, record: CallRecord, why: Why | None) -> None:
        """A later version of a missed call's record says something else of it. Rare, so on tables.

        Whatever the batch did to its case before is written first.
        """
        self._book.write()
        call = joined_calls(self._session, [record.call_id]).get(record.call_id)
        case = None if call is None else get_case(self._session, call.case_id)
        if case is None:
            return
        again = self._taken_back(case, record, why)
        self._book.read({case.number, record.number})
        if again is not None:
            self._missed(record, again)

    def _taken_back(self, case: Case, record: CallRecord, why: Why | None) -> Why | None:
        """Bring a case to what a call is now; return why it was missed if it is no call of it."""
        calls = calls_of_case(self._session, case.id)
        left = [one for one in calls if one.call_id != record.call_id]
        if why is None:
            leave_call(self._session, record.call_id)
            self._without(case, left, Ending.NOT_MISSED)
        elif case.ending is Ending.SHORT:
            delete_case(self._session, case.id)
            return why
        elif why is not Why.SHORT:
            rename_call(self._session, record.call_id, why)
            if moment(record.started_at) == case.last_missed_at and case.open:
                save_case(self._session, case, replace(case, why=why), self._now)
        elif left:
            leave_call(self._session, record.call_id)
            self._without(case, left, Ending.SHORT)
            return why
        else:
            rename_call(self._session, record.call_id, why)
            self._without(case, [], Ending.SHORT)
        return None

    def _without(self, case: Case, left: Sequence[Row[Any]], ending: Ending) -> None:
        """Take a call out of a case: over, if that was all there was of it."""
        if not case.open:
            return
        after = replace(case, missed=max(case.missed - 1, len(left)))
        if not left and case.source is Source.MISSED:
            after = ended(case, ending, self._now)
        elif left and case.source in _OF_CALLS:
            after = self._of_calls(after, left)
        save_case(self._session, case, after, self._now)

    def _of_calls(self, case: Case, calls: Sequence[Row[Any]]) -> Case:
        """Return a case as it is when only these of its calls, in order, belong to it."""
        made: Case | None = None
        for row in calls:
            record = get_call(self._session, row.call_id)
            if record is None:
                continue
            wish = self._wishes.of(record, Why(row.why))
            sla_at = self._wishes.deadline(wish)
            if made is None:
                made = opened(wish, self._rules, sla_at)
            else:
                made = joined(made, wish, self._rules, sla_at)
        if made is None:
            return case
        return replace(case, **{name: getattr(made, name) for name in _TOLD})

    def _part(self, entry: Entry, contact: Contact) -> None:
        """Let a conversation that was written late end what it came after.

        The rest is a new case. What a client asked for in another way than by a call is no call of
        the case: it stays whole.
        """
        if entry.case.source not in _OF_CALLS or entry.case.origin_at > contact.since:
            return
        self._book.write()  # rare, so on tables
        case = entry.case
        calls = calls_of_case(self._session, case.id)
        early = [one for one in calls if one.at <= contact.since]
        late = calls[len(early) :]
        if not early or not late or len(calls) != case.missed:
            return
        over = self._of_calls(case, early)
        fresh = replace(over, state=CaseState.OPEN, tries=0, misses=0, last=None)
        over = reached(fresh, contact)
        kept = self._of_calls(case, late)
        if over.open or kept.origin_at <= contact.since:
            return  # not all of its calls are kept any more
        save_case(self._session, case, kept, self._now)
        over = add_case(self._session, over, self._now)
        move_calls(self._session, [one.call_id for one in early], over.id)
        self._book.read([case.number])

    def _tries(self, records: Sequence[CallRecord]) -> list[tuple[Attempt, CallRecord]]:
        """Return the tries that these calls were, each with its call."""
        by_attempt = {
            key: record for record in records if (key := attempt_of(record.call_id)) is not None
        }
        if not by_attempt:
            return []
        found = get_attempts(self._session, by_attempt)
        tries = [(attempt, by_attempt[key]) for key, attempt in found.items()]
        return [(one, record) for one, record in tries if one.uniqueid == record.call_id]

    def _settle_tries(self, tries: Sequence[tuple[Attempt, CallRecord]]) -> None:
        """Write how tries ended, and let their cases go on."""
        if not tries:
            return
        cases = {one.case_id for one, _ in tries if one.case_id is not None}
        newest = newest_attempts(self._session, cases)
        for attempt, record in tries:
            how, at = ended_of(record, self._rules), moment(record.ended_at)
            cause = _cause(record)
            if not finish_attempt(self._session, attempt, how, at, cause, record.talk_ms):
                continue
            entry = self._book.find(attempt.number)
            if entry is None or entry.case.id != attempt.case_id or attempt.id not in newest:
                continue  # it is over, or it is another try's turn
            case = entry.case
            after = doubt_over(case) if attempt.ended is Ended.UNKNOWN else case
            self._book.save(entry, settled(after, how, at, self._rules), at)


# Cases of calls alone; an operator, a form or a CRM asked for the others.
_OF_CALLS = (Source.MISSED, Source.KEY)
# What the calls of a case say of it, rather than what was done about it.
_TOLD = (
    "source", "why", "opened_at", "origin_at", "last_missed_at", "missed", "did", "group",
    "client_id", "client_name", "priority", "owner", "sla_at",
)  # fmt: skip


def _cause(record: CallRecord) -> str | None:
    """Return the PBX's word for how the client's leg, or the operator's, ended."""
    told = [dict(one.values).get("status") for one in record.moments]
    status = next((text for text in reversed(told) if text), None)
    codes = [str(leg.tech_cause) for leg in record.legs if leg.tech_cause]
    return " ".join(text for text in (status, *codes[-1:]) if text) or None
