"""Who must be a member of which queue of ours, and what makes those who are equal to it.

Everything here is about queues whose name begins with `queueing.PREFIX`: no other is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from telephony.domain.duty import Presence
from telephony.domain.numbers import digits
from telephony.domain.pauses import Devices, PauseKind, do_not_disturb, forwarded, pause_of
from telephony.domain.queueing import PREFIX
from telephony.domain.setup import Group, Operator, Setup

# Extension → the aware moment until which its operator rests after a call.
Resting = Mapping[str, datetime]

MOBILE_CONTEXT = "dutyline-mobile"
_GONE = ("UNAVAILABLE", "INVALID")
_DISTURBED = "do_not_disturb"


@dataclass(frozen=True, slots=True)
class Member:
    """A member as it is or must be; `pause` is why it is paused, empty when it is not.

    `device` is the state interface (empty: the interface); a `fixed` one stands in a file and can
    be paused, but not removed.
    """

    penalty: int = 0
    pause: str = ""
    device: str = ""
    fixed: bool = False


# (queue, interface) → the member.
Key = tuple[str, str]
Members = Mapping[Key, Member]


@dataclass(frozen=True, slots=True)
class Add:
    """Make an interface a member."""

    queue: str
    interface: str
    member: Member


@dataclass(frozen=True, slots=True)
class Remove:
    """Make it a member no more."""

    queue: str
    interface: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause a member for a reason, or, with an empty one, let it take calls again."""

    queue: str
    interface: str
    reason: str


@dataclass(frozen=True, slots=True)
class Penalise:
    """Give a member a penalty."""

    queue: str
    interface: str
    penalty: int


Action = Add | Remove | Pause | Penalise


def wanted(setup: Setup, at: datetime, devices: Devices, resting: Resting) -> dict[Key, Member]:
    """Return the members that our queues must have at an aware moment."""
    found: dict[Key, Member] = {}
    for group in setup.groups.values():
        found |= wanted_of(group, setup, at, devices, resting)
    return found


def wanted_of(
    group: Group, setup: Setup, at: datetime, devices: Devices, resting: Resting
) -> dict[Key, Member]:
    """Return the members that a group's queue must have at an aware moment; none without a queue.

    Those on duty by the group's roster, and nobody else: who is at lunch or away by the roster is
    no member, so that the queue counts nobody who cannot come. Who makes a pause of their own stays
    one, paused: the switch may be off again at any moment. When no desk phone of those on duty is
    connected, their mobiles are members too; the mobile of who forwards calls stands for the desk.
    """
    if group.queue is None:
        return {}
    queue = group.queue.pbx_name
    on_duty = [
        setup.operators[extension]
        for extension, where in group.timeline.at(at).items()
        if where is Presence.ON_SHIFT and extension in setup.operators
    ]
    elsewhere = {
        one.extension for one in on_duty if one.mobile and forwarded(devices, one.extension)
    }
    connected = any(
        devices.get(_desk(one)) not in _GONE for one in on_duty if one.extension not in elsewhere
    )
    found: dict[Key, Member] = {}
    for one in on_duty:
        member = Member(0, pause_now(one.extension, at, devices, resting))
        if one.extension not in elsewhere:
            found[queue, _desk(one)] = member
        if one.mobile and (one.extension in elsewhere or not connected):
            found[queue, _mobile(setup, one.mobile, one.trunk)] = member
    return found


def queues_of(setup: Setup) -> set[str]:
    """Return the names of the groups' queues on the PBX."""
    return {group.queue.pbx_name for group in setup.groups.values() if group.queue is not None}


def groups_of(setup: Setup, extension: str) -> set[str]:
    """Return the groups with a queue whose rosters name an operator."""
    return {
        name
        for name, group in setup.groups.items()
        if group.queue is not None and extension in group.roster.named
    }


def _mobile(setup: Setup, mobile: str, trunk: str | None) -> str:
    """Return a mobile as a member: its digits, or what a trunk of its own dials, `*`, the trunk."""
    line = setup.line(mobile, trunk).replace("@", "*")
    return f"Local/{line or digits(mobile)}@{MOBILE_CONTEXT}/n"


def _desk(operator: Operator) -> str:
    return f"PJSIP/{operator.endpoint}"


def pause_now(extension: str, at: datetime, devices: Devices, resting: Resting) -> str:
    """Return why an operator takes no calls from queues, empty when they are taken."""
    pause = pause_of(devices, extension)
    if pause is not None:
        return pause.value
    if do_not_disturb(devices, extension):
        return _DISTURBED
    until = resting.get(extension)
    return PauseKind.WRAP_UP.value if until is not None and at < until else ""


def ours(members: Members) -> dict[Key, Member]:
    """Return the members of our queues."""
    return {key: member for key, member in members.items() if key[0].startswith(PREFIX)}


def paused_devices(members: Members) -> dict[tuple[str, str], bool]:
    """Return (queue, the member's device) → whether it is paused."""
    return {
        (queue, member.device or interface): bool(member.pause)
        for (queue, interface), member in members.items()
    }


def changes(want: Members, have: Members) -> list[Action]:
    """Return what makes the members of our queues those that are wanted.

    Who comes before who goes: a queue in which callers wait is never empty in between.
    """
    have = ours(have)
    adds: list[Action] = []
    others: list[Action] = []
    for key, member in want.items():
        known = have.get(key)
        if known is None:
            adds.append(Add(*key, member))
            continue
        if known.penalty != member.penalty:
            others.append(Penalise(*key, member.penalty))
        if known.pause != member.pause:
            others.append(Pause(*key, member.pause))
    removes: list[Action] = [
        Remove(*key) for key, known in have.items() if key not in want and not known.fixed
    ]
    return [*adds, *others, *removes]


def applied(members: Members, actions: Iterable[Action]) -> dict[Key, Member]:
    """Return the members after these actions were done."""
    found = dict(members)
    for one in actions:
        key = (one.queue, one.interface)
        match one:
            case Add():
                found[key] = one.member
            case Remove():
                found.pop(key, None)
            case Pause() if key in found:
                found[key] = replace(found[key], pause=one.reason)
            case Penalise() if key in found:
                found[key] = replace(found[key], penalty=one.penalty)
            case _:
                pass
    return found


def rest_until(setup: Setup, extension: str, ended: datetime) -> datetime | None:
    """Return until when an operator rests whose call ended then; None when it is no rest.

    Of several groups' rests it is the longest.
    """
    queues = [setup.groups[name].queue for name in groups_of(setup, extension)]
    seconds = max((queue.wrapup_seconds for queue in queues if queue), default=0)
    return ended + timedelta(seconds=seconds) if seconds else None


def next_cut(setup: Setup, at: datetime) -> datetime | None:
    """Return the next moment after `at` at which others may be on duty, None for never."""
    moments = (group.timeline.next_cut(at) for group in setup.groups.values() if group.queue)
    return min(moments, default=None)


def next_look(setup: Setup, at: datetime, resting: Resting) -> datetime | None:
    """Return the next moment after `at` at which other members may be wanted, None for never."""
    ends = (until for until in resting.values() if until > at)
    return min((one for one in (next_cut(setup, at), *ends) if one is not None), default=None)
