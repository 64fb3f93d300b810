"""One connection to Asterisk's manager interface, kept up.

panoramisk's protocol, Action and Message do the talking; around them stands what they lack: bytes
are framed before they are decoded, one bad packet costs only itself, events are handled in order
by one consumer, a missing pong ends the connection, and no action is ever sent twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from telephony.ami import actions, names
from telephony.ami.actions import Fields
from telephony.ami.decode import READ, Counters, Decoder
from telephony.ami.listing import VARIABLES, AnswerList, Listing
from telephony.ami.queues import QueueListing, Queues
from telephony.domain.channels import Channel, Listed
from telephony.domain.events import Event

log = structlog.get_logger(__name__)

_MAX_PACKET = 1 << 20
_MOST_LOOKS = 200  # channels in doubt that are asked one by one
_HIGH_WATER, _LOW_WATER = 50_000, 10_000


class AmiError(Exception):
    """An action's outcome is not known, or it was not sent; the message says which."""


class Refused(AmiError):
    """Asterisk refused an action."""


class LoginRefused(AmiError):
    """Asterisk refused the user or the password."""


@dataclass(frozen=True, slots=True)
class AmiAddress:
    """Where the manager interface is and who logs in. Times in seconds."""

    host: str
    port: int
    user: str
    secret: str = field(repr=False)
    connect_timeout: float = 5.0
    answer_timeout: float = 5.0
    heartbeat_every: float = 1.0


class _Protocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """Frames packets as bytes; answers go to their Action, events into a queue."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._buffer = bytearray()
        self.packets: deque[tuple[float, bytes]] = deque()
        self.wake = asyncio.Event()
        self.lost = asyncio.get_running_loop().create_future()
        self.greeting = asyncio.get_running_loop().create_future()
        self.listing: AnswerList | None = None
        self._paused = False
        self.encoding = "utf-8"

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self.greeting.done():
            line, found, rest = bytes(buffer).partition(b"\r\n")
            if not found:
                return
            self.greeting.set_result(line)
            buffer[:] = rest
        arrived = time.perf_counter()
        unwanted = 0
        *packets, rest = bytes(buffer).split(b"\r\n\r\n")
        buffer[:] = rest
        if len(rest) > _MAX_PACKET:
            log.error("ami.packet_too_long", bytes=len(rest))
            self.transport.abort()
        for packet in packets:
            if packet[:7] != b"Event: ":
                self._answer(packet)
                continue
            end = packet.find(b"\r\n", 7)
            # An item of a list we asked for carries its ActionID right behind its name.
            if packet[end + 2 : end + 12] == b"ActionID: ":
                self._answer(packet)
            elif packet[:end] in READ:
                self.packets.append((arrived, packet))
            elif self.listing is None or not self.listing.take(packet):
                unwanted += 1
        self._counters.unwanted += unwanted
        if self.packets:
            self.wake.set()
            if len(self.packets) > _HIGH_WATER and not self._paused:
                self._paused = True
                self.transport.pause_reading()

    def resume_if_low(self) -> None:
        """Read on once the consumer has caught up."""
        if self._paused and len(self.packets) < _LOW_WATER:
            self._paused = False
            self.transport.resume_reading()

    def _answer(self, packet: bytes) -> None:
        if self.listing is not None and self.listing.take(packet):
            return
        try:
            message = Message.from_line(packet.decode("utf-8", "replace"))
            if message is not None and message.id in self.responses:
                self.handle_message(message)
        except Exception as error:
            log.warning("ami.bad_answer", error=repr(error))

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self.listing is not None and not self.listing.done.done():
            self.listing.done.set_result(False)
        if not self.lost.done():
            self.lost.set_result(exc)
        if not self.greeting.done():
            self.greeting.set_exception(AmiError("the connection closed before a greeting"))
            self.greeting.exception()
        for action in list(self.responses.values()):
            if not action.future.done():
                action.future.set_exception(AmiError("the connection broke: outcome unknown"))
                action.future.exception()
        self.responses.clear()


class AmiClient:
    """Keeps one AMI session up until stopped. Create and run it inside one event loop.

    `on_up` runs after each login, before events are handled, with the client; `on_event` is called
    for each decoded event, in order, with the `time.perf_counter()` of its arrival. What either
    raises is logged and costs only itself.
    """

    def __init__(
        self,
        address: AmiAddress,
        decoder: Decoder,
        on_event: Callable[[Event, float], None],
        on_up: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.address = address
        self.decoder = decoder
        self.connected = False
        self.clock_offset: float | None = None
        self.seen_at: int | None = None  # µs on the PBX's clock: all before has been delivered
        self._on_event = on_event
        self._on_up = on_up
        self._protocol: _Protocol | None = None
        self._stop = asyncio.Event()
        self._refused = 0

    async def run(self) -> None:
        """Connect, serve and connect again until `stop`; returns after a clean logoff."""
        failures = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                await self._session()
            except LoginRefused as error:
                failures = max(failures, 4)
                log.error("ami.login_refused", user=self.address.user, error=str(error))
            except (OSError, AmiError, TimeoutError) as error:
                log.warning("ami.down", error=str(error) or repr(error))
            except Exception:
                log.exception("ami.session_failed")
            finally:
                self.connected = False
                self._protocol = None
            failures = 0 if time.monotonic() - began > 30 else failures + 1
            await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        """Wait before the next try: 0.1 s doubling to 15 s, each with up to half of it off."""
        delay = min(15.0, 0.1 * 2 ** min(failures, 10)) * random.uniform(0.5, 1)  # noqa: S311
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), delay)

    def stop(self) -> None:
        """End `run` soon: callers who come now go to the fallback at once."""
        self._stop.set()

    def send(self, batch: tuple[Fields, ...]) -> None:
        """Send actions in one write without waiting for answers.

        Raises AmiError when there is no connection, BadValue when a value may not be sent.
        """
        data = b"".join(actions.render(fields) for fields in batch)
        protocol = self._protocol
        if protocol is None or not self.connected:
            raise AmiError("not connected: nothing was sent")
        protocol.transport.write(data)

    async def ask(self, fields: Fields, *, within: float | None = None) -> list[dict[str, str]]:
        """Send one action and return its answer: the response, then the items of a list.

        Raises AmiError when it was not sent or its outcome is not known, BadValue.
        """
        protocol = self._protocol
        if protocol is None:
            raise AmiError("not connected: nothing was sent")
        return await self._ask(protocol, fields, within)

    async def list_channels(self) -> Listed:
        """Return the PBX's channels. Whatever a caller forged in the list, it does not fool this:
        what is in doubt is asked for once more, then channel by channel.

        Raises AmiError when the list did not come.
        """
        protocol = self._protocol
        if protocol is None:
            raise AmiError("not connected: nothing was sent")
        begun = (await self._ask(protocol, actions.core_status()))[0]
        started = f"{begun.get('corestartupdate', '')} {begun.get('corestartuptime', '')}".strip()
        found: list[Channel] = []
        doubtful: list[str] = []
        for _ in range(2):
            found, doubtful, whole = await self._list(protocol)
            if whole:
                return Listed(tuple(found), True, started)
        known = {channel.name for channel in found}
        for name in list(dict.fromkeys(doubtful))[:_MOST_LOOKS]:
            if name not in known and (channel := await self._look_at(protocol, name)):
                found.append(channel)
        log.warning("ami.list_in_doubt", channels=len(found), looked_at=len(doubtful))
        return Listed(tuple(found), False, started)

    async def list_queues(self) -> Queues:
        """Return all queues with their members.

        None on a PBX that refuses, since it has no queues. Raises AmiError when no answer came.
        """
        protocol = self._protocol
        if protocol is None:
            raise AmiError("not connected: nothing was sent")
        listing = QueueListing(*self._new_list())
        try:
            await self._fill(protocol, listing, actions.queue_members())
        except Refused:
            return Queues(frozenset(), {})
        return listing.queues()

    async def _list(self, protocol: _Protocol) -> tuple[list[Channel], list[str], bool]:
        listing = Listing(*self._new_list())
        await self._fill(protocol, listing, actions.channels(VARIABLES))
        return listing.channels()

    def _new_list(self) -> tuple[str, asyncio.Future[bool]]:
        return actions.new_action_id(), asyncio.get_running_loop().create_future()

    async def _fill(self, protocol: _Protocol, listing: AnswerList, fields: Fields) -> None:
        """Ask for a list and read it to its end. Raises AmiError."""
        protocol.listing = listing
        what = dict(fields)["Action"]
        try:
            protocol.transport.write(actions.render((*fields, ("ActionID", listing.action_id))))
            async with asyncio.timeout(self.address.answer_timeout):
                begun = await listing.done
        except TimeoutError:
            raise AmiError(f"the list of {what} did not end") from None
        finally:
            protocol.listing = None
        if not begun:
            raise AmiError(f"{what}: the connection broke") if protocol.closed else Refused(what)

    async def _look_at(self, protocol: _Protocol, name: str) -> Channel | None:
        """Ask for one channel's ids by themselves: such an answer holds nothing of a caller's."""
        values = [
            (await self._ask(protocol, actions.of_channel(name, one)))[0].get("value", "")
            for one in ("UNIQUEID", "CHANNEL(linkedid)", names.CALL, names.DID)
        ]
        uniqueid, linkedid, call, did = values
        return Channel(name, uniqueid, linkedid, "", call, did) if uniqueid and linkedid else None

    async def _ask(
        self, protocol: _Protocol, fields: Fields, within: float | None = None
    ) -> list[dict[str, str]]:
        action = Action(dict(actions.checked((*fields, ("ActionID", actions.new_action_id())))))
        if protocol.transport.is_closing():
            raise AmiError("not connected: nothing was sent")
        try:
            # None: panoramisk sees by the answer itself whether a list follows, but for this one.
            as_list = False if action["Action"] == "QueueAdd" else None
            future = cast("asyncio.Future[Any]", protocol.send(action, as_list))
            # Not wait_for: before Python 3.12 it swallows a cancellation that meets the answer.
            async with asyncio.timeout(within or self.address.answer_timeout):
                result = await future
        except TimeoutError:
            raise AmiError(f"no answer to {dict(fields)['Action']}: outcome unknown") from None
        finally:
            protocol.responses.pop(action.id, None)
        return [
            {str(key).lower(): str(value) for key, value in message.items()}
            for message in (result if isinstance(result, list) else [result])
        ]

    async def _session(self) -> None:
        loop = asyncio.get_running_loop()
        address = self.address
        _, protocol = await asyncio.wait_for(
            loop.create_connection(
                lambda: _Protocol(self.decoder.counters), address.host, address.port
            ),
            address.connect_timeout,
        )
        try:
            await asyncio.wait_for(asyncio.shield(protocol.greeting), address.connect_timeout)
            answer = await self._ask(protocol, actions.login(address.user, address.secret))
            if answer[0].get("response") != "Success":
                raise LoginRefused(answer[0].get("message", "refused"))
            self._protocol = protocol
            if self._on_up is not None:
                await self._on_up()
            self.connected = True
            log.info("ami.up", host=address.host, port=address.port)
            await self._serve(protocol)
        finally:
            protocol.transport.abort()

    async def _serve(self, protocol: _Protocol) -> None:
        consumer = asyncio.create_task(self._consume(protocol))
        heart = asyncio.create_task(self._beat(protocol))
        stop = asyncio.create_task(self._stop.wait())
        tasks: set[asyncio.Future[Any]] = {consumer, heart, stop, protocol.lost}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stop in done:
                # The heart first: a beat behind the zero would make callers wait for nobody.
                heart.cancel()
                await asyncio.gather(heart, return_exceptions=True)
                with contextlib.suppress(AmiError):
                    await self._ask(protocol, actions.heartbeat(0), 1.0)
                    await self._ask(protocol, actions.logoff(), 1.0)
                return
            if protocol.lost in done:
                raise AmiError(f"the connection broke: {protocol.lost.result() or 'closed'}")
            for task in done:
                task.result()
        finally:
            for task in (consumer, heart, stop):
                task.cancel()
            await asyncio.gather(consumer, heart, stop, return_exceptions=True)
            self.connected = False
            await self._handle_all(protocol)  # what arrived before the end is still true

    async def _consume(self, protocol: _Protocol) -> None:
        """Handle events, one after the other, in the order of arrival."""
        while True:
            await protocol.wake.wait()
            protocol.wake.clear()
            await self._handle_all(protocol)

    async def _handle_all(self, protocol: _Protocol) -> None:
        """Decode and hand on what has arrived; what fails costs only itself."""
        packets = protocol.packets
        handled = 0
        while packets:
            arrived, packet = packets.popleft()
            try:
                event = self.decoder.decode(packet)
                if event is not None:
                    self._on_event(event, arrived)
            except Exception:
                log.exception("ami.event_failed")
            handled += 1
            if handled % 200 == 0:
                # Answers, pongs and stops must not wait behind a burst.
                protocol.resume_if_low()
                await asyncio.sleep(0)
        protocol.resume_if_low()

    async def _beat(self, protocol: _Protocol) -> None:
        """Prove every second that someone listens; a pong that stays out ends the session."""
        while True:
            answer = await self._ask(protocol, actions.ping())
            clock = float(answer[0].get("timestamp", "0"))
            self.clock_offset = clock - time.time()
            self.seen_at = int(clock * 1e6)
            protocol.transport.write(actions.render(actions.heartbeat(int(clock))))
            await asyncio.sleep(self.address.heartbeat_every)
