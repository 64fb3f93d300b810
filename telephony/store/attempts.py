"""Tries to call back as rows. A try is `claimed` for a job, `sent` to the PBX once, and `done`.

One that somebody asks for is `wanted` before, until the relay claims it.

Its `fence` is the attempt that a job is enqueued for: one that holds another does nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from telephony.domain.callback.results import Ended
from telephony.domain.callback.rules import First
from telephony.domain.callback.verdicts import Tries
from telephony.store.case_tables import callback_attempt
from telephony.store.outbox import Claim

KIND = "callback"
_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
# Tries that did not ring the client's phone do not count towards a cap.
_NOT_DIALLED = tuple(one.value for one in Ended if not one.dialled)


# One whose end is not known yet counts, too.
_COUNTED = callback_attempt.c.ended.is_(None) | callback_attempt.c.ended.not_in(_NOT_DIALLED)


class AttemptState(StrEnum):
    """How far a try is."""

    WANTED = "wanted"
    CLAIMED = "claimed"
    SENT = "sent"
    DONE = "done"


_LIVE = (AttemptState.WANTED.value, AttemptState.CLAIMED.value, AttemptState.SENT.value)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `case_id` is None for a call that somebody asked for by a click, `asked_by` who did.

    `operator` is called first, or kept free for a client who is; `cause` is the PBX's word, or what
    withdrew it. Times are aware.
    """

    id: int
    case_id: int | None
    number: str
    did: str
    first: First
    operator: str
    mobile: bool
    asked_by: str
    state: AttemptState
    fence: int
    lease_until: datetime
    created_at: datetime
    sent_at: datetime | None
    uniqueid: str | None
    ended_at: datetime | None
    ended: Ended | None
    cause: str | None
    talk_ms: int


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """A try that is to be made."""

    number: str
    prefix: str
    operator: str
    did: str = ""
    case_id: int | None = None
    first: First = First.OPERATOR
    mobile: bool = False
    asked_by: str = ""


def add_attempt(session: Session, new: NewAttempt, now: datetime, lease: timedelta) -> Claim:
    """Insert a try, claimed for a job; one that somebody asked for waits for the relay first.

    Raises IntegrityError when its case, its number or its operator has one under way.
    """
    key = session.execute(
        insert(callback_attempt)
        .values(
            case_id=new.case_id,
            number=new.number,
            prefix=new.prefix,
            did=new.did,
            first=new.first.value,
            operator=new.operator,
            mobile=int(new.mobile),
            asked_by=new.asked_by,
            state=(AttemptState.WANTED if new.asked_by else AttemptState.CLAIMED).value,
            fence=1,
            lease_until=now + lease,
            created_at=now,
            talk_ms=0,
        )
        .returning(callback_attempt.c.id)
    ).scalar_one()
    return Claim(key, KIND, 1)


def claim_wanted(session: Session, now: datetime, lease: timedelta) -> list[Claim]:
    """Take the tries that somebody asked for, for jobs."""
    taken = session.execute(
        update(callback_attempt)
        .where(
            callback_attempt.c.state == AttemptState.WANTED.value,
            callback_attempt.c.lease_until > now,
        )
        .values(state=AttemptState.CLAIMED.value, lease_until=now + lease)
        .returning(callback_attempt.c.id, callback_attempt.c.fence)
    )
    return [Claim(row.id, KIND, row.fence) for row in taken]


def any_wanted(session: Session) -> bool:
    """Tell whether somebody asked for a call that was not claimed yet."""
    query = select(callback_attempt.c.id).where(
        callback_attempt.c.state == AttemptState.WANTED.value
    )
    return session.execute(query.limit(1)).first() is not None


def claim_lookup(session: Session, one: Attempt, until: datetime) -> Claim | None:
    """Take a try whose end is not known for a job that looks; None when its end came meanwhile."""
    row = session.execute(
        update(callback_attempt)
        .where(
            callback_attempt.c.id == one.id,
            callback_attempt.c.state == AttemptState.SENT.value,
            callback_attempt.c.fence == one.fence,
        )
        .values(fence=callback_attempt.c.fence + 1, lease_until=until)
        .returning(callback_attempt.c.id, callback_attempt.c.fence)
    ).one_or_none()
    return None if row is None else Claim(row.id, KIND, row.fence)


def get_attempt(session: Session, key: int) -> Attempt | None:
    """Return a try by its id."""
    row = session.execute(
        select(callback_attempt).where(callback_attempt.c.id == key)
    ).one_or_none()
    return None if row is None else attempt_of_row(row)


def get_attempts(session: Session, keys: Collection[int]) -> dict[int, Attempt]:
    """Return those of the tries that exist, by id."""
    query = select(callback_attempt).where(callback_attempt.c.id.in_(list(keys)))
    return {row.id: attempt_of_row(row) for row in session.execute(query)}


def attempts_of(session: Session, case_id: int, limit: int = 100) -> list[Attempt]:
    """Return the tries of a case, newest first."""
    query = select(callback_attempt).where(callback_attempt.c.case_id == case_id)
    query = query.order_by(callback_attempt.c.id.desc()).limit(limit)
    return [attempt_of_row(row) for row in session.execute(query)]


def newest_attempts(session: Session, case_ids: Collection[int]) -> set[int]:
    """Return the ids of the newest tries of these cases."""
    c = callback_attempt.c
    query = select(func.max(c.id)).where(c.case_id.in_(list(case_ids))).group_by(c.case_id)
    return set(session.execute(query).scalars())


def live_attempts(session: Session) -> list[Attempt]:
    """Return the tries that are under way, oldest first."""
    query = select(callback_attempt).where(callback_attempt.c.state.in_(_LIVE))
    return [attempt_of_row(row) for row in session.execute(query.order_by(callback_attempt.c.id))]


def send_attempt(
    session: Session, key: int, fence: int, uniqueid: str, now: datetime, lease: timedelta
) -> bool:
    """Note that a claimed try goes to the PBX now; tell whether it was this job's to send.

    Committed before it is sent: what was not sent after all is looked up later, never sent twice.
    """
    mine = session.execute(
        update(callback_attempt)
        .where(
            callback_attempt.c.id == key,
            callback_attempt.c.fence == fence,
            callback_attempt.c.state == AttemptState.CLAIMED.value,
        )
        .values(
            state=AttemptState.SENT.value,
            sent_at=now,
            uniqueid=uniqueid,
            lease_until=now + lease,
        )
        .returning(callback_attempt.c.id)
    )
    return mine.first() is not None


def finish_attempt(
    session: Session,
    one: Attempt,
    how: Ended,
    now: datetime,
    cause: str | None = None,
    talk_ms: int = 0,
) -> bool:
    """Write how a try ended, once; what was unknown may become known later. Tell whether it was."""
    known = callback_attempt.c
    doubtful = known.ended == Ended.UNKNOWN.value
    open_ = known.state.in_(_LIVE) | (doubtful & (how is not Ended.UNKNOWN))
    done = session.execute(
        update(callback_attempt)
        .where(known.id == one.id, open_)
        .values(
            state=AttemptState.DONE.value,
            ended=how.value,
            ended_at=now,
            cause=cause,
            talk_ms=talk_ms,
        )
        .returning(known.id)
    )
    return done.first() is not None


def renew_attempt(
    session: Session, one: Attempt, until: datetime, cause: str | None = None
) -> None:
    """Give a try that goes on more time; `cause` is what was seen of it last."""
    session.execute(
        update(callback_attempt)
        .where(callback_attempt.c.id == one.id, callback_attempt.c.state.in_(_LIVE))
        .values(lease_until=until, cause=cause)
    )


def release_attempts(session: Session, claims: Sequence[Claim], now: datetime) -> list[Attempt]:
    """Take back tries whose jobs could not be enqueued, or came to nothing; return those that were.

    One that was sent meanwhile is left alone.
    """
    gone = session.execute(
        update(callback_attempt)
        .where(
            callback_attempt.c.id.in_([claim.id for claim in claims]),
            callback_attempt.c.state.in_([AttemptState.WANTED.value, AttemptState.CLAIMED.value]),
        )
        .values(
            state=AttemptState.DONE.value,
            ended=Ended.NOT_DIALLED.value,
            ended_at=now,
            cause="not_sent",
        )
        .returning(callback_attempt)
    )
    return [attempt_of_row(row) for row in gone]


def is_tried(session: Session, number: str, but: int | None = None) -> bool:
    """Tell whether a try to call a number is under way, another one than `but`."""
    c = callback_attempt.c
    query = select(c.id).where(c.number == number, c.state.in_(_LIVE))
    if but is not None:
        query = query.where(c.id != but)
    return session.execute(query.limit(1)).first() is not None


def late_attempts(session: Session, now: datetime, limit: int) -> list[Attempt]:
    """Return tries that are under way beyond their lease, oldest first."""
    query = select(callback_attempt).where(
        callback_attempt.c.state.in_(_LIVE), callback_attempt.c.lease_until <= now
    )
    query = query.order_by(callback_attempt.c.lease_until).limit(limit)
    return [attempt_of_row(row) for row in session.execute(query)]


def tries_in_all(session: Session, now: datetime) -> Tries:
    """Return the tries of all numbers together: of an hour, of a day, and under way."""
    c = callback_attempt.c
    query = select(func.count().filter(c.sent_at > now - _HOUR), func.count()).where(
        c.sent_at > now - _DAY, _COUNTED
    )
    hour, day = session.execute(query).one()
    return Tries(hour=hour, day=day, live=count_live(session))


def full_prefixes(session: Session, most: int, now: datetime) -> list[str]:
    """Return the beginnings of numbers to which `most` tries or more were made within an hour."""
    c = callback_attempt.c
    query = select(c.prefix).where(c.sent_at > now - _HOUR, _COUNTED)
    query = query.group_by(c.prefix).having(func.count() >= most).order_by(c.prefix)
    return list(session.execute(query).scalars())


def count_live(session: Session) -> int:
    """Return how many tries are under way."""
    query = select(func.count()).where(callback_attempt.c.state.in_(_LIVE))
    return session.execute(query).scalar_one()


def count_ended(session: Session, since: datetime) -> dict[str, int]:
    """Return how the tries that were sent after `since` ended: code of `Ended` → how many."""
    c = callback_attempt.c
    query = select(c.ended, func.count().label("found")).where(
        c.sent_at > since, c.ended.is_not(None)
    )
    return {row.ended: row.found for row in session.execute(query.group_by(c.ended))}


def tries_of(session: Session, number: str, prefix: str, now: datetime) -> Tries:
    """Return what the caps ask of the tries so far; the caller has the turn, so none is missed."""
    c = callback_attempt.c
    to_number = select(c.sent_at).where(c.number == number, c.sent_at > now - _WEEK, _COUNTED)
    to_prefix = select(c.sent_at).where(c.prefix == prefix, c.sent_at > now - _HOUR, _COUNTED)
    in_all = tries_in_all(session, now)
    sent = select(func.count()).where(c.state == AttemptState.SENT.value)
    return replace(
        in_all,
        number=session.execute(to_number.order_by(c.sent_at)).scalars().all(),
        prefix=session.execute(to_prefix.order_by(c.sent_at)).scalars().all(),
        # This one is claimed already, when it is asked at the moment of sending.
        live=session.execute(sent).scalar_one(),
    )


def attempt_of_row(row: Row[Any]) -> Attempt:
    """Return the try that a row of the table is."""
    return Attempt(
        id=row.id,
        case_id=row.case_id,
        number=row.number,
        did=row.did,
        first=First(row.first),
        operator=row.operator,
        mobile=bool(row.mobile),
        asked_by=row.asked_by,
        state=AttemptState(row.state),
        fence=row.fence,
        lease_until=row.lease_until,
        created_at=row.created_at,
        sent_at=row.sent_at,
        uniqueid=row.uniqueid,
        ended_at=row.ended_at,
        ended=None if row.ended is None else Ended(row.ended),
        cause=row.cause,
        talk_ms=row.talk_ms,
    )
