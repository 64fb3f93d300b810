"""Call records in a file while the database cannot take them: JSON lines, synced to the disk.

Beside the file at `path`: `.replay` is what is being written to the database now, `.damaged`
keeps lines that cannot be read (the last one, cut off by a crash), `.dead` keeps records that the
database refuses, `.lock` keeps a second process away. A line is
{"revision": int, "record": {…}}, see `codec`; in `.dead` also "error": str.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from telephony.store.calls import Revised
from telephony.store.codec import CodecError, record_from_json, record_to_json
from telephony.store.engine import StoreError


class Spill:
    """The spill file; safe to use from several threads of one process."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError when another process uses the file."""
        self._path = path
        self._replay = path.with_name(path.name + ".replay")
        self._damaged = path.with_name(path.name + ".damaged")
        self._dead = path.with_name(path.name + ".dead")
        self._lock = threading.Lock()
        self._owned = self._own(path.with_name(path.name + ".lock"))
        self._waiting = _lines(path)
        self._replaying = _lines(self._replay)

    @property
    def count(self) -> int:
        """How many records lie in the file."""
        return self._waiting + self._replaying

    def append(self, items: Sequence[Revised]) -> list[tuple[Revised, Exception]]:
        """Add records and sync once; return those that cannot be put into JSON, with the error.

        Raises OSError, having added nothing, when the disk does not take them.
        """
        lines: list[bytes] = []
        refused: list[tuple[Revised, Exception]] = []
        for item in items:
            try:
                lines.append(_line(item))
            except (TypeError, ValueError, AttributeError) as error:
                refused.append((item, error))
        with self._lock:
            _append(self._path, b"".join(lines))
            self._waiting += len(lines)
        return refused

    def batches(self, size: int) -> Iterator[list[Revised]]:
        """Yield all records in batches; when the last one was taken they are gone from the file.

        Whoever stops in between gets them all again the next time. Raises OSError.
        """
        with self._lock:
            if not self._replay.exists() and self._path.exists():
                self._path.rename(self._replay)
                self._replaying, self._waiting = self._waiting, 0
        batch: list[Revised] = []
        try:
            with self._replay.open("rb") as lines:
                for line in lines:
                    item = self._item(line)
                    if item:
                        batch.append(item)
                    if len(batch) == size:
                        yield batch
                        batch = []
        except FileNotFoundError:
            self._replaying = 0
            return
        if batch:
            yield batch
        self._replay.unlink()
        _sync_folder(self._replay.parent)
        self._replaying = 0

    def bury(self, item: Revised, error: Exception) -> None:
        """Keep a record that the database refuses aside; raises OSError."""
        value = {"error": f"{type(error).__name__}: {error}", "revision": item.revision}
        try:
            line = json.dumps(value | {"record": record_to_json(item.record)})
        except (TypeError, ValueError, AttributeError):
            line = json.dumps(value | {"repr": repr(item.record)})
        _append(self._dead, line.encode() + b"\n")

    def close(self) -> None:
        """Let another process have the file."""
        if self._owned:
            self._owned.close()
            self._owned = None

    def _own(self, path: Path) -> BinaryIO | None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = path.open("ab")
        except OSError:
            return None  # a disk that takes nothing is told of when something is to be written
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise StoreError(f"another process writes calls through {self._path}") from None
        return handle

    def _item(self, line: bytes) -> Revised | None:
        try:
            value = json.loads(line)
            return Revised(record_from_json(value["record"]), int(value["revision"]))
        except (CodecError, ValueError, KeyError, TypeError):
            if line.strip():
                _append(self._damaged, line.rstrip(b"\n") + b"\n")
            return None


def _line(item: Revised) -> bytes:
    value = {"revision": item.revision, "record": record_to_json(item.record)}
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def _append(path: Path, data: bytes) -> None:
    """Add whole lines to a file and sync; on an error the file is as it was. Raises OSError."""
    if not data:
        return
    fresh = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b", buffering=0) as handle:
        size = handle.seek(0, os.SEEK_END)
        if size:
            handle.seek(size - 1)
            if handle.read(1) != b"\n":  # a crash cut the last line off: keep it apart from ours
                data = b"\n" + data
        try:
            written = 0
            while written < len(data):
                written += handle.write(data[written:])
            os.fsync(handle.fileno())
        except OSError:
            os.ftruncate(handle.fileno(), size)
            raise
    if fresh:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lines(path: Path) -> int:
    try:
        with path.open("rb") as lines:
            return sum(1 for line in lines if line.strip())
    except OSError:
        return 0
