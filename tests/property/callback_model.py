"""What callbacks must do, by the pure functions alone and over plain lists: no database, no job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from telephony.domain.blocklist import Blocked, Blocklist
from telephony.domain.callback.cases import (
    Case,
    CaseState,
    Ending,
    Source,
    Wish,
    claimed,
    ended,
    expired,
    joined,
    opened,
    reached,
    scheduled,
)
from telephony.domain.callback.dialling import prefix_of, refusal
from telephony.domain.callback.dispatch import dispatch, free_operators
from telephony.domain.callback.quiet import after_loud, client_zone
from telephony.domain.callback.results import (
    Contact,
    Ended,
    Why,
    contact_of,
    ended_of,
    waits_since,
    was_promised,
    why_missed,
)
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.callback.trying import (
    as_before,
    dialling,
    doubt_over,
    put_off,
    reconsidered,
    settled,
)
from telephony.domain.callback.verdicts import (
    Bar,
    Standing,
    Tries,
    Verdict,
    may_agree,
    may_dial,
    room,
    verdict,
)
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.domain.numbers import is_e164
from telephony.domain.orders import attempt_of, channel_ids
from telephony.domain.record import CallRecord
from telephony.domain.record_types import MomentKind
from telephony.domain.setup import Setup

WEEK, DAY, HOUR = timedelta(days=7), timedelta(days=1), timedelta(hours=1)
WAITS = timedelta(seconds=15)  # whoever clicked does not stand by the phone for longer
COUNTRY = "RU"


@dataclass(frozen=True, slots=True)
class Try:
    """One try: `state` is wanted, claimed, sent or done."""

    case: int
    number: str
    did: str
    operator: str
    state: str
    asked: bool = False
    mobile: bool = False
    sent_at: datetime | None = None
    call_id: str = ""
    ended: Ended | None = None

    @property
    def live(self) -> bool:
        """Whether it is under way."""
        return self.state != "done"


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that was ordered, with all that was so at that moment."""

    at: datetime
    case: Case
    attempt: Try
    rules: CallbackRules
    stopped: bool
    barred: bool
    on_the_line: bool
    before: tuple[Try, ...]


@dataclass
class Model:
    """The whole of it. Cases and tries are known by their places in the lists."""

    setup: Setup
    cases: list[Case] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    opted_out: set[str] = field(default_factory=set)
    stopped: bool = False
    sent: list[Sent] = field(default_factory=list)
    clicked: dict[int, datetime] = field(default_factory=dict)
    lines: set[str] = field(default_factory=set)
    changed: bool = True

    @property
    def rules(self) -> CallbackRules:
        """The rules that hold now."""
        return self.setup.callbacks

    # Calls

    def settle(self, record: CallRecord, now: datetime) -> None:
        """Take a call that has ended."""
        self._settle_try(record)
        why = why_missed(record, self.rules)
        if why is not None and record.call_id not in self.calls:
            self.calls[record.call_id] = self._missed(record, why, now)
        contact = contact_of(record, self.rules)
        if contact is not None:
            self.contacts.setdefault(record.call_id, contact)
            place = self._open(contact.number)
            if place is not None:
                self.cases[place] = reached(self.cases[place], contact)

    def line(self, number: str, _now: datetime) -> None:
        """Let somebody be on the line with us, or not any more."""
        self.lines ^= {number}

    def _missed(self, record: CallRecord, why: Why, now: datetime) -> int:
        promised = was_promised(record) or any(
            one.kind is MomentKind.PROMISED for one in record.moments
        )
        did = self.setup.dids.get(record.did)
        assert record.decision is not None
        wish = Wish(
            number=record.number,
            why=why,
            since=waits_since(record),
            at=waits_since(record) + timedelta(microseconds=record.ended_at - record.started_at),
            source=Source.KEY if promised else Source.MISSED,
            diallable=is_e164(record.number),
            barred=_ENDS.get(may_dial(self.rules, self.standing(record.number, "", now)).bar),
            did=record.did,
            group=did.group if did else self.setup.default_group,
            owner=record.decision.plan.steps[0].targets[0].operator,
        )
        return self.wish(wish)

    def wish(self, wish: Wish) -> int:
        """Open a case or join the open one; return its place."""
        place = self._open(wish.number) if wish.diallable and wish.why is not Why.SHORT else None
        if place is not None:
            self.cases[place] = joined(self.cases[place], wish, self.rules, self._sla(wish))
            return place
        self.cases.append(opened(wish, self.rules, self._sla(wish)))
        return len(self.cases) - 1

    def _settle_try(self, record: CallRecord) -> None:
        place = next((n for n, one in enumerate(self.tries) if one.call_id == record.call_id), None)
        if attempt_of(record.call_id) is None or place is None:
            return
        one = self.tries[place]
        how = ended_of(record, self.rules)
        if not one.live and (one.ended is not Ended.UNKNOWN or how is Ended.UNKNOWN):
            return
        self.tries[place] = replace(one, state="done", ended=how)
        if any(later.case == one.case for later in self.tries[place + 1 :]):
            return
        case = self.cases[one.case]
        after = doubt_over(case) if one.ended is Ended.UNKNOWN else case
        at = waits_since(record) + timedelta(microseconds=record.ended_at - record.started_at)
        self.cases[one.case] = settled(after, how, at, self.rules)

    # What people do; each tells whether it was done

    def ask(self, number: str, source: Source, at: datetime | None, now: datetime) -> bool:
        """Ask for a call."""
        standing = self.standing(number, "", now)
        if may_dial(self.rules, standing).bar in _ENDS or not self._keeps(standing, at, now):
            return False
        self.wish(
            Wish(number, Why.ASKED, now, now, source, group="sales", promised_at=at),
        )
        return True

    def schedule(self, place: int, at: datetime, now: datetime) -> bool:
        """Promise a call at a moment, also to whom a case was closed for."""
        case = self.cases[place]
        standing = self.standing(case.number, case.did, now)
        if not self._keeps(standing, at, now):
            return False
        if case.open:
            self.cases[place] = scheduled(case, at, now, self.rules)
            return True
        if may_dial(self.rules, standing).bar in _ENDS:
            return False
        mine = case.claimed_by or case.owner
        known = self.setup.dids.get(case.did)
        self.wish(
            Wish(
                case.number,
                Why.ASKED,
                now,
                now,
                Source.SCHEDULED,
                did=case.did,
                owner=mine,
                group=known.group if known else case.group or "sales",
                promised_at=at,
            )
        )
        return True

    def _keeps(self, standing: Standing, at: datetime | None, now: datetime) -> bool:
        """Tell whether somebody may be called at the time that is to be agreed."""
        return at is None or (at > now and may_agree(self.rules, standing, at).go)

    def claim(self, place: int, operator: str | None, now: datetime) -> bool:
        """Give a case to an operator, or back."""
        return self._change(place, lambda case: claimed(case, operator, now, self.rules))

    def close(self, place: int, ending: Ending, now: datetime) -> bool:
        """End a case by hand."""
        case = self.cases[place]
        if ending is Ending.OPTED_OUT:
            self.opted_out.add(case.number)
        if case.state is not CaseState.OPEN:
            return ending is Ending.OPTED_OUT
        self.cases[place] = ended(case, ending, now, "boss", "")
        return True

    def call_now(self, place: int, operator: str, now: datetime) -> bool:
        """Ask for the call of a case."""
        case = self.cases[place]
        if case.state is not CaseState.OPEN or self._taken(operator):
            return False
        if not may_dial(self.rules, self.standing(case.number, case.did, now)).go:
            return False
        self.clicked[len(self.tries)] = now
        self.tries.append(Try(place, case.number, case.did, operator, "wanted", asked=True))
        self.cases[place] = dialling(case)
        return True

    def block(self, number: str, now: datetime) -> None:
        """Block a number, or let it through again."""
        there = [one for one in self.setup.blocked.lines if one.pattern == number]
        lines = tuple(one for one in self.setup.blocked.lines if one not in there)
        if not there:
            lines += (Blocked(number, "", "boss", now),)
        self.setup = replace(self.setup, blocked=Blocklist(lines))
        self.changed = True

    def stop(self, stopped: bool, _now: datetime) -> None:
        """Throw the kill switch, or take it back."""
        self.stopped = stopped

    def change(self, rules: CallbackRules) -> None:
        """Set other rules."""
        self.setup = replace(self.setup, callbacks=rules)
        self.changed = True

    def _change(self, place: int, how: Callable[[Case], Case]) -> bool:
        if not self.cases[place].open:
            return False
        self.cases[place] = how(self.cases[place])
        return True

    # What Dutyline does

    def dispatch(
        self,
        states: Sequence[OperatorState],
        waiting: Mapping[str, Sequence[datetime]],
        now: datetime,
    ) -> None:
        """Claim what was asked for just now, then due cases for free operators."""
        for place, one in enumerate(self.tries):
            if one.state == "wanted" and now < self.clicked[place] + WAITS:
                self.tries[place] = replace(one, state="claimed")
        taken = {one.operator for one in self.tries if one.live}
        free = free_operators(self.setup, states, now, taken)
        known = self.standing("", "", now).tries
        live = sum(one.live for one in self.tries)
        most = 0 if self.stopped else room(self.rules, replace(known, live=live))
        while most and free:
            due = [
                replace(one, id=place)
                for place, one in enumerate(self.cases)
                if one.state is CaseState.OPEN and one.due_at is not None and one.due_at <= now
            ]
            matches = dispatch(due, free, waiting, now, most)
            if not matches:
                return
            for match in matches:
                place = match.case.id
                case = self.cases[place]
                found = self.verdict(case, now)
                if not found.go:
                    self.cases[place] = off = put_off(case, found, now)
                    assert off.due_at is None or off.due_at > now, (off, found)
                    continue
                name = match.operator.extension
                mobile = match.operator.mobile
                self.tries.append(Try(place, case.number, case.did, name, "claimed", mobile=mobile))
                self.cases[place] = dialling(case)
                free.remove(match.operator)
                most -= 1

    def reconsider(self, now: datetime) -> None:
        """Look at what waits once more, if the set-up changed."""
        for place, case in enumerate(self.cases if self.changed else ()):
            standing = self.standing(case.number, case.did, now)
            lasting = replace(standing, stopped=False, on_the_line=False)
            self.cases[place] = reconsidered(case, verdict(case, self.rules, lasting), now)
        self.changed = False

    def release(self, place: int, now: datetime) -> None:
        """Take a try back whose job never began."""
        one = self.tries[place]
        self.tries[place] = replace(one, state="done", ended=Ended.NOT_DIALLED)
        case = self.cases[one.case]
        after = settled(case, Ended.NOT_DIALLED, now, self.rules)
        if after is not case:
            after = replace(after, misses=case.misses, due_at=case.due_at)
        self.cases[one.case] = as_before(after, now)

    def send(self, place: int, states: Sequence[OperatorState], now: datetime) -> bool:
        """Check a claimed try once more, and order its call."""
        one = self.tries[place]
        case = self.cases[one.case]
        found = self._may_send(place, case, states, now)
        if found.go:
            call_id, _ = channel_ids(place + 1, int(now.timestamp()))
            sent = replace(one, state="sent", sent_at=now, call_id=call_id)
            barred = (
                case.number in self.opted_out
                or self.setup.blocked.find(case.number, now) is not None
            )
            others = tuple(self.tries[:place] + self.tries[place + 1 :])
            there = case.number in self.lines
            self.sent.append(Sent(now, case, sent, self.rules, self.stopped, barred, there, others))
            self.tries[place] = sent
            if one.asked:
                self.cases[one.case] = claimed(case, one.operator, now, self.rules)
            return True
        self.tries[place] = replace(one, state="done", ended=Ended.WITHDRAWN)
        if case.open:
            back = settled(case, Ended.WITHDRAWN, now, self.rules)
            if one.asked:
                back = as_before(back, now)
            elif found.until is None and found.ending is None and found.attention is None:
                back = put_off(back, Verdict(found.bar, now), now)
            else:
                back = put_off(back, found, now)
            self.cases[one.case] = back
        return False

    def lose(self, place: int, how: Ended, now: datetime) -> None:
        """Note of a try that was looked up that it is unknown, or never was dialled."""
        one = self.tries[place]
        self.tries[place] = replace(one, state="done", ended=how)
        self.cases[one.case] = settled(self.cases[one.case], how, now, self.rules)

    def expire(self, now: datetime) -> None:
        """End what is too old, and what nobody wants any more."""
        self.cases = [expired(one, now) for one in self.cases]
        for place, case in enumerate(self.cases):
            if case.state is CaseState.OPEN and case.number in self.opted_out:
                self.cases[place] = ended(case, Ending.OPTED_OUT, now)

    def verdict(self, case: Case, now: datetime) -> Verdict:
        """Return whether a case may be called now."""
        return verdict(case, self.rules, self.standing(case.number, case.did, now))

    def standing(
        self, number: str, called: str, now: datetime, this: int | None = None
    ) -> Standing:
        """Return what counts for a number at a moment."""
        did = self.setup.dids.get(called)
        hours = self.setup.hours_of(did) if did else None
        shut = hours is not None and not hours.at(now).open
        counted = [
            (one.sent_at, one.number)
            for one in self.tries
            if one.sent_at is not None and (one.ended is None or one.ended.dialled)
        ]
        mine = sorted(at for at, whose in counted if whose == number and at > now - WEEK)
        near = sorted(
            at for at, whose in counted if prefix_of(whose) == prefix_of(number) and at > now - HOUR
        )
        return Standing(
            now=now,
            zones=client_zone(number, None, "Europe/Moscow"),
            tries=Tries(
                number=mine,
                prefix=near,
                hour=sum(at > now - HOUR for at, _ in counted),
                day=sum(at > now - DAY for at, _ in counted),
                live=sum(one.state == "sent" for one in self.tries),
            ),
            opens_at=hours.opens_after(now) if hours is not None and shut else None,
            refusal=refusal(number, self.rules.regions or (COUNTRY,), self.rules.types),
            stopped=self.stopped,
            blocked=self.setup.blocked.find(number, now) is not None,
            opted_out=number in self.opted_out,
            on_the_line=number in self.lines
            or any(
                one.live and one.number == number and place != this
                for place, one in enumerate(self.tries)
            ),
        )

    def _may_send(
        self, place: int, case: Case, states: Sequence[OperatorState], now: datetime
    ) -> Verdict:
        one = self.tries[place]
        if not case.open:
            return Verdict(Bar.CLOSED)
        standing = self.standing(case.number, case.did, now, place)
        found = may_dial(self.rules, standing) if one.asked else verdict(case, self.rules, standing)
        if not found.go:
            return found
        state = next((each for each in states if each.extension == one.operator), None)
        free = (OperatorActivity.FREE, OperatorActivity.PAUSED)
        if one.mobile:
            free = (OperatorActivity.AWAY, OperatorActivity.AWAY)
        there = state is not None and state.call_id is None and not (state.pause and not one.asked)
        if not there or state is None or state.state not in free:
            return Verdict(Bar.AT_ONCE)
        return found

    def _taken(self, operator: str) -> bool:
        return any(one.live and one.operator == operator for one in self.tries)

    def _open(self, number: str) -> int | None:
        return next(
            (
                place
                for place, one in enumerate(self.cases)
                if one.open and one.number == number and is_e164(number)
            ),
            None,
        )

    def _sla(self, wish: Wish) -> datetime | None:
        if wish.promised_at is not None:
            return wish.promised_at + timedelta(minutes=self.rules.sla_minutes)
        if not wish.diallable:
            return None
        zones = client_zone(wish.number, None, "Europe/Moscow")
        return after_loud(self.rules.quiet, zones, wish.since, self.rules.sla_minutes)


# Who is never called, and how a case ends for it.
_ENDS: dict[Bar | None, Ending] = {
    Bar.REFUSED: Ending.NOT_DIALLABLE,
    Bar.BLOCKED: Ending.BLOCKED,
    Bar.OPTED_OUT: Ending.OPTED_OUT,
}
