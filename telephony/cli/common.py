"""What the commands share: settings, the database, errors that people can read."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from telephony.ami.client import AmiAddress
from telephony.ami.names import dialler_of
from telephony.domain.setup import Setup
from telephony.logs import set_up_logs
from telephony.settings import Settings, SettingsError, read_settings
from telephony.store.audit import AuditEntry, add_audit
from telephony.store.engine import StoreError, open_engine, reading, reason
from telephony.store.migrations import pending
from telephony.store.setup import load_setup

P = ParamSpec("P")
R = TypeVar("R")

# What a command needs not that never talks to Asterisk.
WITHOUT_AMI = frozenset({"ami_secret", "token"})


class Failed(click.ClickException):
    """An error for people; the exit code is 1."""

    def show(self, file: object = None) -> None:
        """Print the message, marked, to stderr."""
        del file
        click.echo(click.style("✗ ", fg="red") + self.format_message(), err=True)


def readable(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors a command may meet into messages instead of tracebacks."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (SettingsError, StoreError) as error:
            raise Failed(str(error)) from None
        except SQLAlchemyError as error:
            raise Failed(f"the database failed: {reason(error)}") from None
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)

    return wrapped


def settings_for(*, ami: bool) -> Settings:
    """Read the settings a command needs and set up its logs. Raises SettingsError."""
    settings = read_settings(os.environ, without=frozenset() if ami else WITHOUT_AMI)
    set_up_logs(settings.log_level, settings.log_format)
    return settings


@contextmanager
def database(settings: Settings) -> Iterator[Engine]:
    """Open the database, its migrations applied. Raises StoreError, Failed."""
    kind, _, path = settings.database_url.partition(":///")
    if kind == "sqlite" and not Path(path.partition("?")[0]).exists():
        # SQLite would make an empty one where nobody looks for it.
        raise Failed(f"there is no database {path}: run `dutyline migrate`")
    missing = pending(settings.database_url)
    if missing:
        raise Failed(
            f"the database is {len(missing)} migration(s) behind ({', '.join(missing)}): "
            "run `dutyline migrate`"
        )
    engine = open_engine(settings.database_url)
    try:
        yield engine
    finally:
        engine.dispose()


def note(session: Session, action: str, target: str, **details: Any) -> None:
    """Write in the audit log that somebody on this machine did something."""
    now = datetime.now(UTC)
    add_audit(session, AuditEntry(now, None, "command line", "", action, target, details))


def known_setup(settings: Settings) -> Setup | None:
    """Return what is set up, None when the database cannot tell."""
    try:
        with database(settings) as engine, reading(engine) as session:
            return load_setup(session)
    except (Failed, StoreError, SQLAlchemyError):
        return None


def ami_address(settings: Settings) -> AmiAddress:
    """Return where and as whom to log in to Asterisk."""
    return AmiAddress(settings.ami_host, settings.ami_port, settings.ami_user, settings.ami_secret)


def dialler_address(settings: Settings) -> AmiAddress | None:
    """Return the same for the user that places calls, None while the PBX's are not set."""
    if not settings.ami_secret:
        return None
    user, secret = dialler_of(settings.ami_user, settings.ami_secret)
    return replace(ami_address(settings), user=user, secret=secret)
