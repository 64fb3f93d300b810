"""Announcements on their way to the PBX: made into what Asterisk plays, put where it looks.

The database is the record; the folder below Asterisk's sounds is a copy of it, which the listener,
beside the PBX, keeps equal.
"""

from __future__ import annotations

import hashlib
import io
import wave
from datetime import datetime
from pathlib import Path

import miniaudio
from sqlalchemy.orm import Session

from telephony.domain.announcements import NAME, places_of
from telephony.domain.setup import Setup
from telephony.store.announcements import (
    Announcement,
    delete_announcement,
    get_wav,
    list_announcements,
    save_announcement,
)
from telephony.store.directory import bump

RATE = 8000  # samples a second: what telephones carry
LONGEST_SECONDS = 300
BIGGEST_BYTES = 20_000_000
_SHORTEST_SECONDS = 0.1
_READABLE = 0o644
_LIST = "dutyline-announcements.txt"


class SoundError(ValueError):
    """A file that cannot become an announcement; `code` says why."""

    def __init__(self, code: str) -> None:
        """`code` is `unreadable`, `empty`, `long` or `big`."""
        self.code = code
        super().__init__(code)


class InUseError(Exception):
    """The announcement is played somewhere: `places` are (DID, what plays it)."""

    def __init__(self, places: list[tuple[str, str]]) -> None:
        """`places` are those of `domain.announcements.places_of`."""
        self.places = places
        super().__init__(", ".join(f"{number}: {place}" for number, place in places))


def convert(data: bytes) -> tuple[bytes, float]:
    """Return (WAV of 16 bits, one channel, 8 kHz; its seconds) of a WAV, MP3, FLAC or Ogg file.

    Raises SoundError. Decoded piece by piece: a small file may unfold into hours.
    """
    if len(data) > BIGGEST_BYTES:
        raise SoundError("big")
    samples = bytearray()
    try:
        for piece in miniaudio.stream_memory(data, nchannels=1, sample_rate=RATE):
            samples += piece.tobytes()
            if len(samples) > LONGEST_SECONDS * RATE * 2:
                raise SoundError("long")
    except miniaudio.MiniaudioError as error:
        raise SoundError("unreadable") from error
    seconds = len(samples) / 2 / RATE
    if seconds < _SHORTEST_SECONDS:
        raise SoundError("empty")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(samples))
    return out.getvalue(), seconds


def keep(session: Session, name: str, title: str, data: bytes, now: datetime) -> Announcement:
    """Store an uploaded file as the announcement `name`, in place of an older one.

    Listeners follow. Raises SoundError.
    """
    wav, seconds = convert(data)
    one = Announcement(name, title, round(seconds, 1), hashlib.sha256(wav).hexdigest(), now)
    save_announcement(session, one, wav)
    bump(session, setup=True)
    return one


def drop(session: Session, setup: Setup, name: str) -> bool:
    """Delete an announcement that nothing plays; tell whether there was one. Raises InUseError."""
    places = places_of(setup, name)
    if places:
        raise InUseError(places)
    found = delete_announcement(session, name)
    if found:
        bump(session, setup=True)
    return found


def put(session: Session, folder: Path) -> int:
    """Make our WAV files in a folder those that are stored; return how many were written or gone.

    A list in the folder says which are ours: nobody else's sound is overwritten or removed.
    Asterisk may be reading: each file is put in place whole. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stored = {one.name: one.digest for one in list_announcements(session)}
    ours = _ours(folder)
    changed = 0
    for name in sorted(ours - stored.keys()):
        (folder / f"{name}.wav").unlink(missing_ok=True)
        changed += 1
    kept = ours & stored.keys()
    for name, digest in stored.items():
        path = folder / f"{name}.wav"
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            kept.add(name)
            continue
        if path.exists() and name not in ours:
            raise FileExistsError(f"{path} is not ours: rename it, or the announcement")
        wav = get_wav(session, name)
        if wav is not None:
            kept.add(name)
            _write(folder / _LIST, "".join(f"{one}\n" for one in sorted(kept | ours)).encode())
            _write(path, wav)
            changed += 1
    if kept != ours:
        _write(folder / _LIST, "".join(f"{one}\n" for one in sorted(kept)).encode())
    return changed


def _ours(folder: Path) -> set[str]:
    """Return the names of the announcements that we put into a folder."""
    try:
        lines = (folder / _LIST).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return set()
    return {line for line in lines if NAME.fullmatch(line)}


def _write(path: Path, data: bytes) -> None:
    new = path.with_name(path.name + ".new")
    new.write_bytes(data)
    new.chmod(_READABLE)  # whatever the umask is: Asterisk is another user
    new.replace(path)
