"""An office in which it is whatever moment a test says: rosters and holidays at a fixed date."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from telephony.ami.client import AmiAddress
from telephony.domain.events import Event
from telephony.domain.setup import Setup
from telephony.listener import Listener
from tests.asterisk.office import SECRET, TOKEN, Office, office, small_directory


class ClockedListener(Listener):
    """A listener that takes the PBX's clock to be ahead of what it is."""

    ahead = timedelta()

    def on_event(self, event: Event, arrived: float) -> None:
        super().on_event(replace(event, at=event.at + self._moved), arrived)

    def it_is(self, moment: datetime) -> None:
        """Let it be this aware moment now."""
        self.ahead = moment - datetime.now(UTC)

    def _now(self) -> int:
        return super()._now() + self._moved

    @property
    def _moved(self) -> int:
        return self.ahead // timedelta(microseconds=1)


@asynccontextmanager
async def clocked_office(run: Path, setup: Setup) -> AsyncIterator[tuple[Office, ClockedListener]]:
    """Open an office and give its listener too, to tell it the time; what is played is logged."""
    async with office(run, listening=False, full_log=True) as place:
        address = AmiAddress("127.0.0.1", place.pbx.ami_port, "dutyline", SECRET)
        listener = ClockedListener(address, TOKEN, "RU", small_directory(), setup, place.records)
        place.listener = listener
        await place.start_listener()
        try:
            yield place, listener
        finally:
            await place.stop_listener()
