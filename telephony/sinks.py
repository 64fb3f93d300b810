"""What the listener hands things to; the shells behind never block and never raise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from telephony.domain.live import LiveCall, OperatorState
from telephony.domain.record import CallRecord
from telephony.domain.recovery import Outage


class Sink(Protocol):
    """Takes records; never blocks, never raises."""

    def put(self, record: CallRecord) -> None:
        """Take one record, or a newer version of one."""


class Outages(Protocol):
    """Takes what happened while nobody listened; never blocks, never raises. See `resync`."""

    @property
    def unwritten(self) -> Sequence[CallRecord]:
        """The calls of earlier outages that still wait for their records."""

    def over(self, outage: Outage) -> None:
        """Take an outage that is over; the records of its calls are this one's to write."""


class LiveSink(Protocol):
    """Takes live state; never blocks, never raises. See `writer.Writer`."""

    def tell(
        self,
        calls: Iterable[LiveCall],
        operators: Iterable[OperatorState] = (),
        gone: Mapping[str, str] | None = None,
    ) -> None:
        """Take what changed."""

    def replace(
        self,
        calls: Iterable[LiveCall],
        operators: Iterable[OperatorState],
        keep: Iterable[str] = (),
    ) -> None:
        """Take everything there is now."""
