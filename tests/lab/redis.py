"""A real Redis: the machine's own server, or its release's package unpacked."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from tests.lab import apt, process
from tests.lab.cache import Say, building, is_ready, locked, quiet
from tests.lab.errors import LabError
from tests.lab.ports import free_port

_RECIPE = 1
# The machine's own C library must not be mixed with another build of it.
_LEFT_OUT = ("libc6_", "libc-bin_", "libssl3", "libcrypt1", "libgcc", "gcc-", "adduser", "passwd")
_LAUNCHER = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH="$here/root/usr/lib/{arch}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export LD_LIBRARY_PATH
exec "$here/root/usr/bin/redis-server" "$@"
"""


@dataclass(frozen=True)
class RedisTree:
    """Where a Redis is: a program that can be run as it stands, and its version."""

    server: Path
    version: str


def ensure_redis(cache: Path, say: Say = quiet, *, installed: bool = True) -> RedisTree:
    """Return a Redis: the machine's own unless `installed` is False, else fetched.

    Raises LabError.
    """
    own = shutil.which("redis-server") if installed else None
    if own is not None:
        return RedisTree(Path(own), _version(Path(own)))
    _, codename = apt.distribution()
    recipe = f"redis recipe {_RECIPE} {codename} {apt.multiarch()}\n"
    tree = cache / "redis"
    with locked(cache, say):
        if not is_ready(tree, recipe):
            say(f"fetching Redis from {codename} into {tree}")
            with building(tree, recipe) as fresh:
                debs = apt.fetch_debs(
                    ["redis-server"], [codename], fresh / "work", on_top=installed
                )
                kept = [deb for deb in debs if not deb.name.startswith(_LEFT_OUT)]
                apt.unpack(kept, fresh / "root")
                shutil.rmtree(fresh / "work")
                for name in ("doc", "locale", "man"):
                    shutil.rmtree(fresh / "root/usr/share" / name, ignore_errors=True)
                launcher = fresh / "redis-server"
                launcher.write_text(_LAUNCHER.format(arch=apt.multiarch()), encoding="ascii")
                launcher.chmod(0o755)
    return RedisTree(tree / "redis-server", _version(tree / "redis-server"))


def _version(program: Path) -> str:
    try:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise LabError(f"{program} does not run: {error}") from error
    words = dict(word.partition("=")[::2] for word in done.stdout.split() if "=" in word)
    return words.get("v", "?")


class RedisServer:
    """A server that keeps nothing, on a port of loopback; usable as a context manager.

    `port` stays over restarts.
    """

    def __init__(self, tree: RedisTree, run: Path) -> None:
        """Choose a port and make the folders."""
        self.tree = tree
        self.port = free_port()
        self.home = process.place_home(run, ("redis",), None)
        self._log = self.home / "redis" / "log"
        self._server = process.Server("Redis", None, self.home / "redis", self._log)

    @property
    def url(self) -> str:
        """The URL of its database."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """The process id, None when it is not running."""
        return self._server.pid

    def start(self, timeout: float = 20) -> None:
        """Start it, empty; return when it answers. Raises LabError with the tail of its log."""
        options = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._server.spawn([str(self.tree.server), *words], _environment())
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self._server.pid is None or time.monotonic() > deadline:
                self.kill()
                raise LabError(f"Redis did not start\n{process.tail(self._log)}")
            time.sleep(0.02)

    def client(self) -> redis.Redis:
        """Return a client of one second's patience."""
        return redis.Redis(port=self.port, socket_timeout=1, socket_connect_timeout=1)

    def flush(self) -> None:
        """Delete everything it holds (FLUSHALL)."""
        self.client().flushall()

    def stop(self) -> None:
        """Stop it; by force when that takes longer than 5 s."""
        self._server.resume()
        self._server.signal(signal.SIGTERM)
        self._server.wait(5)
        self._server.kill()

    def kill(self) -> None:
        """Kill it (SIGKILL): all it held is gone."""
        self._server.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections are taken, nothing is answered."""
        self._server.pause()

    def resume(self) -> None:
        """Let it go on after `pause` (SIGCONT)."""
        self._server.resume()

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError, OSError):
            return bool(self.client().ping())
        return False

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


def _environment() -> Mapping[str, str]:
    return {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
