"""The shell around the domain: read → decode → fold → decide → act, and hand records on.

No database, HTTP or Redis call happens here: records go to a sink that never blocks, the
directory is in memory and is changed in place from the loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from telephony.ami import actions, names
from telephony.ami.client import AmiAddress, AmiClient
from telephony.ami.decode import Decoder
from telephony.answering import answer
from telephony.domain.board import Board, Change
from telephony.domain.call import Call, Phase
from telephony.domain.channels import Listed, sort_out
from telephony.domain.directory import ClientChange, Directory
from telephony.domain.events import (
    CallEvent,
    DeviceChanged,
    DialBegan,
    DialEnded,
    Event,
    Finished,
    HungUp,
    MemberChanged,
    Offered,
    StepEnded,
    Vanished,
)
from telephony.domain.lasttalk import LastTalks
from telephony.domain.live import LiveCall, Remembered, recalled
from telephony.domain.membership import paused_devices
from telephony.domain.numbers import mask, normalise
from telephony.domain.pauses import extension_of_device
from telephony.domain.record import CallRecord, Context, record
from telephony.domain.recovery import Outage, lost
from telephony.domain.roles import client_number, done_talking, keyed_number
from telephony.domain.routing import Situation
from telephony.domain.setup import Setup
from telephony.livestate import LiveState
from telephony.members import QueueMembers, states_of
from telephony.sinks import LiveSink, Outages, Sink

log = structlog.get_logger(__name__)

# Events of a call that ended still come in for a moment; its record is written once they rest.
_REST_SECONDS = 0.15
_FORGET_SECONDS = 5.0
_LONGEST_CALL_SECONDS = 24 * 3600.0


@dataclass(slots=True)
class _Live:
    """A call the listener follows. `touched` and `ended` are on the monotonic clock.

    `changed`: there were events since its record was handed on last.
    """

    call: Call
    context: Context
    channel: str
    touched: float
    ended: float | None = None
    changed: bool = True


class Listener:
    """Follows every call of one PBX and answers each announcement with a plan."""

    def __init__(
        self,
        address: AmiAddress,
        token: str,
        country: str,
        directory: Directory,
        setup: Setup,
        sink: Sink,
        live: LiveSink | None = None,
        outages: Outages | None = None,
        remembered: Remembered = Remembered(),  # noqa: B008
        talks: LastTalks | None = None,
    ) -> None:
        """`live` is told what goes on; `remembered` is what it had been told by another process.
        `talks` is who talked to whom last, this listener's to go on with.

        Without `outages` calls that are gone after an outage are written as lost at once.
        """
        self.decoder = Decoder(token)
        self.client = AmiClient(address, self.decoder, self.on_event, self._on_up)
        self.devices: dict[str, str] = {}
        self._country = country
        self._directory = directory
        self.talks = talks or LastTalks()
        self._setup = setup
        self._endpoints = setup.desks
        self._mobiles = setup.mobiles
        self._sink = sink
        self._board = Board(self._endpoints)
        self._calls: dict[str, _Live] = {}
        self._outages = outages
        self._remembered = remembered
        self._pbx_started: str | None = None
        self.decisions = 0
        self.resync_seconds = 0.0
        self._live_state = LiveState(live, self._endpoints)
        self._live_state.states = {state.extension: state for state in remembered.operators}
        self.members = QueueMembers(
            self.client, setup, lambda: self.devices, self._now, self._live_state.device_changed
        )
        self._live_state.pause_of = self.members.pause_of

    @property
    def live_calls(self) -> int:
        """How many calls go on."""
        return sum(live.ended is None for live in self._calls.values())

    async def run(self) -> None:
        """Follow calls until `stop`; then the records of ended calls are handed on."""
        tasks = [asyncio.create_task(self._sweep()), asyncio.create_task(self.members.run())]
        try:
            await self.client.run()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._write_rested(0.0)

    def stop(self) -> None:
        """End `run` soon; callers who come now go to the fallback."""
        self.client.stop()

    def apply(self, changes: Sequence[ClientChange], setup: Setup | None) -> None:
        """Put changes of the directory in place. Call it on the loop's thread."""
        for change in changes:
            self._directory.apply(change)
        if setup is not None:
            self._setup = setup
            self._endpoints = setup.desks
            self._mobiles = setup.mobiles
            self._board.desks = self._live_state.desks = self._endpoints
            self.members.set_up(setup)

    def on_event(self, event: Event, arrived: float) -> None:
        """Take one event: the whole way from what happened to what is done about it.

        `arrived` is the `time.perf_counter()` at which its bytes came in.
        """
        if isinstance(event, DeviceChanged):
            before, self.devices[event.device] = self.devices.get(event.device), event.state
            self._live_state.device_changed(extension_of_device(event.device, self._endpoints))
            self.members.device_changed(event, before)
            return
        if isinstance(event, MemberChanged):
            self._live_state.member_changed(event)
            self.members.member_changed(event)
            return
        if isinstance(event, Offered):
            live = self._calls.get(event.call)
            if live is None:
                live = self._new(Call(event.call), event.channel)
                self._identify(live, event.number)
            self._offered(live, event, arrived)
        if isinstance(event, StepEnded) and event.status == names.NO_QUEUE:
            self.members.look_again()
        change = self._board.take(event)
        if change is not None:
            self._follow(change, event)

    def _follow(self, change: Change, event: CallEvent) -> None:
        """Take over what an event made of the calls: one is new or changed, others became it."""
        call = change.call
        live = self._calls.get(call.id)
        for call_id in dict.fromkeys((*change.absorbed, event.call)):
            if call_id == call.id or call_id in self._board.calls:
                continue
            other = self._calls.pop(call_id, None)
            self._live_state.absorbed(call_id, call.id)
            if other is not None and live is not None and live.context.number is None:
                live.context = other.context
            live = live or other
        if live is None:
            live = self._new(call, call.state.origin.channel)
        elif live.call is call:
            return  # a duplicate
        self._calls[call.id] = live
        live.call = call
        live.channel = call.state.origin.channel or live.channel
        live.changed = True
        live.touched = time.monotonic()
        self._live_state.changed(call.id)
        if isinstance(event, DialBegan | DialEnded | Finished) and live.context.number is None:
            context = live.context
            self._identify(live, client_number(call, context) or keyed_number(call, context))
        if live.ended is None and call.state.phase is Phase.ENDED:
            live.ended = live.touched
        if isinstance(event, HungUp) and (who := done_talking(call, event.leg, live.context)):
            self.members.talked(who, event.at)

    def _offered(self, live: _Live, event: Offered, arrived: float) -> None:
        """Answer an announcement; the first one of a call is what its record explains."""
        if live.call.state.offered == event:
            return
        number = live.context.number
        client = self._directory.find(number) if number else None
        last = self.talks.find(number) if number else None
        situation = Situation(client, self.devices, last, self.members.wrapping())
        decision = answer(self.client, event, number, situation, self._setup)
        self.decisions += 1
        decided_ms = round((time.perf_counter() - arrived) * 1000, 3)
        log.info(
            "call.offered",
            call=event.call,
            did=event.did,
            number=mask(number or event.number),
            steps=[step.kind.value for step in decision.plan.steps],
            ms=decided_ms,
        )
        # A key pressed in the menu brings the decision that the record explains.
        if live.context.decision is None or event.key:
            live.context = replace(live.context, decision=decision, decided_ms=decided_ms)

    def _new(self, call: Call, channel: str) -> _Live:
        context = Context(endpoints=self._endpoints, mobiles=self._mobiles)
        live = _Live(call, context, channel, time.monotonic())
        self._calls[call.id] = live
        return live

    def _identify(self, live: _Live, raw: str) -> None:
        """Find out who is at the other end; also which DID, if no announcement tells."""
        number = normalise(raw, self._country)
        client = self._directory.find(number) if number else None
        exten = live.call.state.exten
        live.context = replace(
            live.context,
            number=number,
            client_id=client.id if client else None,
            client_name=client.name if client else "",
            did=exten if exten and exten in self._setup.dids else "",
        )

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_REST_SECONDS / 3)
            try:
                self._write_rested(_REST_SECONDS)
                self._live_state.flush(self._find, self._device_of, self._now())
            except Exception:
                log.exception("listener.sweep_failed")

    def _write_rested(self, rest: float) -> None:
        """Hand on records of ended calls that had no event for `rest` seconds; forget old ones."""
        now = time.monotonic()
        for call_id, live in list(self._calls.items()):
            if live.ended is None:
                if now - live.touched > _LONGEST_CALL_SECONDS:
                    self._vanished(live)
                continue
            if live.changed and live.touched + rest <= now:
                live.changed = False
                try:
                    self._write(live)
                except Exception:
                    log.exception("listener.record_failed", call=call_id)
            # Those who were consulted may talk on when the caller has gone.
            talking = any(leg.talking for leg in live.call.state.legs)
            if now - live.ended > _FORGET_SECONDS and not talking:
                del self._calls[call_id]
                self._board.forget(call_id)

    def _write(self, live: _Live) -> None:
        if not live.call.concerns_somebody:
            return  # a feature code, an announcement
        made = record(live.call, live.context)
        self._sink.put(made)
        self.talks.note(made)
        if live.call.state.anomalies:
            log.warning("call.anomalies", call=made.call_id, seen=live.call.state.anomalies)
        log.info(
            "call.ended",
            call=made.call_id,
            direction=made.direction.value,
            disposition=made.disposition.value,
            answered_by=made.answered_by,
            wait_ms=made.wait_ms,
            talk_ms=made.talk_ms,
        )

    def _vanished(self, live: _Live, at: int | None = None) -> None:
        """Close a call that is not on the PBX any more; it was there until `at`, or until now."""
        last = live.call.events[-1].at if live.call.events else 0
        vanished = Vanished(max(self._now() if at is None else at, last + 1), live.call.id)
        self._feed(vanished)
        log.warning("call.vanished", call=live.call.id)

    def _feed(self, event: CallEvent) -> None:
        """Take an event that the PBX did not send: nothing is done about it."""
        if (change := self._board.take(event)) is not None:
            self._follow(change, event)

    def _now(self) -> int:
        """Return the PBX's time in microseconds."""
        return int((time.time() + (self.client.clock_offset or 0.0)) * 1e6)

    def _find(self, call_id: str) -> tuple[Call, Context] | None:
        live = self._calls.get(call_id)
        return (live.call, live.context) if live is not None else None

    def _device_of(self, extension: str) -> str | None:
        operator = self._setup.operators.get(extension)
        return self.devices.get(f"PJSIP/{operator.endpoint}", "UNKNOWN") if operator else None

    async def _on_up(self) -> None:
        """After a login, before live events: what is on the PBX now, and what became of the rest.

        Events that arrive meanwhile wait; they are folded in order of their time.
        """
        began = time.monotonic()
        self.devices = states_of(await self.client.ask(actions.device_states()))
        queues = await self.client.list_queues()
        self._live_state.members = paused_devices(queues.members)
        self.members.listed(queues)
        channels = await self.client.list_channels()
        waiting = self._outages.unwritten if self._outages is not None else ()
        gone = self._sort_out(channels, self.client.seen_at or self._remembered.seen_at)
        self._remembered = Remembered()
        self._live_state.replace(
            [(live.call, live.context) for live in self._calls.values()],
            self._setup.operators,
            self._device_of,
            self._now(),
            [record.call_id for record in (*gone, *waiting)],
        )
        self.resync_seconds = time.monotonic() - began
        log.info(
            "listener.resynced",
            live=self.live_calls,
            gone=len(gone),
            seconds=round(self.resync_seconds, 3),
        )

    def _sort_out(self, listed: Listed, seen: int | None) -> list[CallRecord]:
        """Bring all calls to what is on the PBX now; return the records of those that are gone."""
        now = self._now()
        since = now if seen is None else seen
        followed = [live.call for live in self._calls.values() if live.ended is None]
        told = [call for call in self._remembered.calls if call.call_id not in self._calls]
        restarted = self._pbx_started not in (None, listed.started)
        home = {
            name: call.id
            for channel in listed.channels
            for name in (channel.uniqueid, channel.call, channel.linkedid)
            if not restarted and (call := self._board.find(name)) is not None
        }
        self._pbx_started = listed.started
        found = sort_out(followed, home, told, listed, since, now)
        for event in found.events:
            self._feed(event)
        for call_id, known in found.found.items():
            if live := self._calls.get(call_id):
                self._recall(live, known)
        gone = [lost(call, since) for call in found.forgotten]
        for call_id in found.gone:
            live = self._calls[call_id]
            self._vanished(live, since)
            gone.append(record(live.call, live.context))
            # Its end may be among the events that wait to be handled: they make a better record.
            live.changed = False
        if self._outages is not None:
            ended = {record.call_id for record in gone}  # and those of a login just before
            ended |= {one for one, live in self._calls.items() if live.call.state.vanished}
            there = (listed.ids | self._board.keys_of(ended)) - ended
            self._outages.over(Outage(seen, now, tuple(gone), there))
        else:
            for made in gone:
                self._sink.put(made)
        return gone

    def _recall(self, live: _Live, known: LiveCall | None) -> None:
        """Give a call that was found what an earlier process knew of it."""
        if known is None:
            self._identify(live, client_number(live.call, live.context))
            return
        live.context = recalled(live.context, known)
