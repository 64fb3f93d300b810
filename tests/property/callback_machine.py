"""Any history of callbacks, for hypothesis: what happens, and what holds after each step.

The invariants bear the numbers of the ten that a contact centre's promises rest on. Of those the
first is the recorder's (one record to a call) and the ninth the eraser's; they are tested there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from telephony.domain.callback.cases import Case, CaseState, Ending, Source
from telephony.domain.callback.results import Ended, contact_of
from telephony.domain.callback.rules import Automatic, CallbackRules, Caps, QuietHours
from telephony.domain.live import OperatorActivity, OperatorState
from telephony.domain.record import CallRecord
from tests.property.callback_calls import (
    BEGIN,
    CLIENTS,
    MISSED,
    NUMBERS,
    OPERATORS,
    RULES,
    SALES,
    SUPPORT,
    TRIED,
    ZONES,
    micros,
    missed,
    setup_of,
    talk,
    tried,
)
from tests.property.callback_model import DAY, HOUR, WEEK, Model, Sent, Try

_MANY = replace(RULES.caps, number_day=20, number_week=50, hour=100, prefix_hour=100, day=100)
CHOICES: tuple[CallbackRules, ...] = (
    RULES,
    replace(RULES, automatic=Automatic.NOBODY),
    replace(RULES, automatic=Automatic.ASKED, caps=_MANY),
    replace(RULES, caps=replace(RULES.caps, attempts=1)),
    replace(RULES, quiet=QuietHours(time(0), time(0)), caps=_MANY),
    replace(RULES, caps=Caps(attempts=2, number_day=1, number_week=2, prefix_hour=1, hour=2)),
    replace(RULES, regions=("RU",), claim_minutes=0),
)
# Minutes and hours to days, so that quiet hours, both changes of the clocks and caps are met.
_LATER = st.one_of(
    st.integers(1, 90).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(1, 40).map(lambda hours: timedelta(hours=hours)),
    st.integers(2, 12).map(lambda days: timedelta(days=days)),
)
_numbers = st.sampled_from((*CLIENTS, *CLIENTS, *NUMBERS))
_operators = st.sampled_from(OPERATORS)
_dids = st.sampled_from((SALES, SUPPORT))
_nth = st.integers(0, 100)
_DOING = (
    (OperatorActivity.FREE, "", None),
    (OperatorActivity.FREE, "", None),
    (OperatorActivity.FREE, "", None),
    (OperatorActivity.PAUSED, "lunch", None),
    (OperatorActivity.BUSY, "", "a call"),
    (OperatorActivity.RINGING, "", "a call"),
    (OperatorActivity.AWAY, "", None),
)
_states = st.tuples(*(st.sampled_from(_DOING) for _ in OPERATORS))
_waiting = st.dictionaries(
    st.sampled_from(("sales", "support")),
    st.lists(st.integers(0, 4000), max_size=2),
    max_size=1,
)
_ENDINGS = (Ending.BY_HAND, Ending.DUPLICATE, Ending.OPTED_OUT, Ending.NOT_DIALLABLE)


class World(Protocol):
    """Another place where the same is done: what it has in the end must be what the model has."""

    def settle(self, record: CallRecord, now: datetime) -> None: ...
    def ask(self, number: str, source: Source, at: datetime | None, now: datetime) -> bool: ...
    def schedule(self, place: int, at: datetime, now: datetime) -> bool: ...
    def claim(self, place: int, operator: str | None, now: datetime) -> bool: ...
    def close(self, place: int, ending: Ending, now: datetime) -> bool: ...
    def call_now(self, place: int, operator: str, now: datetime) -> bool: ...
    def block(self, number: str, now: datetime) -> None: ...
    def stop(self, stopped: bool, now: datetime) -> None: ...
    def change(self, rules: CallbackRules) -> None: ...
    def dispatch(
        self,
        states: Sequence[OperatorState],
        waiting: Mapping[str, Sequence[datetime]],
        now: datetime,
    ) -> None: ...
    def release(self, place: int, now: datetime) -> None: ...
    def send(self, place: int, states: Sequence[OperatorState], now: datetime) -> bool: ...
    def lose(self, place: int, how: Ended, now: datetime) -> None: ...
    def expire(self, now: datetime) -> None: ...
    def line(self, number: str, now: datetime) -> None: ...
    def reconsider(self, now: datetime) -> None: ...
    def restart(self) -> None: ...
    def has(self) -> tuple[list[Case], list[Try]]: ...


class Callbacks(RuleBasedStateMachine):
    """The history; `world` is a second place, None for the model alone."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(setup_of())
        self.now = BEGIN
        self.records: list[CallRecord] = []
        self.over: dict[int, Case] = {}
        self.states: Sequence[OperatorState] = ()
        self.checked = 0
        self.world: World | None = self.open_world()

    def open_world(self) -> World | None:
        """Return the second place."""
        return None

    @initialize(rules=st.sampled_from(CHOICES), hours=st.integers(0, 24 * 28))
    def begin(self, rules: CallbackRules, hours: int) -> None:
        self.now = BEGIN + timedelta(hours=hours)
        self.change_rules(rules)

    # Calls

    @rule(kind=st.sampled_from(sorted(MISSED)), number=_numbers, did=_dids, operator=_operators)
    def client_calls_in_vain(self, kind: str, number: str, did: str, operator: str) -> None:
        self._ends(missed(kind, self._call_id(), number, self.now, did, operator))

    @rule(number=_numbers, operator=_operators, seconds=st.sampled_from((2, 60)))
    def client_is_answered(self, number: str, operator: str, seconds: int) -> None:
        self._ends(talk(self._call_id(), number, self.now, seconds, operator))

    @rule(number=_numbers, operator=_operators, seconds=st.sampled_from((2, 60)))
    def operator_calls_from_a_desk_phone(self, number: str, operator: str, seconds: int) -> None:
        self._ends(talk(self._call_id(), number, self.now, seconds, operator, ours=True))

    @precondition(lambda self: self.records)
    @rule(nth=_nth)
    def record_comes_once_more(self, nth: int) -> None:
        """Invariant 5: what is written twice changes nothing."""
        before = (list(self.model.cases), list(self.model.tries))
        record = self.records[nth % len(self.records)]
        self.model.settle(record, self.now)
        if self.world is not None:
            self.world.settle(record, self.now)
        assert (self.model.cases, self.model.tries) == before

    # People

    @rule(
        number=st.sampled_from(NUMBERS),
        source=st.sampled_from((Source.FORM, Source.REQUEST)),
        hours=st.none() | st.integers(1, 60),
    )
    def somebody_asks(self, number: str, source: Source, hours: int | None) -> None:
        if number:
            at = None if hours is None else self.now + timedelta(hours=hours)
            self._both("ask", number, Source.SCHEDULED if at else source, at, self.now)

    @precondition(lambda self: self.model.cases)
    @rule(nth=_nth, minutes=st.integers(1, 3000))
    def case_is_scheduled(self, nth: int, minutes: int) -> None:
        at = self.now + timedelta(minutes=minutes)
        self._both("schedule", self._place(nth), at, self.now)

    @precondition(lambda self: self.model.cases)
    @rule(nth=_nth, operator=st.none() | _operators)
    def case_is_claimed(self, nth: int, operator: str | None) -> None:
        self._both("claim", self._place(nth), operator, self.now)

    @precondition(lambda self: self.model.cases)
    @rule(nth=_nth, ending=st.sampled_from(_ENDINGS))
    def case_is_closed_by_hand(self, nth: int, ending: Ending) -> None:
        self._both("close", self._place(nth), ending, self.now)

    @precondition(lambda self: self.model.cases)
    @rule(nth=_nth, operator=_operators)
    def operator_clicks(self, nth: int, operator: str) -> None:
        self._both("call_now", self._place(nth), operator, self.now)

    @rule(number=st.sampled_from(CLIENTS))
    def number_is_blocked_or_not(self, number: str) -> None:
        self._both("block", number, self.now)

    @rule(number=st.sampled_from(CLIENTS))
    def client_is_on_the_line_or_not(self, number: str) -> None:
        self._both("line", number, self.now)

    @rule(stopped=st.booleans())
    def kill_switch(self, stopped: bool) -> None:
        self._both("stop", stopped, self.now)

    @rule(rules=st.sampled_from(CHOICES))
    def change_rules(self, rules: CallbackRules) -> None:
        self._both("change", rules)

    # Dutyline

    @rule(doing=_states, waiting=_waiting)
    def relay_ticks(
        self,
        doing: Sequence[tuple[OperatorActivity, str, str | None]],
        waiting: Mapping[str, Sequence[int]],
    ) -> None:
        self.states = [
            OperatorState(name, "", state, micros(self.now), call, pause)
            for name, (state, pause, call) in zip(OPERATORS, doing, strict=True)
        ]
        on_the_line = {
            group: sorted(self.now - timedelta(seconds=ago) for ago in callers)
            for group, callers in waiting.items()
        }
        self._both("dispatch", self.states, on_the_line, self.now)

    @rule()
    def what_waits_is_looked_at_again(self) -> None:
        self._both("reconsider", self.now)

    @rule()
    def relay_ticks_and_jobs_send(self) -> None:
        """All are free and nobody waits: what is due is ordered."""
        calm = (OperatorActivity.FREE, "", None)
        self.relay_ticks([calm] * len(OPERATORS), {})
        for place, one in enumerate(list(self.model.tries)):
            if one.state == "claimed":
                self._send(place)

    @precondition(lambda self: self._soonest() is not None)
    @rule(how=st.none() | st.sampled_from(TRIED))
    def what_is_due_next_is_tried(self, how: Ended | None) -> None:
        """Time goes on to a good hour for all after the next case falls due."""
        soonest = self._soonest()
        assert soonest is not None
        self.now = max(self.now, soonest)
        while self.now.isoweekday() > 5 or self.now.hour != 14:
            self.now += timedelta(hours=1)
        self.relay_ticks_and_jobs_send()
        for place in self._tries("sent"):
            if how is not None:
                self._try_ends(place, how)

    @precondition(lambda self: self._tries("claimed"))
    @rule(nth=_nth)
    def job_sends(self, nth: int) -> None:
        found = self._tries("claimed")
        self._send(found[nth % len(found)])

    @precondition(lambda self: self._tries("claimed", "wanted"))
    @rule(nth=_nth)
    def job_never_begins(self, nth: int) -> None:
        found = self._tries("claimed", "wanted")
        self._both("release", found[nth % len(found)], self.now)

    @precondition(lambda self: self._tries("sent"))
    @rule(nth=_nth, how=st.sampled_from(TRIED))
    def try_ends(self, nth: int, how: Ended) -> None:
        found = self._tries("sent")
        self._try_ends(found[nth % len(found)], how)

    @precondition(lambda self: self._tries("sent"))
    @rule(nth=_nth, how=st.sampled_from((Ended.UNKNOWN, Ended.NOT_DIALLED)))
    def try_is_looked_up(self, nth: int, how: Ended) -> None:
        found = self._tries("sent")
        self._both("lose", found[nth % len(found)], how, self.now)

    @precondition(lambda self: self._unknown())
    @rule(nth=_nth, how=st.sampled_from(TRIED))
    def try_is_known_after_all(self, nth: int, how: Ended) -> None:
        found = self._unknown()
        self._try_ends(found[nth % len(found)], how)

    @rule()
    def old_cases_expire(self) -> None:
        self._both("expire", self.now)

    @rule(by=_LATER)
    def time_passes(self, by: timedelta) -> None:
        self.now += by

    @rule()
    def everything_is_started_anew(self) -> None:
        """Invariant 5: nothing but what is stored counts."""
        self.model.changed = True
        if self.world is not None:
            self.world.restart()

    # What holds

    @invariant()
    def second_place_has_the_same(self) -> None:
        if self.world is not None:
            cases, tries = self.world.has()
            differences = [*_differ(cases, self.model.cases), *_differ(tries, self.model.tries)]
            assert not differences, differences

    @invariant()
    def invariant_2_no_missed_call_is_lost(self) -> None:
        """Resolved, suppressed with a reason, or exactly one case that somebody sees to."""
        for record in self.records:
            place = self.model.calls.get(record.call_id)
            if place is not None:
                case = self.model.cases[place]
                assert case.open or case.ending is not None
        waits = [one.number for one in self.model.cases if one.open]
        assert len(waits) == len(set(waits))
        for case in self.model.cases:
            if case.state is CaseState.OPEN:
                assert (case.due_at is None) == (case.attention is not None), case
            assert (case.state is CaseState.SUPPRESSED) == (case.ending in _SUPPRESSED)

    @invariant()
    def invariant_3_one_try_at_a_time_and_no_more_than_allowed(self) -> None:
        live = [one for one in self.model.tries if one.live]
        assert len({one.case for one in live}) == len(live)
        assert len({one.number for one in live}) == len(live)
        assert len({one.operator for one in live}) == len(live)
        for place, case in enumerate(self.model.cases):
            if case.state is CaseState.DIALLING:
                assert any(one.case == place for one in live), case

    @invariant()
    def invariants_3_and_4_each_order_was_allowed_when_it_was_sent(self) -> None:
        for sent in self.model.sent[self.checked :]:
            _check(sent)
        self.checked = len(self.model.sent)

    @invariant()
    def invariant_6_a_conversation_closes_what_came_before(self) -> None:
        for contact in self.model.contacts.values():
            for case in self.model.cases:
                if case.open and case.number == contact.number:
                    assert contact.since < case.last_missed_at

    @invariant()
    def invariant_8_what_is_over_stays_over(self) -> None:
        for place, case in enumerate(self.model.cases):
            if place in self.over:
                assert case == self.over[place]
            elif not case.open:
                self.over[place] = case
                assert case.ended_at is not None
                assert case.ended_at >= case.opened_at >= case.origin_at

    def _call_id(self) -> str:
        return f"{int(self.now.timestamp())}.{len(self.records)}"

    def _place(self, nth: int) -> int:
        return nth % len(self.model.cases)

    def _soonest(self) -> datetime | None:
        due = (one.due_at for one in self.model.cases if one.state is CaseState.OPEN)
        return min((at for at in due if at is not None), default=None)

    def _tries(self, *states: str) -> list[int]:
        return [place for place, one in enumerate(self.model.tries) if one.state in states]

    def _unknown(self) -> list[int]:
        return [n for n, one in enumerate(self.model.tries) if one.ended is Ended.UNKNOWN]

    def _send(self, place: int) -> None:
        self._both("send", place, self.states, self.now)

    def _try_ends(self, place: int, how: Ended) -> None:
        one = self.model.tries[place]
        if one.call_id:
            self._ends(tried(how, one.call_id, one.number, self.now, one.operator))

    def _ends(self, record: CallRecord) -> None:
        """A call that began now has ended, and is written down a minute later."""
        self.records.append(record)
        self.now += timedelta(minutes=2)
        self.model.settle(record, self.now)
        if self.world is not None:
            self.world.settle(record, self.now)
        contact = contact_of(record, self.model.rules)
        if contact is not None:
            for case in self.model.cases:
                assert not (case.open and case.number == contact.number and _before(case, contact))

    def _both(self, name: str, *values: object) -> None:
        found = getattr(self.model, name)(*values)
        if self.world is not None:
            assert getattr(self.world, name)(*values) == found, name


def _differ(have: Sequence[Case | Try], want: Sequence[Case | Try]) -> list[str]:
    """Return what differs, name by name."""
    found = [] if len(have) == len(want) else [f"{len(have)} instead of {len(want)}"]
    for nth, (one, other) in enumerate(zip(have, want, strict=False)):
        found += [
            f"{nth}: {name} is {getattr(one, name)} instead of {getattr(other, name)}"
            for name in one.__slots__
            if getattr(one, name) != getattr(other, name)
        ]
    return found


def _before(case: Case, contact: object) -> bool:
    return case.last_missed_at <= contact.since  # type: ignore[attr-defined, no-any-return]


_SUPPRESSED = (
    Ending.SHORT,
    Ending.BLOCKED,
    Ending.NOT_DIALLABLE,
    Ending.OPTED_OUT,
    Ending.DUPLICATE,
)


def _check(sent: Sent) -> None:
    """Hold an order against the rules, which are read here once more, in another way."""
    now, case, rules = sent.at, sent.case, sent.rules
    caps = rules.caps
    assert not sent.stopped, "the kill switch is thrown"
    assert not sent.barred, "nobody calls who is blocked or opted out"
    assert case.number in CLIENTS, "never a premium, far or hidden number"
    assert case.number != "+12124567890" or "US" in rules.regions
    assert case.number != "+493012345678" or "DE" in rules.regions
    assert not sent.on_the_line, "nobody is called who is on the line"
    assert case.state is CaseState.DIALLING
    waits = case.promised_at is not None and not case.hurried
    for zone in ZONES[case.number]:
        assert not _quiet(rules.quiet, now.astimezone(ZoneInfo(zone))), (now, zone)
    if not sent.attempt.asked:
        assert case.tries < caps.attempts
        assert case.hurried or case.promised_at is None or case.promised_at <= now
        assert case.attention is None
        if rules.automatic is not Automatic.EVERYBODY and case.promised_at is None:
            assert rules.automatic is Automatic.ASKED
            assert case.source is not Source.MISSED
        if case.did == SALES and not (case.source is Source.SCHEDULED and waits):
            here = now.astimezone(ZoneInfo("Europe/Moscow"))
            assert here.isoweekday() <= 5
            assert 9 <= here.hour < 19
    counted = [
        one
        for one in sent.before
        if one.sent_at is not None and (one.ended is None or one.ended.dialled)
    ]
    mine = [one for one in counted if one.number == case.number]
    assert sum(_since(one, now - DAY) for one in mine) < caps.number_day
    assert sum(_since(one, now - WEEK) for one in mine) < caps.number_week
    near = [one for one in counted if one.number[:6] == case.number[:6]]
    assert sum(_since(one, now - HOUR) for one in near) < caps.prefix_hour
    assert sum(_since(one, now - HOUR) for one in counted) < caps.hour
    assert sum(_since(one, now - DAY) for one in counted) < caps.day
    assert sum(one.state == "sent" for one in sent.before) < caps.at_once


def _since(one: Try, moment: datetime) -> bool:
    return one.sent_at is not None and one.sent_at > moment


def _quiet(quiet: QuietHours, local: datetime) -> bool:
    weekend = local.isoweekday() in quiet.days
    start = quiet.weekend_start if weekend else quiet.start
    end = quiet.weekend_end if weekend else quiet.end
    now = local.time()
    if start <= end:
        return start <= now < end
    return not end <= now < start
