"""Announcements on their way to the PBX: checked and made into what Asterisk plays, put where it
looks. The panel and the API upload them here.

The database is the record; the folder below Asterisk's sounds is a copy of it, which the listener,
beside the PBX, keeps equal.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
import wave
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import miniaudio
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.domain.announcements import NAME, places_of
from telephony.domain.setup import Setup
from telephony.store.announcements import (
    Announcement,
    delete_announcement,
    get_announcement,
    get_wav,
    list_announcements,
    retitle,
    save_announcement,
)
from telephony.store.audit import Note
from telephony.store.directory import bump
from telephony.store.engine import writing
from telephony.store.setup import load_setup

RATE = 8000  # samples a second: what telephones carry
LONGEST_SECONDS = 300
BIGGEST_BYTES = 20_000_000
MOST_BODY = BIGGEST_BYTES + 100_000  # of a request that brings one
LONGEST_TITLE = 100
_SHORTEST_SECONDS = 0.1
_READABLE = 0o644
_LIST = "dutyline-announcements.txt"


class Objection(StrEnum):
    """What can be wrong with an announcement."""

    NO_TITLE = "no_title"
    TITLE_LONG = "title_long"
    CONTROL_CHARACTER = "control_character"
    NO_NAME = "no_name"
    NAME_FORM = "name_form"
    NAME_TAKEN = "name_taken"
    NO_FILE = "no_file"
    UNREADABLE = "unreadable"
    EMPTY = "empty"
    LONG = "long"
    BIG = "big"


class SoundError(ValueError):
    """A file that cannot become an announcement; `code` says why."""

    def __init__(self, code: Objection) -> None:
        """`code` is one of UNREADABLE, EMPTY, LONG and BIG."""
        self.code = code
        super().__init__(code.value)


@dataclass(frozen=True, slots=True)
class Objected:
    """One thing wrong: the field (title, name, file) and why."""

    field: str
    why: Objection


class InUseError(Exception):
    """The announcement is played somewhere: `places` are (DID, what plays it).

    The DID is empty where callbacks play it.
    """

    def __init__(self, places: list[tuple[str, str]]) -> None:
        """`places` are those of `domain.announcements.places_of`."""
        self.places = places
        super().__init__(", ".join(": ".join(filter(None, each)) for each in places))


def convert(data: bytes) -> tuple[bytes, float]:
    """Return (WAV of 16 bits, one channel, 8 kHz; its seconds) of a WAV, MP3, FLAC or Ogg file.

    Raises SoundError. Decoded piece by piece: a small file may unfold into hours.
    """
    if len(data) > BIGGEST_BYTES:
        raise SoundError(Objection.BIG)
    samples = bytearray()
    try:
        for piece in miniaudio.stream_memory(data, nchannels=1, sample_rate=RATE):
            samples += piece.tobytes()
            if len(samples) > LONGEST_SECONDS * RATE * 2:
                raise SoundError(Objection.LONG)
    except miniaudio.MiniaudioError as error:
        raise SoundError(Objection.UNREADABLE) from error
    seconds = len(samples) / 2 / RATE
    if seconds < _SHORTEST_SECONDS:
        raise SoundError(Objection.EMPTY)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(samples))
    return out.getvalue(), seconds


def add(
    engine: Engine, name: str, title: str, data: bytes, now: datetime, note: Note
) -> tuple[Announcement | None, tuple[Objected, ...]]:
    """Check an uploaded file and store it as a new announcement; return it, or what is wrong."""
    wrong = _titled(title)
    if not NAME.fullmatch(name):
        wrong.append(Objected("name", Objection.NAME_FORM if name else Objection.NO_NAME))
    if not data:
        wrong.append(Objected("file", Objection.NO_FILE))
    sound = None if wrong else _converted(data, wrong)
    if sound is None:
        return None, tuple(wrong)
    with writing(engine) as session:
        if get_announcement(session, name) is not None:
            return None, (Objected("name", Objection.NAME_TAKEN),)
        one = keep(session, name, title.strip(), sound, now)
        note(session, "announcement.added", name, title=one.title, seconds=one.seconds)
    return one, ()


def amend(
    engine: Engine, name: str, title: str | None, data: bytes | None, now: datetime, note: Note
) -> tuple[Announcement | None, tuple[Objected, ...]]:
    """Give an announcement another title, another sound or both; None leaves one as it is.

    Return it as it is then, or what is wrong; neither when there is none of this name.
    """
    wrong = [] if title is None else _titled(title)
    sound = None if wrong or data is None else _converted(data, wrong)
    if wrong:
        return None, tuple(wrong)
    with writing(engine) as session:
        one = get_announcement(session, name)
        if one is None:
            return None, ()
        called = one.title if title is None else title.strip()
        if sound is not None:
            new = keep(session, name, called, sound, now)
            note(session, "announcement.replaced", name, title=called, seconds=new.seconds)
            return new, ()
        if called != one.title:
            retitle(session, name, called)
            note(session, "announcement.renamed", name, was=one.title, title=called)
    return replace(one, title=called), ()


def remove(engine: Engine, name: str, note: Note) -> bool:
    """Delete an announcement that nothing plays; tell whether there was one. Raises InUseError."""
    with writing(engine) as session:
        one = get_announcement(session, name)
        if one is None:
            return False
        drop(session, load_setup(session), name)
        note(session, "announcement.removed", name, title=one.title)
    return True


def keep(
    session: Session, name: str, title: str, sound: tuple[bytes, float], now: datetime
) -> Announcement:
    """Store what `convert` returned as the announcement `name`, in place of an older one.

    Listeners follow.
    """
    wav, seconds = sound
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


def _titled(title: str) -> list[Objected]:
    given = title.strip()
    wrong = [] if given else [Objected("title", Objection.NO_TITLE)]
    if len(given) > LONGEST_TITLE:
        wrong.append(Objected("title", Objection.TITLE_LONG))
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in given):
        wrong.append(Objected("title", Objection.CONTROL_CHARACTER))
    return wrong


def _converted(data: bytes, wrong: list[Objected]) -> tuple[bytes, float] | None:
    """Convert a file before the database is locked; None, with the reason added, when it fails."""
    try:
        return convert(data)
    except SoundError as error:
        wrong.append(Objected("file", error.code))
        return None


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
