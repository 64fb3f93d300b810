"""The private Redis of a single machine: its program, its folder, where it listens."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

_LONGEST_SOCKET = 100  # bytes of a Unix socket's path; the kernel takes 107


class PrivateRedisError(Exception):
    """The private Redis cannot be had; the message says why and what to do."""


def private_socket(data_dir: Path) -> Path:
    """Return where the private Redis listens: below the data folder, if the path is not too long.

    Else in a folder of this user's below the one for temporary files, named after the data folder.
    """
    folder = data_dir.resolve()
    path = folder / "redis" / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"dutyline-{os.getuid()}-{name}" / "redis.sock"


def redis_url(chosen: str, data_dir: Path) -> str:
    """Return the URL of the Redis to use: the chosen one, else the private one's."""
    return chosen or f"unix://{private_socket(data_dir)}"


def find_redis_server(program: str) -> str:
    """Return the path of the private Redis' program. Raises PrivateRedisError."""
    found = shutil.which(program)
    if found is None:
        raise PrivateRedisError(
            f"there is no program {program} for the private Redis: `apt install redis-server` "
            "(and `systemctl disable --now redis-server`, it needs not run by itself), or name "
            "a program in DUTYLINE_REDIS_SERVER, or a Redis that runs in DUTYLINE_REDIS_URL"
        )
    return found


def private_redis(program: str, data_dir: Path) -> list[str]:
    """Return the command line of the private Redis, its folder made. Raises PrivateRedisError.

    It listens on a Unix socket that only this user can open, on no port, and keeps nothing.
    """
    socket = private_socket(data_dir)
    _make_private(socket.parent)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "600",
        "dir": str(socket.parent),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "databases": "1",
        "loglevel": "warning",
    }
    return [program, *(word for name, value in options.items() for word in (f"--{name}", value))]


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = folder.lstat()
        if not stat.S_ISDIR(there.st_mode) or there.st_uid != os.getuid():
            raise PrivateRedisError(f"{folder} is not a folder of this user: remove it")
        folder.chmod(0o700)
    except OSError as error:
        raise PrivateRedisError(f"{folder} cannot be used: {error.strerror}") from None
