"""`dutyline healthcheck`: what it says of parts that run, fail, hang and never were."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from telephony.cli import main
from telephony.store.engine import open_engine, writing
from telephony.store.live import Process, save_process


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a migrated database that the settings name."""
    url = f"sqlite:///{tmp_path / 'dutyline.db'}"
    monkeypatch.setenv("DUTYLINE_DATABASE_URL", url)
    done = CliRunner().invoke(main, ["migrate"])
    assert done.exit_code == 0, done.output
    return url


def tell(url: str, name: str, *, ago: float = 0.0, problem: str | None = None) -> None:
    """Let a part have told of itself some seconds ago."""
    now = datetime.now(UTC)
    engine = open_engine(url)
    with writing(engine) as session:
        save_process(
            session,
            Process(
                name=name,
                pid=1,
                host="here",
                version="1",
                started_at=now,
                renewed_at=now - timedelta(seconds=ago),
                ready=problem is None,
                problem=problem,
            ),
        )
    engine.dispose()


def check(*parts: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["healthcheck", *parts])


def test_parts_that_are_well(url: str) -> None:
    tell(url, "listener")
    tell(url, "relay", ago=5)
    done = check("listener", "relay")
    assert (done.exit_code, done.stdout) == (0, "✓ listener, relay\n")


def test_every_part_that_is_not_well_is_named_with_its_reason(url: str) -> None:
    tell(url, "listener", problem="not_connected")
    tell(url, "relay", ago=60)
    tell(url, "worker-bulk")
    done = check("listener", "relay", "worker-now", "worker-bulk")
    assert done.exit_code == 1
    assert "listener: is not ready: not_connected" in done.stderr
    assert "relay: has told nothing for 60 s" in done.stderr
    assert "worker-now: has never run" in done.stderr
    assert "worker-bulk" not in done.stderr


def test_an_unknown_part_is_refused() -> None:
    assert check("listner").exit_code == 2
    assert check().exit_code == 2


class _Panel(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Panel]]:
    """Give something that answers as the panel does."""
    server = HTTPServer(("127.0.0.1", 0), _Panel)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("DUTYLINE_WEB_HOST", "0.0.0.0")
    monkeypatch.setenv("DUTYLINE_WEB_PORT", str(server.server_port))
    yield _Panel
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_panel_is_asked_without_the_database(
    panel: type[_Panel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUTYLINE_DATABASE_URL", "sqlite:////no/such/folder/dutyline.db")
    assert check("web").exit_code == 0
    monkeypatch.setattr(panel, "status", 503)
    assert "web: answers with status 503" in check("web").stderr


def test_a_panel_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUTYLINE_WEB_PORT", "1")
    done = check("web")
    assert done.exit_code == 1
    assert "web: does not answer" in done.stderr
