"""Which call an event belongs to: the board holds every call that goes on.

Asterisk gives the legs of one call one Linkedid, but a leg moves between Linkedids when it is
transferred, picked up or unparked, and a consultation begins as a call of its own. So calls are
kept together by their legs: what shares a leg, a Linkedid, a private bridge or a dialling is one
call, and a colleague whom an operator calls in the midst of another call is part of that one.
Two callers who both came in stay two calls, whatever joins them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from telephony.domain.call import Call, fold, replay
from telephony.domain.events import (
    CallEvent,
    DialBegan,
    DialEnded,
    Finished,
    Joined,
    Offered,
    Ordered,
    PickedUp,
    Recalled,
    Transferred,
    Unparked,
    extension_of,
    is_local,
)
from telephony.domain.roles import first_called

# What a call can begin with: whatever is said of an unknown leg otherwise is about a call that is
# over, or never rang anybody.
_OPENING = (Offered, Ordered, Finished, Recalled, DialBegan, DialEnded, Joined)
_CAME_IN, _WENT_OUT, _INSIDE, _UNKNOWN = range(4)


@dataclass(frozen=True, slots=True)
class Change:
    """What an event did: the call as it is now, and the ids of calls that became part of it.

    `call` is the very object it was before when the event was a duplicate.
    """

    call: Call
    absorbed: tuple[str, ...] = ()


@dataclass(slots=True)
class Board:
    """The calls that go on; `desks` maps operators' endpoints to extensions, for calls to come."""

    desks: Mapping[str, str]
    calls: dict[str, Call] = field(default_factory=dict)
    _home: dict[str, str] = field(default_factory=dict)
    _keys: dict[str, set[str]] = field(default_factory=dict)
    _linked: dict[str, set[str]] = field(default_factory=dict)
    _at_desk: dict[str, set[str]] = field(default_factory=dict)

    def take(self, event: CallEvent) -> Change | None:
        """Fold an event into its call; None when it is about a call that is not followed."""
        keys = _keys_of(event)
        homes = list(dict.fromkeys(self._home[key] for key in keys if key in self._home))
        if not homes:
            if not isinstance(event, _OPENING) or (isinstance(event, Joined) and not event.private):
                return None
            homes = [event.call]
            self._open(event.call)
        here, absorbed = homes[0], []
        for other in homes[1:]:
            if not self._apart(here, other):
                here, gone = self._join(here, other)
                absorbed.append(gone)
        self._bind(here, (key for key in keys if key not in self._home))
        self._linked[here].add(event.call)
        self.calls[here] = fold(self.calls[here], event)
        here, renamed = self._rooted(here)
        here, consulted = self._consultations(here, event)
        return Change(self.calls[here], (*absorbed, *renamed, *consulted))

    def find(self, key: str) -> Call | None:
        """Return the call of a Uniqueid or Linkedid, None when there is none."""
        home = self._home.get(key)
        return self.calls[home] if home is not None else None

    def keys_of(self, but: Collection[str]) -> frozenset[str]:
        """Return everything that leads to a call, but to those of the ids given."""
        return frozenset(key for key, home in self._home.items() if home not in but)

    def put(self, call: Call) -> None:
        """Take over a call that was folded elsewhere, in place of the one of its id."""
        if call.id not in self.calls:
            self._open(call.id)
        self.calls[call.id] = call
        for event in call.events:
            self._bind(call.id, (key for key in _keys_of(event) if key not in self._home))
            self._linked[call.id].add(event.call)

    def forget(self, call_id: str) -> None:
        """Drop a call."""
        self.calls.pop(call_id, None)
        self._linked.pop(call_id, None)
        for key in self._keys.pop(call_id, ()):
            self._home.pop(key, None)
        for desk in [desk for desk, ids in self._at_desk.items() if call_id in ids]:
            self._at_desk[desk].discard(call_id)
            if not self._at_desk[desk]:
                del self._at_desk[desk]

    def _open(self, call_id: str) -> None:
        self.calls[call_id] = Call(call_id, desks=self.desks)
        self._keys[call_id] = set()
        self._linked[call_id] = set()
        self._bind(call_id, (call_id,))

    def _bind(self, call_id: str, keys: Iterable[str]) -> None:
        for key in keys:
            self._home[key] = call_id
            self._keys[call_id].add(key)

    def _apart(self, one: str, other: str) -> bool:
        """Tell whether two calls stay two: both are callers of their own."""
        return (
            self._rank(self.calls[one], one) == _CAME_IN
            and self._rank(self.calls[other], other) == _CAME_IN
        )

    def _join(self, one: str, other: str) -> tuple[str, str]:
        """Make two calls one; return (the id that stays, the one that goes)."""
        stays, goes = sorted((one, other), key=self._precedence)
        events = (*self.calls[stays].events, *self.calls[goes].events)
        self._move(goes, stays)
        self.calls[stays] = replay(stays, events, self.desks)
        return stays, goes

    def _move(self, old: str, new: str) -> None:
        """Let everything that led to one call lead to another one."""
        if new not in self.calls:
            self._keys[new] = set()
            self._linked[new] = set()
        keys, linked = self._keys.pop(old), self._linked.pop(old)
        del self.calls[old]
        for key in keys:
            self._home[key] = new
        self._keys[new] |= keys
        self._linked[new] |= linked
        for ids in self._at_desk.values():
            if old in ids:
                ids.discard(old)
                ids.add(new)

    def _precedence(self, call_id: str) -> tuple[int, int, str]:
        call = self.calls[call_id]
        return (self._rank(call, call_id), call.events[0].at if call.events else 0, call_id)

    def _rank(self, call: Call, origin: str) -> int:
        """Return how good an id this origin is for a call: a caller's before an operator's."""
        if origin != call.id:
            call = replay(origin, call.events, self.desks)
            told = any(
                isinstance(event, Offered | Finished) and event.call == origin
                for event in call.events
            )
        else:
            told = call.announced
        channel = call.state.origin.channel
        if not told and (not channel or is_local(channel)):
            return _UNKNOWN
        if told or extension_of(channel, self.desks) is None:
            return _CAME_IN
        first = first_called(call.state)
        inside = first is not None and extension_of(first.channel, self.desks) is not None
        return _INSIDE if inside else _WENT_OUT

    def _rooted(self, call_id: str) -> tuple[str, tuple[str, ...]]:
        """Give a call of several Linkedids the id of the best of them: order must not matter."""
        linked = self._linked[call_id]
        if len(linked) < 2:
            return call_id, ()
        call = self.calls[call_id]
        origins = {
            name
            for event in call.events
            for name in (
                (event.by,)
                if isinstance(event, DialBegan | DialEnded)
                else (event.call,)
                if isinstance(event, Offered | Finished)
                else ()
            )
            if name in linked
        } | {call_id}
        if len(origins) < 2:
            return call_id, ()
        best = min(origins, key=lambda one: (self._rank(call, one), _first(call, one), one))
        if best == call_id or best in self.calls:
            return call_id, ()
        self._move(call_id, best)
        self.calls[best] = replay(best, call.events, self.desks)
        return best, (call_id,)

    def _consultations(self, here: str, event: CallEvent) -> tuple[str, tuple[str, ...]]:
        """Join calls of one desk of which one is a consultation in the other."""
        if not isinstance(event, DialBegan | DialEnded | Joined):
            return here, ()
        channels = [event.channel]
        if not isinstance(event, Joined):
            channels.append(event.by_channel)
        absorbed: list[str] = []
        for desk in (extension_of(channel, self.desks) for channel in channels):
            if desk is None:
                continue
            there = self._at_desk.setdefault(desk, set())
            for other in sorted(there - {here}):
                one, two = self.calls[here], self.calls[other]
                if self._consults(one, two, desk) or self._consults(two, one, desk):
                    here, gone = self._join(here, other)
                    absorbed.append(gone)
            there.add(here)
        return here, tuple(absorbed)

    def _consults(self, asking: Call, host: Call, desk: str) -> bool:
        """Tell whether `asking` is a call to a colleague out of the midst of `host`."""
        if asking.placed_by != desk or self._rank(asking, asking.id) != _INSIDE:
            return False
        began = asking.events[0].at
        if host.state.ended_at is not None and host.state.ended_at <= began:
            return False
        return any(
            entered < began and (left is None or left > began)
            for leg in (host.state.origin, *host.state.legs)
            if extension_of(leg.channel, self.desks) == desk
            for entered, left in leg.up
        )


def _first(call: Call, origin: str) -> int:
    """Return when a leg was first named in a call's events."""
    for event in call.events:
        if event.call == origin:
            return event.at
    return 0


def _keys_of(event: CallEvent) -> list[str]:
    """Return what ties an event to a call: legs first, then its Linkedid, then a private bridge."""
    match event:
        case DialBegan() | DialEnded():
            named = [event.leg, event.by, event.call]
        case Joined():
            named = [event.leg, event.call, event.bridge if event.private else ""]
        case Transferred():
            named = [event.leg, event.moved, event.second, event.target, event.call]
        case PickedUp():
            named = [event.target, event.leg, event.call]
        case Unparked():
            named = [event.leg, event.by, event.call]
        case _:
            named = [getattr(event, "leg", ""), event.call]
    return [name for name in named if name]
