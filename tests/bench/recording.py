"""Two AMI streams of the same calls, recorded from the real Asterisk and kept for later runs.

`all` is what a user sees who reads everything; `filtered` is what Dutyline's own user sees behind
its event filters. Each comes with the sizes of the pieces in which it arrived.
"""

from __future__ import annotations

import hashlib
import json
import socket
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from telephony.ami import actions, names
from tests.bench import people
from tests.bench.office import SECRET, USER, Office, office, pbx_files
from tests.lab.cache import default_cache, make_folder
from tests.lab.errors import LabError

CALLS = 50
_RATE = 20.0
_SEPARATOR = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Stream:
    """Whole packets, as the pieces that a socket delivered."""

    pieces: tuple[bytes, ...]

    @property
    def events(self) -> int:
        """How many packets there are."""
        return b"".join(self.pieces).count(_SEPARATOR)

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return sum(len(piece) for piece in self.pieces)


class Tap:
    """A second AMI session that collects what it is sent."""

    def __init__(self, port: int, user: str, secret: str, events: str) -> None:
        self.pieces: list[bytes] = []
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        login = (*actions.login(user, secret)[:-1], ("Events", events))
        self._socket.sendall(actions.render(login))
        seen = b""
        while b"Authentication accepted" not in seen:
            piece = self._socket.recv(65536)
            if not piece:
                raise LabError("the AMI login was refused")
            seen += piece
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self) -> None:
        self._socket.settimeout(None)
        while piece := self._socket.recv(65536):
            self.pieces.append(piece)

    def stop(self) -> None:
        """End the session."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


def _recipe() -> str:
    """Return what the recording depends on, as a name."""
    text = json.dumps([pbx_files((22, 10)), CALLS, 1])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _whole(pieces: list[bytes]) -> list[bytes]:
    """Return the pieces without the rest of a login's answer before the first event."""
    data = b"".join(pieces)
    start = data.find(b"Event: ")
    end = data.rfind(_SEPARATOR) + len(_SEPARATOR)
    kept, at = [], 0
    for piece in pieces:
        part = piece[max(0, start - at) : max(0, end - at)]
        at += len(piece)
        if part:
            kept.append(part)
    return kept


def record(folder: Path, place: Office) -> None:
    """Record answered calls into `folder`: `all.ami`, `filtered.ami`, and the pieces' sizes."""
    everything = Tap(place.pbx.ami_port, "lab", "labsecret", "on")
    filtered = Tap(place.pbx.ami_port, USER, SECRET, names.READ)
    result = place.load(people.DID, _RATE, CALLS / _RATE)
    everything.stop()
    filtered.stop()
    if result.lost or result.failed or result.wrong:
        raise LabError(f"the recording's calls went wrong: {result}")
    make_folder(folder)
    for name, tap in (("all", everything), ("filtered", filtered)):
        pieces = _whole(tap.pieces)
        (folder / f"{name}.ami").write_bytes(b"".join(pieces))
        (folder / f"{name}.json").write_text(json.dumps([len(piece) for piece in pieces]))


def streams() -> dict[str, Stream]:
    """Return `all` and `filtered`, recording them first when there is no fitting recording."""
    folder = default_cache().parent / "bench" / f"recording-{_recipe()}"
    if not (folder / "filtered.json").exists():
        print(f"recording {CALLS} calls into {folder}", flush=True)
        with tempfile.TemporaryDirectory(prefix="dutyline-bench-") as temporary:
            Path(temporary).chmod(0o755)
            with office(Path(temporary) / "run") as place:
                record(folder, place)
    found = {}
    for name in ("all", "filtered"):
        data = (folder / f"{name}.ami").read_bytes()
        pieces, at = [], 0
        for size in json.loads((folder / f"{name}.json").read_text()):
            pieces.append(data[at : at + size])
            at += size
        found[name] = Stream(tuple(pieces))
    return found
