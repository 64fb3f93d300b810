"""What people ask for: a call now, a callback at a time, a case that is theirs, or over.

One function for panel and API each. They take a session to write with, and give back the case as it
is then, or raise `RefusedError` with a code that is put into words at the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from telephony.callbacks.standing import is_watched, standing_for
from telephony.domain.callback.cases import (
    Case,
    CaseState,
    Ending,
    Source,
    Wish,
    claimed,
    ended,
    scheduled,
)
from telephony.domain.callback.dialling import prefix_of
from telephony.domain.callback.results import Why
from telephony.domain.callback.trying import dialling
from telephony.domain.callback.verdicts import Bar, Standing, may_agree, may_dial
from telephony.domain.live import OperatorActivity
from telephony.domain.setup import Setup
from telephony.store.attempts import NewAttempt, add_attempt, live_attempts
from telephony.store.case_lists import get_cases, has_case
from telephony.store.casebook import CaseBook, Entry
from telephony.store.cases import (
    get_case,
    open_cases,
    opt_number_out,
    save_case,
)
from telephony.store.clients import find_owners, get_clients
from telephony.store.live import list_operator_states
from telephony.store.outbox import Claim
from telephony.store.search import called_us
from telephony.store.settling import wish_for
from telephony.store.tables import in_turn

# How long a call that somebody asked for may wait for the relay: they stand by the phone.
WAITS = timedelta(seconds=15)
_AHEAD = timedelta(days=365)


class Refusal(StrEnum):
    """Why nothing was done."""

    GONE = "gone"  # there is no such case
    OVER = "over"  # it has ended
    UNDER_WAY = "under_way"  # it is being called right now
    BUSY = "busy"  # a callback rings this operator already
    ON_A_CALL = "on_a_call"  # whoever asks talks
    RINGING = "ringing"  # another call rings their phone
    AWAY = "away"  # their phone is not connected
    UNSEEN = "unseen"  # nothing is known of their phone
    TAKEN = "taken"  # somebody else has claimed it
    NOT_THEIRS = "not_theirs"  # it is of a group that whoever asks is not in
    NO_OPERATOR = "no_operator"  # whoever asks has no extension
    NOT_LISTENING = "not_listening"  # nobody would hear what becomes of it
    UNKNOWN_NUMBER = "unknown_number"  # it never called us, and neither client nor case has it
    BARRED = "barred"  # `bar` says why
    PAST = "past"
    QUIET = "quiet"  # it is night there at the time that was asked for; `until` says when not
    TOO_FAR = "too_far"
    NOT_AN_ENDING = "not_an_ending"


class RefusedError(Exception):
    """Nothing was done, and why; `bar` of BARRED says what stands in the way, `until` till when."""

    def __init__(self, why: Refusal, bar: Bar | None = None, until: datetime | None = None) -> None:
        """Keep the codes."""
        super().__init__(why.value if bar is None else f"{why.value}: {bar.value}")
        self.why = why
        self.bar = bar
        self.until = until


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a login, and the extension it belongs to, if any."""

    login: str
    extension: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What asking works with: the set-up, and the company's own country."""

    setup: Setup
    country: str


def call_case(session: Session, desk: Desk, case_id: int, who: Asker, now: datetime) -> Case:
    """Ring whoever asks, then the client of a case. Raises RefusedError.

    The case is theirs when the call is sent (`placing`), not when it is asked for.
    """
    case = _open(session, case_id)
    if case.state is CaseState.DIALLING:
        raise RefusedError(Refusal.UNDER_WAY)
    _order(session, desk, case.number, case.did, who, now, case.id)
    after = dialling(case)
    save_case(session, case, after, now)
    return after


def call_number(
    session: Session, desk: Desk, number: str, who: Asker, now: datetime, did: str = ""
) -> Claim:
    """Ring whoever asks, then a number (E.164) that is known. Raises RefusedError.

    One with an open case is its case's.
    """
    in_turn(session)
    known = open_cases(session, [number]).get(number)
    if known is not None:
        call_case(session, desk, known.id, who, now)
        return Claim(known.id, "case", known.tries)
    if not is_known(session, number):
        raise RefusedError(Refusal.UNKNOWN_NUMBER)
    return _order(session, desk, number, did, who, now, None)


def is_known(session: Session, number: str) -> bool:
    """Tell whether a number is one that people may have called: a client's, one that called us, or
    one of a case. That we called it ourselves does not make it known.
    """
    return (
        bool(find_owners(session, [number]))
        or called_us(session, number)
        or has_case(session, number)
    )


def ask_for_call(session: Session, desk: Desk, wish: Wish, now: datetime) -> tuple[Case, bool]:
    """Open a case for a wish to be called, or join the open one; tell whether it was opened.

    Raises RefusedError for a number that may never be called, and for a moment that is past, too
    far, or in the quiet hours of the client.
    """
    in_turn(session)
    standing = standing_for(session, desk.setup, desk.country, wish.number, wish.did, now)
    if wish.promised_at is not None:
        _check_time(desk, standing, wish.promised_at, now)
    found = may_dial(desk.setup.callbacks, standing)
    if found.bar in (Bar.REFUSED, Bar.BLOCKED, Bar.OPTED_OUT):
        raise RefusedError(Refusal.BARRED, found.bar)
    owner = find_owners(session, [wish.number]).get(wish.number)
    if owner is not None:
        data = get_clients(session, [owner])[owner]
        wish = replace(
            wish,
            client_id=owner,
            client_name=data.name,
            owner=wish.owner or data.assignment.manager,
            priority=int(data.vip),
        )
    known = desk.setup.dids.get(wish.did)
    wish = replace(wish, group=known.group if known else wish.group or desk.setup.default_group)
    before = wish.number in open_cases(session, [wish.number])
    return wish_for(session, wish, desk.setup.callbacks, now, desk.country), not before


def a_wish(
    number: str,
    source: Source,
    now: datetime,
    did: str = "",
    *,
    name: str = "",
    note: str = "",
) -> Wish:
    """Return the wish of a client to be called, asked for now.

    `name` is what they are called where no client has the number.
    """
    return Wish(number, Why.ASKED, now, now, source, did=did, client_name=name, note=note)


def schedule_case(session: Session, desk: Desk, case_id: int, at: datetime, now: datetime) -> Case:
    """Promise the client of a case a call at a moment. Raises RefusedError.

    What was agreed in the call that ended the case is kept, too: it is a new case then.
    """
    case = get_case(session, case_id, lock=True)
    if case is None:
        raise RefusedError(Refusal.GONE)
    if not case.open:
        return _agreed_after(session, desk, case, at, now)
    standing = standing_for(session, desk.setup, desk.country, case.number, case.did, now)
    _check_time(desk, standing, at, now)
    after = scheduled(case, at, now, desk.setup.callbacks)
    save_case(session, case, after, now)
    return after


def _agreed_after(session: Session, desk: Desk, case: Case, at: datetime, now: datetime) -> Case:
    wish = a_wish(case.number, Source.SCHEDULED, now, case.did, name=case.client_name)
    mine = case.claimed_by or case.owner
    wish = replace(wish, promised_at=at, owner=mine, group=case.group)
    return ask_for_call(session, desk, wish, now)[0]


def _check_time(desk: Desk, standing: Standing, at: datetime, now: datetime) -> None:
    """Refuse a time at which nobody would be called: what is agreed is to be kept."""
    if at <= now:
        raise RefusedError(Refusal.PAST)
    if at > now + _AHEAD:
        raise RefusedError(Refusal.TOO_FAR)
    found = may_agree(desk.setup.callbacks, standing, at)
    if found.bar is Bar.QUIET:
        raise RefusedError(Refusal.QUIET, until=found.until)
    if not found.go:
        raise RefusedError(Refusal.BARRED, found.bar, found.until)


def claim_case(
    session: Session, desk: Desk, case_id: int, operator: str | None, now: datetime
) -> Case:
    """Give a case to an operator alone, or with None back to all. Raises RefusedError."""
    rules = desk.setup.callbacks
    return _changed(session, case_id, now, lambda case: claimed(case, operator, now, rules))


def close_case(
    session: Session, case_id: int, ending: Ending, who: Asker, note: str, now: datetime
) -> Case:
    """End a case by hand: done, a duplicate, or a number that is not to be called.

    Raises RefusedError; one that is being called cannot be ended. That a client does not want to be
    called is said in the call, or after it: that is noted whatever the case is.
    """
    found = close_cases(session, [case_id], ending, who, note, now)[case_id]
    if isinstance(found, Refusal):
        raise RefusedError(found)
    return found


def close_cases(
    session: Session,
    case_ids: Sequence[int],
    ending: Ending,
    who: Asker,
    note: str,
    now: datetime,
) -> dict[int, Case | Refusal]:
    """End cases as `close_case` does, in a few statements; tell of each what it is, or why not."""
    if ending not in BY_PEOPLE:
        raise RefusedError(Refusal.NOT_AN_ENDING)
    in_turn(session)
    known = get_cases(session, case_ids)
    book = CaseBook(session, now)
    told: dict[int, Case | Refusal] = {}
    for key in dict.fromkeys(case_ids):
        case = known.get(key)
        if case is None:
            told[key] = Refusal.GONE
            continue
        if ending is Ending.OPTED_OUT:
            opt_number_out(session, case.number, who.login, note, now)
            if case.state is not CaseState.OPEN:
                told[key] = case
                continue
        if case.state is not CaseState.OPEN:
            told[key] = Refusal.UNDER_WAY if case.open else Refusal.OVER
            continue
        told[key] = after = ended(case, ending, now, who.login, note)
        book.save(Entry(case), after)
    book.write()
    return told


def opt_out(session: Session, number: str, who: Asker, note: str, now: datetime) -> bool:
    """Note that a number (E.164) is not to be called, and end its case; tell whether that is new.

    One that is being called right now ends when it is due the next time.
    """
    in_turn(session)
    new = opt_number_out(session, number, who.login, note, now)
    case = open_cases(session, [number]).get(number)
    if case is not None and case.state is CaseState.OPEN:
        save_case(session, case, ended(case, Ending.OPTED_OUT, now, who.login, note), now)
    return new


# What a person may say of a case.
BY_PEOPLE = (Ending.BY_HAND, Ending.DUPLICATE, Ending.OPTED_OUT, Ending.NOT_DIALLABLE)


def _order(
    session: Session,
    desk: Desk,
    number: str,
    did: str,
    who: Asker,
    now: datetime,
    case_id: int | None,
) -> Claim:
    if who.extension is None or who.extension not in desk.setup.operators:
        raise RefusedError(Refusal.NO_OPERATOR)
    if not is_watched(session, now):
        raise RefusedError(Refusal.NOT_LISTENING)
    if any(one.operator == who.extension for one in live_attempts(session)):
        raise RefusedError(Refusal.BUSY)
    hindrance = _hindrance(session, who.extension)
    if hindrance is not None:
        raise RefusedError(hindrance)
    standing = standing_for(session, desk.setup, desk.country, number, did, now)
    found = may_dial(desk.setup.callbacks, standing)
    if not found.go:
        raise RefusedError(Refusal.BARRED, found.bar, found.until)
    new = NewAttempt(
        number=number,
        prefix=prefix_of(number),
        operator=who.extension,
        did=did,
        case_id=case_id,
        asked_by=who.login,
    )
    return add_attempt(session, new, now, WAITS)


def _hindrance(session: Session, extension: str) -> Refusal | None:
    """Return why an operator's phone cannot ring for a call of their own: a break is no reason."""
    states = list_operator_states(session)
    state = next((one for one in states if one.extension == extension), None)
    if state is None:
        return Refusal.UNSEEN
    found = _HINDRANCES.get(state.state)
    return Refusal.ON_A_CALL if found is None and state.call_id is not None else found


_HINDRANCES = {
    OperatorActivity.BUSY: Refusal.ON_A_CALL,
    OperatorActivity.RINGING: Refusal.RINGING,
    OperatorActivity.AWAY: Refusal.AWAY,
    OperatorActivity.UNKNOWN: Refusal.UNSEEN,
}


def _open(session: Session, case_id: int) -> Case:
    case = get_case(session, case_id, lock=True)
    if case is None:
        raise RefusedError(Refusal.GONE)
    if not case.open:
        raise RefusedError(Refusal.OVER)
    return case


def _changed(session: Session, case_id: int, now: datetime, change: Callable[[Case], Case]) -> Case:
    case = _open(session, case_id)
    after = change(case)
    save_case(session, case, after, now)
    return after
