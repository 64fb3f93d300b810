"""The listener with its database over a wire to a real Asterisk that can be cut."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, select

from telephony.asterisk.written import cdr_rows
from telephony.domain.cdr import Attempt
from telephony.domain.live import LiveCall
from telephony.domain.record import CallRecord
from telephony.listener import Listener
from telephony.pbxlogs import PbxLogs
from telephony.resync import Resync, recall
from telephony.store.calls import list_calls
from telephony.store.engine import open_engine, reading
from telephony.store.live import list_live_calls
from telephony.store.migrations import migrate
from telephony.store.outbox import outbox
from telephony.writer import Writer
from tests.asterisk.office import Office, small_directory, small_setup, until


class Wire:
    """Stands between the listener and Asterisk, and can be cut."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._to = port
        self._cut = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Take connections on `port`."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End all."""
        self.cut()
        assert self._server is not None
        self._server.close()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        self._cut = True
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self._cut = False

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


class Service:
    """The listener with its database, over a wire, in this process."""

    def __init__(self, place: Office, wire: Wire, engine: Engine, logs: PbxLogs) -> None:
        setup, directory = small_setup("103"), small_directory()
        self.engine = engine
        self.wire = wire
        self.logs = logs
        self.place = place
        self.writer = Writer(engine, place.pbx.run / "spill.jsonl", "RU", window=0.05)
        self.resync = Resync(engine, logs, directory, "RU", setup, patience=2.0, every=0.1)
        old = place.new_listener(setup, directory, wire.port)
        self.listener = Listener(
            old.client.address,
            old.decoder.token,
            "RU",
            directory,
            setup,
            self.writer,
            self.writer,
            self.resync,
            recall(engine),
        )
        place.listener = self.listener

    async def start(self) -> None:
        self.writer.start()
        self.resync.start()
        await self.place.start_listener()

    async def stop(self) -> None:
        self.wire.mend()
        await self.place.stop_listener()
        self.resync.stop()
        self.writer.stop()

    async def restart(self) -> None:
        """Put another process in place of this one."""
        await self.stop()
        self.__init__(self.place, self.wire, self.engine, self.logs)  # type: ignore[misc]
        await self.start()

    def live(self) -> list[LiveCall]:
        with reading(self.engine) as session:
            return list_live_calls(session)

    def records(self) -> dict[str, CallRecord]:
        with reading(self.engine) as session:
            return {record.number: record for record in list_calls(session)}

    def facts(self) -> dict[str, int]:
        with reading(self.engine) as session:
            return dict(Counter(session.execute(select(outbox.c.kind)).scalars()))

    async def recorded(self, count: int) -> dict[str, CallRecord]:
        await until(lambda: len(self.records()) >= count, 10, f"{count} records")
        return self.records()

    async def cut(self) -> None:
        """Cut the wire until the listener has noticed."""
        self.wire.cut()
        await until(lambda: not self.listener.client.connected, 10, "the cut is noticed")

    async def mend(self) -> None:
        """Mend the wire until the listener is back."""
        self.wire.mend()
        await until(lambda: self.listener.client.connected, 20, "it is connected again")


@asynccontextmanager
async def service_on(
    place: Office, folder: Path, logs: Callable[[Path], PbxLogs]
) -> AsyncIterator[Service]:
    url = f"sqlite:///{folder / 'calls.db'}"
    migrate(url)
    engine = open_engine(url)
    wire = Wire(place.pbx.ami_port)
    await wire.start()
    made = Service(place, wire, engine, logs(place.pbx.home / "log"))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
        await wire.stop()
        engine.dispose()


def no_logs(_log: Path) -> PbxLogs:
    return PbxLogs(None, None, None)


def queue_log(log: Path) -> PbxLogs:
    return PbxLogs(log / "queue_log", None, None)


def written(place: Office) -> list[Attempt]:
    """Return what the CDR tells by now."""
    return cdr_rows((place.pbx.home / "log" / "cdr-csv" / "Master.csv").read_bytes())


def cdr(log: Path) -> PbxLogs:
    return PbxLogs(None, log / "cdr-csv" / "Master.csv", None)
