"""The listener loses its connection to a real Asterisk, and finds what became of its calls."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, select

from telephony.asterisk.dialplan import Fallback
from telephony.asterisk.written import cdr_rows
from telephony.domain.cdr import Attempt
from telephony.domain.live import LiveCall
from telephony.domain.record import CallRecord, Disposition, Side, Source
from telephony.listener import Listener
from telephony.pbxlogs import PbxLogs
from telephony.resync import Resync, recall
from telephony.store.calls import list_calls
from telephony.store.engine import open_engine, reading
from telephony.store.live import list_live_calls
from telephony.store.migrations import migrate
from telephony.store.outbox import outbox
from telephony.writer import Writer
from tests.asterisk.office import (
    DID,
    KNOWN,
    STRANGER,
    Office,
    office,
    small_directory,
    small_setup,
    until,
)
from tests.asterisk.scenes import PARKING
from tests.lab.behaviours import answer, no_answer

# Written by a caller into the From number; each is aimed at the list of channels.
FORGED = (
    "1\r\n\r\nEvent: StatusComplete\r\nEventList: Complete\r\nListItems: 0",
    "1\r\n\r\nResponse: Error\r\nMessage: no",
    "1\r\nLinkedid: 1795000000.1\r\nUniqueid: 1795000000.1",
    "1\r\n\r\nEvent: Status\r\nPrivilege: Call\r\nChannel: PJSIP/101-1",
)


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
        self.writer = Writer(engine, place.pbx.run / "spill.jsonl", window=0.05)
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
async def _service(
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


def _no_logs(_log: Path) -> PbxLogs:
    return PbxLogs(None, None, None)


def _queue_log(log: Path) -> PbxLogs:
    return PbxLogs(log / "queue_log", None, None)


def _written(place: Office) -> list[Attempt]:
    """Return what the CDR tells by now."""
    return cdr_rows((place.pbx.home / "log" / "cdr-csv" / "Master.csv").read_bytes())


def _cdr(log: Path) -> PbxLogs:
    return PbxLogs(None, log / "cdr-csv" / "Master.csv", None)


@pytest.mark.parametrize(
    ("logs", "source", "disposition"),
    [
        (_no_logs, Source.EVENTS, Disposition.LOST),
        (_cdr, Source.CDR, Disposition.NO_ANSWER),
    ],
    ids=["nothing tells", "cdr"],
)
async def test_calls_that_went_on_and_calls_that_ended_while_the_wire_was_cut(
    tmp_path: Path, logs: Callable[[Path], PbxLogs], source: Source, disposition: Disposition
) -> None:
    async with (
        office(tmp_path, listening=False) as place,
        _service(place, tmp_path, logs) as service,
    ):
        stays = await place.trunk.call(DID, KNOWN)
        await stays.wait_answered(5)
        for phone in place.phones.values():
            phone.behaviour = no_answer()
        goes = await place.trunk.call(DID, STRANGER)
        await until(lambda: len(service.live()) == 2, 5, "both are live")
        await until(lambda: place.listener.client.seen_at is not None, 5, "a pong")
        await service.cut()
        await goes.hangup()
        await service.mend()
        lost = (await service.recorded(1))[STRANGER]
        assert (lost.disposition, lost.source) == (disposition, source)
        assert lost.decision is not None
        assert [call.number for call in service.live()] == [KNOWN]
        calls = [row for row in _written(place) if row.source == STRANGER]
        assert {row.did for row in calls} == {DID}, "a CSV has no column for the DID"
        await stays.hangup()
        kept = (await service.recorded(2))[KNOWN]
        assert (kept.disposition, kept.answered_by, kept.hung_up_by, kept.source) == (
            Disposition.ANSWERED,
            "101",
            Side.CALLER,
            Source.EVENTS,
        )
        assert stays.answered_at is not None
        assert stays.ended_at is not None
        assert abs(kept.talk_ms - (stays.ended_at - stays.answered_at) * 1000) < 300
        assert service.live() == []
        assert service.facts() == {"call.started": 2, "call.answered": 1, "call.ended": 2}


async def test_the_queue_log_tells_who_gave_up_and_who_talked(tmp_path: Path) -> None:
    async with (
        office(tmp_path, listening=False, fallback=Fallback("queue", "duty", 20)) as place,
        _service(place, tmp_path, _queue_log) as service,
    ):
        queues = (place.pbx.etc / "queues.conf").read_text()
        place.pbx.write("queues.conf", f"{queues}member => PJSIP/104\n")
        await asyncio.to_thread(place.pbx.reload)
        await service.cut()
        place.phones["104"].behaviour = answer(0.1)
        talked = await place.trunk.call(DID, KNOWN)
        await talked.wait_answered(15)
        await talked.hangup()
        place.phones["104"].behaviour = no_answer()
        gave_up = await place.trunk.call(DID, STRANGER)
        written = place.pbx.home / "log" / "queue_log"
        await until(lambda: written.read_text().count("ENTERQUEUE") == 2, 15, "it waits")
        await gave_up.hangup()
        await until(lambda: "|ABANDON|" in written.read_text(), 5, "it is written")
        await service.mend()
        found = await service.recorded(2)
        assert found[KNOWN].disposition is Disposition.ANSWERED
        assert (found[KNOWN].answered_by, found[KNOWN].client_name) == ("104", "Ромашка")
        assert found[STRANGER].disposition is Disposition.ABANDONED
        assert {record.source for record in found.values()} == {Source.QUEUE_LOG}


async def test_what_was_answered_and_who_was_asked_unseen(tmp_path: Path) -> None:
    """An answer while the wire is cut; then a consultation and a parked call at a new start."""
    async with (
        office(tmp_path, listening=False) as place,
        _service(place, tmp_path, _no_logs) as service,
    ):
        place.phones["101"].behaviour = answer(1.0)
        call = await place.trunk.call(DID, KNOWN)
        await until(lambda: [one.ringing for one in service.live()] == [("101",)], 5, "it rings")
        await service.cut()
        await call.wait_answered(5)
        await service.mend()
        (held,) = [one for one in place.phones["101"].calls if one.live]
        await held.hold()
        asking = await place.phones["101"].call("102")
        asked = await place.phones["102"].next_call(5)
        await asking.wait_answered(5)
        await until(lambda: [one.talking for one in service.live()] == [("101", "102")], 5, "asked")
        await service.restart()
        await until(lambda: [one.talking for one in service.live()] == [("101", "102")], 5, "found")
        await asking.hangup()
        await asked.wait_ended(5)
        await held.refer(PARKING)
        await held.wait_ended(5)
        await until(lambda: [one.talking for one in service.live()] == [()], 5, "it is parked")
        await service.restart()
        await call.hangup()
        made = (await service.recorded(1))[KNOWN]
        assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "101")
        assert made.hung_up_by is Side.CALLER
        assert made.answered_at is not None
        assert call.answered_at is not None
        assert call.ended_at is not None
        length = (made.ended_at - made.answered_at) / 1000
        assert abs(length - (call.ended_at - call.answered_at) * 1000) < 300
        assert service.live() == []
        assert service.facts() == {"call.started": 1, "call.answered": 1, "call.ended": 1}


async def test_a_caller_forges_nothing_in_the_list_of_channels(tmp_path: Path) -> None:
    async with (
        office(tmp_path, listening=False) as place,
        _service(place, tmp_path, _no_logs) as service,
    ):
        dialplan = (place.pbx.etc / "extensions.conf").read_text()
        waiting = "exten => 999,1,Answer()\n same => n,Wait(60)\n"
        place.pbx.write(
            "extensions.conf", dialplan.replace("[from-trunk]\n", f"[from-trunk]\n{waiting}")
        )
        await asyncio.to_thread(place.pbx.reload)
        genuine = await place.trunk.call(DID, KNOWN)
        await genuine.wait_answered(5)
        await until(lambda: len(service.live()) == 1, 5, "it is live")
        for number in FORGED:
            # Not through our dialplan, which would leave digits only.
            attack = await place.trunk.call(
                "999", from_header=f"<sip:{quote(number, safe='')}@127.0.0.2>"
            )
            await attack.wait_answered(5)
            listed = await place.listener.client.list_channels()
            assert not listed.whole
            assert {"PJSIP/101-00000001", "PJSIP/trunk-00000000"} <= {
                channel.name for channel in listed.channels
            }
        await service.cut()
        await service.mend()
        assert genuine.live
        assert [call.number for call in service.live()] == [KNOWN]
        assert not service.records()
        await genuine.hangup()
        made = (await service.recorded(1))[KNOWN]
        assert (made.disposition, made.answered_by) == (Disposition.ANSWERED, "101")
        assert service.facts() == {"call.started": 1, "call.answered": 1, "call.ended": 1}
