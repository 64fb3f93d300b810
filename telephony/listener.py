"""The shell around the domain: read → decode → fold → decide → act, and hand records on.

No database, HTTP or Redis call happens here: records go to a sink that never blocks, the
directory is in memory and is changed in place from the loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from telephony.ami import actions
from telephony.ami.client import AmiAddress, AmiClient, AmiError
from telephony.ami.decode import Decoder
from telephony.domain.call import Call, Phase, fold
from telephony.domain.directory import ClientChange, Directory
from telephony.domain.events import (
    CallEvent,
    DeviceChanged,
    Event,
    Finished,
    Offered,
    Vanished,
)
from telephony.domain.numbers import mask, normalise
from telephony.domain.record import CallRecord, Context, record
from telephony.domain.routing import (
    Decision,
    Kind,
    Plan,
    Question,
    Rule,
    Setup,
    Step,
    decide,
)

log = structlog.get_logger(__name__)

# Events of a call that ended still come in for a moment; its record is written once they rest.
_REST_SECONDS = 0.15
_FORGET_SECONDS = 5.0
_LONGEST_CALL_SECONDS = 24 * 3600.0


_TO_FALLBACK = Decision(Plan((Step(Kind.FALLBACK, Rule.LAST),)), ())


class Sink(Protocol):
    """Takes records; never blocks, never raises."""

    def put(self, record: CallRecord) -> None:
        """Take one record, or a newer version of one."""


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
    ) -> None:
        self.decoder = Decoder(token)
        self.client = AmiClient(address, self.decoder, self.on_event, self._on_up)
        self.devices: dict[str, str] = {}
        self._country = country
        self._directory = directory
        self._setup = setup
        self._endpoints = _endpoints(setup)
        self._sink = sink
        self._calls: dict[str, _Live] = {}

    async def run(self) -> None:
        """Follow calls until `stop`; then the records of ended calls are handed on."""
        sweeper = asyncio.create_task(self._sweep())
        try:
            await self.client.run()
        finally:
            sweeper.cancel()
            await asyncio.gather(sweeper, return_exceptions=True)
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
            self._endpoints = _endpoints(setup)

    def on_event(self, event: Event, arrived: float) -> None:
        """Take one event: the whole way from what happened to what is done about it.

        `arrived` is the `time.perf_counter()` at which its bytes came in.
        """
        if isinstance(event, DeviceChanged):
            self.devices[event.device] = event.state
            return
        live = self._calls.get(event.call)
        if live is None:
            if not isinstance(event, Offered | Finished):
                return  # a call that did not come through our dialplan
            number = normalise(event.number, self._country)
            live = self._new(event.call, event.channel, number)
        if isinstance(event, Offered):
            self._offered(live, event, arrived)
        self._fold(live, event)

    def _offered(self, live: _Live, event: Offered, arrived: float) -> None:
        """Answer an announcement; the first one of a call is what its record explains."""
        if live.call.state.offered == event:
            return
        number = live.context.number
        decision = self._answer(event, number)
        decided_ms = round((time.perf_counter() - arrived) * 1000, 3)
        log.info(
            "call.offered",
            call=event.call,
            did=event.did,
            number=mask(number or event.number),
            steps=[step.kind.value for step in decision.plan.steps],
            ms=decided_ms,
        )
        if live.context.decision is None:
            live.context = replace(live.context, decision=decision, decided_ms=decided_ms)

    def _new(self, call_id: str, channel: str, number: str | None) -> _Live:
        client = self._directory.find(number) if number else None
        context = Context(
            number=number,
            client_id=client.id if client else None,
            client_name=client.name if client else "",
            endpoints=self._endpoints,
        )
        live = _Live(Call(call_id), context, channel, time.monotonic())
        self._calls[call_id] = live
        return live

    def _answer(self, event: Offered, number: str | None) -> Decision:
        """Decide and send the plan; whatever fails, the caller is not left waiting."""
        client = self._directory.find(number) if number else None
        at = datetime.fromtimestamp(event.at / 1e6, UTC)
        try:
            question = Question(event.did, number or event.number, at)
            decision = decide(question, client, self._setup, self.devices)
        except Exception:
            log.exception("listener.decide_failed", call=event.call)
            decision = _TO_FALLBACK
        try:
            self._send(event.channel, decision)
        except AmiError as error:
            log.warning("listener.plan_not_sent", call=event.call, error=str(error))
        return decision

    def _send(self, channel: str, decision: Decision) -> None:
        """Send a plan; one that cannot be sent becomes the fallback. Raises AmiError."""
        try:
            self.client.send(actions.plan(channel, decision.plan))
        except actions.BadValue as error:
            log.error("listener.plan_unsendable", error=str(error))
            self.client.send(actions.plan(channel, _TO_FALLBACK.plan))

    def _fold(self, live: _Live, event: CallEvent) -> None:
        folded = fold(live.call, event)
        if folded is live.call:
            return  # a duplicate
        live.call = folded
        live.changed = True
        live.touched = time.monotonic()
        if live.ended is None and live.call.state.phase is Phase.ENDED:
            live.ended = live.touched

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_REST_SECONDS / 3)
            try:
                self._write_rested(_REST_SECONDS)
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
            if now - live.ended > _FORGET_SECONDS:
                del self._calls[call_id]

    def _write(self, live: _Live) -> None:
        made = record(live.call, live.context)
        self._sink.put(made)
        if live.call.state.anomalies:
            log.warning("call.anomalies", call=made.call_id, seen=live.call.state.anomalies)
        log.info(
            "call.ended",
            call=made.call_id,
            disposition=made.disposition.value,
            answered_by=made.answered_by,
            wait_ms=made.wait_ms,
            talk_ms=made.talk_ms,
        )

    def _vanished(self, live: _Live) -> None:
        """Close a call that is not on the PBX any more, by the PBX's clock."""
        now = int((time.time() + (self.client.clock_offset or 0.0)) * 1e6)
        last = live.call.events[-1].at if live.call.events else 0
        self._fold(live, Vanished(max(now, last + 1), live.call.id))
        log.warning("call.vanished", call=live.call.id)

    async def _on_up(self) -> None:
        """After a login, before live events: device states, and which calls are still there."""
        listed = await self.client.ask(actions.device_states())
        self.devices = {
            item["device"]: item["state"]
            for item in listed[1:]
            if "device" in item and "state" in item
        }
        for call_id, live in list(self._calls.items()):
            if live.ended is not None:
                continue
            answer = await self.client.ask(actions.call_of(live.channel))
            if answer[0].get("value") != call_id:
                self._vanished(live)


def _endpoints(setup: Setup) -> dict[str, str]:
    """Return endpoint → extension."""
    return {operator.endpoint: operator.extension for operator in setup.operators.values()}
