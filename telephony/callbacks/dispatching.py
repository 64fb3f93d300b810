"""Due cases become tries, for the relay: as many as there are free operators, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.callbacks.alarms import alarm_of_bar
from telephony.callbacks.reconsidering import Reconsidering
from telephony.callbacks.standing import KnownSetup, is_watched, standing_of
from telephony.domain.callback.cases import Case
from telephony.domain.callback.dialling import prefix_of
from telephony.domain.callback.dispatch import Free, Match, dispatch, free_operators, unspoken
from telephony.domain.callback.results import Ended
from telephony.domain.callback.rules import First
from telephony.domain.callback.trying import as_before, dialling, put_off, settled
from telephony.domain.callback.verdicts import first_of, room, verdict
from telephony.domain.setup import Setup
from telephony.store.attempts import (
    Attempt,
    AttemptState,
    NewAttempt,
    add_attempt,
    any_wanted,
    claim_lookup,
    claim_wanted,
    late_attempts,
    live_attempts,
    release_attempts,
    tries_in_all,
)
from telephony.store.cases import any_due, due_cases, get_case, save_case, stopped
from telephony.store.engine import reading, writing
from telephony.store.live import list_live_calls, list_operator_states
from telephony.store.outbox import Claim
from telephony.store.tables import in_turn, moment

# A try whose job did not begin within this was lost with Redis, or stands in a queue too long.
CLAIM_LEASE = timedelta(seconds=15)
LOOK_LEASE = timedelta(seconds=30)
_ROUNDS = 20
_MORE = 20  # cases looked at beyond the free operators: some of them may not be called now
_FEW = 50


class Dispatcher:
    """Claims tries for jobs. `country` is how numbers without a region rule are judged."""

    def __init__(self, engine: Engine, country: str) -> None:
        self._engine = engine
        self._country = country
        self._known = KnownSetup()
        self._reconsidering = Reconsidering(engine, country)

    def reconsider(self, now: datetime) -> None:
        """Look at some of the waiting cases again, where the set-up changed since."""
        self._reconsidering.step(now)

    def ready(self, now: datetime) -> bool:
        """Tell whether there is anything to claim: looked up before others wait for its turn."""
        with reading(self._engine) as session:
            if any_wanted(session):
                return True
            return (
                any_due(session, now)
                and is_watched(session, now)
                and bool(self._matches(session, now))
            )

    def claim(self, now: datetime) -> list[Claim]:
        """Return tries to enqueue: what people asked for, and due cases with their operators."""
        with writing(self._engine) as session:
            in_turn(session)
            claims = claim_wanted(session, now, CLAIM_LEASE)
            if is_watched(session, now):
                claims += self._dispatch(session, now)
        return claims

    def _matches(self, session: Session, now: datetime) -> list[Match]:
        setup = self._known.read(session)
        most = self._most(session, setup, now)
        free = self._free(session, setup, now) if most else []
        if not free:
            return []
        waiting = waiting_callers(session, setup)
        return dispatch(_due(session, free, waiting, now), free, waiting, now, most)

    def _most(self, session: Session, setup: Setup, now: datetime) -> int:
        """Return how many tries may begin, whoever they are for: none while all is stopped.

        What stands in everybody's way is not written into each case: they stay due.
        """
        if stopped(session) is not None:
            return 0
        return room(setup.callbacks, tries_in_all(session, now))

    def _free(self, session: Session, setup: Setup, now: datetime) -> list[Free]:
        taken = {one.operator for one in live_attempts(session)}
        return free_operators(setup, list_operator_states(session), now, taken)

    def _dispatch(self, session: Session, now: datetime) -> list[Claim]:
        setup = self._known.read(session)
        free = self._free(session, setup, now)
        waiting = waiting_callers(session, setup)
        most = self._most(session, setup, now)
        claims: list[Claim] = []
        for _ in range(_ROUNDS):
            if not free or len(claims) >= most:
                break
            due = _due(session, free, waiting, now)
            matches = dispatch(due, free, waiting, now, most - len(claims))
            if not matches:
                break
            for match in matches:
                first = self._first(session, setup, match.case, now)
                if first is not None:
                    claims.append(self._begin(session, match, first, now))
                    free.remove(match.operator)
            # Who is left may be of another group than the cases at the head of the line.
        return claims

    def _first(self, session: Session, setup: Setup, case: Case, now: datetime) -> First | None:
        """Return who is called first, None where nobody may be: the case is put off, or ended."""
        standing = standing_of(session, setup, self._country, case, now)
        found = verdict(case, setup.callbacks, standing)
        if found.go:
            return first_of(setup.callbacks, standing)
        save_case(session, case, put_off(case, found, now), now)
        alarm_of_bar(session, setup.callbacks, found.bar, case.number, now)
        return None

    def _begin(self, session: Session, match: Match, first: First, now: datetime) -> Claim:
        case = match.case
        new = NewAttempt(
            number=case.number,
            prefix=prefix_of(case.number),
            operator=match.operator.extension,
            did=case.did,
            case_id=case.id,
            first=first,
            mobile=match.operator.mobile,
        )
        claim = add_attempt(session, new, now, CLAIM_LEASE)
        save_case(session, case, dialling(case), now)
        return claim

    def release(self, session: Session, claims: Sequence[Claim], now: datetime) -> None:
        """Take back tries whose jobs could not be enqueued: their cases are due as before."""
        in_turn(session)
        for one in release_attempts(session, claims, now):
            case = None if one.case_id is None else get_case(session, one.case_id)
            if case is not None:
                after = settled(case, Ended.NOT_DIALLED, now, self._known.read(session).callbacks)
                if after is not case:
                    after = replace(after, misses=case.misses, due_at=case.due_at)
                save_case(session, case, as_before(after, now), now)

    def sweep(self, now: datetime) -> list[Claim]:
        """Take back tries whose jobs never began; return those of which somebody has to look."""
        with reading(self._engine) as session:
            late = late_attempts(session, now, _FEW)
        if not late:
            return []
        with writing(self._engine) as session:
            lost = [one for one in late if one.state is not AttemptState.SENT]
            self.release(session, [_claim_of(one) for one in lost], now)
            sent = (one for one in late if one.state is AttemptState.SENT)
            looks = [claim_lookup(session, one, now + LOOK_LEASE) for one in sent]
        return [claim for claim in looks if claim is not None]


def _due(
    session: Session,
    free: Sequence[Free],
    waiting: Mapping[str, Sequence[datetime]],
    now: datetime,
) -> list[Case]:
    """Return the cases at the head of the line of those whom the free operators could call.

    Also of those for whose operators nobody waits on the line: a group in which many do must not
    hold up the others.
    """
    found: dict[int, Case] = {}
    spared = unspoken(free, waiting)
    for some in (free, spared) if len(spared) < len(free) else (free,):
        names = [one.extension for one in some]
        groups = {group for one in some for group in one.groups}
        cases = due_cases(session, now, len(some) + _MORE, operators=names, groups=groups)
        found.update((one.id, one) for one in cases)
    return list(found.values())


def waiting_callers(session: Session, setup: Setup) -> Mapping[str, Sequence[datetime]]:
    """Return group → when each caller who waits in its queue began to."""
    groups = {group.queue.pbx_name: name for name, group in setup.groups.items() if group.queue}
    found: dict[str, list[datetime]] = {}
    for one in list_live_calls(session):
        if one.queue in groups and one.queued_at is not None and one.answered_at is None:
            found.setdefault(groups[one.queue], []).append(moment(one.queued_at))
    return found


def _claim_of(one: Attempt) -> Claim:
    return Claim(one.id, "callback", one.fence)
