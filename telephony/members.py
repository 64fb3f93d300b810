"""Keeps the members of our queues on the PBX equal to the roster; knows who rests after a call.

Nothing here is in the way of a call: a refusal is logged and tried again later, and what a queue
has meanwhile goes on to be served.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from telephony.ami import actions
from telephony.ami.client import AmiClient, AmiError
from telephony.ami.queues import UNTOLD, Queues
from telephony.domain.events import DeviceChanged, MemberChanged
from telephony.domain.membership import (
    Action,
    Key,
    Member,
    applied,
    changes,
    groups_of,
    next_cut,
    next_look,
    ours,
    pause_now,
    queues_of,
    rest_until,
    wanted_of,
)
from telephony.domain.pauses import (
    MISSING,
    OFF,
    QUEUE,
    SEEN,
    Devices,
    PauseKind,
    extension_of_device,
    queue_missing,
)
from telephony.domain.queueing import PREFIX
from telephony.domain.setup import Setup

log = structlog.get_logger(__name__)

_GATHER = 0.02  # what changes together is done together
_LOOK_AGAIN = 60.0  # whether somebody else changed what no event told
_RETRY = 0.5
_SETTLED = 3.0  # a first look again after a login
_GONE = ("UNAVAILABLE", "INVALID")


class QueueMembers:
    """The members of our queues, as the PBX has them and as they must be.

    `now` is the PBX's time in µs; `devices` gives the PBX's device states; `changed` is called
    with an extension whose pause began or ended. `tell`, when it is set, gets the states of our
    switches as they are seen.
    """

    def __init__(
        self,
        ami: AmiClient,
        setup: Setup,
        devices: Callable[[], dict[str, str]],
        now: Callable[[], int],
        changed: Callable[[str], None],
    ) -> None:
        self.resting: dict[str, datetime] = {}
        self.tell: Callable[[Mapping[str, str]], None] | None = None
        self._ami = ami
        self._setup = setup
        self._devices = devices
        self._now = now
        self._changed = changed
        self._have: dict[Key, Member] = {}
        self._refused: set[Key] = set()
        self._wake = asyncio.Event()
        self._stale = False
        self._failures = 0
        self._listed = -_LOOK_AGAIN
        self._due: set[str] = set()  # groups to look at
        self._all_due_at: datetime | None = None  # or all of them, from then on

    def set_up(self, setup: Setup) -> None:
        """Take a new set-up; whether the PBX has a queue that is new is looked up."""
        self._setup = setup
        if any(QUEUE + name not in self._devices() for name in queues_of(setup)):
            self._stale = True
        self._refused.clear()
        self._look_at_all()

    def listed(self, queues: Queues) -> None:
        """Take the queues with their members that the PBX has after a login."""
        self._take(queues)
        # A PBX that is starting lets us in before it knows its queues and switches.
        self._listed -= _LOOK_AGAIN - _SETTLED
        self._look_at_all()

    def look_again(self) -> None:
        """Look up at once which queues and members the PBX has: it has not what was thought."""
        self._stale = True
        self._look_at_all()

    def _look_at_all(self) -> None:
        self._all_due_at = None
        self._wake.set()

    def _look_at_groups(self, names: Iterable[str]) -> None:
        self._due.update(names)
        self._wake.set()

    def _take(self, queues: Queues) -> None:
        self._have = ours(queues.members)
        devices = self._devices()
        for name in queues_of(self._setup):
            state = OFF if name in queues.names else MISSING
            if state == MISSING and devices.get(QUEUE + name) != MISSING:
                log.warning("queues.missing", queue=name, advice="run `dutyline pbx-config`")
            devices[QUEUE + name] = state
        self._listed = time.monotonic()
        self._stale = False
        self._tell(self._devices())

    async def _look_at_devices(self) -> None:
        """Take over what no event told of devices. Raises AmiError."""
        devices = self._devices()
        for name, state in states_of(await self._ami.ask(actions.device_states())).items():
            if devices.get(name) != state:
                devices[name] = state
                if (who := extension_of_device(name, self._setup.desks)) is not None:
                    self._changed(who)

    def switch(self, device: str, state: str) -> None:
        """Set one of our switches on the PBX; what becomes of it the PBX tells."""
        try:
            self._ami.send((actions.switch(device, state),))
        except (AmiError, actions.BadValue) as error:
            log.warning("switches.not_set", device=device, state=state, error=str(error))

    def _tell(self, devices: Devices) -> None:
        if self.tell is not None:
            switches = {name: state for name, state in devices.items() if SEEN.fullmatch(name)}
            if switches:
                self.tell(switches)

    def member_changed(self, event: MemberChanged) -> None:
        """Take what became of a member of any queue."""
        if not event.queue.startswith(PREFIX):
            return
        key = (event.queue, event.interface)
        before = self._have.get(key)
        if event.paused is None:
            self._have.pop(key, None)
        else:
            pause = (event.reason or UNTOLD) if event.paused else ""
            fixed = before is not None and before.fixed
            self._have[key] = Member(event.penalty, pause, event.device, fixed)
            if before is not None and before.pause == PauseKind.WRAP_UP and not pause:
                self._rested(self._setup.desks.get(event.device.partition("/")[2]))
        self._look_at_groups(
            name
            for name, group in self._setup.groups.items()
            if group.queue is not None and group.queue.pbx_name == event.queue
        )

    def device_changed(self, event: DeviceChanged, before: str | None) -> None:
        """Take a device's new state; `before` is what it was."""
        self._tell({event.device: event.state})
        if event.device.startswith("Custom:") or (event.state in _GONE) != (before in _GONE):
            who = extension_of_device(event.device, self._setup.desks)
            if who is not None:
                self._look_at_groups(groups_of(self._setup, who))

    def talked(self, extension: str, at: int) -> None:
        """Take that an operator's call ended at `at` (µs): the rest begins."""
        until = rest_until(self._setup, extension, _moment(at))
        if until is not None:
            self.resting[extension] = until
            self._changed(extension)
            self._look_at_groups(groups_of(self._setup, extension))

    def wrapping(self) -> frozenset[str]:
        """Return who rests after a call now."""
        if not self.resting:
            return frozenset()
        at = _moment(self._now())
        return frozenset(who for who, until in self.resting.items() if at < until)

    def missing_queues(self) -> list[str]:
        """Return the groups' queues that the PBX does not have, by their names there."""
        devices = self._devices()
        return sorted(name for name in queues_of(self._setup) if queue_missing(devices, name))

    def pause_of(self, extension: str) -> str:
        """Return why an operator takes no calls from queues now, empty when they are taken."""
        return pause_now(extension, _moment(self._now()), self._devices(), self.resting)

    def _rested(self, extension: str | None) -> None:
        """End a rest early: somebody took the pause away."""
        if extension is not None and self.resting.pop(extension, None) is not None:
            self._changed(extension)

    async def run(self) -> None:
        """Keep the members equal until cancelled."""
        while True:
            before = self._failures
            try:
                wait = await self._look()
            except AmiError as error:
                log.warning("members.not_set", error=str(error))
                self._failures += 1
            except Exception:
                log.exception("members.failed")
                self._failures += 1
            if self._failures > before:
                self._all_due_at = None
                # A PBX that starts knows no queues yet; one without our queues never will.
                self._stale = True
                wait = min(_LOOK_AGAIN, _RETRY * 2 ** min(self._failures, 10))
            elif self._ami.connected:
                self._failures = 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            await asyncio.sleep(_GATHER)

    async def _look(self) -> float:
        """Make the members equal once; return after how many seconds to look again."""
        self._wake.clear()
        if not self._ami.connected:
            return _RETRY
        if self._stale or time.monotonic() - self._listed >= _LOOK_AGAIN:
            await self._look_at_devices()
            self._take(await self._ami.list_queues())
            self._wake.clear()
            self._all_due_at = None
        at = _moment(self._now())
        for extension in [who for who, until in self.resting.items() if until <= at]:
            del self.resting[extension]
            self._changed(extension)
            self._due |= groups_of(self._setup, extension)
        done = [await self._do(action) for action in await self._changes(at)]
        self._failures += not all(done)
        again = self._listed + _LOOK_AGAIN - time.monotonic()
        following = next_look(self._setup, at, self.resting)
        if following is None:
            return again
        return min(again, max(0.0, (following - at) / timedelta(seconds=1)))

    async def _changes(self, at: datetime) -> list[Action]:
        """Return what must change in the queues that are due, a pause for calls between each."""
        everything = self._all_due_at is None or self._all_due_at <= at
        groups = self._setup.groups
        due = set(groups) if everything else self._due & groups.keys()
        self._due = set()
        if everything:
            self._all_due_at = next_cut(self._setup, at) or datetime.max.replace(tzinfo=UTC)
        want: dict[Key, Member] = {}
        for name in due:
            want |= wanted_of(groups[name], self._setup, at, self._devices(), self.resting)
            await asyncio.sleep(0)
        if everything:
            return changes(want, self._have)
        queues = {queue.pbx_name for name in due if (queue := groups[name].queue)}
        return changes(want, {key: one for key, one in self._have.items() if key[0] in queues})

    async def _do(self, action: Action) -> bool:
        """Do one change; tell whether the PBX did it. Raises AmiError."""
        key = (action.queue, action.interface)
        try:
            for fields in actions.member_action(action):
                answer = (await self._ami.ask(fields))[0]
                if answer.get("response") != "Success":
                    return self._not_done(key, answer.get("message", ""))
        except actions.BadValue as error:
            return self._not_done(key, str(error))
        self._have = applied(self._have, [action])
        self._refused.discard(key)
        return True

    def _not_done(self, key: Key, why: str) -> bool:
        """Log what the PBX refuses, once for each member until it works."""
        if key not in self._refused:
            self._refused.add(key)
            log.warning("members.refused", queue=key[0], member=key[1], why=why)
        return False


def states_of(listed: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return device → state from the answer to DeviceStateList."""
    return {one["device"]: one["state"] for one in listed[1:] if "device" in one and "state" in one}


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1e6, UTC)
