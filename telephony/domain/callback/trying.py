"""What each try makes of a case: when the next one is, or that a person has to see to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from telephony.domain.callback.cases import Attention, Case, CaseState
from telephony.domain.callback.results import Ended
from telephony.domain.callback.rules import CallbackRules

# An operator who cannot be had is not asked again and again: twice as long each time, up to this.
_OUR_FAULT = timedelta(seconds=5)  # the first pause after a call that rang nobody
_LONGEST_MISS = timedelta(minutes=15)
_MOST_DOUBLED = 8


def dialling(case: Case) -> Case:
    """Return a case of which a try begins."""
    return replace(case, state=CaseState.DIALLING) if case.state is CaseState.OPEN else case


def settled(case: Case, how: Ended, now: datetime, rules: CallbackRules) -> Case:
    """Return a case after a try that ended in another way than in a conversation."""
    if case.state is not CaseState.DIALLING:
        return case
    case = replace(case, state=CaseState.OPEN, last=how)
    if how is Ended.TALKED:
        # The conversation ends the case; one that a newer missed call outlived goes on in a while.
        pause = timedelta(minutes=rules.spacing.no_answer)
        return _again(replace(case, tries=case.tries + 1), now + pause)
    if how is Ended.UNKNOWN:
        return replace(case, tries=case.tries + 1, due_at=None, attention=Attention.UNKNOWN)
    if how.dialled:
        case = replace(case, tries=case.tries + 1, misses=0)
        soon = how is Ended.CUT_OFF  # they were talking, or about to
        if case.tries >= rules.caps.attempts:
            return replace(case, due_at=None, attention=Attention.ATTEMPTS, anyone_at=now)
        pause = _OUR_FAULT if soon else timedelta(minutes=_minutes(how, rules))
        return _again(case, now + pause)
    if how is Ended.WITHDRAWN:
        return case  # whoever withdrew it says when it is due
    if how is not Ended.NOT_DIALLED:
        # Who could not be had may not be the only one: the next one may be anybody.
        case = replace(case, anyone_at=now)
    times: int = 2 ** min(case.misses, _MOST_DOUBLED)
    one = timedelta(minutes=rules.spacing.operator)
    pause = min((_OUR_FAULT if how is Ended.NOT_DIALLED else one) * times, _LONGEST_MISS)
    return _again(replace(case, misses=case.misses + 1), max(now + pause, case.due_at or now))


def _again(case: Case, at: datetime) -> Case:
    """Return a case to be tried again, not before what was agreed while the try was under way.

    One that waits for a person, who asked for the try, goes on waiting for them.
    """
    if case.attention is not None:
        return replace(case, due_at=None)
    return replace(case, due_at=at if case.promised_at is None else max(at, case.promised_at))


def doubt_over(case: Case) -> Case:
    """Return a case whose last try is known now after all, as it was while that was under way."""
    if case.state is not CaseState.OPEN or case.last is not Ended.UNKNOWN:
        return case
    tries = max(0, case.tries - 1)
    return replace(case, state=CaseState.DIALLING, attention=None, tries=tries)


def postponed(case: Case, until: datetime | None, attention: Attention | None = None) -> Case:
    """Return an open case that is due at another moment, or waits for a person for a reason."""
    if case.state is not CaseState.OPEN:
        return case
    if until is not None and case.promised_at is not None:
        until = max(until, case.promised_at)
    return replace(case, due_at=until, attention=attention)


def as_before(case: Case, now: datetime) -> Case:
    """Return a case whose try was taken back: due as it was, or when it was agreed meanwhile."""
    if case.state is not CaseState.OPEN or case.attention is not None:
        return case
    return postponed(case, case.due_at or now)


def _minutes(how: Ended, rules: CallbackRules) -> int:
    spacing = rules.spacing
    return {
        Ended.BUSY: spacing.busy,
        Ended.NO_ANSWER: spacing.no_answer,
        Ended.DECLINED: spacing.declined,
        Ended.UNREACHABLE: spacing.unreachable,
        Ended.NOT_A_PERSON: spacing.not_a_person,
        Ended.WAITED_IN_VAIN: spacing.waited_in_vain,
    }.get(how, spacing.no_answer)
