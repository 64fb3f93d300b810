"""The directory and the set-up for a listener: loaded once, then kept up with the database."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from telephony.domain.directory import ClientChange, Directory
from telephony.domain.lasttalk import MOST_DAYS, LastTalks
from telephony.domain.setup import Setup
from telephony.sounds import put
from telephony.store.clients import load_clients
from telephony.store.directory import current_version, iter_changes
from telephony.store.engine import StoreError, reading, reason
from telephony.store.setup import load_setup
from telephony.store.talks import talks_since

log = structlog.get_logger(__name__)

# Rows learnt at once, and the seconds between two pieces; how often, and how far back, again.
_PIECE = 500
_BREATH = 0.01
_LEARN_EVERY = 3600.0
_RELEARN = timedelta(days=1)

Apply = Callable[[Sequence[ClientChange], Setup | None], None]


class Feed:
    """Loads a directory, then hands over what changes.

    `sounds` is the folder in which Asterisk looks for announcements, if that is kept here.
    `talks` is filled with who talked to whom lately, as far as the set-up asks for it.

    `apply` gets at most 200 changed clients at a time and the set-up when it changed (None when
    not), on the feed's thread: the caller hops to its loop (`call_soon_threadsafe`). A change may
    be handed over twice, never not at all. `every` is the pause between two looks, in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        directory: Directory,
        apply: Apply,
        every: float = 0.25,
        talks: LastTalks | None = None,
        sounds: Path | None = None,
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._apply = apply
        self._every = every
        self._version = -1
        self._talks = talks or LastTalks()
        self._talk_days = 0
        self._learnt_days = 0
        self._learn_at = 0.0
        self._sounds = sounds
        self._frozen = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self.last_error: str | None = None

    @property
    def version(self) -> int:
        """The version that was handed over last; -1 before `load`."""
        return self._version

    def load(self) -> tuple[Directory, Setup]:
        """Fill the directory and return it with the set-up.

        Raises sqlalchemy's errors and StoreError.
        """
        with reading(self._engine) as session:
            version = current_version(session).version
            setup = load_setup(session)
            self._directory.load(load_clients(session))
            self._prepare(setup)
            self._put_sounds(session)
        self._version = version
        return self._directory, setup

    def freeze(self) -> None:
        """Keep what was loaded from being collected: a look over a million clients takes 0.3 s."""
        gc.freeze()
        self._frozen = True

    def start(self) -> None:
        """Start looking for changes since `load`."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Stop looking; nothing is handed over after this unless a look takes longer."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def poll(self) -> None:
        """Hand over what changed since the last time; raises what the database or `apply` does."""
        with reading(self._engine) as session:
            now = current_version(session)
            if now.version == self._version:
                return
            since = self._version
            if now.version < since:  # the database was restored from a backup
                log.warning("feed.directory_older", version=now.version, known=since)
                since = -1
            setup = self._load_setup(session) if now.setup_version > since else None
            if setup is not None:
                # First: changed clients may have managers that are new.
                self._apply((), setup)
                self._put_sounds(session)
            for changes in iter_changes(session, since):
                if self._stop.is_set():
                    return
                self._apply(changes, None)
        self._version = now.version

    def _load_setup(self, session: Session) -> Setup:
        """Load and prepare a set-up without a collection of garbage: the loop would wait for it.

        After `freeze` the new objects are frozen, too; they hold no cycles. `gc` is not asked: it
        counts what is frozen one by one, 20 ms of a million clients' in which no call is decided.
        """
        if self._frozen:
            gc.disable()
        try:
            setup = load_setup(session)
            self._prepare(setup)
        finally:
            if self._frozen:
                gc.freeze()
                gc.enable()
        return setup

    def _prepare(self, setup: Setup) -> None:
        """Do what the first calls would otherwise wait for: today's duty, holidays."""
        now = datetime.now(UTC)
        setup.prepare(now)
        self._talk_days = setup.last_talk_days

    def learn(self) -> None:
        """Learn who talked to whom lately, in pieces, and forget what is too old to count.

        All of it when more days count than before; else, each hour, the last day: calls of an
        outage are recorded by others. Raises what the database does.
        """
        days, now = self._talk_days, datetime.now(UTC)
        if days > self._learnt_days:
            since = now - timedelta(days=days)
        elif days and time.monotonic() > self._learn_at:
            since = now - _RELEARN
            self._talks.forget(now - timedelta(days=MOST_DAYS))
        else:
            self._learnt_days = min(days, self._learnt_days)
            return
        with reading(self._engine) as session:
            history = talks_since(session, since)
            while piece := list(islice(history, _PIECE)):
                self._talks.learn(piece)
                if self._stop.wait(_BREATH):  # calls go first
                    return
        self._learnt_days = days
        self._learn_at = time.monotonic() + _LEARN_EVERY

    def _put_sounds(self, session: Session) -> None:
        """Give the PBX the announcements; a folder that cannot be written costs only these."""
        folder = self._sounds
        if folder is None:
            return
        try:
            if changed := put(session, folder):
                log.info("sounds.put", folder=str(folder), changed=changed)
        except OSError as error:
            log.error("sounds.not_put", folder=str(folder), error=str(error))

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.poll()
                self.learn()
            except (SQLAlchemyError, StoreError, OSError) as error:
                if self.last_error is None:
                    log.error("feed.fails", error=reason(error))
                self.last_error = reason(error)
            except Exception as error:  # the thread must live on: the next look tries again
                log.exception("feed.failed")
                self.last_error = repr(error)
            else:
                if self.last_error is not None:
                    log.info("feed.back", version=self._version)
                self.last_error = None
