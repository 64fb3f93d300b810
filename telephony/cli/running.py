"""`dutyline run` and `dutyline listen`."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import structlog
from sqlalchemy import Engine

from telephony.cli.common import Failed, ami_address, database, readable, settings_for
from telephony.domain.directory import ClientChange, Directory
from telephony.domain.routing import Setup
from telephony.feed import Feed
from telephony.listener import Listener
from telephony.settings import Settings
from telephony.supervisor import Supervisor, die_with_parent
from telephony.writer import Writer

log = structlog.get_logger(__name__)

# Seconds. Fewer, larger transactions: each one takes the interpreter from the calls for a moment.
_WRITE_EVERY = 0.25

PARTS = {"listener": ("listen",)}


@click.command()
@readable
def run() -> None:
    """Run everything: start the parts, restart what dies, stop cleanly on SIGTERM or Ctrl-C."""
    settings = settings_for(ami=True)
    with database(settings):
        pass  # a wrong database is told here, not by a part that restarts for ever
    sys.exit(Supervisor(PARTS).run())


@click.command()
@readable
def listen() -> None:
    """Run the listener alone: it answers calls and records them."""
    die_with_parent()
    settings = settings_for(ami=True)
    with _only_one(settings.data_dir), database(settings) as engine:
        writer = Writer(engine, settings.spill, window=_WRITE_EVERY)
        asyncio.run(_listen(settings, writer, engine))


async def _listen(settings: Settings, writer: Writer, engine: Engine) -> None:
    loop = asyncio.get_running_loop()
    listener: Listener | None = None

    def apply(changes: Sequence[ClientChange], setup: Setup | None) -> None:
        if listener is not None:
            loop.call_soon_threadsafe(listener.apply, changes, setup)

    feed = Feed(engine, Directory(), apply)
    directory, setup = await asyncio.to_thread(feed.load)
    _favour_the_loop()
    log.info("directory.loaded", numbers=len(directory), operators=len(setup.operators))
    listener = Listener(
        ami_address(settings), settings.token, settings.country, directory, setup, writer
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, listener.stop)
    writer.start()
    feed.start()
    try:
        await listener.run()
    finally:
        # The writer first: with a hung database its spill must not wait for anything.
        writer.stop()
        feed.stop(1.0)
        log.info("listener.stopped")


def _favour_the_loop() -> None:
    """Keep the pauses short that the interpreter makes in the way of a call.

    The garbage collector leaves the directory alone and looks at old objects rarely: calls hold
    no cycles. (A shorter switch interval was tried and made calls slower.)
    """
    gc.freeze()
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
