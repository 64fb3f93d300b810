"""What an admin should know ahead: nobody on duty, nobody to ring, twice at once, unfair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from telephony.domain.duty.resolve import Duty, twice
from telephony.domain.duty.slots import Interval, Slot, common, union

# The fact that nobody has duty for a while that is near.
DUTY_GAP = "duty.gap"
# Above this many times the mean of a group's regulars a share of its hours is called unfair.
UNFAIR = 1.5
# Fewer hours than this above the mean are no matter, however large the ratio.
_UNFAIR_HOURS = 8.0
_HOUR = timedelta(hours=1)


class Trouble(StrEnum):
    """What is wrong with a roster to come."""

    GAP = "gap"
    UNREACHABLE = "unreachable"
    TWICE = "twice"
    UNFAIR = "unfair"


@dataclass(frozen=True, slots=True)
class Warned:
    """One thing wrong in [`start`, `end`) (aware, UTC).

    `groups` are those concerned: two of them for an operator who is on duty in both at once.
    `hours` and `mean` (of UNFAIR) are those of the operator and of all regulars of the group.
    """

    trouble: Trouble
    groups: tuple[str, ...]
    start: datetime
    end: datetime
    operator: str | None = None
    hours: float = 0.0
    mean: float = 0.0


def outlook(duties: Mapping[str, Duty], reachable: Mapping[str, bool]) -> list[Warned]:
    """Return gaps, operators on duty whom no call can reach, and those on duty twice at once.

    `duties` maps groups to what their rosters resolve into over one span; `reachable` says of
    operators whether there is a phone to ring (false for those who are missing in it). By time.
    """
    found = [
        Warned(Trouble.GAP, (group,), *gap) for group, duty in duties.items() for gap in duty.gaps
    ]
    by_operator: dict[str, dict[str, list[Interval]]] = {}
    for group, duty in duties.items():
        for slot in _working(duty):
            place = by_operator.setdefault(slot.operator, {})
            place.setdefault(group, []).append(slot.interval)
    for operator, groups in by_operator.items():
        if not reachable.get(operator, False):
            found += [
                Warned(Trouble.UNREACHABLE, (group,), *when, operator)
                for group, intervals in groups.items()
                for when in union(intervals)
            ]
        found += _twice(operator, groups)
    return sorted(found, key=lambda one: (one.start, one.trouble, one.groups, one.operator or ""))


def loads(duty: Duty, regulars: Iterable[str]) -> dict[str, float]:
    """Return operator → hours on duty, lunch breaks not counted; 0 for regulars without any."""
    times: dict[str, list[Interval]] = {who: [] for who in regulars}
    for slot in _working(duty):
        times.setdefault(slot.operator, []).append(slot.interval)
    return {
        who: sum(((end - start) / _HOUR for start, end in union(intervals)), 0.0)
        for who, intervals in times.items()
    }


def unfair(group: str, duty: Duty, regulars: Iterable[str]) -> list[Warned]:
    """Return the regulars who carry far more hours of a group than the mean of them.

    More than UNFAIR times the mean, and at least a working day more; heaviest first. Of a group
    with one regular nobody is named.
    """
    known = tuple(regulars)
    if len(known) < 2:
        return []
    hours = loads(duty, known)
    mean = sum(hours[who] for who in known) / len(known)
    heavy = [
        who for who in known if hours[who] > UNFAIR * mean and hours[who] - mean >= _UNFAIR_HOURS
    ]
    return [
        Warned(Trouble.UNFAIR, (group,), duty.start, duty.end, who, hours[who], mean)
        for who in sorted(heavy, key=lambda who: (-hours[who], who))
    ]


def gathered(warned: Iterable[Warned]) -> list[tuple[Warned, int]]:
    """Return each trouble once, with how often it comes again; of gaps every one counts."""
    found: dict[object, tuple[Warned, int]] = {}
    for place, one in enumerate(warned):
        same = place if one.trouble is Trouble.GAP else (one.trouble, one.groups, one.operator)
        first, more = found.get(same, (one, -1))
        found[same] = (first, more + 1)
    return list(found.values())


def _working(duty: Duty) -> list[Slot]:
    return [slot for slot in duty.slots if not slot.lunch]


def _twice(operator: str, groups: Mapping[str, list[Interval]]) -> list[Warned]:
    found = []
    names = sorted(groups)
    for number, one in enumerate(names):
        found += [Warned(Trouble.TWICE, (one,), *when, operator) for when in twice(groups[one])]
        mine = union(groups[one])
        for other in names[number + 1 :]:
            theirs = union(groups[other])
            found += [
                Warned(Trouble.TWICE, (one, other), *when, operator)
                for interval in mine
                for when in common(interval, theirs)
            ]
    return found
