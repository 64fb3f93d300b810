"""`dutyline run` and `dutyline listen`."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import structlog
from sqlalchemy import Engine

from telephony.cli.common import Failed, ami_address, database, readable, settings_for
from telephony.domain.directory import ClientChange, Directory
from telephony.domain.lasttalk import LastTalks
from telephony.domain.setup import Setup
from telephony.feed import Feed
from telephony.listener import Listener
from telephony.pbxlogs import PbxLogs
from telephony.privateredis import PrivateRedisError, find_redis_server
from telephony.resync import Resync, recall
from telephony.settings import Settings
from telephony.status import EVERY, Told, identity
from telephony.supervisor import Supervisor, die_with_parent
from telephony.switching import Switching
from telephony.writer import Writer

log = structlog.get_logger(__name__)

# Seconds. Fewer, larger transactions: each one takes the interpreter from the calls for a moment.
_WRITE_EVERY = 0.25
_HANDS_OVER = 0.0005  # seconds
_LOOK_EVERY = 0.25  # whether the connection to Asterisk came or went, for the status

PARTS: dict[str, tuple[str, ...]] = {
    "redis": ("redis",),
    "listener": ("listen",),
    "relay": ("relay",),
    "worker-now": ("work", "now"),
    "worker-bulk": ("work", "bulk"),
    "web": ("web",),
}


@click.command()
@click.option(
    "--part",
    "chosen",
    multiple=True,
    type=click.Choice(list(PARTS)),
    help="Only this part; may be repeated.",
)
@readable
def run(chosen: tuple[str, ...]) -> None:
    """Run everything: start the parts, restart what dies, stop cleanly on SIGTERM or Ctrl-C."""
    settings = settings_for(ami=True)
    with database(settings):
        pass  # a wrong database is told here, not by a part that restarts for ever
    parts = {name: PARTS[name] for name in PARTS if name in (chosen or PARTS)}
    if "redis" in parts and not _has_private_redis(settings):
        del parts["redis"]
    sys.exit(Supervisor(parts).run())


def _has_private_redis(settings: Settings) -> bool:
    """Tell whether a private Redis is wanted and there is a program for it.

    Where there is none calls must be answered all the same: that is told, loudly.
    """
    if settings.redis_url:
        return False
    try:
        find_redis_server(settings.redis_server)
    except PrivateRedisError as error:
        log.error("run.no_redis", why=str(error))
        return False
    return True


@click.command()
@readable
def listen() -> None:
    """Run the listener alone: it answers calls and records them."""
    die_with_parent()
    settings = settings_for(ami=True)
    with _only_one(settings.data_dir), database(settings) as engine:
        writer = Writer(engine, settings.spill, settings.country, window=_WRITE_EVERY)
        asyncio.run(_listen(settings, writer, engine))


async def _listen(settings: Settings, writer: Writer, engine: Engine) -> None:
    loop = asyncio.get_running_loop()
    listener: Listener | None = None
    resync: Resync | None = None

    def apply(changes: Sequence[ClientChange], setup: Setup | None) -> None:
        if listener is not None:
            loop.call_soon_threadsafe(listener.apply, changes, setup)
        if setup is not None and resync is not None:
            resync.setup = setup

    talks = LastTalks()
    sounds = Path(settings.sounds_dir) if settings.sounds_dir else None
    feed = Feed(engine, Directory(), apply, talks=talks, sounds=sounds)
    directory, setup = await asyncio.to_thread(feed.load)
    remembered = await asyncio.to_thread(recall, engine)
    favour_the_loop(feed)
    log.info("directory.loaded", numbers=len(directory), operators=len(setup.operators))
    logs = PbxLogs(settings.queue_log, settings.cdr_file, settings.cdr_url or None)
    resync = Resync(engine, logs, directory, settings.country, setup)
    listener = Listener(
        ami_address(settings),
        settings.token,
        settings.country,
        directory,
        setup,
        writer,
        writer,
        resync,
        remembered,
        talks,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, listener.stop)
    loop_side = listener.members

    def switch(device: str, state: str) -> None:
        loop.call_soon_threadsafe(loop_side.switch, device, state)

    switching = Switching(engine, switch)
    loop_side.tell = switching.seen
    writer.start()
    feed.start()
    switching.start()
    resync.start()
    beat = asyncio.create_task(_beat(listener, writer, resync))
    try:
        await listener.run()
    finally:
        beat.cancel()
        await asyncio.gather(beat, return_exceptions=True)
        if writer.last_error is not None or resync.fails:
            # The database does not have them as live, so the next process could not find them.
            writer.keep(resync.unwritten)
        # The writer first: with a hung database its spill must not wait for anything.
        writer.stop()
        resync.stop(1.0)
        feed.stop(1.0)
        switching.stop(1.0)
        log.info("listener.stopped")


async def _beat(listener: Listener, writer: Writer, resync: Resync) -> None:
    """Tell every few seconds that the listener runs, and the logs' reader up to when it saw all."""
    me = identity("listener")
    try:
        while True:
            if listener.client.connected and listener.client.seen_at is not None:
                resync.seen(listener.client.seen_at)
            told = _told(listener, writer, resync)
            connected = listener.client.connected
            writer.tell_process(me.told(told, datetime.now(UTC)))
            for _ in range(round(EVERY / _LOOK_EVERY)):
                await asyncio.sleep(_LOOK_EVERY)
                if listener.client.connected != connected:
                    break
    finally:
        writer.tell_process(me.told((False, "stopped", {}), datetime.now(UTC)))


def _told(listener: Listener, writer: Writer, resync: Resync) -> Told:
    """Return how the listener is: (ready, problem, figures)."""
    client, counters = listener.client, listener.decoder.counters
    figures = {
        "ami_connected": float(client.connected),
        "calls_live": listener.live_calls,
        "decisions": listener.decisions,
        "events_decoded": counters.decoded,
        "events_unwanted": counters.unwanted,
        "events_malformed": counters.malformed,
        "events_foreign": counters.foreign,
        "records_pending": writer.pending,
        "records_spilled": writer.spilled,
        "records_lost": writer.lost,
        "records_refused": writer.buried,
        "calls_recovered": resync.recovered,
        "calls_lost": resync.lost,
        "calls_missing": len(resync.unwritten),
        "resync_seconds": listener.resync_seconds,
    }
    if client.seen_at is not None and client.clock_offset is not None:
        age = time.time() + client.clock_offset - client.seen_at / 1e6
        figures["heartbeat_age_seconds"] = max(0.0, age)
    if not client.connected:
        return False, "ami_down", figures
    if writer.last_error is not None:
        return True, "database", figures
    if listener.members.missing_queues():
        return True, "queues_missing", figures
    return True, "pbx_logs" if resync.unread else None, figures


def favour_the_loop(feed: Feed) -> None:
    """Keep the pauses short that the interpreter makes in the way of a call.

    The garbage collector leaves the directory alone and looks at old objects rarely: calls hold
    no cycles. Threads hand over after half a millisecond: a call waits for as long, at each turn of
    the loop, while the feed or the writer computes (docs/benchmarks.md).
    """
    sys.setswitchinterval(_HANDS_OVER)
    feed.freeze()
    gc.set_threshold(100_000, 50, 1000)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the listener's lock: two listeners would both write plans. Raises Failed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "listener.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Failed(f"another listener runs with DUTYLINE_DATA_DIR={folder}") from None
            yield
    except (PermissionError, FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise Failed(f"DUTYLINE_DATA_DIR {folder} cannot be used: {error.strerror}") from None
