"""`dutyline web`: the panel and the API, served by gunicorn."""

from __future__ import annotations

import importlib
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from telephony.cli.common import Failed, database, readable, settings_for
from telephony.secrets import SecretError, open_vault
from telephony.settings import Settings
from telephony.status import Beat
from telephony.store.engine import StoreError, open_engine
from telephony.supervisor import die_with_parent

# By name: telephony imports nothing of the panel. A test of the repository resolves it.
APP = "web:create_app"

_WORKERS = 2
_THREADS = 16
_GRACE = 5  # seconds that a request may still take after SIGTERM


@click.command()
@click.option("--host", help="Address to listen on instead of DUTYLINE_WEB_HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port instead of DUTYLINE_WEB_PORT.")
@readable
def web(host: str | None, port: int | None) -> None:
    """Serve the panel and the API."""
    die_with_parent()
    settings = settings_for(ami=False)
    with database(settings):
        pass  # a wrong database is told here, not by a worker that restarts for ever
    try:
        open_vault(settings.secret_key, settings.data_dir)
    except SecretError as error:
        raise Failed(str(error)) from None
    _Server(settings, host or settings.web_host, port or settings.web_port).run()


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn without a command line and a configuration file of its own."""

    def __init__(self, settings: Settings, host: str, port: int) -> None:
        self._settings = settings
        self._bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn up."""
        options: dict[str, Any] = {
            "bind": self._bind,
            "worker_class": "gthread",
            "workers": _WORKERS,
            "threads": _THREADS,
            "graceful_timeout": _GRACE,
            "timeout": 60,
            "keepalive": 15,
            "worker_tmp_dir": None,
            "proc_name": "dutyline-web",
            "loglevel": "warning",
            # Forwarded headers count only as DUTYLINE_WEB_PROXIES says, which the application does.
            "forwarded_allow_ips": "",
            "control_socket_disable": True,
            "post_worker_init": _begin_beat,
            "worker_exit": _end_beat,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the application, in each worker its own."""
        module, _, name = APP.partition(":")
        return getattr(importlib.import_module(module), name)(self._settings)


def _begin_beat(worker: Any) -> None:
    """Tell the database that the panel runs; each worker does, into the same row."""
    settings: Settings = worker.app._settings
    try:
        engine = open_engine(settings.database_url, check=False)
    except StoreError:
        return
    worker.beat = Beat(engine, "web")
    worker.beat.start(lambda: (True, None, {"workers": float(_WORKERS)}))


def _end_beat(_server: Any, worker: Any) -> None:
    beat: Beat | None = getattr(worker, "beat", None)
    if beat is not None:
        beat.stop()
