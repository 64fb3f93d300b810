"""Who talked to a caller last, in memory: history is learnt once, then each call adds to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from telephony.domain.record_types import CallRecord, Direction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How many days an admin may look back; older conversations are not kept here.
MOST_DAYS = 90


class LastTalks:
    """E.164 number → the extension that talked to it last, and when.

    Each change is one operation on a dictionary: a thread may learn while the loop reads.
    """

    def __init__(self) -> None:
        self._talks: dict[str, tuple[str, int]] = {}

    def __len__(self) -> int:
        """Count the numbers known."""
        return len(self._talks)

    def find(self, number: str) -> tuple[str, datetime] | None:
        """Return who talked to a number last, and when (aware)."""
        known = self._talks.get(number)
        if known is None:
            return None
        return known[0], _EPOCH + timedelta(microseconds=known[1])

    def learn(self, history: Iterable[tuple[str, str, int]]) -> None:
        """Take (number, extension, µs since the epoch) of conversations; the latest stays."""
        for number, extension, at in history:
            known = self._talks.get(number)
            if known is None or known[1] < at:
                self._talks[number] = (extension, at)

    def forget(self, before: datetime) -> None:
        """Drop what was before an aware moment."""
        limit = (before - _EPOCH) // timedelta(microseconds=1)
        for number, (_, at) in list(self._talks.items()):
            if at < limit:
                self._talks.pop(number, None)

    def note(self, record: CallRecord) -> None:
        """Take a call that has just ended, if an operator and somebody outside talked in it."""
        talked = talked_last(record)
        if talked is not None and record.number.startswith("+"):
            self._talks[record.number] = (talked, record.ended_at)


def talked_last(record: CallRecord) -> str | None:
    """Return the extension that was the last to talk to the party outside, None when none did.

    Whoever answered first may have sent the call on.
    """
    if record.answered_at is None or record.direction is Direction.INTERNAL:
        return None
    talks = [
        (leg.talks[-1][1], leg.operator)
        for leg in record.legs
        if leg.operator is not None and leg.talks
    ]
    if talks:
        return max(talks)[1]
    return record.placed_by if record.direction is Direction.OUT else record.answered_by
