"""What changed in what goes on now, between two writes of it: the latest of each wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from telephony.domain.live import LiveCall, OperatorState


@dataclass(slots=True)
class Changes:
    """Live calls and operators' states to write, each by its key.

    `gone` are calls that are not calls of their own any more, with the calls that they became part
    of.
    `only` are the ids of the calls that may stay when all others are to go: what an earlier
    process left behind; None when nothing else is to go. `only_operators` likewise.
    """

    calls: dict[str, LiveCall] = field(default_factory=dict)
    operators: dict[str, OperatorState] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    only: frozenset[str] | None = None
    only_operators: frozenset[str] | None = None

    def __bool__(self) -> bool:
        """Tell whether there is anything to write."""
        replaces = self.only is not None or self.only_operators is not None
        return bool(self.calls or self.operators or self.gone or replaces)

    def tell(
        self,
        calls: Iterable[LiveCall],
        operators: Iterable[OperatorState],
        gone: Mapping[str, str] | None = None,
    ) -> None:
        """Take later versions."""
        for call_id in gone or {}:
            self.calls.pop(call_id, None)
        self.gone.update(gone or {})
        self.calls.update((call.call_id, call) for call in calls)
        self.operators.update((state.extension, state) for state in operators)

    def replace(
        self,
        calls: Iterable[LiveCall],
        operators: Iterable[OperatorState],
        keep: Iterable[str] = (),
    ) -> None:
        """Make these the only ones; calls of the ids `keep` stay as they are stored."""
        self.calls = {call.call_id: call for call in calls}
        self.operators = {state.extension: state for state in operators}
        self.gone = {}
        self.only = frozenset(self.calls) | frozenset(keep)
        self.only_operators = frozenset(self.operators)

    def ended(self, call_id: str) -> None:
        """Forget a call: its record is about to be written, and its row goes with that."""
        self.calls.pop(call_id, None)

    def later(self, newer: Changes) -> Changes:
        """Return these with newer ones over them: these could not be written."""
        if newer.only is not None:
            return newer
        calls = {**self.calls, **newer.calls}
        return Changes(
            {call_id: call for call_id, call in calls.items() if call_id not in newer.gone},
            {**self.operators, **newer.operators},
            self.gone | newer.gone,
            self.only,
            self.only_operators,
        )
