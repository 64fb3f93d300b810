"""Server processes of the lab: as whom they run, where their files are, how they die.

Root drops to an unprivileged user (65534) for the servers. When the caller's run folder cannot be
reached by that user (pytest's tmp_path is closed to others) or is too long for a Unix socket, the
files go to a fresh folder under /tmp and the run folder holds links to it, so callers see no
difference; that folder is removed when this Python ends.
"""

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.lab.cache import make_folder, open_to_all
from tests.lab.errors import LabError

_NOBODY = 65534
_LONGEST_HOME = 80


def server_uid(*programs: Path) -> int | None:
    """Return the uid to run a server as, None meaning our own.

    None for an ordinary user, and for root when the server's own `programs` are out of the
    unprivileged user's reach.
    """
    if os.geteuid() != 0 or not all(open_to_all(path) for path in programs):
        return None
    return _NOBODY


def place_home(run: Path, names: Iterable[str], uid: int | None) -> Path:
    """Create the folders `names` for a server under `run`; return the folder that holds them.

    It is `run` itself, or a reachable one to which `run`/name are links. Links left by an earlier
    server in the same run folder are followed, so its data is found again.
    """
    make_folder(run)
    run = run.resolve()
    links = [run / name for name in names]
    reachable = len(str(run)) <= _LONGEST_HOME and (uid is None or open_to_all(run))
    home = run
    if links[0].is_symlink():
        home = links[0].resolve().parent
        make_folder(home)
    elif not reachable:
        home = Path(tempfile.mkdtemp(prefix="dutyline-lab-"))
        home.chmod(0o755)
        atexit.register(shutil.rmtree, home, ignore_errors=True)
    for link in links:
        folder = make_folder(home / link.name)
        if home != run and not link.is_symlink():
            link.symlink_to(folder)
        give(folder, uid)
    give(home, uid, deep=False)
    return home


def give(path: Path, uid: int | None, *, deep: bool = True) -> None:
    """Make the server's user own `path` and, with `deep`, all below it."""
    if uid is None:
        return
    os.chown(path, uid, uid, follow_symlinks=False)
    if deep and path.is_dir() and not path.is_symlink():
        for below in path.rglob("*"):
            os.chown(below, uid, uid, follow_symlinks=False)


def run_as(
    command: Sequence[str],
    uid: int | None,
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run a short command as `uid`; raises LabError when it cannot start or does not end."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=cwd,
            env=env,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{command[0]} did not answer within {timeout:.0f} s") from None
    except OSError as error:
        raise LabError(f"{command[0]} does not start: {error}") from error


class Server:
    """One server process with all its children; its output goes to a file."""

    def __init__(self, name: str, uid: int | None, home: Path, output: Path) -> None:
        """`name` is for messages, `home` the working folder, `output` gets stdout and stderr."""
        self.name = name
        self.uid = uid
        self.home = home
        self.output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False

    @property
    def pid(self) -> int | None:
        """The process id, or None when the server is not running."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the process ended (minus the signal's number), None while it runs."""
        return None if self._process is None else self._process.poll()

    def spawn(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start the process; raises LabError when it runs already or cannot start."""
        if self.pid is not None:
            raise LabError(f"{self.name} runs already")
        with self.output.open("ab") as output:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self.home,
                    env=env,
                    user=self.uid,
                    group=self.uid,
                    extra_groups=None if self.uid is None else [],
                    start_new_session=True,
                )
            except OSError as error:
                raise LabError(f"{self.name} does not start: {error}") from error
        self._paused = False
        atexit.register(self.kill)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the main process only; nothing happens when it is gone."""
        if self.pid is not None and self._process is not None:
            self._process.send_signal(number)

    def wait(self, timeout: float) -> bool:
        """Wait for the main process to end; say whether it did within `timeout` seconds."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def pause(self) -> None:
        """Freeze the process and its children (SIGSTOP); returns when they are frozen."""
        family = self._family()
        for pid in family:
            _signal(pid, signal.SIGSTOP)
        self._paused = True
        deadline = time.monotonic() + 5
        while any(_state(pid) not in ("", "T", "Z") for pid in family):
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} did not stop on SIGSTOP")
            time.sleep(0.001)

    def resume(self) -> None:
        """Undo `pause`."""
        if self._paused:
            for pid in self._family():
                _signal(pid, signal.SIGCONT)
        self._paused = False

    def kill(self) -> None:
        """Kill the process and its children (SIGKILL) and wait until they are gone."""
        family = self._family()
        for pid in family:
            _signal(pid, signal.SIGKILL)
        self.wait(10)
        deadline = time.monotonic() + 5
        while any(_state(pid) not in ("", "Z") for pid in family):
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        atexit.unregister(self.kill)

    def _family(self) -> list[int]:
        """Return the pids of the process and all below it, parents first."""
        if self.pid is None:
            return []
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                fields = _stat(int(entry.name))
                if len(fields) > 1:
                    children.setdefault(int(fields[1]), []).append(int(entry.name))
        family = [self.pid]
        for pid in family:
            family.extend(children.get(pid, []))
        return family


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/pid/stat after the name: state, parent, …; empty when gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _state(pid: int) -> str:
    """Return the process's state letter, empty when it is gone."""
    fields = _stat(pid)
    return fields[0] if fields else ""


def tail(path: Path, lines: int = 25) -> str:
    """Return the last lines of a text file, empty when there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
