"""What goes on now, told to others: only what changed, and never in the way of a call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from telephony.domain.call import Call, Phase
from telephony.domain.events import MemberChanged
from telephony.domain.live import LiveCall, OperatorState, activity
from telephony.domain.queues import extension_of_member, is_paused
from telephony.domain.record import Context
from telephony.domain.telling import live_call
from telephony.sinks import LiveSink

Find = Callable[[str], tuple[Call, Context] | None]
DeviceOf = Callable[[str], str | None]


@dataclass(slots=True)
class LiveState:
    """Gathers what changed until `flush`; `sink` None tells nobody.

    `desks` maps operators' endpoints to extensions; `members` is who is paused in which queue;
    `pause_of` tells why an operator takes no calls from queues, empty for one who does.
    """

    sink: LiveSink | None
    desks: Mapping[str, str] = field(default_factory=dict)
    members: dict[tuple[str, str], bool] = field(default_factory=dict)
    told: dict[str, LiveCall] = field(default_factory=dict)
    states: dict[str, OperatorState] = field(default_factory=dict)
    pause_of: Callable[[str], str] = lambda _: ""
    _calls: set[str] = field(default_factory=set)
    _gone: dict[str, str] = field(default_factory=dict)
    _extensions: set[str] = field(default_factory=set)
    _busy: dict[str, set[str]] = field(default_factory=dict)
    _revision: int = 0

    def changed(self, call_id: str) -> None:
        """Note that a call changed."""
        self._calls.add(call_id)

    def absorbed(self, call_id: str, into: str) -> None:
        """Note that a call became part of another one."""
        self._gone[call_id] = into

    def device_changed(self, extension: str | None) -> None:
        """Note that the device of an extension changed; None for nobody's."""
        if extension is not None:
            self._extensions.add(extension)

    def member_changed(self, event: MemberChanged) -> None:
        """Take what became of a member of a queue."""
        key = (event.queue, event.device)
        if event.paused is None:
            self.members.pop(key, None)
        else:
            self.members[key] = event.paused
        self.device_changed(extension_of_member(event.device, self.desks))

    def flush(self, find: Find, device_of: DeviceOf, now: int) -> None:
        """Tell what changed by `now` (µs).

        `find` gives a followed call by its id, `device_of` the state of an operator's device by
        the extension, None for no operator's.
        """
        if self.sink is None or not (self._calls or self._gone or self._extensions):
            return
        gone = {call_id: into for call_id, into in self._gone.items() if call_id in self.told}
        calls: list[LiveCall] = []
        for call_id in self._calls | self._gone.keys():
            followed = find(call_id)
            if followed is None or followed[0].state.phase is Phase.ENDED:
                self._drop(call_id)
            elif followed[0].concerns_somebody:
                calls.append(self._tell(*followed))
        states = self._states(self._extensions, device_of, now)
        self._calls.clear()
        self._gone.clear()
        self._extensions.clear()
        if calls or states or gone:
            self.sink.tell(calls, states, gone)

    def replace(
        self,
        followed: Iterable[tuple[Call, Context]],
        extensions: Iterable[str],
        device_of: DeviceOf,
        now: int,
        keep: Iterable[str],
    ) -> None:
        """Tell everything anew; calls of the ids `keep` stay as they were told."""
        if self.sink is None:
            return
        for call_id in list(self.told):
            self._drop(call_id)
        calls = [
            self._tell(call, context)
            for call, context in followed
            if call.state.phase is not Phase.ENDED and call.concerns_somebody
        ]
        everybody = list(extensions)
        self._states(everybody, device_of, now)
        operators = [self.states[name] for name in everybody if name in self.states]
        self._calls.clear()
        self._gone.clear()
        self._extensions.clear()
        self.sink.replace(calls, operators, keep)

    def _tell(self, call: Call, context: Context) -> LiveCall:
        # A clock that is set back must not make the newer of two versions the older one.
        self._revision = max(self._revision + 1, time.time_ns() // 1000)
        before = self.told.get(call.id)
        live = live_call(call, context, before, self._revision)
        self._drop(call.id)
        self.told[call.id] = live
        for extension in (*live.ringing, *live.talking):
            self._busy.setdefault(extension, set()).add(call.id)
            self._extensions.add(extension)
        return live

    def _drop(self, call_id: str) -> None:
        before = self.told.pop(call_id, None)
        if before is None:
            return
        for extension in (*before.ringing, *before.talking):
            self._extensions.add(extension)
            at = self._busy.get(extension)
            if at is not None:
                at.discard(call_id)
                if not at:
                    del self._busy[extension]

    def _states(
        self, extensions: Iterable[str], device_of: DeviceOf, now: int
    ) -> list[OperatorState]:
        """Return the states of those extensions that are other than what was told."""
        found: list[OperatorState] = []
        for extension in extensions:
            device = device_of(extension)
            if device is None:
                continue  # a number, or an endpoint that is no operator's
            before = self.states.get(extension)
            pause = self.pause_of(extension)
            paused = bool(pause) or is_paused(self.members, extension, self.desks)
            doing = activity(device, paused)
            same = before is not None and (before.state, before.pause) == (doing, pause)
            since = before.since if before is not None and same else now
            call_id = min(self._busy.get(extension, ()), default=None)
            state = OperatorState(extension, device, doing, since, call_id, pause)
            if state != before:
                self.states[extension] = state
                found.append(state)
        return found
