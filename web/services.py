"""What the views work with: made once by `create_app`, reached through the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import current_app
from sqlalchemy import Engine

from telephony.accounts.passwords import Passwords
from telephony.secrets import Vault
from telephony.settings import Settings

EXTENSION = "dutyline"


@dataclass(frozen=True, slots=True)
class Services:
    """The database, the settings, the keeper of secrets, and the clock (aware, UTC)."""

    engine: Engine
    settings: Settings
    vault: Vault
    passwords: Passwords
    now: Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present moment, aware."""
    return datetime.now(UTC)


def services() -> Services:
    """Return the services of the application that handles this request."""
    return cast(Services, current_app.extensions[EXTENSION])
