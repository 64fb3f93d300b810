"""A real PostgreSQL on loopback: the machine's own server, or its release's package unpacked."""

import atexit
import contextlib
import os
import re
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.lab import apt, process
from tests.lab.cache import Say, building, is_ready, locked, open_to_all, quiet
from tests.lab.errors import LabError
from tests.lab.ports import free_port

OLDEST = 15
_RECIPE = 1
_USER = "dutyline"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_TOOLS = ("postgres", "initdb")
# The machine's own C library must not be mixed with another build of it; the compiler is not used.
_LEFT_OUT = ("libc6_", "libc-bin_", "libllvm", "perl", "libperl")
_CONFIG = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
jit = off
shared_buffers = 32MB
max_connections = 60
timezone = 'UTC'
log_timezone = 'UTC'
"""


@dataclass(frozen=True)
class PostgresTree:
    """Where a PostgreSQL is: its programs, its own libraries if any, its major version."""

    bin: Path
    library_path: str
    version: int

    def environment(self) -> Mapping[str, str]:
        """Return what its programs need in their environment."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        clean |= {"LC_ALL": "C", "TZ": "UTC", "PGCONNECT_TIMEOUT": "5"}
        if self.library_path:
            clean["LD_LIBRARY_PATH"] = self.library_path
        return clean


def ensure_postgres(cache: Path, say: Say = quiet, *, installed: bool = True) -> PostgresTree:
    """Return a PostgreSQL >= 15: the machine's own unless `installed` is False, else fetched.

    Raises LabError.
    """
    if installed:
        for bin_folder in _newest_first(Path("/usr/lib/postgresql")):
            if all((bin_folder / tool).exists() for tool in _TOOLS):
                return PostgresTree(bin_folder, "", int(bin_folder.parent.name))
    _, codename = apt.distribution()
    recipe = f"postgres recipe {_RECIPE} {codename} {apt.multiarch()}\n"
    tree = cache / "postgres"
    with locked(cache, say):
        if not is_ready(tree, recipe):
            say(f"fetching PostgreSQL from {codename} into {tree}")
            with building(tree, recipe) as fresh:
                debs = apt.fetch_debs(["postgresql"], [codename], fresh / "work", on_top=installed)
                kept = [deb for deb in debs if not deb.name.startswith(_LEFT_OUT)]
                say(f"unpacking {len(kept)} packages")
                apt.unpack(kept, fresh / "root")
                shutil.rmtree(fresh / "work")
                for name in ("doc", "locale", "man", "perl"):
                    shutil.rmtree(fresh / "root/usr/share" / name, ignore_errors=True)
    libraries = tree / "root" / "usr" / "lib" / apt.multiarch()
    for bin_folder in _newest_first(tree / "root" / "usr" / "lib" / "postgresql"):
        return PostgresTree(bin_folder, str(libraries), int(bin_folder.parent.name))
    raise LabError(
        f"{codename} has no PostgreSQL >= {OLDEST}: install one under /usr/lib/postgresql"
    )


def _newest_first(folder: Path) -> list[Path]:
    """Return the bin folders below `folder` whose version is new enough."""
    found = [path for path in folder.glob("*/bin") if path.parent.name.isdigit()]
    found = [path for path in found if int(path.parent.name) >= OLDEST]
    return sorted(found, key=lambda path: int(path.parent.name), reverse=True)


def _reachable(tree: PostgresTree) -> PostgresTree:
    """Return the tree, or for root a copy of it that an unprivileged user can traverse."""
    if os.geteuid() != 0 or open_to_all(tree.bin):
        return tree
    root = tree.bin.parents[4]
    copy = Path(tempfile.mkdtemp(prefix="dutyline-postgres-"))
    copy.chmod(0o755)
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    shutil.copytree(root, copy / "root", symlinks=True)

    def moved(path: Path) -> Path:
        return copy / "root" / path.relative_to(root)

    libraries = str(moved(Path(tree.library_path))) if tree.library_path else ""
    return PostgresTree(moved(tree.bin), libraries, tree.version)


class Postgres:
    """A server with its own data under `run`, open without a password to this machine only.

    Usable as a context manager. `port` stays over restarts; `url` is the database "dutyline".
    """

    def __init__(self, tree: PostgresTree, run: Path) -> None:
        """Choose a port and make the folders; raises LabError when the server cannot have them.

        PostgreSQL refuses to run as root: for root, a tree that others cannot traverse (in a
        repository under /root) is copied to where they can, until this Python ends.
        """
        tree = self.tree = _reachable(tree)
        self.run = run
        self.port = free_port()
        self.uid = process.server_uid(tree.bin)
        self.home = process.place_home(run, ("pgdata", "pglog"), self.uid)
        self._data = self.home / "pgdata"
        self._log = self.home / "pglog" / "log"
        self._server = process.Server("PostgreSQL", self.uid, self.home, self._log)

    @property
    def pid(self) -> int | None:
        """The main process's id, None when it is not running."""
        return self._server.pid

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the database "dutyline"."""
        return self._url("dutyline")

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/{name}"

    def start(self, timeout: float = 30) -> None:
        """Start it, making its data the first time; return when it answers queries.

        Raises LabError, with the tail of its log, when that takes longer than `timeout` seconds.
        """
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._server.spawn(
            [str(self.tree.bin / "postgres"), "-D", str(self._data), "-p", str(self.port)],
            self.tree.environment(),
        )
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self._server.pid is None or time.monotonic() > deadline:
                self.kill()
                raise LabError(f"PostgreSQL did not start\n{process.tail(self._log)}")
            time.sleep(0.05)
        if not self._sql("SELECT 1 FROM pg_database WHERE datname = 'dutyline'"):
            self.create_database("dutyline")

    def _initialise(self) -> None:
        command = [
            str(self.tree.bin / "initdb"),
            f"--pgdata={self._data}",
            f"--username={_USER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]
        done = process.run_as(
            command, self.uid, cwd=self.home, env=self.tree.environment(), timeout=120
        )
        if done.returncode:
            raise LabError(f"initdb failed: {(done.stdout + done.stderr).strip()[-1500:]}")
        config = self._data / "postgresql.conf"
        config.write_text(config.read_text(encoding="utf-8") + _CONFIG, encoding="utf-8")
        process.give(config, self.uid)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, LabError):
            with socket.create_connection(("127.0.0.1", self.port), timeout=2):
                pass
            return self._sql("SELECT 1") == [(1,)]
        return False

    def stop(self) -> None:
        """Stop it, cutting all connections; by force when that takes longer than 10 s."""
        self._server.resume()
        self._server.signal(signal.SIGINT)
        self._server.wait(10)
        self._server.kill()

    def kill(self) -> None:
        """Kill it with all its processes (SIGKILL)."""
        self._server.kill()

    def pause(self) -> None:
        """Freeze it with all its processes (SIGSTOP)."""
        self._server.pause()

    def resume(self) -> None:
        """Let it go on after `pause` (SIGCONT)."""
        self._server.resume()

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create a database, empty or a copy of `template`, to which nobody may be connected, and
        return its URL; raises LabError when it exists.
        """
        self._sql(f"CREATE DATABASE {_checked(name)} TEMPLATE {_checked(template)}")
        return self._url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, cutting its connections; nothing when there is none."""
        self._sql(f"DROP DATABASE IF EXISTS {_checked(name)} WITH (FORCE)")

    def _sql(self, statement: str) -> list[tuple[object, ...]]:
        """Run one statement, return its rows if any; raises LabError with the server's words.

        By the driver: each test has a database of its own, and a process costs ten times that.
        """
        where = f"host=127.0.0.1 port={self.port} user={_USER} dbname=postgres"
        try:
            with psycopg.connect(where, autocommit=True, connect_timeout=10) as connection:
                cursor = connection.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise LabError(f"{statement}: {str(error).strip()}") from error

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


def _checked(name: str) -> str:
    """Return a name that needs no quotes; raises LabError for any other."""
    if not _NAME.fullmatch(name):
        raise LabError(f"not a plain database name: {name!r}")
    return name
