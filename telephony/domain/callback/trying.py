"""What each try makes of a case: when the next one is, or that a person has to see to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from telephony.domain.callback.cases import Attention, Case, CaseState, by_itself, ended
from telephony.domain.callback.results import Ended
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.callback.verdicts import Verdict

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
    if case.attention is Attention.MANUAL and by_itself(case, rules):
        case = replace(case, attention=None)  # by rules that changed while a person called
    if how is Ended.TALKED:
        # The conversation ends the case; one that a newer missed call outlived goes on in a while.
        pause = timedelta(minutes=rules.spacing.no_answer)
        return _again(replace(case, tries=case.tries + 1), now + pause, now)
    if how is Ended.UNKNOWN and case.agreed(now) is None:
        return replace(case, tries=case.tries + 1, due_at=None, attention=Attention.UNKNOWN)
    if how.dialled:
        case = replace(case, tries=case.tries + 1, misses=0)
        soon = how is Ended.CUT_OFF  # they were talking, or about to
        if case.tries >= rules.caps.attempts:
            if (ahead := case.ahead(now)) is not None:
                return _as_agreed(case, ahead)
            return replace(case, due_at=None, attention=Attention.ATTEMPTS, anyone_at=now)
        pause = _OUR_FAULT if soon else timedelta(minutes=_minutes(how, rules))
        return _again(case, now + pause, now)
    if how is Ended.WITHDRAWN:
        return case  # whoever withdrew it says when it is due
    if how is not Ended.NOT_DIALLED:
        # Who could not be had may not be the only one: the next one may be anybody.
        case = replace(case, anyone_at=now)
    times: int = 2 ** min(case.misses, _MOST_DOUBLED)
    one = timedelta(minutes=rules.spacing.operator)
    pause = min((_OUR_FAULT if how is Ended.NOT_DIALLED else one) * times, _LONGEST_MISS)
    return _again(replace(case, misses=case.misses + 1), max(now + pause, case.due_at or now), now)


def _again(case: Case, at: datetime, now: datetime) -> Case:
    """Return a case to be tried again, not before what was agreed while the try was under way.

    One that waits for a person, who asked for the try, goes on waiting for them.
    """
    return replace(case, due_at=None) if case.attention is not None else _due(case, at, now)


def _due(case: Case, at: datetime, now: datetime) -> Case:
    """Return a case that is due at a moment, as far as its promise lets it.

    One that would be over by then is a person's at once: later nobody would look at it. Not when
    it is over in a moment anyway, of which people are told as well.
    """
    ahead = case.ahead(now)
    if ahead is not None and (ahead <= at or not case.hurried):
        return _as_agreed(case, ahead)
    if case.expires_at is not None and now + _LONGEST_MISS < case.expires_at <= at:
        return replace(case, due_at=None, attention=Attention.RULES)
    return replace(case, due_at=at, attention=None)


def _as_agreed(case: Case, at: datetime) -> Case:
    """Return a case that waits for the time agreed after all, with all its tries before it."""
    return replace(case, due_at=at, hurried=False, attention=None, tries=0, misses=0)


def doubt_over(case: Case) -> Case:
    """Return a case whose last try is known now after all, as it was while that was under way."""
    if case.state is not CaseState.OPEN or case.last is not Ended.UNKNOWN:
        return case
    tries = max(0, case.tries - 1)
    return replace(case, state=CaseState.DIALLING, attention=None, tries=tries)


def postponed(
    case: Case, until: datetime | None, now: datetime, attention: Attention | None = None
) -> Case:
    """Return an open case that is due at another moment, or waits for a person for a reason."""
    if case.state is not CaseState.OPEN:
        return case
    if until is not None:
        return _due(case, until, now)
    ahead = case.ahead(now)
    if ahead is not None and case.hurried:
        return _as_agreed(case, ahead)
    return replace(case, due_at=None, attention=attention)


def put_off(case: Case, found: Verdict, now: datetime) -> Case:
    """Return a case that may not be called now, as the verdict says: ended, later, or by hand."""
    if found.ending is not None:
        return ended(case, found.ending, now)
    if found.until is not None and case.expires_at is not None and found.expires_at is not None:
        over = found.expires_at if found.until >= case.expires_at else case.expires_at
        case = replace(case, expires_at=over)
    return postponed(case, found.until, now, found.attention)


def reconsidered(case: Case, found: Verdict, now: datetime) -> Case:
    """Return an open case after the rules changed, as the verdict of the new ones says.

    One that waited for a person for the rules' sake goes on by itself where they let it now. Not
    one whose client was called: the pause after that is not known any more.
    """
    if case.state is not CaseState.OPEN:
        return case
    unasked = case.attention is Attention.RULES and case.tries == 0
    for_the_rules = unasked or case.attention is Attention.MANUAL
    a_persons_now = case.attention is None and found.attention is not None
    if found.ending is not None or a_persons_now or (for_the_rules and not found.go):
        return put_off(case, found, now)
    return postponed(case, now, now) if for_the_rules else case


def as_before(case: Case, now: datetime) -> Case:
    """Return a case whose try was taken back: due as it was, or when it was agreed meanwhile."""
    if case.state is not CaseState.OPEN or case.attention is not None:
        return case
    return postponed(case, case.due_at or now, now)


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
