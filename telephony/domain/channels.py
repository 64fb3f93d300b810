"""The channels that a PBX has now, and what they tell of calls while nobody listened.

Events that were missed are made up for: `catch_up` returns those that bring a followed call to what
the PBX says it is, `adopted` those of a call that was not followed. Nothing is claimed beyond what
is known: what ended meanwhile ended when it was last seen, what began begins when it is found.
Times are microseconds on the PBX's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from telephony.domain.call import Call
from telephony.domain.events import (
    CallEvent,
    DialBegan,
    DialEnded,
    HungUp,
    Joined,
    Left,
    Offered,
    Recalled,
    is_local,
)
from telephony.domain.legs import Leg
from telephony.domain.live import LiveCall
from telephony.domain.numbers import DIALLABLE, digits


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel as the PBX lists it.

    `call` is the id that our dialplan gave it and `did` the number it came in on, both empty for a
    channel that did not come through it; `bridge` is empty outside of one; `seconds` is its age;
    `number` is the caller's as the PBX prints it, `exten` what was dialled first, `data` the
    arguments of the application it is in; `began_at` and `answered_at` are when it came to life and
    was answered, if that is told: after a transfer they may be later than the truth.
    """

    name: str
    uniqueid: str
    linkedid: str
    number: str = ""
    call: str = ""
    did: str = ""
    bridge: str = ""
    exten: str = ""
    data: str = ""
    began_at: int | None = None
    answered_at: int | None = None
    up: bool = False
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """The PBX's channels. `whole` says that none is missing or could have been forged.

    `started` names the run of the PBX: another one means that it was restarted.
    """

    channels: tuple[Channel, ...]
    whole: bool
    started: str = ""

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all channels and of the calls they belong to."""
        return frozenset(
            one
            for channel in self.channels
            for one in (channel.uniqueid, channel.linkedid, channel.call)
            if one
        )


def by_call(channels: Iterable[Channel]) -> dict[str, list[Channel]]:
    """Return the channels by the call they belong to."""
    found: dict[str, list[Channel]] = {}
    for channel in channels:
        found.setdefault(channel.call or channel.linkedid, []).append(channel)
    return found


def catch_up(call: Call, channels: Sequence[Channel], seen: int, now: int) -> list[CallEvent]:
    """Return what must have happened to a followed call since `seen`, given its channels `now`."""
    events: list[CallEvent] = []
    if call.events:
        seen = min(now, max(seen, call.events[-1].at))  # its own events prove that it was followed
    there = {channel.uniqueid: channel for channel in channels}
    first = there.get(call.id)
    for leg in (call.state.origin, *call.state.legs):
        if leg.uniqueid and leg.ended_at is None and leg.uniqueid not in there:
            events.append(HungUp(max(seen, leg.seen_at), call.id, leg.uniqueid, leg.channel, 0, 0))
    known = {leg.uniqueid: leg for leg in (call.state.origin, *call.state.legs)}
    for channel in channels:
        mine = known.get(channel.uniqueid)
        if mine is not None:
            at = _answered(channel, first, seen, now)
            # Who had been answered before was moved, nobody knows when.
            answered = not mine.talks and channel.uniqueid != call.id
            events += _moved(call.id, mine, channel, seen, at if answered else now)
            if channel.up and channel.uniqueid != call.id and not mine.dial_status:
                events.append(_picked_up(call.id, channel, first, at))
        elif channel.uniqueid != call.id:
            began = min(now, max(seen, _began(channel, now)))
            at = _answered(channel, first, began, now)
            events += _found(call.id, channel, first, began, at)
    if first is not None and first.bridge and not call.state.origin.talks:
        entered = [event.at for event in events if isinstance(event, Joined)]
        events = [
            replace(event, at=min(entered))
            if isinstance(event, Joined) and event.leg == call.id
            else event
            for event in events
        ]
    return events


def _began(channel: Channel, now: int) -> int:
    """Return when a channel came to life; its age is told in whole seconds."""
    latest = now - channel.seconds * 1_000_000
    earliest = latest - 1_000_000
    return earliest if channel.began_at is None else min(max(channel.began_at, earliest), latest)


def _answered(channel: Channel, first: Channel | None, since: int, now: int) -> int:
    """Return when a channel began to talk, `since` at the earliest; `now` when nothing tells.

    A mobile that is asked to press 1 answers before the caller's channel does.
    """
    if channel.answered_at is None:
        return now
    callers = first.answered_at if first is not None else None
    return min(now, max(since, channel.answered_at, callers or 0))


def adopted(
    call_id: str, channels: Sequence[Channel], known: LiveCall | None, seen: int, now: int
) -> list[CallEvent]:
    """Return events that add up to what a call is `now` that was not followed before.

    `known` is what an earlier process had told of it when it was last `seen`. Empty when there is
    nothing to follow: it is a leg alone of which nobody told, or the leg it began with is gone and
    that was the caller's, or nothing is known of it.
    """
    first = next((channel for channel in channels if channel.uniqueid == call_id), None)
    announced = any(channel.call == call_id for channel in channels)
    others = [channel for channel in channels if channel is not first]
    if first is None:
        return _adopted_without_origin(call_id, channels, known, seen, now)
    if not (announced or others or known):
        return []
    started = min(now, known.started_at if known else _began(first, now))
    events: list[CallEvent] = []
    if known is not None:
        events.append(Recalled(started, call_id, first.name))
    if announced:
        number = first.number if DIALLABLE.fullmatch(first.number) else ""
        # The plan may have put another name and number on the channel: what was told wins.
        number = known.number if known and known.number else number
        events.append(Offered(started, call_id, first.name, first.did, number))
    answered = known.answered_at if known else None
    if answered is None:
        answered = first.answered_at
    legs = _adopted_legs(call_id, others, first, started, answered, now)
    joined = [event.at for event in legs if isinstance(event, Joined)]
    if first.bridge:
        legs.append(Joined(min(joined, default=now), call_id, call_id, first.name, first.bridge))
    return [*events, *legs]


def _adopted_without_origin(
    call_id: str, channels: Sequence[Channel], known: LiveCall | None, seen: int, now: int
) -> list[CallEvent]:
    """Return the events of a call whose first leg has gone: an operator sent the client on."""
    if known is None or known.placed_by is None or not known.channel:
        return []
    started = min(now, known.started_at)
    legs = _adopted_legs(call_id, channels, None, started, known.answered_at, now, known.number)
    # Behind them: a call with nobody left in it would be over.
    gone = max([seen, *(event.at for event in legs)])
    return [
        Recalled(started, call_id, known.channel),
        *legs,
        HungUp(gone, call_id, call_id, known.channel, 0, 0),
    ]


def _adopted_legs(
    call_id: str,
    channels: Iterable[Channel],
    first: Channel | None,
    started: int,
    answered: int | None,
    now: int,
    number: str = "",
) -> list[CallEvent]:
    """Return the events of the legs; `number` was dialled by a leg that has gone."""
    events: list[CallEvent] = []
    for channel in channels:
        began = max(started, _began(channel, now))
        # Another phone than the one that answered may have been given the call since.
        told = [one for one in (answered, channel.answered_at) if one is not None]
        at = min(now, max(began, *told)) if told else now
        there = channel.number if number and digits(channel.number) == digits(number) else ""
        events += _found(call_id, channel, first, began, at, there)
    return events


def _moved(call_id: str, leg: Leg, channel: Channel, seen: int, now: int) -> list[CallEvent]:
    """Return the events that bring a leg from its bridge to the one it is in."""
    events: list[CallEvent] = []
    inside = [bridge for bridge, _, left in leg.talks if left is None]
    for bridge in inside:
        if bridge != channel.bridge:
            at = max(seen, leg.talks[-1][1])
            events.append(Left(at, call_id, leg.uniqueid, channel.name, bridge))
    if channel.bridge and channel.bridge not in inside:
        events.append(Joined(now, call_id, leg.uniqueid, channel.name, channel.bridge))
    return events


def _found(
    call_id: str, channel: Channel, first: Channel | None, began: int, at: int, dialled: str = ""
) -> list[CallEvent]:
    """Return the events of a leg that was not seen before: it rang at `began`, answered at `at`."""
    name, uniqueid = (first.name, first.uniqueid) if first else ("", "")
    dialled = _dialled(first.data) if first else dialled
    number = first.number if first and DIALLABLE.fullmatch(first.number) else ""
    exten = first.exten if first and first.exten.isdigit() else ""
    events: list[CallEvent] = [
        DialBegan(
            began, call_id, channel.uniqueid, channel.name, dialled, uniqueid, name, number, exten
        )
    ]
    if channel.up:
        events.append(_picked_up(call_id, channel, first, at))
    if channel.bridge:
        events.append(Joined(at, call_id, channel.uniqueid, channel.name, channel.bridge))
    return events


def _picked_up(call_id: str, channel: Channel, first: Channel | None, at: int) -> DialEnded:
    name, uniqueid = (first.name, first.uniqueid) if first else ("", "")
    return DialEnded(at, call_id, channel.uniqueid, channel.name, "ANSWER", uniqueid, name)


def _dialled(data: str) -> str:
    """Return the DialString of a Dial to one place; of several nobody knows which this leg is."""
    places = data.partition(",")[0]
    if "&" in places:
        return ""
    return places if is_local(places) else places.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Sorted:
    """What a list of channels means for the calls: which go on, which are gone, which are new.

    `events` bring the calls to what they are; `gone` are followed calls, `forgotten` those of an
    earlier process that are not there; `found` are new, with what that process had told of them.
    Every call that process told of is in one of the two, unless it is followed already.
    """

    events: tuple[CallEvent, ...]
    gone: tuple[str, ...]
    forgotten: tuple[LiveCall, ...]
    found: Mapping[str, LiveCall | None]


def sort_out(
    followed: Sequence[Call],
    home: Mapping[str, str],
    told: Sequence[LiveCall],
    listed: Listed,
    seen: int,
    now: int,
) -> Sorted:
    """Sort the channels among the calls.

    `followed` are calls that had not ended, `home` gives the call of a Uniqueid or Linkedid, `told`
    is what an earlier process left behind; `seen` is the last moment in which all was followed.
    """
    mine: dict[str, list[Channel]] = {}
    strange: list[Channel] = []
    for channel in listed.channels:
        names = (channel.uniqueid, channel.call, channel.linkedid)
        call_id = next((home[name] for name in names if name in home), None)
        if call_id is None:
            strange.append(channel)
        else:
            mine.setdefault(call_id, []).append(channel)
    events: list[CallEvent] = []
    gone: list[str] = []
    for call in followed:
        if call.id in mine:
            events += catch_up(call, mine[call.id], seen, now)
        else:
            gone.append(call.id)
    known = {call.call_id: call for call in told}
    found: dict[str, LiveCall | None] = {}
    for call_id, channels in by_call(strange).items():
        if begun := adopted(call_id, channels, known.get(call_id), seen, now):
            events += begun
            found[call_id] = known.get(call_id)
    still = {*found, *(call.id for call in followed)}
    forgotten = tuple(call for call in told if call.call_id not in still)
    return Sorted(tuple(events), tuple(gone), forgotten, found)
