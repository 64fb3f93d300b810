"""`dutyline redis`: the private Redis."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import click

from telephony.cli.common import Failed, readable, settings_for
from telephony.privateredis import (
    PrivateRedisError,
    find_redis_server,
    private_redis,
    private_socket,
)
from telephony.supervisor import die_with_parent


@click.command("redis")
@readable
def private_server() -> None:
    """Run the private Redis alone: on a Unix socket of this user's, on no port."""
    die_with_parent()
    settings = settings_for(ami=False)
    if settings.redis_url:
        raise Failed("DUTYLINE_REDIS_URL names a Redis: no private one is needed")
    try:
        program = find_redis_server(settings.redis_server)
        command = private_redis(program, settings.data_dir)
    except PrivateRedisError as error:
        raise Failed(str(error)) from None
    _hold(private_socket(settings.data_dir).with_name("lock"))
    # The same process from now on: it keeps the lock, and dies with the supervisor.
    os.execv(program, command)  # noqa: S606


def _hold(path: Path) -> None:
    """Lock a file for as long as this process lives, across exec. Raises Failed."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(handle, True)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failed(f"another private Redis runs in {path.parent}") from None
