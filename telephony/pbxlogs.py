"""The files and the table into which the PBX writes its calls, read from where we stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    Select,
    Table,
    create_engine,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from telephony.asterisk.written import attempts, cdr_rows, queue_rows, zone_shift
from telephony.domain.cdr import Attempt
from telephony.domain.queuelog import QueueRow
from telephony.store.cursors import Cursor
from telephony.store.engine import reason
from telephony.store.tables import moment

log = structlog.get_logger(__name__)

QUEUE_LOG, CDR_FILE, CDR_URL, EVENTS = "queue_log", "cdr_file", "cdr_url", "events"
# An outage never fills more than this; a file that is new to us is not read from its beginning.
_MOST_BYTES = 64 << 20
_LONGEST_CALL = timedelta(hours=12)
_AT_ONCE = 2000
# An end is compared by the clock on the wall: this covers a change of the clocks.
_CLOCKS = timedelta(hours=2)
_COLUMNS = (
    "calldate", "start", "answer", "end", "duration", "billsec", "disposition", "uniqueid",
    "linkedid", "channel", "dstchannel", "src", "dst", "did",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file: right behind a row."""

    inode: int
    offset: int


@dataclass(frozen=True, slots=True)
class Written:
    """What was written since the cursors, and the places up to which it was read.

    `unread` are the sources that could not be read.
    """

    attempts: tuple[Attempt, ...]
    queue_rows: tuple[QueueRow, ...]
    places: dict[str, Place]
    unread: frozenset[str] = frozenset()


class PbxLogs:
    """Reads what is configured; what cannot be read is logged, and told with what can."""

    def __init__(self, queue_log: Path | None, cdr_file: Path | None, cdr_url: str | None) -> None:
        """`cdr_url` is SQLAlchemy's, of a database with a table `cdr`."""
        self._files = {
            name: path
            for name, path in ((QUEUE_LOG, queue_log), (CDR_FILE, cdr_file))
            if path is not None
        }
        self._url = cdr_url
        self._engine: Engine | None = None
        self._failing: set[str] = set()

    def __bool__(self) -> bool:
        """Tell whether anything is configured."""
        return bool(self._files or self._url)

    def places(self) -> dict[str, Place]:
        """Return where each file ends now; a file in the middle of a row is left out."""
        found: dict[str, Place] = {}
        for name, path in self._files.items():
            try:
                with path.open("rb") as file:
                    size = file.seek(0, 2)
                    if size:
                        file.seek(size - 1)
                    if not size or file.read(1) == b"\n":
                        found[name] = Place(path.stat().st_ino, size)
            except OSError as error:
                self._failed(name, error)
        return found

    def read(self, cursors: dict[str, Cursor], since: int) -> Written:
        """Return what was written behind the cursors; of a table, of calls since `since` (µs).

        A file without a cursor is new to us: it is read, and `since` is for the caller to apply.
        """
        places: dict[str, Place] = {}
        pieces: dict[str, bytes] = {}
        unread: set[str] = set()
        for name, path in self._files.items():
            cursor = cursors.get(name)
            try:
                pieces[name], places[name] = _piece(path, cursor)
            except FileNotFoundError as error:
                # The PBX makes it with its first row; one that was there is being rotated.
                self._failed(name, error)
                if cursor is not None:
                    unread.add(name)
            except OSError as error:
                self._failed(name, error)
                unread.add(name)
            else:
                self._failing.discard(name)
        rows = cdr_rows(pieces.get(CDR_FILE, b""))
        if self._url:
            try:
                rows += self._table_rows(self._url, moment(since))
            except (SQLAlchemyError, OSError, ImportError) as error:
                self._failed(CDR_URL, error)
                unread.add(CDR_URL)
            else:
                self._failing.discard(CDR_URL)
        found = tuple(queue_rows(pieces.get(QUEUE_LOG, b"")))
        return Written(tuple(rows), found, places, frozenset(unread))

    def close(self) -> None:
        """Close the connection to the CDR's database."""
        if self._engine is not None:
            self._engine.dispose()

    def _failed(self, name: str, error: BaseException) -> None:
        if name not in self._failing:
            log.warning("resync.log_unreadable", source=name, error=reason(error))
        self._failing.add(name)

    def _table_rows(self, url: str, since: datetime) -> list[Attempt]:
        if self._engine is None:
            self._engine = create_engine(url, pool_pre_ping=True)
        with self._engine.connect() as connection:
            table = Table("cdr", MetaData(), autoload_with=connection)
            there = [table.c[name] for name in _COLUMNS if name in table.c]
            began = table.c["calldate" if "calldate" in table.c else "start"]
            newest = connection.execute(
                select(began, table.c.uniqueid).order_by(began.desc()).limit(1)
            ).first()
            if newest is None:
                return []
            # The table's times are naive, in a zone of its own.
            ahead = timedelta(seconds=zone_shift(newest[1], _naive(newest[0])))
            over = since.replace(tzinfo=None) + ahead
            later = began >= _as(newest[0], over - _LONGEST_CALL)
            # Rows of the calls that ended since: which those are, the rows must tell one by one.
            wanted = {
                _call_of(row)
                for row in _rows(connection, select(*there).where(later))
                if _ended(row) >= over - _CLOCKS
            }
            found = [
                row
                for row in _rows(connection, select(*there).where(later).order_by(began))
                if _call_of(row) in wanted
            ]
        return attempts(found)


def _rows(connection: Connection, query: Select[Any]) -> Iterator[dict[str, Any]]:
    """Read rows as they come: there may be very many."""
    options = {"stream_results": True, "yield_per": _AT_ONCE}
    for row in connection.execute(query, execution_options=options).mappings():
        yield {str(name): value for name, value in row.items()}


def _call_of(row: Mapping[str, Any]) -> str:
    return str(row.get("linkedid") or row.get("uniqueid"))


def _ended(row: Mapping[str, Any]) -> datetime:
    """Return when a row's call ended, naive, by the table's clock."""
    began = _naive(row["calldate" if "calldate" in row else "start"])
    try:
        length = timedelta(seconds=int(row.get("duration") or 0))
    except ValueError:
        length = _LONGEST_CALL
    end = row.get("end")
    return max(began + length, _naive(end)) if end else began + length


def _naive(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.replace(tzinfo=None)


def _as(like: Any, value: datetime) -> Any:
    """Return a moment in the form that the column has: some tables keep times as text."""
    return value if isinstance(like, datetime) else value.isoformat(" ", "seconds")


def _piece(path: Path, cursor: Cursor | None) -> tuple[bytes, Place]:
    """Return the bytes behind the cursor up to the last whole row, also over a rotation."""
    with path.open("rb") as file:
        inode = path.stat().st_ino
        size = file.seek(0, 2)
        older = b""
        offset = 0
        if cursor is not None and cursor.inode == inode and cursor.offset <= size:
            offset = cursor.offset
        elif cursor is not None and cursor.inode != inode:
            older = _rotated(path, cursor)
        if size - offset > _MOST_BYTES:
            offset = size - _MOST_BYTES
            file.seek(offset)
            offset += len(file.readline())
        file.seek(offset)
        data = file.read(size - offset)
    whole = data[: data.rfind(b"\n") + 1]
    return older + whole, Place(inode, offset + len(whole))


def _rotated(path: Path, cursor: Cursor) -> bytes:
    """Return the rest of the file that was at `path` before, when it lies beside it."""
    for other in path.parent.glob(path.name + "*"):
        if other != path and other.stat().st_ino == cursor.inode:
            with other.open("rb") as file:
                file.seek(cursor.offset)
                return file.read(_MOST_BYTES)
    return b""
