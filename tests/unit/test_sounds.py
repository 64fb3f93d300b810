"""Uploaded sounds: what they become, what is refused, how the PBX's folder is kept equal."""

from __future__ import annotations

import io
import math
import struct
import wave
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from telephony.domain.announcements import places_of
from telephony.domain.did import Action, ActionKind, Did, Menu, StepName, StepRule
from telephony.domain.setup import Setup
from telephony.sounds import InUseError, SoundError, convert, drop, keep, put
from telephony.store.directory import current_version
from telephony.store.engine import open_engine, reading, writing
from telephony.store.migrations import migrate

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def wav(seconds: float, rate: int = 44100, channels: int = 2) -> bytes:
    """Return a tone of 440 Hz."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        samples = (
            round(12000 * math.sin(2 * math.pi * 440 * place / rate))
            for place in range(round(seconds * rate))
        )
        file.writeframes(b"".join(struct.pack("<h", one) * channels for one in samples))
    return out.getvalue()


# MPEG-1 layer III, 32 kbit/s, 44.1 kHz, one channel: 40 frames of silence, 1,152 samples each.
MP3 = (b"\xff\xfb\x10\xc4" + b"\0" * 100) * 40


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        (wav(1.0), 1.0),
        (wav(0.5, 8000, 1), 0.5),
        (wav(0.5, 96000, 2), 0.5),
        (MP3, 40 * 1152 / 44100),
    ],
    ids=["cd", "telephone", "studio", "mp3"],
)
def test_any_sound_becomes_what_telephones_carry(data: bytes, seconds: float) -> None:
    made, length = convert(data)
    assert length == pytest.approx(seconds, abs=0.05)
    with wave.open(io.BytesIO(made)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() / 8000 == pytest.approx(length)


def test_the_tone_stays() -> None:
    made, _ = convert(wav(1.0))
    with wave.open(io.BytesIO(made)) as file:
        samples = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
    crossings = sum(a < 0 <= b for a, b in pairwise(samples))
    assert crossings == pytest.approx(440, abs=3)
    assert max(samples) > 8000


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unreadable"),
        (b"GIF89a" + b"\0" * 100, "unreadable"),
        (b"<html>no sound</html>", "unreadable"),
        (wav(0.01), "empty"),
        (wav(301, 8000, 1), "long"),
        (b"\0" * 20_000_001, "big"),
    ],
)
def test_what_is_no_announcement_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(SoundError) as caught:
        convert(data)
    assert caught.value.code == code


def test_the_folder_is_kept_equal_to_what_is_stored(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    migrate(url)
    engine = open_engine(url)
    folder = tmp_path / "sounds" / "dutyline"
    with writing(engine) as session:
        before = current_version(session).setup_version
        keep(session, "welcome", "Welcome", convert(wav(0.5)), NOW)
        keep(session, "menu", "Menu", convert(wav(0.3)), NOW)
    with reading(engine) as session:
        assert current_version(session).setup_version > before
        assert put(session, folder) == 2
        assert put(session, folder) == 0
    first = (folder / "welcome.wav").read_bytes()
    assert (folder / "welcome.wav").stat().st_mode & 0o777 == 0o644
    (folder / "menu.wav").write_bytes(b"broken")
    (folder / "old.wav").write_bytes(b"of another time")
    (folder / "mine.gsm").write_bytes(b"the admin's own")
    with writing(engine) as session:
        keep(session, "welcome", "Welcome", convert(wav(0.7)), NOW)
    with reading(engine) as session:
        assert put(session, folder) == 2
    assert (folder / "welcome.wav").read_bytes() != first
    names = {path.name for path in folder.iterdir()} - {"dutyline-announcements.txt"}
    assert names == {"welcome.wav", "menu.wav", "mine.gsm", "old.wav"}
    with writing(engine) as session:
        drop(session, Setup(), "menu")
    with reading(engine) as session:
        assert put(session, folder) == 1
    assert not (folder / "menu.wav").exists()
    assert (folder / "old.wav").read_bytes() == b"of another time"


def test_a_sound_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    migrate(url)
    engine = open_engine(url)
    (tmp_path / "welcome.wav").write_bytes(b"theirs")
    with writing(engine) as session:
        keep(session, "welcome", "Welcome", convert(wav(0.5)), NOW)
    with reading(engine) as session, pytest.raises(FileExistsError, match="is not ours"):
        put(session, tmp_path)
    assert (tmp_path / "welcome.wav").read_bytes() == b"theirs"


def played() -> Setup:
    did = Did(
        "7495",
        "sales",
        greeting="@one",
        menu=Menu("@two", {"1": "sales"}),
        closed=Action(ActionKind.END, "@one"),
        unanswered=Action(ActionKind.PROMISE, "vm-goodbye"),
        steps={StepName.DUTY: StepRule(announcement="@two")},
    )
    return Setup(dids={"7495": did})


def test_what_is_played_is_not_deleted(tmp_path: Path) -> None:
    assert places_of(played(), "one") == [("7495", "greeting"), ("7495", "closed")]
    assert places_of(played(), "two") == [("7495", "menu"), ("7495", "duty")]
    assert places_of(played(), "vm-goodbye") == []
    url = f"sqlite:///{tmp_path / 'd.db'}"
    migrate(url)
    with writing(open_engine(url)) as session:
        keep(session, "one", "One", convert(wav(0.3)), NOW)
        with pytest.raises(InUseError, match="7495: greeting"):
            drop(session, played(), "one")
        assert drop(session, Setup(), "one") is True
        assert drop(session, Setup(), "one") is False
