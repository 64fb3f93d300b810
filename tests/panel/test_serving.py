"""`dutyline users` and `dutyline web`, as processes."""

from __future__ import annotations

import http.client
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telephony.cli.web import APP
from telephony.store.accounts import find_user
from telephony.store.engine import open_engine, reading
from telephony.store.live import list_processes
from telephony.store.migrations import migrate
from tests.lab.ports import free_port
from web import create_app

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30.0


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give the environment of an installation with an empty database."""
    url = f"sqlite:///{tmp_path / 'dutyline.db'}"
    migrate(url)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DUTYLINE_")}
    return {
        **clean,
        "DUTYLINE_DATABASE_URL": url,
        "DUTYLINE_DATA_DIR": str(tmp_path),
        "DUTYLINE_WEB_PORT": str(free_port()),
    }


def _run(environ: dict[str, str], *argv: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "telephony", *argv],
        env=environ,
        cwd=ROOT,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_users_from_the_command_line(environ: dict[str, str]) -> None:
    assert "there are no users" in _run(environ, "users", "list").stdout
    added = _run(environ, "users", "add", "Anna", "--role", "admin", "--name", "Anna P")
    assert added.returncode == 0, added.stderr
    password = added.stdout.partition("password: ")[2].split()[0]
    assert len(password) == 23
    taken = _run(environ, "users", "add", "anna")
    assert taken.returncode == 1
    assert "this login is taken" in taken.stderr
    short = _run(environ, "users", "add", "boris", "--ask", typed="short\n")
    assert "at least 10 characters" in short.stderr
    asked = _run(environ, "users", "add", "boris", "--ask", typed="a longer password\n")
    assert asked.returncode == 0, asked.stderr
    assert "a longer password" not in asked.stdout
    for command in (("disable", "anna"), ("role", "anna", "operator")):
        refused = _run(environ, "users", *command)
        assert refused.returncode == 1
        assert "last active admin" in refused.stderr
    assert _run(environ, "users", "role", "boris", "admin").returncode == 0
    assert _run(environ, "users", "disable", "anna").returncode == 0
    assert "anna: Anna P, admin, disabled" in _run(environ, "users", "list").stdout
    assert "no user" in _run(environ, "users", "password", "nobody").stderr
    assert "password: " in _run(environ, "users", "password", "anna").stdout
    engine = open_engine(environ["DUTYLINE_DATABASE_URL"])
    with reading(engine) as session:
        anna = find_user(session, "anna")
    engine.dispose()
    assert anna is not None
    assert not anna.active


def test_the_application_that_the_command_names_exists() -> None:
    module, _, name = APP.partition(":")
    assert getattr(importlib.import_module(module), name) is create_app


@pytest.fixture
def served(environ: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give a running `dutyline web`."""
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "telephony", "web"],
            env=environ,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        yield process
        process.kill()
        process.wait()


def _until(condition: Callable[[], bool], log: Path, what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} within {SECONDS} s:\n{log.read_text()}"
        time.sleep(0.1)


def test_the_panel_is_served_and_stops(
    served: subprocess.Popen[bytes], environ: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "web.log"
    port = int(environ["DUTYLINE_WEB_PORT"])

    def answers() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().read() == b"ok\n"
        except OSError:
            return False
        finally:
            connection.close()

    _until(answers, log, "the panel did not answer")
    engine = open_engine(environ["DUTYLINE_DATABASE_URL"])

    def status() -> tuple[bool, str | None] | None:
        with reading(engine) as session:
            found = {one.name: (one.ready, one.problem) for one in list_processes(session)}
        return found.get("web")

    _until(lambda: status() == (True, None), log, "it did not tell that it is ready")
    served.terminate()
    assert served.wait(SECONDS) == 0
    assert status() == (False, "stopped")
    engine.dispose()
