"""One Asterisk of the lab: its config, its process, its console."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab import process
from tests.lab.asterisk_conf import FOLDERS, Endpoint, Network, configuration
from tests.lab.asterisk_tree import AsteriskTree, wanted_modules
from tests.lab.errors import LabError
from tests.lab.ports import free_port

__all__ = ["DEFAULT_ENDPOINTS", "Asterisk", "Endpoint"]

DEFAULT_ENDPOINTS = tuple(Endpoint(str(name), f"pw{name}") for name in range(101, 107))
_CLI_SECONDS = 10.0


class Asterisk:
    """A PBX on 127.0.0.1 with a trunk to `trunk_ip`; usable as a context manager.

    Attributes: `sip_port` (UDP), `ami_port` (user lab, secret labsecret), `agi_port` (free, for a
    FastAGI server of the caller), `trunk_ip` and `trunk_port` (where the provider must listen),
    `run` (etc/, log/, spool/… are in it), `etc`. Ports and files are settled in the constructor and
    kept over restarts; `note` tells when root could not drop its privileges, else it is empty.
    """

    def __init__(
        self,
        tree: AsteriskTree,
        run: Path,
        *,
        endpoints: Sequence[Endpoint] = DEFAULT_ENDPOINTS,
        files: Mapping[str, str] | None = None,
        skip_modules: Collection[str] = (),
        trunk_ip: str = "127.0.0.2",
        full_log: bool = False,
    ) -> None:
        """Write the configuration under `run`.

        `files` (name → contents) override or add files of etc/; `skip_modules` are module names
        without ".so" that are not loaded. Raises LabError when no port is free.
        """
        self.tree = tree
        self.run = run
        self.endpoints = tuple(endpoints)
        self.trunk_ip = trunk_ip
        self.sip_port = free_port("127.0.0.1", socket.SOCK_DGRAM)
        self.trunk_port = free_port(trunk_ip, socket.SOCK_DGRAM)
        self.ami_port = free_port()
        self.agi_port = free_port()
        self.full_log = full_log
        self.uid = process.server_uid(Path(tree.argv[0]), tree.modules, tree.data)
        dropped = self.uid is not None or os.geteuid() != 0
        self.note = "" if dropped else f"runs as root: {tree.modules} is closed to others"
        self.home = process.place_home(run, FOLDERS, self.uid)
        self.etc = run / "etc"
        net = Network(self.sip_port, self.ami_port, trunk_ip, self.trunk_port)
        modules = [
            name
            for name in wanted_modules()
            if name not in skip_modules and (tree.modules / f"{name}.so").exists()
        ]
        texts = configuration(
            tree, self.home, net, endpoints=self.endpoints, modules=modules, full_log=full_log
        )
        for name, text in {**texts, **(files or {})}.items():
            self.write(name, text)
        for name in ("log/cdr-csv", "spool/monitor", "spool/recording", "keys/keys"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        self._server = process.Server("Asterisk", self.uid, self.home, self.home / "log" / "stdout")

    def write(self, name: str, text: str) -> None:
        """Write a file of etc/; `reload` or a restart makes Asterisk read it."""
        path = self.etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)

    @property
    def pid(self) -> int | None:
        """The process id, None when it is not running."""
        return self._server.pid

    def start(self, timeout: float = 20) -> None:
        """Start it; return when it is fully booted and AMI accepts.

        Raises LabError, with the tail of the log, when that takes longer than `timeout` seconds.
        """
        for name in FOLDERS:
            process.give(self.home / name, self.uid)
        control = self.home / "run" / "asterisk.ctl"
        with contextlib.suppress(FileNotFoundError):
            control.unlink()  # left by a killed one, it would be taken for the new one's
        config = str(self.home / "etc/asterisk.conf")
        self._server.spawn([*self.tree.argv, "-f", "-q", "-C", config])
        deadline = time.monotonic() + timeout
        while not (control.exists() and self._booted() and self._ami_accepts()):
            if self._server.pid is None:
                raise LabError(f"Asterisk ended at once\n{self._last_words()}")
            if time.monotonic() > deadline:
                self.kill()
                raise LabError(f"Asterisk not up after {timeout} s\n{self._last_words()}")
            time.sleep(0.02)

    def _booted(self) -> bool:
        try:
            return "fully booted" in self.cli("core waitfullybooted")
        except LabError:
            return False

    def _ami_accepts(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.ami_port), timeout=2) as peer:
                return peer.recv(64).startswith(b"Asterisk Call Manager")
        except OSError:
            return False

    def _last_words(self) -> str:
        log = self.home / "log"
        return "\n".join(process.tail(log / name) for name in ("stdout", "messages"))

    def stop(self) -> None:
        """Stop it in an orderly way, hanging up all calls; by force when that takes too long."""
        self._server.resume()
        if self.pid is not None:
            with contextlib.suppress(LabError):
                self.cli("core stop now")
            if not self._server.wait(10):
                self._server.signal(signal.SIGTERM)
                self._server.wait(3)
        self._server.kill()

    def kill(self) -> None:
        """Kill it (SIGKILL), as a crash does."""
        self._server.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP)."""
        self._server.pause()

    def resume(self) -> None:
        """Let it go on after `pause` (SIGCONT)."""
        self._server.resume()

    def cli(self, command: str) -> str:
        """Run a console command and return what it printed.

        Raises LabError when Asterisk is not running or does not answer within 10 s.
        """
        done = process.run_as(
            [*self.tree.argv, "-C", str(self.home / "etc/asterisk.conf"), "-rx", command],
            self.uid,
            cwd=self.home,
            timeout=_CLI_SECONDS,
        )
        if done.returncode:
            raise LabError(f"{command!r}: {(done.stdout + done.stderr).strip()}")
        return done.stdout

    def global_variable(self, name: str) -> str:
        """Return a global variable of the dialplan, empty when it is not set; raises LabError."""
        shown = self.cli("dialplan show globals")
        found = [line for line in shown.splitlines() if f"{name}=" in line]
        return found[0].partition("=")[2].strip() if found else ""

    def reload(self) -> None:
        """Read all configuration files again; raises LabError."""
        process.give(self.home / "etc", self.uid)
        self.cli("core reload")

    def log(self) -> str:
        """Return log/messages, or log/full when the full log is on."""
        path = self.home / "log" / ("full" if self.full_log else "messages")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()
