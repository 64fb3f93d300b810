"""What recorded calls do to cases, in the transaction that writes the calls.

A call that nobody answered opens a case or joins the open one of its number; a conversation ends
it; a call that Dutyline ordered settles its try. Calls in any order, and any of them twice, lead to
the same cases.
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
from telephony.store.attempts import attempts_of, finish_attempt, get_attempts
from telephony.store.callback_rules import load_callback_rules
from telephony.store.calls import get_call
from telephony.store.cases import (
    JoinedCall,
    add_case,
    calls_of_case,
    cases_of_calls,
    delete_case,
    get_case,
    join_calls,
    leave_call,
    move_calls,
    open_cases,
    rename_call,
    save_case,
)
from telephony.store.tables import in_turn, moment
from telephony.store.wishes import Wishes


def settle_calls(session: Session, records: Sequence[CallRecord], now: datetime) -> None:
    """Bring the cases to what these calls say; they have been saved before."""
    outside = [one for one in records if one.direction is not Direction.INTERNAL]
    if not outside:
        return
    in_turn(session)
    rules = load_callback_rules(session)
    _settle_attempts(session, outside, rules)
    _Settling(session, rules, now).settle(outside)


def wish_for(session: Session, wish: Wish, rules: CallbackRules, now: datetime) -> Case:
    """Open a case for a wish, or let it join the open one; return the case as it is then."""
    in_turn(session)
    settling = _Settling(session, rules, now)
    settling.look_at([wish.number])
    return settling.wish_for(wish)


class _Settling:
    """One batch of calls: what the database says of them is read at once, and kept up to date."""

    def __init__(self, session: Session, rules: CallbackRules, now: datetime) -> None:
        self._session = session
        self._rules = rules
        self._now = now
        self._wishes = Wishes(session, rules)
        # Number → its open case, as it is in the database.
        self._open: dict[str, Case] = {}
        # Calls of cases that are still to be written.
        self._joined: list[JoinedCall] = []

    def look_at(self, numbers: Sequence[str]) -> None:
        """Read the open cases of all numbers that will be asked for."""
        self._open = open_cases(self._session, set(numbers))

    def settle(self, records: Sequence[CallRecord]) -> None:
        self.look_at([one.number for one in records])
        whys = {one.call_id: why_missed(one, self._rules) for one in records}
        self._wishes.look_ahead([one for one in records if whys[one.call_id] is not None])
        known = cases_of_calls(self._session, [one.call_id for one in records])
        for record in sorted(records, key=lambda one: one.ended_at):
            why = whys[record.call_id]
            if record.call_id in known:
                self._revised(record, why, known[record.call_id])
            elif why is not None:
                self._missed(record, why)
            contact = contact_of(record, self._rules)
            case = None if contact is None else self._open.get(contact.number)
            if contact is not None and case is not None:
                over = reached(case, contact)
                self._save(case, over)
                if over.open:
                    self._part(over, contact)
        self._write_joined()

    def wish_for(self, wish: Wish) -> Case:
        known = self._open.get(wish.number) if wish.diallable else None
        sla_at = self._wishes.deadline(wish)
        if known is None or wish.why is Why.SHORT:
            return self._add(opened(wish, self._rules, sla_at))
        return self._save(known, joined(known, wish, self._rules, sla_at))

    def _missed(self, record: CallRecord, why: Why) -> None:
        wish = self._wishes.of(record, why)
        # It may have been written after the conversation that followed it.
        contact = self._wishes.contact_since(wish)
        known = self._open.get(wish.number)
        if contact is not None and (known is None or contact.since < known.origin_at):
            case = opened(wish, self._rules, self._wishes.deadline(wish))
            case = self._add(reached(case, contact))
        else:
            case = self.wish_for(wish)
            if contact is not None:
                self._save(case, reached(case, contact))
        at = moment(record.started_at)
        self._joined.append(JoinedCall(record.call_id, case.id, at, why, record.did))

    def _revised(self, record: CallRecord, why: Why | None, case_id: int) -> None:
        """A later version of a missed call's record may say something else of it."""
        case = get_case(self._session, case_id)
        calls = {one.call_id: one for one in self._calls_of(case_id)}
        if case is None or why == calls[record.call_id].why:
            return
        del calls[record.call_id]
        if why is None:
            leave_call(self._session, record.call_id)
            self._without(case, list(calls.values()), Ending.NOT_MISSED)
        elif case.ending is Ending.SHORT:
            delete_case(self._session, case_id)
            self._missed(record, why)
        elif why is not Why.SHORT:
            rename_call(self._session, record.call_id, why)
            if moment(record.started_at) == case.last_missed_at and case.open:
                self._save(case, replace(case, why=why))
        elif calls:
            leave_call(self._session, record.call_id)
            self._without(case, list(calls.values()), Ending.SHORT)
            self._missed(record, why)
        else:
            rename_call(self._session, record.call_id, why)
            self._without(case, [], Ending.SHORT)

    def _without(self, case: Case, left: Sequence[Row[Any]], ending: Ending) -> None:
        """Take a call out of a case: over, if that was all there was of it."""
        if not case.open:
            return
        after = replace(case, missed=max(case.missed - 1, len(left)))
        if not left and case.source is Source.MISSED:
            after = ended(case, ending, self._now)
        elif left and case.source in _OF_CALLS:
            after = self._of_calls(after, left)
        self._save(case, after)

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

    def _part(self, case: Case, contact: Contact) -> None:
        """Let a conversation that was written late end what it came after.

        The rest is a new case. What a client asked for in another way than by a call is no call of
        the case: it stays whole.
        """
        if case.source not in _OF_CALLS or case.origin_at > contact.since:
            return
        calls = self._calls_of(case.id)
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
        self._save(case, kept)
        over = self._add(over)
        move_calls(self._session, [one.call_id for one in early], over.id)

    def _calls_of(self, case_id: int) -> list[Row[Any]]:
        self._write_joined()
        return calls_of_case(self._session, case_id)

    def _add(self, case: Case) -> Case:
        kept = add_case(self._session, case, self._now)
        self._noted(kept)
        return kept

    def _save(self, before: Case, case: Case) -> Case:
        save_case(self._session, before, case, self._now)
        self._noted(case)
        return case

    def _noted(self, case: Case) -> None:
        if case.open:
            self._open[case.number] = case
        elif case.number in self._open and self._open[case.number].id == case.id:
            del self._open[case.number]

    def _write_joined(self) -> None:
        join_calls(self._session, self._joined)
        self._joined = []


# Cases of calls alone; an operator, a form or a CRM asked for the others.
_OF_CALLS = (Source.MISSED, Source.KEY)
# What the calls of a case say of it, rather than what was done about it.
_TOLD = (
    "source", "why", "opened_at", "origin_at", "last_missed_at", "missed", "did", "group",
    "client_id", "client_name", "priority", "owner", "sla_at",
)  # fmt: skip


def _settle_attempts(session: Session, records: Sequence[CallRecord], rules: CallbackRules) -> None:
    """Write how tries ended, and let their cases go on."""
    by_attempt = {
        key: record for record in records if (key := attempt_of(record.call_id)) is not None
    }
    if not by_attempt:
        return
    for found, attempt in get_attempts(session, by_attempt).items():
        record = by_attempt[found]
        if attempt.uniqueid != record.call_id:
            continue
        how, at = ended_of(record, rules), moment(record.ended_at)
        if not finish_attempt(session, attempt, how, at, _cause(record), record.talk_ms):
            continue
        case = None if attempt.case_id is None else get_case(session, attempt.case_id)
        if case is None or attempts_of(session, case.id, 1)[0].id != found:
            continue  # it is another try's turn
        after = doubt_over(case) if attempt.ended is Ended.UNKNOWN else case
        save_case(session, case, settled(after, how, at, rules), at)


def _cause(record: CallRecord) -> str | None:
    """Return the PBX's word for how the client's leg, or the operator's, ended."""
    told = [dict(one.values).get("status") for one in record.moments]
    status = next((text for text in reversed(told) if text), None)
    codes = [str(leg.tech_cause) for leg in record.legs if leg.tech_cause]
    return " ".join(text for text in (status, *codes[-1:]) if text) or None
