"""The cache folder: where it is, who may fetch into it now, and what in it is complete."""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.lab.errors import LabError

Say = Callable[[str], None]
MARKER = ".ready"
_REPO = Path(__file__).resolve().parents[2]


def quiet(line: str) -> None:
    """Drop a progress line (the default `say`)."""


def open_to_all(path: Path) -> bool:
    """Say whether a user without privileges can traverse every folder down to `path`."""
    path = path.resolve()
    for folder in (path, *path.parents):
        try:
            mode = folder.stat().st_mode
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(mode) and not mode & stat.S_IXOTH:
            return False
    return True


def default_cache() -> Path:
    """Return $DUTYLINE_LAB_CACHE, else <repo>/.build/lab."""
    forced = os.environ.get("DUTYLINE_LAB_CACHE")
    return Path(forced).resolve() if forced else _REPO / ".build" / "lab"


def make_folder(path: Path) -> Path:
    """Create `path` and its parents, those created being readable by everybody; return it."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            folder.chmod(0o755)
    return path


@contextlib.contextmanager
def locked(cache: Path, say: Say = quiet, timeout: float = 900.0) -> Iterator[None]:
    """Hold the cache's lock, so that two processes never fetch at once.

    Waits `timeout` seconds at most, then raises LabError.
    """
    make_folder(cache)
    deadline = time.monotonic() + timeout
    told = False
    with (cache / ".lock").open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LabError(f"{cache} stayed locked for {timeout:.0f} s") from None
                if not told:
                    say(f"waiting for another process that fetches into {cache}")
                    told = True
                time.sleep(0.1)
        yield


def is_ready(tree: Path, recipe: str) -> bool:
    """Say whether `tree` was completed by this very `recipe` (any text)."""
    try:
        return (tree / MARKER).read_text(encoding="utf-8") == recipe
    except OSError:
        return False


@contextlib.contextmanager
def building(tree: Path, recipe: str) -> Iterator[Path]:
    """Give an empty folder to build in; if the block succeeds it becomes `tree`, marked ready.

    The marker is written last and the rename is atomic: a broken build is never taken as done.
    """
    make_folder(tree.parent)
    fresh = Path(tempfile.mkdtemp(prefix=f".{tree.name}.", dir=tree.parent))
    fresh.chmod(0o755)
    try:
        yield fresh
        part = fresh / (MARKER + ".part")
        part.write_text(recipe, encoding="utf-8")
        part.chmod(0o644)
        part.rename(fresh / MARKER)
        if tree.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{tree.name}.old.", dir=tree.parent))
            tree.rename(old / tree.name)
            fresh.rename(tree)
            shutil.rmtree(old, ignore_errors=True)
        else:
            fresh.rename(tree)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
