"""What stops callbacks of many numbers at once: the caps against toll fraud, and the switch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from telephony.domain.callback.dialling import prefix_of
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.callback.verdicts import Bar
from telephony.store.alarms import Alarm, tell_cap
from telephony.store.attempts import full_prefixes, tries_in_all
from telephony.store.callback_rules import load_callback_rules
from telephony.store.cases import stopped

_ALARMS = {Bar.PREFIX_HOUR: Alarm.PREFIX_HOUR, Bar.HOUR: Alarm.HOUR, Bar.DAY: Alarm.DAY}


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm that lasts. A cap has its `limit`, one of a beginning of numbers its `prefix`; the
    switch says since when, who set it, and why.
    """

    alarm: Alarm
    limit: int = 0
    prefix: str = ""
    since: datetime | None = None
    by: str = ""
    reason: str = ""


def standing_alarms(session: Session, now: datetime) -> list[Standing]:
    """Return the alarms that last at a moment: each cap that is reached, and the switch."""
    found: list[Standing] = []
    switch = stopped(session)
    if switch is not None:
        since, by, reason = switch
        found.append(Standing(Alarm.STOPPED, since=since, by=by, reason=reason))
    rules = load_callback_rules(session)
    found += reached(session, rules, now)
    prefixes = full_prefixes(session, rules.caps.prefix_hour, now)
    found += [Standing(Alarm.PREFIX_HOUR, rules.caps.prefix_hour, one) for one in prefixes]
    return found


def reached(session: Session, rules: CallbackRules, now: datetime) -> list[Standing]:
    """Return the caps on all numbers together that are reached."""
    tries, caps = tries_in_all(session, now), rules.caps
    of_all = ((Alarm.DAY, tries.day, caps.day), (Alarm.HOUR, tries.hour, caps.hour))
    return [Standing(alarm, most) for alarm, made, most in of_all if made >= most]


def alarm_of_bar(
    session: Session, rules: CallbackRules, bar: Bar | None, number: str, now: datetime
) -> None:
    """Note an alarm when it is a cap over many numbers that keeps a number from being called."""
    alarm = None if bar is None else _ALARMS.get(bar)
    if alarm is None:
        return
    prefix = prefix_of(number) if alarm is Alarm.PREFIX_HOUR else ""
    tell_cap(session, alarm, getattr(rules.caps, alarm.value), now, prefix)
