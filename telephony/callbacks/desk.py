"""What placing calls works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine

from telephony.ami.client import AmiAddress
from telephony.callbacks.standing import KnownSetup


@dataclass(frozen=True, slots=True)
class Desk:
    """`dialler` is the manager user that places calls, None where none is set; `country` is the
    company's own.
    """

    engine: Engine
    country: str
    dialler: AmiAddress | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    setups: KnownSetup = field(default_factory=KnownSetup)
