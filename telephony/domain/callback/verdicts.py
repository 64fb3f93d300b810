"""May a client be called now? Asked when a case falls due, and again at the moment of dialling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from telephony.domain.callback.cases import Attention, Case, Ending, Source, by_itself
from telephony.domain.callback.dialling import Refusal
from telephony.domain.callback.quiet import quiet_over
from telephony.domain.callback.rules import CallbackRules, First

_SOON = timedelta(minutes=1)
_MOMENT = timedelta(seconds=5)
_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


class Bar(StrEnum):
    """What stands in the way of a call."""

    STOPPED = "stopped"  # the kill switch
    BLOCKED = "blocked"
    OPTED_OUT = "opted_out"
    REFUSED = "refused"  # a number that is never dialled
    AGREED = "agreed"  # another moment, since it fell due
    ATTEMPTS = "attempts"
    MANUAL = "manual"  # the rules call nobody, or not this kind, by themselves
    ON_THE_LINE = "on_the_line"  # they talk to us right now, or are being called
    QUIET = "quiet"
    CLOSED = "closed"
    NUMBER_DAY = "number_day"
    NUMBER_WEEK = "number_week"
    PREFIX_HOUR = "prefix_hour"
    HOUR = "hour"
    DAY = "day"
    AT_ONCE = "at_once"


@dataclass(frozen=True, slots=True)
class Tries:
    """When clients were dialled lately, as far as a cap asks: each list is in order of time.

    `number` are those to this number of a week, `prefix` those to its prefix of an hour, `all` all
    of a day; `live` is how many are under way.
    """

    number: Sequence[datetime] = ()
    prefix: Sequence[datetime] = ()
    hour: int = 0
    day: int = 0
    live: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """All that counts at a moment besides the case and the rules.

    `opens_at` is None when the number is open now, or has no hours; `zones` are those the client
    may be in. `refusal` is why the number is never dialled. `on_the_line` is whether a call with
    this number is under way.
    """

    now: datetime
    zones: Sequence[str]
    tries: Tries = Tries()
    opens_at: datetime | None = None
    never_opens: bool = False
    refusal: Refusal | None = None
    stopped: bool = False
    blocked: bool = False
    opted_out: bool = False
    on_the_line: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to call. With a `bar`: not now; again at `until`, or, without one, never by itself.

    `ending` is how the case ends for it; `attention` why a person has to look. `expires_at` is when
    a case is over that would be before `until`: nobody gives up on a client while it is closed.
    """

    bar: Bar | None = None
    until: datetime | None = None
    ending: Ending | None = None
    attention: Attention | None = None
    expires_at: datetime | None = None

    @property
    def go(self) -> bool:
        """Whether the client may be called now."""
        return self.bar is None


GO = Verdict()


def room(rules: CallbackRules, tries: Tries) -> int:
    """Return how many more clients may be called now by the caps that are not on one number."""
    caps = rules.caps
    left = (caps.day - tries.day, caps.hour - tries.hour, caps.at_once - tries.live)
    return max(0, min(left))


def verdict(case: Case, rules: CallbackRules, standing: Standing) -> Verdict:
    """Return whether a case's client may be called at `standing.now`, and when else."""
    if standing.refusal is not None:
        return Verdict(Bar.REFUSED, ending=Ending.NOT_DIALLABLE)
    if standing.blocked:
        return Verdict(Bar.BLOCKED, ending=Ending.BLOCKED)
    if standing.opted_out:
        return Verdict(Bar.OPTED_OUT, ending=Ending.OPTED_OUT)
    if standing.stopped:
        return Verdict(Bar.STOPPED, standing.now + _SOON)
    if (agreed := case.agreed(standing.now)) is not None:
        return Verdict(Bar.AGREED, agreed)
    if case.tries >= rules.caps.attempts:
        return Verdict(Bar.ATTEMPTS, attention=Attention.ATTEMPTS)
    if not by_itself(case, rules):
        return Verdict(Bar.MANUAL, attention=Attention.MANUAL)
    return _by_line(standing) or _by_hours(case, rules, standing) or _by_caps(rules, standing) or GO


def may_dial(rules: CallbackRules, standing: Standing) -> Verdict:
    """Return the same for a call that a person asks for: opening hours do not matter then."""
    if standing.refusal is not None:
        return Verdict(Bar.REFUSED)
    if standing.blocked:
        return Verdict(Bar.BLOCKED)
    if standing.opted_out:
        return Verdict(Bar.OPTED_OUT)
    if standing.stopped:
        return Verdict(Bar.STOPPED)
    return _by_line(standing) or _by_quiet(rules, standing) or _by_caps(rules, standing) or GO


def first_of(rules: CallbackRules, standing: Standing) -> First:
    """Return who is called first: the operator while we are closed.

    A client who is called first is put through like a caller, who would hear that we are closed.
    """
    closed = standing.opens_at is not None or standing.never_opens
    return First.OPERATOR if closed else rules.first


def _by_line(standing: Standing) -> Verdict | None:
    """Return the verdict on a client who is on the line with us: they are not called beside."""
    return Verdict(Bar.ON_THE_LINE, standing.now + _MOMENT) if standing.on_the_line else None


def _by_hours(case: Case, rules: CallbackRules, standing: Standing) -> Verdict | None:
    """Return the first moment at which it is open here and not quiet there, if that is not now."""
    early = case.hurried and case.ahead(standing.now) is not None
    agreed = case.source is Source.SCHEDULED and not early
    if standing.never_opens and not agreed:
        return Verdict(Bar.CLOSED, attention=Attention.RULES)
    if standing.opens_at is not None and not agreed:
        over = standing.opens_at + timedelta(hours=rules.expire_hours)
        return Verdict(Bar.CLOSED, standing.opens_at, expires_at=over)
    return _by_quiet(rules, standing)


def _by_quiet(rules: CallbackRules, standing: Standing) -> Verdict | None:
    over = quiet_over(rules.quiet, standing.zones, standing.now)
    if over is None:
        return Verdict(Bar.QUIET, attention=Attention.RULES)
    return None if over <= standing.now else Verdict(Bar.QUIET, over)


def may_agree(rules: CallbackRules, standing: Standing, at: datetime) -> Verdict:
    """Return whether a call at a later moment may be promised, as far as that is known now."""
    then = replace(standing, now=at)
    return _by_quiet(rules, then) or _by_number(rules, then) or GO


def _by_caps(rules: CallbackRules, standing: Standing) -> Verdict | None:
    """Return the verdict of the caps: on each number, on its prefix, on all."""
    caps, tries, now = rules.caps, standing.tries, standing.now
    if (found := _by_number(rules, standing)) is not None:
        return found
    lately = [at for at in tries.prefix if at > now - _HOUR]
    if len(lately) >= caps.prefix_hour:
        return Verdict(Bar.PREFIX_HOUR, lately[-caps.prefix_hour] + _HOUR)
    if tries.day >= caps.day:
        return Verdict(Bar.DAY, now + _HOUR)
    if tries.hour >= caps.hour:
        return Verdict(Bar.HOUR, now + _SOON)
    if tries.live >= caps.at_once:
        return Verdict(Bar.AT_ONCE, now + _MOMENT)
    return None


def _by_number(rules: CallbackRules, standing: Standing) -> Verdict | None:
    caps, tries, now = rules.caps, standing.tries, standing.now
    today = [at for at in tries.number if at > now - _DAY]
    week = [at for at in tries.number if at > now - _WEEK]
    if len(week) >= caps.number_week:
        return Verdict(Bar.NUMBER_WEEK, week[-caps.number_week] + _WEEK)
    if len(today) >= caps.number_day:
        return Verdict(Bar.NUMBER_DAY, today[-caps.number_day] + _DAY)
    return None
